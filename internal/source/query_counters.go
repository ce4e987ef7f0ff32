// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// The values of partLabel in an answer about a counter far around.
const (
	partFirst = "first"
	partLast  = "last"
)

// resetsIn selects how often each counter began again in the window before each evaluation. What
// its value at the beginning of the window is, it may have had for as long as the server looks
// back.
func resetsIn(expr string, window time.Duration) string {
	return "resets(" + samplesIn(expr, window+lookBack*time.Second) + ")"
}

// seenLater selects which counters have samples in the day after an evaluation.
func seenLater(expr string) string {
	return fmt.Sprintf("count_over_time(%s offset -%s)", samplesIn(expr, farthest), promDuration(farthest))
}

// aroundEdges selects counters at each evaluation, and their first and last value in the window
// before it, where they do not begin again in it.
func aroundEdges(expr string, window time.Duration) string {
	within := samplesIn(expr, window)
	return allOf(
		inPart(asGiven(expr), partValue),
		inPart("min_over_time("+within+")", partFirst),
		inPart("last_over_time("+within+")", partLast),
	)
}

// narrowed adds matchers to a selector.
func narrowed(expr, matchers string) string {
	if matchers == "" {
		return expr
	}
	expr = strings.TrimSpace(expr)
	inner, braces := strings.CutSuffix(expr, "}")
	if !braces {
		return expr + "{" + matchers + "}"
	}
	inner = strings.TrimRight(inner, " \t\r\n,")
	if strings.HasSuffix(inner, "{") {
		return inner + matchers + "}"
	}
	return inner + "," + matchers + "}"
}

// matchersOf matches the series of some keys, by every label that one of them has.
func matchersOf(keys []string) string {
	values := map[string]map[string]bool{}
	named := map[string]int{}
	for _, key := range keys {
		for _, l := range labelsOf(key) {
			if values[l.name] == nil {
				values[l.name] = map[string]bool{}
			}
			values[l.name][l.value] = true
			named[l.name]++
		}
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if named[name] < len(keys) {
			values[name][""] = true // some do not have it
		}
		all = append(all, exactly(name, slices.Sorted(maps.Keys(values[name]))))
	}
	return strings.Join(all, ",")
}
