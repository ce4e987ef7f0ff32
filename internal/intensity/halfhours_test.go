// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// values are actuals of the same length, one after another.
func values(from string, length time.Duration, intensities ...usage.GramsPerKWh) (all []Value) {
	start := at(from)
	for i, v := range intensities {
		begin := start.Add(time.Duration(i) * length)
		all = append(all, Value{From: begin, To: begin.Add(length), Intensity: v, Kind: usage.Actual})
	}
	return all
}

func TestHalfHours(t *testing.T) {
	noon := usage.Period{From: at("2026-06-01T12:00:00Z"), To: at("2026-06-01T13:00:00Z")}
	forecast := func(all []Value) []Value {
		for i := range all {
			all[i].Kind = usage.Forecast
		}
		return all
	}
	tests := []struct {
		name    string
		values  []Value
		of      usage.Period
		want    string
		rejects usage.Rejects
	}{
		{name: "half hours as they are", values: values("2026-06-01T12:00:00Z", 30*time.Minute, 100, 200), want: "12:00 - 100, 12:30 - 200"},
		{name: "an hour is both of its halves", values: values("2026-06-01T12:00:00Z", time.Hour, 100), want: "12:00 - 100, 12:30 - 100"},
		{name: "quarters are averaged", values: values("2026-06-01T12:00:00Z", 15*time.Minute, 100, 200, 300, 500), want: "12:00 - 150, 12:30 - 400"},
		{name: "five minutes are averaged", values: values("2026-06-01T12:00:00Z", 5*time.Minute, 1, 2, 3, 4, 5, 6), want: "12:00 - 3.5"},
		{name: "ten minutes", values: values("2026-06-01T12:00:00Z", 10*time.Minute, 10, 20, 60), want: "12:00 - 30"},
		{name: "five quarters of five minutes are not a half hour", values: values("2026-06-01T12:00:00Z", 5*time.Minute, 1, 2, 3, 4, 5), want: ""},
		{name: "an hour that begins at a quarter", values: values("2026-06-01T11:45:00Z", time.Hour, 100, 200), want: "12:00 - 100, 12:30 - 150"},
		{name: "an hour that begins at the half, as in India", values: values("2026-06-01T12:30:00Z", time.Hour, 70), want: "12:30 - 70"},
		{name: "twenty minutes weigh by what they cover", values: values("2026-06-01T12:00:00Z", 20*time.Minute, 90, 30, 0), want: "12:00 - 70, 12:30 - 10"},
		{
			name: "a quarter counts before the hour around it", values: append(values("2026-06-01T12:00:00Z", time.Hour, 100), values("2026-06-01T12:00:00Z", 15*time.Minute, 300)...),
			want: "12:00 - 200, 12:30 - 100",
		},
		{
			name: "the last of two counts", values: append(values("2026-06-01T12:00:00Z", time.Hour, 100), values("2026-06-01T12:00:00Z", time.Hour, 50)...),
			want: "12:00 - 50, 12:30 - 50", rejects: usage.Rejects{RejectDuplicate: 1},
		},
		{
			name: "a forecast beside an actual", values: append(values("2026-06-01T12:00:00Z", 30*time.Minute, 100), forecast(values("2026-06-01T12:00:00Z", time.Hour, 80))...),
			want: "12:00 80 100, 12:30 80 -",
		},
		{name: "a day", values: values("2026-06-01T00:00:00Z", 24*time.Hour, 100), rejects: usage.Rejects{RejectSlotLength: 1}},
		{name: "no time at all", values: values("2026-06-01T12:00:00Z", 0, 100), rejects: usage.Rejects{RejectTime: 1}},
		{name: "backwards", values: values("2026-06-01T12:30:00Z", -time.Hour, 100), rejects: usage.Rejects{RejectTime: 1}},
		{name: "measured before it came", values: values("2027-02-01T02:00:00Z", time.Hour, 100), rejects: usage.Rejects{RejectTime: 1}},
		{
			name: "numbers that no grid has", values: values("2026-06-01T12:00:00Z", 30*time.Minute, -1, usage.GramsPerKWh(math.NaN()), usage.GramsPerKWh(math.Inf(1)), usage.MaxIntensity+1),
			rejects: usage.Rejects{RejectValue: 4},
		},
		{
			name: "one bad quarter spoils its half hour and no other", values: values("2026-06-01T12:00:00Z", 15*time.Minute, 100, -1, 300, 500),
			want: "12:30 - 400", rejects: usage.Rejects{RejectValue: 1},
		},
		{name: "another time", values: values("2026-06-01T13:00:00Z", time.Hour, 100), want: ""},
		{
			name: "over a leap day", values: values("2028-02-29T23:30:00Z", time.Hour, 100), want: "23:30 - 100, 00:00 - 100",
			of: usage.Period{From: at("2028-02-29T23:00:00Z"), To: at("2028-03-01T01:00:00Z")},
		},
		{
			name: "over new year", values: values("2026-12-31T23:00:00Z", time.Hour, 100, 200), want: "23:00 - 100, 23:30 - 100, 00:00 - 200, 00:30 - 200",
			of: usage.Period{From: at("2026-12-31T23:00:00Z"), To: at("2027-01-01T01:00:00Z")},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			of := noon
			if !test.of.From.IsZero() {
				of = test.of
			}
			now := now
			if of.From.Year() > 2027 {
				now = of.To
			}
			slots, rejects := halfHours(test.values, of, now)
			if say(slots) != test.want || !maps.Equal(rejects, test.rejects) {
				t.Errorf("got %s, %v, want %s, %v", say(slots), rejects, test.want, test.rejects)
			}
		})
	}
}

