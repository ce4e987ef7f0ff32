// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"math/rand"
	"testing"
	"time"
)

func TestPieces(t *testing.T) {
	for _, c := range []struct {
		name   string
		length time.Duration
		pieces int
		step   time.Duration
	}{
		{"a minute is its own piece", time.Minute, 1, time.Minute},
		{"five minutes are their own piece", 5 * time.Minute, 1, 5 * time.Minute},
		{"half an hour is a slot", 30 * time.Minute, 1, 30 * time.Minute},
		{"forty minutes cross a border that ten divide", 40 * time.Minute, 4, 10 * time.Minute},
		{"three quarters cross a border that fifteen divide", 45 * time.Minute, 3, 15 * time.Minute},
		{"an hour is two half hours", time.Hour, 2, 30 * time.Minute},
		{"a day is 48 half hours", 24 * time.Hour, 48, 30 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := PieceLength(c.length); got != c.step {
				t.Errorf("piece length %v, want %v", got, c.step)
			}
			r := rand.New(rand.NewSource(1))
			for range 200 {
				i := IntervalAt(time.Unix(r.Int63n(4e9), r.Int63n(1e9)), c.length)
				pieces := i.Pieces()
				if len(pieces) != c.pieces {
					t.Fatalf("%s: %d pieces, want %d", i, len(pieces), c.pieces)
				}
				at := i.Start
				for _, p := range pieces {
					if !p.Start.Equal(at) || p.Length != c.step {
						t.Fatalf("%s: piece %s of %v, want %v from %v", i, p, p.Length, c.step, at)
					}
					if last := p.End().Add(-1); !SlotAt(p.Start).Equal(SlotAt(last)) {
						t.Fatalf("%s: piece %s crosses the border of a slot", i, p)
					}
					at = p.End()
				}
				if !at.Equal(i.End()) {
					t.Fatalf("%s: pieces end at %v, the interval at %v", i, at, i.End())
				}
			}
		})
	}
}

func TestFloorEpoch(t *testing.T) {
	for _, c := range []struct {
		name, at, want string
		d              time.Duration
	}{
		{"inside a half hour", "2025-09-11T10:59:59.999999999Z", "2025-09-11T10:30:00Z", 30 * time.Minute},
		{"on the border", "2025-09-11T10:30:00Z", "2025-09-11T10:30:00Z", 30 * time.Minute},
		{"another zone, same moment", "2025-09-11T11:45:00+01:00", "2025-09-11T10:30:00Z", 30 * time.Minute},
		{"a day begins at midnight UTC", "2025-03-30T02:30:00+02:00", "2025-03-30T00:00:00Z", 24 * time.Hour},
		{"before the epoch it is still the earlier border", "1969-12-31T23:59:59Z", "1969-12-31T23:30:00Z", 30 * time.Minute},
		{"the epoch itself", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", 45 * time.Minute},
		{"seven minutes count from the epoch, not from the year 1", "1970-01-01T00:13:59Z", "1970-01-01T00:07:00Z", 7 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339Nano, c.at)
			if err != nil {
				t.Fatal(err)
			}
			got := FloorEpoch(at, c.d)
			if got.Format(time.RFC3339Nano) != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}

func TestIntervalHoldsItsStartAndNotItsEnd(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	for range 500 {
		at := time.Unix(r.Int63n(4e9), r.Int63n(1e9))
		i := IntervalAt(at, 30*time.Minute)
		next := i.Next()
		switch {
		case !i.Holds(at):
			t.Errorf("%s does not hold %v", i, at)
		case !i.Holds(i.Start), i.Holds(i.Start.Add(-1)), i.Holds(i.End()), !i.Holds(i.End().Add(-1)):
			t.Errorf("%s is not [start, end)", i)
		case !next.Start.Equal(i.End()), next.Length != i.Length:
			t.Errorf("after %s comes %s", i, next)
		case i.Start.Unix()%1800 != 0:
			t.Errorf("%s is not aligned", i)
		}
	}
}

func TestIntervalIsNamedByItsStartInUTC(t *testing.T) {
	i := Interval{Start: time.Date(2025, 9, 11, 11, 30, 0, 0, time.FixedZone("BST", 3600)), Length: 30 * time.Minute}
	if got := i.String(); got != "2025-09-11T10:30:00Z" {
		t.Errorf("got %s", got)
	}
}

// Nanoseconds since 1970 have room for the years 1678 to 2261 alone.
func TestIntervalsOfAnyYear(t *testing.T) {
	for _, year := range []int{1, 1600, 1969, 2025, 2262, 2300, 9999} {
		at := time.Date(year, 7, 1, 12, 29, 59, 999, time.UTC)
		for _, length := range []time.Duration{time.Minute, 5 * time.Minute, SlotLength, time.Hour, 24 * time.Hour} {
			i := IntervalAt(at, length)
			if !i.Holds(at) || i.Start.Unix()%int64(length/time.Second) != 0 || i.Start.Nanosecond() != 0 {
				t.Errorf("year %d, %s: %s", year, length, i)
			}
		}
	}
}
