package progress

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// longest is the longest time that is worth telling apart.
const longest = 100 * 24 * time.Hour

// parts are what there is to tell, the most important first; empty where it is
// not known.
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

// count has the width of its end from the beginning, so that the line stands
// still.
func (l *Line) count() string {
	if l.o.Total <= 0 {
		return fmt.Sprintf("%d %s", l.done, l.o.Unit)
	}
	total := strconv.Itoa(l.o.Total)
	return fmt.Sprintf("%*d/%s %s", len(total), l.done, total, l.o.Unit)
}

// percent is rounded down: 100 % is all of it.
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

// ratio is a rate over all of a time, empty if the time is too short to have one.
func ratio(done float64, took time.Duration) string {
	if took <= 0 {
		return ""
	}
	return rounded(done/took.Seconds()) + "/s"
}

// rounded shows three digits at least, no more than are known.
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
