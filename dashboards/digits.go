// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "fmt"

// twoDigits rounds to two significant digits: more would say that an illustration is exact.
// What is smaller than a millionth is 0.
func twoDigits(expr string) string {
	return fmt.Sprintf("round(%[1]s, scalar(10 ^ (floor(log10(clamp_min(abs(%[1]s), 1e-6))) - 1)))", expr)
}

// byLeadTime writes lead times, the label ahead, as a label that sorts: 30m becomes +00:30.
func byLeadTime(expr string) string {
	for _, r := range [][2]string{
		{"+00:30", "30m"}, {"+0$1:00", "([0-9])h"}, {"+$1:00", "([0-9]{2})h"}, {"+0$1:30", "([0-9])h30m"}, {"+$1:30", "([0-9]{2})h30m"},
	} {
		expr = fmt.Sprintf(`label_replace(%s, "in", "%s", "ahead", "%s")`, expr, r[0], r[1])
	}
	return expr
}
