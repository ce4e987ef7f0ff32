// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"time"
)

// The values of partLabel in an answer about measured power.
const (
	partMean   = "mean"
	partPoints = "points"
	partLeast  = "least"
)

// measured selects, by an expression of the operator, the mean power in the window before each
// evaluation; the lowest, because a mean would hide a missing reading; and the number of
// values. Series of one host, such as its sockets, are added up; the number of values shows if
// one of them has gaps. The line break ends a comment in the expression.
func (q Query) measured(expr string, window time.Duration) string {
	by := fmt.Sprintf("by (%s)", listed(q.Labels.Host, q.Labels.Machine))
	over := fmt.Sprintf("[%s:%s]", promDuration(window), promDuration(min(max(window/10, time.Second), time.Minute)))
	each := "(" + expr + "\n)"
	host := fmt.Sprintf("(sum %s %s)", by, each)
	part := func(expr, name string) string {
		return fmt.Sprintf(`label_replace(%s, %q, %q, "", "")`, expr, partLabel, name)
	}
	return part("avg_over_time("+host+over+")", partMean) +
		" or " + part("min_over_time("+host+over+")", partLeast) +
		" or " + part("sum "+by+" (count_over_time("+each+over+"))", partPoints)
}
