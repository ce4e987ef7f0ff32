// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"math"
	"math/big"
	"math/rand"
	"testing"
)

func TestSumOfOneValue(t *testing.T) {
	for _, c := range []struct {
		name string
		v    float64
	}{
		{"nothing", 0},
		{"one", 1},
		{"a tenth, which binary cannot write", 0.1},
		{"a tenth taken away", -0.1},
		{"minus one and a half", -1.5},
		{"a whole negative number", -3},
		{"the CPU seconds of a large site in a year", 3.1536e12 + 0.25},
		{"as many negative", -3.1536e12 - 0.25},
		{"2 to the minus 64, the smallest that is kept", math.Ldexp(1, -64)},
		{"the smallest that is kept, negative", -math.Ldexp(1, -64)},
		{"a small part of a watt second", 1e-12},
		{"a small part of a watt second, negative", -1e-12},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Sum
			s.Add(c.v)
			if got := s.Float64(); math.Abs(got-c.v) > math.Ldexp(1, -64) {
				t.Errorf("sum of %v is %v", c.v, got)
			}
			s.Sub(c.v)
			if s != (Sum{}) {
				t.Errorf("%v added and taken away leaves %+v", c.v, s)
			}
		})
	}
}

func TestSumBelowItsGrainIsNothing(t *testing.T) {
	for _, v := range []float64{1e-30, -1e-30, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, math.Copysign(0, -1)} {
		var s Sum
		s.Add(v)
		if s != (Sum{}) {
			t.Errorf("sum of %v is %+v, %v", v, s, s.Float64())
		}
	}
}

func TestSumIsExact(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	var s Sum
	want := new(big.Float).SetPrec(400)
	for range 20_000 {
		// Multiples of 2^-40, which a Sum keeps whole.
		v := math.Ldexp(float64(r.Int63n(1<<52)-1<<51), -40)
		s.Add(v)
		want.Add(want, big.NewFloat(v))
	}
	if exact, _ := want.Float64(); math.Abs(s.Float64()-exact) > math.Abs(exact)*0x1p-52 {
		t.Errorf("sum is %v, exactly %v", s.Float64(), exact)
	}
}

func TestSumDoesNotDependOnOrder(t *testing.T) {
	for seed := range int64(20) {
		r := rand.New(rand.NewSource(seed))
		values := make([]float64, 500)
		var want Sum
		for i := range values {
			values[i] = r.NormFloat64() * math.Pow(10, float64(r.Intn(20)-12))
			want.Add(values[i])
		}
		r.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		var got, left, right Sum
		for i, v := range values {
			got.Add(v)
			if i%2 == 0 {
				left.Add(v)
			} else {
				right.Add(v)
			}
		}
		if got != want {
			t.Errorf("seed %d: another order gives %+v, not %+v", seed, got, want)
		}
		if left.AddSum(right); left != want {
			t.Errorf("seed %d: two halves give %+v, the whole %+v", seed, left, want)
		}
		// A value that comes and goes leaves no trace, whatever happened between.
		other := r.NormFloat64() * 1e6
		got.Add(other)
		for _, v := range values {
			got.Sub(v)
		}
		for _, v := range values {
			got.Add(v)
		}
		if got.Sub(other); got != want {
			t.Errorf("seed %d: a value that came and went leaves %+v, not %+v", seed, got, want)
		}
	}
}

func TestSumBinary(t *testing.T) {
	for _, v := range []float64{0, 1, -1, 0.1, -0.1, 1e-15, -1e-15, 1e18, -1e18} {
		var s Sum
		s.Add(v)
		b := s.AppendBinary([]byte{7})
		if len(b) != 1+SumBytes || b[0] != 7 {
			t.Fatalf("%v is written as %x", v, b)
		}
		if got := SumFrom(b[1:]); got != s {
			t.Errorf("%v comes back as %+v, not %+v", v, got, s)
		}
	}
}
