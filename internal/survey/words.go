// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package survey

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
)

// selector selects the series of a metric. A name that is not one of the old form stands in
// quotes inside the braces, which only servers understand that can have such a name.
func selector(metric string, matchers ...string) string {
	name := ""
	if !model.LegacyValidation.IsValidMetricName(metric) {
		name, metric = strconv.Quote(metric), ""
	}
	return metric + "{" + join(append([]string{name}, matchers...)...) + "}"
}

// join puts matchers together; any may be empty.
func join(matchers ...string) string {
	return strings.Join(slices.DeleteFunc(matchers, func(m string) bool { return m == "" }), ",")
}

// quoted is the name of a label in a query.
func quoted(label string) string {
	if model.LegacyValidation.IsValidLabelName(label) {
		return label
	}
	return strconv.Quote(label)
}

// with matches series that have a label.
func with(label string) string { return quoted(label) + `!=""` }

// is matches a value exactly.
func is(label, value string) string { return quoted(label) + "=" + strconv.Quote(value) }

// anyOf matches one of some metrics, whatever characters their names have.
func anyOf(metrics []string) string {
	escaped := make([]string, len(metrics))
	for i, m := range metrics {
		escaped[i] = regexp.QuoteMeta(m)
	}
	return fmt.Sprintf("{__name__=~%q}", strings.Join(escaped, "|"))
}

// distinct counts the different values of labels.
func distinct(series string, labels ...string) string {
	return fmt.Sprintf("count(%s)", by(series, labels...))
}

// by counts series by labels.
func by(series string, labels ...string) string {
	names := make([]string, len(labels))
	for i, l := range labels {
		names[i] = quoted(l)
	}
	return fmt.Sprintf("count by (%s) (%s)", strings.Join(names, ", "), series)
}
