// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// The syntax of PromQL. Names that only Prometheus 3 knows, such as system.cpu.time, are quoted.

// quotedName writes the name of a label.
func quotedName(label string) string {
	if model.LegacyValidation.IsValidLabelName(label) {
		return label
	}
	return strconv.Quote(label)
}

// listed writes the names of labels for by, without those that are empty.
func listed(labels ...string) string {
	var names []string
	for _, l := range labels {
		if l != "" {
			names = append(names, quotedName(l))
		}
	}
	return strings.Join(names, ", ")
}

// is matches a label's value exactly, or by alternatives of a regular expression.
func is(label, operator, value string) string {
	return quotedName(label) + operator + strconv.Quote(value)
}

// selectorOf returns metric{matchers}.
func selectorOf(metric string, matchers ...string) string {
	var all []string
	legacy := model.LegacyValidation.IsValidMetricName(metric)
	if !legacy {
		all = append(all, strconv.Quote(metric))
		metric = ""
	}
	for _, m := range matchers {
		if m = strings.Trim(strings.TrimSpace(m), ","); m != "" {
			all = append(all, m)
		}
	}
	return metric + "{" + strings.Join(all, ",") + "}"
}

func alternatives(values []string) string { return strings.Join(values, "|") }

// exactly matches values exactly: PromQL anchors regular expressions, and the values are quoted.
func exactly(label string, values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = regexp.QuoteMeta(v)
	}
	return is(label, "=~", alternatives(quoted))
}

// inWindow puts a window into a query of the operator.
func inWindow(query string, window time.Duration) string {
	return strings.NewReplacer(
		"$__interval_seconds", strconv.FormatFloat(window.Seconds(), 'f', -1, 64),
		"$__interval", promDuration(window),
	).Replace(query)
}

// InRange puts the length of a range into an expression of a person, which is evaluated at its
// end: $__range as a duration, $__range_seconds as a number.
func InRange(expr string, length time.Duration) string {
	return strings.NewReplacer(
		"$__range_seconds", strconv.FormatFloat(length.Seconds(), 'f', -1, 64),
		"$__range", promDuration(length),
	).Replace(expr)
}

func promDuration(d time.Duration) string { return model.Duration(d).String() }

// multiplied multiplies an expression by a factor, for a person who follows a number by hand.
func multiplied(expr string, by float64) string {
	if by == 1 {
		return expr
	}
	return fmt.Sprintf("%s * %s", expr, strconv.FormatFloat(by, 'g', -1, 64))
}