func TestQualityOfAHalfHourIsTheWorstOfItsParts(t *testing.T) {
	p := usage.Period{From: at("2026-06-01T12:00:00Z"), To: at("2026-06-01T12:30:00Z")}
	for _, test := range []struct {
		parts [2]usage.Quality
		want  usage.Quality
	}{
		{[2]usage.Quality{usage.QualityFinal, usage.QualityFinal}, usage.QualityFinal},
		{[2]usage.Quality{usage.QualityFinal, usage.QualityEstimated}, usage.QualityEstimated},
		{[2]usage.Quality{usage.QualityEstimated, usage.QualityFinal}, usage.QualityEstimated},
		{[2]usage.Quality{usage.QualityFinal, usage.QualityProvisional}, usage.QualityProvisional},
		{[2]usage.Quality{"", ""}, ""},
	} {
		two := values("2026-06-01T12:00:00Z", 15*time.Minute, 1, 3)
		two[0].Quality, two[1].Quality = test.parts[0], test.parts[1]
		slots, _ := halfHours(two, p, now)
		if len(slots) != 1 || slots[0].Quality != test.want {
			t.Errorf("%q: got %+v, want %q", test.parts, slots, test.want)
		}
	}
}

// The mean over a time is the same whether values are read by the half hour or by the five
// minutes, in whatever order they come and however often.
func TestHalfHoursKeepTheMean(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		start := at("2026-06-01T00:00:00Z")
		p := usage.Period{From: start, To: start.Add(6 * time.Hour)}
		var all []Value
		var sum float64
		for at := start; at.Before(p.To); {
			length := []time.Duration{5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}[r.IntN(5)]
			end := usage.Earlier(at.Add(length), p.To)
			v := Value{From: at, To: end, Intensity: usage.GramsPerKWh(r.IntN(800)), Kind: usage.Actual}
			sum += float64(v.Intensity) * end.Sub(at).Hours()
			all = append(all, v)
			at = end
		}
		all = append(all, all[r.IntN(len(all))])
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		slots, _ := halfHours(all, p, now)
		var got float64
		for _, s := range slots {
			got += float64(*s.Actual) / 2
		}
		if len(slots) != 12 || math.Abs(got-sum) > 1e-9*sum {
			t.Fatalf("seed %d: %d slots with %v, want 12 with %v", seed, len(slots), got, sum)
		}
	}
}

func FuzzHalfHours(f *testing.F) {
	f.Add(int64(0), int64(3600), 100.0, int64(1800), int64(300), 20.0)
	f.Add(int64(-900), int64(900), 1.0, int64(0), int64(0), math.Inf(-1))
	f.Fuzz(func(t *testing.T, a, long int64, x float64, b, short int64, y float64) {
		start := at("2026-06-01T12:00:00Z")
		p := usage.Period{From: start, To: start.Add(2 * time.Hour)}
		value := func(from, length int64, v float64) Value {
			begin := start.Add(time.Duration(from%86400) * time.Second)
			return Value{From: begin, To: begin.Add(time.Duration(length%7200) * time.Second), Intensity: usage.GramsPerKWh(v), Kind: usage.Actual}
		}
		slots, _ := halfHours([]Value{value(a, long, x), value(b, short, y)}, p, now)
		for _, s := range slots {
			if v := float64(*s.Actual); !(v >= min(x, y)-1e-9 && v <= max(x, y)+1e-9) || s.From.Before(p.From) || !s.From.Before(p.To) {
				t.Error(fmt.Sprint(s.From, v, x, y))
			}
		}
	})
}
