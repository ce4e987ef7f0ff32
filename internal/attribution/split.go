// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"math"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// share is what one user has of a piece in a stretch [from, to) of it: a weight per mode, which
// has a meaning only relative to the other shares.
type share struct {
	user       string
	from, to   time.Duration
	busy, idle float64
}

// sharesOf divides holdings between their owners, in order of time and name. Consecutive
// holdings of a user make one share.
func sharesOf(held []holding, busy, idle pace) []share {
	var shares []share
	for _, h := range held {
		b, i := busy.in(h.from, h.to), idle.in(h.from, h.to)
		owners := h.owners
		if len(owners) == 0 {
			owners = []string{usage.Unattributed}
		}
		n := float64(len(owners))
		for _, user := range owners {
			s := unbroken(shares, user, h)
			if s == nil {
				shares = append(shares, share{user: user, from: h.from})
				s = &shares[len(shares)-1]
			}
			s.to, s.busy, s.idle = h.to, s.busy+b/n, s.idle+i/n
		}
	}
	return shares
}

// unbroken returns the share of a user that a holding continues, or nil.
func unbroken(shares []share, user string, h holding) *share {
	for i := range shares {
		if s := &shares[i]; s.user == user && s.to >= h.from {
			return s
		}
	}
	return nil
}

// deal divides a total by weight. The last share with a weight gets the rest, so that nothing
// is lost to rounding.
func deal(total float64, shares []share, weight func(share) float64) []float64 {
	sum, last := 0.0, 0
	for i, s := range shares {
		if w := weight(s); w > 0 {
			sum, last = sum+w, i
		}
	}
	dealt := make([]float64, len(shares))
	left := total
	for i, s := range shares[:last] {
		dealt[i] = min(total*(weight(s)/sum), left)
		left -= dealt[i]
	}
	dealt[last] = left
	return dealt
}

// pace is how one mode's CPU time is spread over a piece.
type pace struct {
	piece time.Duration
	steps []usage.BusyIdle[usage.CPUSeconds] // of equal length; none: evenly
	of    func(usage.BusyIdle[usage.CPUSeconds]) float64
}

func busyOf(b usage.BusyIdle[usage.CPUSeconds]) float64 { return float64(b.Busy) }
func idleOf(b usage.BusyIdle[usage.CPUSeconds]) float64 { return float64(b.Idle) }

// leastCPU is the least that a profile must hold to be used: less than a nanosecond would be
// lost in the arithmetic.
const leastCPU = 1e-9

// paceOf returns the pace of one mode according to a profile: even if the profile does not
// cover the piece, is empty, or has values that are no CPU time.
func paceOf(p usage.Profile, piece time.Duration, of func(usage.BusyIdle[usage.CPUSeconds]) float64) pace {
	even := pace{piece: piece}
	n := time.Duration(len(p.CPU))
	// A step that does not divide the piece was cut to a whole nanosecond.
	if n == 0 || p.Step <= 0 || piece/n != p.Step {
		return even
	}
	sum := 0.0
	for _, step := range p.CPU {
		v := of(step)
		if math.IsNaN(v) || v < 0 {
			return even
		}
		sum += v
	}
	if sum < leastCPU || math.IsInf(sum, 0) {
		return even
	}
	return pace{piece: piece, steps: p.CPU, of: of}
}

// in returns the weight of a stretch [from, to) of the piece. A partly covered step counts in
// proportion to time.
func (p pace) in(from, to time.Duration) float64 {
	if p.steps == nil {
		return (to - from).Seconds()
	}
	perStep := float64(p.piece) / float64(len(p.steps))
	first, last := float64(from)/perStep, float64(to)/perStep
	sum := 0.0
	for i := int(first); i < len(p.steps) && float64(i) < last; i++ {
		inside := min(last, float64(i+1)) - max(first, float64(i))
		sum += p.of(p.steps[i]) * inside
	}
	return sum
}
