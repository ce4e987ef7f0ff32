// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// longestValue is the coarsest that a half hour can be made of: an hour covers two.
	longestValue = time.Hour
	// clockSkew is how far the clock of a provider may be ahead of ours.
	clockSkew = time.Hour
)

// halfHours makes slots of the values that lie in a period, in order of time: the mean by the time
// that each value covers. A slot that is not covered as a whole has no value: the rest of it may be
// quite another. Where values overlap, the shortest counts, and of those with the same times the
// last.
func halfHours(values []Value, p usage.Period, now time.Time) ([]usage.Slot, usage.Rejects) {
	rejects := usage.Rejects{}
	actuals, forecasts := map[time.Time][]Value{}, map[time.Time][]Value{}
	for _, v := range values {
		if reason := refuse(v, now); reason != "" {
			rejects[reason]++
			continue
		}
		of := actuals
		if v.Kind == usage.Forecast {
			of = forecasts
		}
		again := false
		for at := usage.SlotAt(v.From); at.Before(v.To); at = at.Add(usage.SlotLength) {
			if !at.Before(p.From) && at.Before(p.To) {
				of[at], again = insert(of[at], v)
			}
		}
		if again {
			rejects[RejectDuplicate]++
		}
	}
	slots := map[time.Time]usage.Slot{}
	for at, some := range forecasts {
		if whole, ok := mean(some, at); ok {
			slots[at] = usage.Slot{From: at, Forecast: &whole.Intensity, Index: whole.Index}
		}
	}
	for at, some := range actuals {
		if whole, ok := mean(some, at); ok {
			slot := slots[at]
			slot.From, slot.Actual, slot.Quality = at, &whole.Intensity, whole.Quality
			slot.Index = cmp.Or(whole.Index, slot.Index)
			slots[at] = slot
		}
	}
	return slices.SortedFunc(maps.Values(slots), func(a, b usage.Slot) int { return a.From.Compare(b.From) }), rejects
}

// refuse returns why a value cannot be used; empty: it can.
func refuse(v Value, now time.Time) string {
	switch {
	case !v.From.Before(v.To), v.Kind == usage.Actual && v.From.After(now.Add(clockSkew)):
		return RejectTime
	case v.To.Sub(v.From) > longestValue:
		return RejectSlotLength
	case !(v.Intensity >= 0 && v.Intensity <= usage.MaxIntensity): // not a number is neither
		return RejectValue
	}
	return ""
}

// insert adds a value, or replaces the one with the same times.
func insert(all []Value, v Value) (_ []Value, again bool) {
	for i, o := range all {
		if o.From.Equal(v.From) && o.To.Equal(v.To) {
			all[i] = v
			return all, true
		}
	}
	return append(all, v), false
}

// mean is the value of the slot that begins at a time; false: the values do not cover it.
func mean(values []Value, at time.Time) (Value, bool) {
	end := at.Add(usage.SlotLength)
	edges := []time.Time{at, end}
	for _, v := range values {
		for _, edge := range []time.Time{v.From, v.To} {
			if edge.After(at) && edge.Before(end) {
				edges = append(edges, edge)
			}
		}
	}
	slices.SortFunc(edges, time.Time.Compare)
	whole := Value{From: at, To: end}
	var sum usage.Sum
	for i := range len(edges) - 1 {
		from, to := edges[i], edges[i+1]
		if from.Equal(to) {
			continue
		}
		v, ok := shortest(values, from, to)
		if !ok {
			return whole, false
		}
		sum.Add(float64(v.Intensity) * float64(to.Sub(from)))
		whole.Quality = worse(whole.Quality, v.Quality, i == 0)
		whole.Index = sameWord(whole.Index, v.Index, i == 0)
	}
	whole.Intensity = usage.GramsPerKWh(sum.Float64() / float64(usage.SlotLength)) // at the end: six times 100 is 100 then
	return whole, true
}

// shortest is the value that counts for [from, to), within which none begins or ends.
func shortest(values []Value, from, to time.Time) (found Value, ok bool) {
	for _, v := range values {
		if v.From.After(from) || v.To.Before(to) {
			continue
		}
		if !ok || v.To.Sub(v.From) < found.To.Sub(found.From) || v.To.Sub(v.From) == found.To.Sub(found.From) && v.From.After(found.From) {
			found, ok = v, true
		}
	}
	return found, ok
}

func worse(a, b usage.Quality, first bool) usage.Quality {
	if first {
		return b
	}
	return a.Worse(b)
}

// sameWord is the rating of a whole whose parts all have it.
func sameWord(a, b string, first bool) string {
	if first || a == b {
		return b
	}
	return ""
}
