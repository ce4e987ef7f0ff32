// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "time"

// SlotLength is the half hour for which grids publish carbon intensity.
const SlotLength = 30 * time.Minute

// Interval is the time [Start, End), in UTC, aligned to the Unix epoch. Everything in it has
// the timestamp Start.
type Interval struct {
	Start  time.Time
	Length time.Duration
}

// IntervalAt returns the interval of the given length that contains t.
func IntervalAt(t time.Time, length time.Duration) Interval {
	return Interval{Start: FloorEpoch(t, length), Length: length}
}

// FloorEpoch returns the last multiple of d since the Unix epoch that is not after t.
// (time.Truncate counts from the year 1, which gives other multiples for some d.)
//
// Whole seconds are counted in seconds: nanoseconds in 64 bits end in the year 2262.
func FloorEpoch(t time.Time, d time.Duration) time.Time {
	if d%time.Second == 0 {
		n := t.Unix()
		return time.Unix(n-modulo(n, int64(d/time.Second)), 0).UTC()
	}
	n := t.UnixNano()
	return time.Unix(0, n-modulo(n, int64(d))).UTC()
}

// modulo is from 0 on, for n below 0, too.
func modulo(n, d int64) int64 { return (n%d + d) % d }

// End is the first moment after the interval.
func (i Interval) End() time.Time { return i.Start.Add(i.Length) }

// Next returns the interval that begins where i ends.
func (i Interval) Next() Interval { return Interval{Start: i.End(), Length: i.Length} }

// Holds reports whether t lies in [Start, End).
func (i Interval) Holds(t time.Time) bool { return !t.Before(i.Start) && t.Before(i.End()) }

// String returns the interval's timestamp: 2025-09-11T10:30:00Z.
func (i Interval) String() string { return i.Start.UTC().Format(time.RFC3339) }

// PieceLength is the longest step that divides an interval of the given length and never
// crosses the border of a carbon slot: an interval of an hour has pieces of half an hour, one
// of 45 minutes has three of 15, one of 5 minutes is its own piece. Energy is fetched and
// priced by piece, so that an interval longer than a slot is the sum of its half hours.
func PieceLength(interval time.Duration) time.Duration {
	a, b := interval, SlotLength
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// Pieces splits the interval at the borders of carbon slots. See PieceLength.
func (i Interval) Pieces() []Interval {
	step := PieceLength(i.Length)
	pieces := make([]Interval, 0, i.Length/step)
	for at := i.Start; at.Before(i.End()); at = at.Add(step) {
		pieces = append(pieces, Interval{Start: at, Length: step})
	}
	return pieces
}

// Earlier returns the earlier of two times.
func Earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Later returns the later of two times.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
