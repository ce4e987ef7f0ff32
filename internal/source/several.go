// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

// longestMove is how long a machine that moves may be busy in two places, in seconds: where it
// comes from, and where its memory is received.
const longestMove = 1200.0

// severalIn reports whether two machines have the name: both are there, and are busy, for longer
// than a machine takes to move; or they are said to be somebody else's.
func (c *closeUp) severalIn(from, to float64) bool {
	for i, a := range c.units {
		for _, b := range c.units[i+1:] {
			both := span{max(a.seenFrom(from), b.seenFrom(from)), min(a.seenTo(to), b.seenTo(to))}
			if a.ownedApart(b) && both.to-both.from > longestDown {
				return true
			}
			if both.to-both.from >= max(0.9*(to-from), longestMove) && a.busyIn(both) && b.busyIn(both) {
				return true
			}
		}
	}
	return false
}

func (s *story) seenFrom(from float64) float64 { return max(from, s.moments[0].at) }

func (s *story) seenTo(to float64) float64 { return min(to, s.moments[len(s.moments)-1].at) }

// ownedApart reports whether the labels say that two units are of different owners or types.
func (s *story) ownedApart(o *story) bool {
	mine, other := s.moments[0].track.series, o.moments[0].track.series
	return mine != other && naming(mine) == naming(other)
}

// busyIn reports whether a unit was busy for a hundredth of a time at least.
func (s *story) busyIn(in span) bool {
	used := 0.0
	for _, seg := range s.segments {
		if seg.to > in.from && seg.from < in.to {
			used += seg.grew[busyClass]
		}
	}
	return used >= 0.01*(in.to-in.from)
}
