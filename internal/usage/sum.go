// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Sum adds float64 values exactly: it is a signed fixed-point number of 128 bits with 64
// fraction bits. Each value is cut to 2^-64 once, on its own; from then on order does not
// matter: the same values give the same bits in any order, and subtracting a value leaves
// exactly what was there before it was added. That is what allows an interval to be replaced
// without a trace.
//
// Range: |sum| < 2^63, far above the joules of a planet; finite values only.
type Sum struct {
	hi int64
	lo uint64
}

// Add adds v.
func (s *Sum) Add(v float64) { s.add(fixed(v)) }

// Sub subtracts v.
func (s *Sum) Sub(v float64) { s.add(fixed(v).minus()) }

// AddSum adds another sum.
func (s *Sum) AddSum(o Sum) { s.add(o) }

// SubSum subtracts another sum.
func (s *Sum) SubSum(o Sum) { s.add(o.minus()) }

func (s *Sum) add(o Sum) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, o.lo, 0)
	s.hi = s.hi + o.hi + int64(carry)
}

// minus returns the negated sum.
func (s Sum) minus() Sum {
	lo, borrow := bits.Sub64(0, s.lo, 0)
	return Sum{hi: -s.hi - int64(borrow), lo: lo}
}

// Float64 returns the sum to within one unit in the last place.
func (s Sum) Float64() float64 {
	if s.hi < 0 {
		// Negate first: for a small negative sum, -1 plus a fraction close to 1 would lose its
		// digits.
		return -s.minus().Float64()
	}
	return float64(s.hi) + math.Ldexp(float64(s.lo), -64)
}

// SumBytes is the length of a Sum in AppendBinary's form.
const SumBytes = 16

// AppendBinary appends the sum as 16 bytes, big endian.
func (s Sum) AppendBinary(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(s.hi))
	return binary.BigEndian.AppendUint64(b, s.lo)
}

// SumFrom reads what AppendBinary wrote; b must have SumBytes bytes.
func SumFrom(b []byte) Sum {
	return Sum{hi: int64(binary.BigEndian.Uint64(b)), lo: binary.BigEndian.Uint64(b[8:])}
}

func fixed(v float64) Sum {
	if v < 0 {
		return fixed(-v).minus()
	}
	whole, part := math.Modf(v) // both exact
	return Sum{hi: int64(whole), lo: uint64(part * (1 << 32) * (1 << 32))}
}

// BusyIdleSum adds one quantity exactly, mode by mode.
type BusyIdleSum[T ~float64] struct {
	busy, idle Sum
}

// Add adds v.
func (s *BusyIdleSum[T]) Add(v BusyIdle[T]) {
	s.busy.Add(float64(v.Busy))
	s.idle.Add(float64(v.Idle))
}

// BusyIdle returns the sums by mode.
func (s BusyIdleSum[T]) BusyIdle() BusyIdle[T] {
	return BusyIdle[T]{Busy: T(s.busy.Float64()), Idle: T(s.idle.Float64())}
}

// Total returns the sum of both modes.
func (s BusyIdleSum[T]) Total() T {
	both := s.busy
	both.AddSum(s.idle)
	return T(both.Float64())
}

// ByModeSum adds energy or emissions exactly, mode by mode.
type ByModeSum[T ~float64] struct {
	busy, idle, measured Sum
}

// Add adds v.
func (s *ByModeSum[T]) Add(v ByMode[T]) {
	s.busy.Add(float64(v.Busy))
	s.idle.Add(float64(v.Idle))
	s.measured.Add(float64(v.Measured))
}

// Sub subtracts v again.
func (s *ByModeSum[T]) Sub(v ByMode[T]) {
	s.busy.Sub(float64(v.Busy))
	s.idle.Sub(float64(v.Idle))
	s.measured.Sub(float64(v.Measured))
}

// ByMode returns the sums by mode.
func (s ByModeSum[T]) ByMode() ByMode[T] {
	return ByMode[T]{Busy: T(s.busy.Float64()), Idle: T(s.idle.Float64()), Measured: T(s.measured.Float64())}
}

// Total returns the sum of all modes.
func (s ByModeSum[T]) Total() T {
	all := s.busy
	all.AddSum(s.idle)
	all.AddSum(s.measured)
	return T(all.Float64())
}
