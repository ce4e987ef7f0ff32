// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// The values of partLabel in answers about instruments.
const (
	partSum     = "sum"
	partMost    = "most"
	partValue   = "value"
	partNumber  = "number"
	partUsual   = "usual"
	partAlike   = "alike"
	partPresent = "present"
	partThreads = "threads"
	partGood    = "good"
)

// onGrid is a subquery with one value at each moment of a grid that ends with the window: the
// first edge of a piece is not among them, the last is. Servers differ in whether a window has
// its first moment; this one begins between two.
func onGrid(expr string, window, step time.Duration) string {
	return fmt.Sprintf("(%s)[%s:%s]", expr, promDuration(window-step/2), promDuration(step))
}

// asGiven is an expression of the operator. The line break ends a comment in it.
func asGiven(expr string) string { return "(" + expr + "\n)" }

func inPart(expr, name string) string {
	return fmt.Sprintf(`label_replace(%s, %q, %q, "", "")`, expr, partLabel, name)
}

func allOf(parts ...string) string { return strings.Join(parts, " or ") }

// integral selects what is needed of power in the window before each evaluation: the sum of all
// values, the lowest of a whole host, and how many values are power.
func integral(expr string, by []string, window, step time.Duration) string {
	sorted, each := listed(by...), asGiven(expr)+" >= 0"
	return allOf(
		inPart(fmt.Sprintf("sum by (%s) (sum_over_time(%s))", sorted, onGrid(expr+"\n", window, step)), partSum),
		inPart(fmt.Sprintf("min_over_time(%s)", onGrid(fmt.Sprintf("sum by (%s) (%s)", sorted, each), window, step)), partLeast),
		inPart(fmt.Sprintf("sum by (%s) (count_over_time(%s))", sorted, onGrid(each, window, step)), partPoints),
	)
}

// atEdge selects power at each evaluation, the number of series that it is of, how many there
// usually are, and whether several have the same value.
func atEdge(expr string, by []string) string {
	sorted, each := listed(by...), asGiven(expr)+" >= 0"
	return allOf(
		inPart(fmt.Sprintf("sum by (%s) (%s)", sorted, each), partValue),
		inPart(fmt.Sprintf("count by (%s) (%s)", sorted, each), partNumber),
		inPart(usual(expr, by), partUsual),
		inPart(severalAlike(sorted, each), partAlike),
	)
}

func severalAlike(by, each string) string {
	return fmt.Sprintf("(count by (%[1]s) (%[2]s) > 1) and on (%[1]s) (stdvar by (%[1]s) (%[2]s) == 0)", by, each)
}

// usual selects of how many series there were values in nine tenths of the day before: a power
// supply that is not read is missed for so long, and series that are there twice for an hour, as
// after an update, are not.
func usual(expr string, by []string) string {
	return fmt.Sprintf("floor(quantile_over_time(0.9, (count by (%s) (%s >= 0))[1d:1h]))", listed(by...), asGiven(expr))
}

// watched selects power at those moments at which as many series of a host as there must be have a
// value that is one: its sum, and the number of moments; and of all values the mean and the lowest,
// which say why some are none. It is asked where integral and atEdge have shown that there are
// such.
func watched(expr string, by []string, number int, window, step time.Duration) string {
	sorted, each := listed(by...), asGiven(expr)+" >= 0"
	whole := fmt.Sprintf("(sum by (%s) (%s)) > 0 < Inf", sorted, each)
	if number > 1 {
		whole += fmt.Sprintf(" and on (%[1]s) ((count by (%[1]s) (%[2]s)) >= %[3]d)", sorted, each, number)
	}
	over, all := onGrid(whole, window, step), onGrid(expr+"\n", window, step)
	return allOf(
		inPart("sum_over_time("+over+")", partSum),
		inPart("count_over_time("+over+")", partPoints),
		inPart(fmt.Sprintf("sum by (%s) (avg_over_time(%s))", sorted, all), partMean),
		inPart(fmt.Sprintf("min by (%s) (min_over_time(%s))", sorted, all), partLeast),
	)
}

// gaugeIntegral selects of the power of devices in the window before each evaluation the sum of
// all values, and the lowest and the highest of one series.
func gaugeIntegral(expr string, by []string, window, step time.Duration) string {
	over, sorted := onGrid(expr+"\n", window, step), listed(by...)
	return allOf(
		inPart(fmt.Sprintf("sum by (%s) (sum_over_time(%s))", sorted, over), partSum),
		inPart(fmt.Sprintf("min by (%s) (min_over_time(%s))", sorted, over), partLeast),
		inPart(fmt.Sprintf("max by (%s) (max_over_time(%s))", sorted, over), partMost),
	)
}

