// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// longest is the longest duration that is shown exactly.
const longest = 100 * 24 * time.Hour

// parts lists what to show, the most important first; empty if unknown.
func (l *Line) parts(now time.Time) []string {
	parts := []string{l.count(), l.percent(), "", "", moment(l.at)}
	if rate, ok := l.pace.perSecond(now); ok {
		parts[3] = rounded(rate) + "/s"
	}
	if l.o.Total > 0 {
		if left, ok := l.pace.left(now, l.o.Total-l.done); ok {
			parts[2] = brief(left) + " left"
		}
	}
	return parts
}

// count has its final width from the start, so that the line does not move.
func (l *Line) count() string {
	if l.o.Total <= 0 {
		return fmt.Sprintf("%d %s", l.done, l.o.Unit)
	}
	total := strconv.Itoa(l.o.Total)
	return fmt.Sprintf("%*d/%s %s", len(total), l.done, total, l.o.Unit)
}

// percent is rounded down, so that 100 % means done.
func (l *Line) percent() string {
	if l.o.Total <= 0 {
		return ""
	}
	return fmt.Sprintf("%3d %%", int(100*l.share()))
}

// share is how much is done, from 0 to 1.
func (l *Line) share() float64 {
	return min(1, max(0, float64(l.done)/float64(l.o.Total)))
}

func moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// ratio is the rate over a duration; empty if the duration is 0.
func ratio(done float64, took time.Duration) string {
	if took <= 0 {
		return ""
	}
	return rounded(done/took.Seconds()) + "/s"
}

// rounded has at least three digits.
func rounded(rate float64) string {
	switch {
	case rate >= 100:
		return strconv.FormatFloat(rate, 'f', 0, 64)
	case rate >= 10:
		return strconv.FormatFloat(rate, 'f', 1, 64)
	}
	return strconv.FormatFloat(rate, 'f', 2, 64)
}

// brief is a duration in its two largest units.
func brief(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= longest:
		return "over 99d"
	case d >= day:
		return fmt.Sprintf("%dd%02dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

func join(parts ...string) string {
	var known []string
	for _, part := range parts {
		if part != "" {
			known = append(known, strings.TrimSpace(part))
		}
	}
	return strings.Join(known, ", ")
}
