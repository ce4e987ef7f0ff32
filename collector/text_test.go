// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// TestRenderedAsExpfmtDoes: the bytes are those of client_golang and expfmt, which gather, check, sort
// and write a metric for each sample, whatever the names and numbers are and whichever labels are
// left out.
func TestRenderedAsExpfmtDoes(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 5))
		s := anySnapshot(random)
		u := NewUsage(s)
		families, err := prometheus.Gatherers{u}.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []expfmt.Format{openMetrics, plainText, protobuf} {
			var want, got bytes.Buffer
			enc := expfmt.NewEncoder(&want, format)
			for _, f := range families {
				if err := enc.Encode(f); err != nil {
					t.Fatal(err)
				}
			}
			if err := u.render(&got, format); err != nil {
				t.Fatal(err)
			}
			if got.String() == want.String() {
				continue
			}
			if format == protobuf { // which may be written in many ways
				if d := differ(samples(decode(t, got.String())), samples(decode(t, want.String()))); d == "" {
					continue
				}
			}
			for i, line := range strings.Split(want.String(), "\n") {
				if is := strings.Split(got.String(), "\n"); i >= len(is) || is[i] != line {
					t.Fatalf("seed %d, %s, fold %+v, line %d is\n%.300q, want\n%.300q", seed, format, s.Fold, i, is[min(i, len(is)-1)], line)
				}
			}
			t.Fatalf("seed %d, %s: more than expfmt writes", seed, format)
		}
	}
}

// anySnapshot has odd names and numbers.
func anySnapshot(random *rand.Rand) *Snapshot {
	s := day()
	s.Fold = usage.Fold{Project: random.IntN(3) == 0, Machine: random.IntN(3) == 0, User: random.IntN(3) == 0, Group: random.IntN(3) == 0}
	names := []string{"a", "b", `C:\n`, "first\nsecond", `the "new" one`, "", "🌍 Ökostrom", "other", `a{b="c"},d`}
	numbers := []float64{0, math.Copysign(0, -1), 1, -1, 2, 1e6, 1e17, 123456789, 0.1, 1e-7, math.Pi, 5e-324}
	number := func() float64 { return numbers[random.IntN(len(numbers))] }
	if s.Fold != (usage.Fold{}) { // numbers that can be added up
		number = func() float64 { return float64(random.IntN(1e6)) / 64 }
	}
	name := func() string { return names[random.IntN(len(names))] }
	seen := map[usage.Key]bool{}
	key := func() usage.Key {
		for {
			k := usage.Key{Project: name(), Machine: name(), User: name(), Group: name()}
			if !seen[k] {
				seen[k] = true
				return k
			}
		}
	}
	kwh := func() usage.ByMode[usage.KWh] {
		e := usage.ByMode[usage.KWh]{Busy: usage.KWh(number()), Idle: usage.KWh(number())}
		if random.IntN(3) == 0 {
			e.Measured = usage.KWh(number())
		}
		return e
	}
	grams := func() usage.ByMode[usage.Grams] {
		return usage.ByMode[usage.Grams]{Busy: usage.Grams(number()), Idle: usage.Grams(number()), Measured: usage.Grams(number())}
	}
	period := func() (all []usage.KeyUsage) {
		for k := range seen {
			if random.IntN(2) == 0 {
				all = append(all, usage.KeyUsage{Key: k, Energy: kwh(), Emissions: grams(), Priced: random.IntN(2) == 0})
			}
		}
		return all
	}
	for range random.IntN(60) {
		t := usage.Total{
			Key: key(), Last: now, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(number()), Idle: usage.CPUSeconds(number())},
			Energy: kwh(), Emissions: grams(), SettledEnergy: kwh(), SettledEmissions: grams(), Priced: random.IntN(2) == 0,
			Embodied: usage.Grams(number()), SettledEmbodied: usage.Grams(number()), Hardware: usage.CPUSeconds(random.IntN(2)),
		}
		if random.IntN(4) == 0 {
			t.Last = s.Since.Add(-1)
		}
		s.Totals = append(s.Totals, t)
	}
	s.Newest.Usage = append(s.Newest.Usage, period()...)
	s.ToDate = ToDate{Day: period(), Month: period(), Year: period()}
	return s
}

// TestSamplesAreCounted counts them, as the limit does.
func TestSamplesAreCounted(t *testing.T) {
	for seed := range uint64(10) {
		u := NewUsage(anySnapshot(rand.New(rand.NewPCG(seed, 6))))
		var text bytes.Buffer
		if err := u.render(&text, plainText); err != nil {
			t.Fatal(err)
		}
		want := 0
		for line := range strings.Lines(text.String()) {
			if !strings.HasPrefix(line, "#") {
				want++
			}
		}
		if got, err := u.check(); got != want || err != nil {
			t.Errorf("seed %d: %d samples, want %d (%v)", seed, got, want, err)
		}
	}
}
