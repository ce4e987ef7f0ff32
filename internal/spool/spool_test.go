// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"errors"
	"math"
	"math/rand"
	"os"
	"reflect"
	"testing"
)

type entry struct {
	at     uint32
	values [2]float64
}

func read(t *testing.T, s *Spool, series int) (all []entry) {
	t.Helper()
	if err := s.Each(series, func(at uint32, values []float64) error {
		all = append(all, entry{at, [2]float64(values)})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// Whatever fits into memory, each series comes back as it was added, again and again.
func TestEachSeriesComesBackAsItWasAdded(t *testing.T) {
	for _, bytes := range []int{1, 20, 200, 1 << 20} {
		r := rand.New(rand.NewSource(int64(bytes)))
		s, err := newSpool(2, bytes)
		if err != nil {
			t.Fatal(err)
		}
		want := map[int][]entry{}
		for at := range uint32(50) {
			// A series may begin late, end early and have holes.
			for series := range 20 {
				if r.Intn(3) == 0 || int(at) < series {
					continue
				}
				e := entry{at, [2]float64{r.NormFloat64() * 1e9, r.ExpFloat64()}}
				want[series] = append(want[series], e)
				if err := s.Add(series, at, e.values[:]...); err != nil {
					t.Fatal(err)
				}
			}
		}
		for range 2 {
			for series := range 25 {
				if got := read(t, s, series); !reflect.DeepEqual(got, want[series]) {
					t.Fatalf("%d bytes: series %d is %v, want %v", bytes, series, got, want[series])
				}
			}
		}
		if err := s.Add(0, 99, 1, 2); err == nil {
			t.Error("a row was added after the first was read")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatIsUnknownStaysSo(t *testing.T) {
	s, err := New(2)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Add(3, math.MaxUint32, math.NaN(), math.Copysign(0, -1)); err != nil {
		t.Fatal(err)
	}
	got := read(t, s, 3)
	if len(got) != 1 || got[0].at != math.MaxUint32 || !math.IsNaN(got[0].values[0]) || !math.Signbit(got[0].values[1]) {
		t.Errorf("got %v", got)
	}
	if none := read(t, s, 2); none != nil {
		t.Errorf("of another series: %v", none)
	}
}

func TestARowOfAnotherWidthIsRefused(t *testing.T) {
	s, err := New(2)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Add(0, 0, 1); err == nil {
		t.Error("one number was taken for two")
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s, err := newSpool(1, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Add(0, 0, 1); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestAnErrorEndsTheReading(t *testing.T) {
	s, err := newSpool(1, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for at := range uint32(3) {
		if err := s.Add(0, at, 1); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	err = s.Each(0, func(uint32, []float64) error { n++; return os.ErrClosed })
	if !errors.Is(err, os.ErrClosed) || n != 1 {
		t.Errorf("%v after %d rows", err, n)
	}
}

func BenchmarkAddAndRead(b *testing.B) {
	const series, width = 600, 6
	values := make([]float64, width)
	s, err := New(width)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for i := range b.N {
		if err := s.Add(i%series, uint32(i/series), values...); err != nil {
			b.Fatal(err)
		}
	}
	for i := range series {
		if err := s.Each(i, func(uint32, []float64) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