// gaugeAtEdge selects the power of devices at each evaluation, and whether several have the same
// value.
func gaugeAtEdge(expr string, by []string) string {
	sorted, each := listed(by...), asGiven(expr)
	return allOf(inPart(fmt.Sprintf("sum by (%s) (%s)", sorted, each), partValue), inPart(severalAlike(sorted, each), partAlike))
}

// onlyPower is an expression without the values that are no power of a device.
func onlyPower(expr string) string {
	return fmt.Sprintf("%s >= 0 <= %g", asGiven(expr), float64(maxPower))
}

// installed selects for how long each model of processor was there in the window before each
// evaluation, in samples of hardware threads, and how many of those one processor has. Samples of
// several servers count the same for every model. Threads are told apart by the label of the
// core; series without it say nothing of them.
func installed(p Processors, cpu string, window time.Duration) string {
	within := samplesIn(p.Query, window)
	all := inPart(fmt.Sprintf("sum by (%s) (count_over_time(%s))", listed(p.Host, p.Model), within), partPresent)
	if p.Package == "" || cpu == "" {
		return all
	}
	each := fmt.Sprintf("label_replace(count by (%s) (count_over_time(%s)), %q, %q, %q, \".+\")",
		listed(p.Host, p.Model, p.Package, cpu), within, partLabel, partThreads, cpu)
	return allOf(all, fmt.Sprintf("count by (%s) (%s)", listed(p.Host, p.Model, p.Package, partLabel), each))
}

// memoryOf selects the most memory that each host has had in the window before each evaluation,
// and at how many moments it was there. Of two copies the larger counts.
func memoryOf(m Memory, host string, window, step time.Duration) string {
	over := onGrid(fmt.Sprintf("max by (%s) (%s)", listed(host), asGiven(m.Query)), window, step)
	return allOf(inPart("max_over_time("+over+")", partMost), inPart("min_over_time("+over+")", partLeast), inPart("count_over_time("+over+")", partPoints))
}

// pueOf selects the mean PUE in the window before each evaluation, of the values that are one;
// and the mean, the lowest and the highest of all values, and the number of series.
func pueOf(expr string, window, step time.Duration) string {
	over := func(fold, series, values string) string {
		return fmt.Sprintf("%s_over_time(%s)", fold, onGrid(series+" ("+values+")", window, step))
	}
	each := asGiven(expr)
	return allOf(
		inPart(over("avg", "avg", fmt.Sprintf("%s >= %g <= %g", each, leastPUE, mostPUE)), partGood),
		inPart(over("avg", "avg", each), partMean),
		inPart(over("min", "min", each), partLeast),
		inPart(over("max", "max", each), partMost),
		inPart(over("max", "count", each), partNumber),
	)
}

// lastPUE selects the last mean PUE in the day before each evaluation, of the values that are one.
func lastPUE(expr string) string {
	each := fmt.Sprintf("avg (%s >= %g <= %g)", asGiven(expr), leastPUE, mostPUE)
	return fmt.Sprintf("last_over_time((%s)[1d:5m])", each)
}

// plain matches an expression that is nothing but a selector.
var plain = regexp.MustCompile("^\\s*(?:[a-zA-Z_:][a-zA-Z0-9_:]*\\s*)?(?:\\{(?:[^{}\"'`#]|\"(?:[^\"\\\\\\n]|\\\\.)*\"|'(?:[^'\\\\\\n]|\\\\.)*'|`[^`]*`)*\\})?\\s*$")

// isSelector reports whether an expression is a selector, so that its samples can be had as they
// were scraped.
func isSelector(expr string) bool {
	word := strings.ToLower(strings.TrimSpace(expr))
	return word != "" && word != "inf" && word != "nan" && plain.MatchString(expr)
}

// samplesIn is what an expression of the operator has in a window: the samples as they were
// scraped, or its values at each minute.
func samplesIn(expr string, window time.Duration) string {
	if isSelector(expr) {
		return strings.TrimSpace(expr) + "[" + promDuration(window) + "]"
	}
	return onGrid(expr+"\n", window, gridStep(window))
}
