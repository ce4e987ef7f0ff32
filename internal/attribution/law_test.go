// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"fmt"
	"math"
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// randomTenures are of few hosts and owners around the half hour, so that they
// overlap, leave gaps, touch, last no time or less, and go on for ever. Some turn
// at the hour at which clocks in Europe are put forward or back.
func randomTenures(r *rand.Rand) []directory.Tenure {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		panic(err)
	}
	tenures := make([]directory.Tenure, r.Intn(60))
	for i := range tenures {
		from := halfHour.Start.Add(time.Duration(r.Intn(5400)-1800) * time.Second).In(london)
		tenures[i] = directory.Tenure{Document: fmt.Sprint("d", i), Host: fmt.Sprint("h", r.Intn(8)), From: from}
		if o := r.Intn(6); o > 0 {
			tenures[i].Owner = fmt.Sprint("u", o)
		}
		if r.Intn(4) > 0 {
			tenures[i].To = from.Add(time.Duration(r.Intn(2400)-100) * time.Second)
		}
	}
	return tenures
}

func randomReading(r *rand.Rand) usage.Reading {
	reading := usage.Reading{Piece: halfHour}
	for i := range 40 {
		s := usage.Sample{Series: usage.Series{Project: fmt.Sprint("p", r.Intn(3)), Machine: fmt.Sprint("m", i), Host: fmt.Sprintf("H%d:9100", r.Intn(10))}}
		if r.Intn(5) == 0 {
			s.User = "label"
		}
		s.CPU = cpu{Busy: usage.CPUSeconds(r.Float64() * 1800), Idle: usage.CPUSeconds(r.ExpFloat64() * 1e-7)}
		reading.Samples = append(reading.Samples, s)
	}
	return reading
}

func randomProfiles(r *rand.Rand, reading usage.Reading) map[usage.Series]usage.Profile {
	finer := map[usage.Series]usage.Profile{}
	for _, s := range reading.Samples {
		switch r.Intn(4) {
		case 0: // none
		case 1:
			finer[s.Series] = usage.Profile{Step: time.Minute, CPU: make([]cpu, r.Intn(31))}
		default:
			finer[s.Series] = minutes(func(int) cpu {
				return cpu{Busy: usage.CPUSeconds(r.Float64()), Idle: usage.CPUSeconds(max(0, r.NormFloat64()))}
			})
		}
	}
	return finer
}

func TestPartsAddUpWhateverTheHistory(t *testing.T) {
	for seed := range int64(100) {
		r := rand.New(rand.NewSource(seed))
		rules := Rules{GroupBy: ByDirectory, Directory: NewIndex(directory.Directory{Tenures: randomTenures(r)})}
		reading := randomReading(r)
		parts := rules.Parts(reading, randomProfiles(r, reading))
		sums := map[usage.Series]cpu{}
		for _, p := range parts {
			if !(p.CPU.Busy >= 0 && p.CPU.Idle >= 0) || !p.From.Before(p.To) || p.From.Before(halfHour.Start) || p.To.After(halfHour.End()) {
				t.Fatalf("seed %d: part %+v", seed, p)
			}
			sums[p.Series] = sums[p.Series].Plus(p.CPU)
		}
		for _, s := range reading.Samples {
			got := sums[s.Series]
			if math.Abs(float64(got.Busy-s.CPU.Busy)) > 1e-12*float64(s.CPU.Busy) || math.Abs(float64(got.Idle-s.CPU.Idle)) > 1e-12*float64(s.CPU.Idle) {
				t.Fatalf("seed %d: of %v seconds %v came out", seed, s.CPU, got)
			}
		}
	}
}

func TestPartsAreWhatLookingAtEachSecondSays(t *testing.T) {
	for seed := range int64(8) {
		r := rand.New(rand.NewSource(seed))
		tenures := randomTenures(r)
		reading := randomReading(r)
		finer := randomProfiles(r, reading)
		got := map[usage.Series]map[string]cpu{}
		for _, p := range (Rules{Directory: NewIndex(directory.Directory{Tenures: tenures})}).Parts(reading, finer) {
			if got[p.Series] == nil {
				got[p.Series] = map[string]cpu{}
			}
			got[p.Series][p.Key.User] = got[p.Series][p.Key.User].Plus(p.CPU)
		}
		for _, s := range reading.Samples {
			for user, want := range bySecond(s, tenures, finer[s.Series]) {
				g := got[s.Series][user]
				if math.Abs(float64(g.Busy-want.Busy)) > 1e-9*float64(s.CPU.Busy) || math.Abs(float64(g.Idle-want.Idle)) > 1e-9*float64(s.CPU.Idle) {
					t.Fatalf("seed %d: %s has %v of %+v, want %v", seed, user, g, s, want)
				}
			}
		}
	}
}

// bySecond says what each user has of a sample in the plainest way: it asks every
// tenure in every second.
func bySecond(s usage.Sample, tenures []directory.Tenure, finer usage.Profile) map[string]cpu {
	if s.User != "" {
		return map[string]cpu{s.User: s.CPU}
	}
	var sum cpu
	for _, step := range finer.CPU {
		sum = sum.Plus(step)
	}
	of := map[string]cpu{}
	for second := range 1800 {
		now := halfHour.Start.Add(time.Duration(second) * time.Second)
		owners := map[string]bool{}
		for _, t := range tenures {
			if t.Host == directory.HostName(s.Host) && t.Owner != "" && !now.Before(t.From) && (t.To.IsZero() || now.Before(t.To)) {
				owners[t.Owner] = true
			}
		}
		if len(owners) == 0 {
			owners[usage.Unattributed] = true
		}
		weight := cpu{Busy: 1. / 1800, Idle: 1. / 1800}
		if len(finer.CPU) == 30 && sum.Busy > 0 {
			weight.Busy = finer.CPU[second/60].Busy / 60 / sum.Busy
		}
		if len(finer.CPU) == 30 && sum.Idle > 0 {
			weight.Idle = finer.CPU[second/60].Idle / 60 / sum.Idle
		}
		for user := range owners {
			n := usage.CPUSeconds(len(owners))
			of[user] = of[user].Plus(cpu{Busy: s.CPU.Busy * weight.Busy / n, Idle: s.CPU.Idle * weight.Idle / n})
		}
	}
	return of
}

func TestTheOrderOfRecordsAndSamplesDoesNotMatter(t *testing.T) {
	compare := func(a, b usage.Part) int {
		if a.Series != b.Series {
			return slices.Compare([]string{a.Series.Machine, a.Series.Project, a.Series.Host, a.Series.User},
				[]string{b.Series.Machine, b.Series.Project, b.Series.Host, b.Series.User})
		}
		return slices.Compare([]string{a.From.String(), a.Key.User}, []string{b.From.String(), b.Key.User})
	}
	for seed := range int64(50) {
		r := rand.New(rand.NewSource(seed))
		tenures := randomTenures(r)
		reading := randomReading(r)
		finer := randomProfiles(r, reading)
		want := Rules{Directory: NewIndex(directory.Directory{Tenures: tenures})}.Parts(reading, finer)
		r.Shuffle(len(tenures), func(i, j int) { tenures[i], tenures[j] = tenures[j], tenures[i] })
		r.Shuffle(len(reading.Samples), func(i, j int) {
			reading.Samples[i], reading.Samples[j] = reading.Samples[j], reading.Samples[i]
		})
		got := Rules{Directory: NewIndex(directory.Directory{Tenures: tenures})}.Parts(reading, finer)
		slices.SortFunc(want, compare)
		slices.SortFunc(got, compare)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: another order gives other parts", seed)
		}
	}
}

func TestTwoHalvesAreTheWholeWhereTimeDecides(t *testing.T) {
	for seed := range int64(50) {
		r := rand.New(rand.NewSource(seed))
		rules := Rules{Directory: NewIndex(directory.Directory{Tenures: randomTenures(r)})}
		byUser := func(pieces ...usage.Interval) map[string]float64 {
			sums := map[string]float64{}
			for _, piece := range pieces {
				s := usage.Sample{Series: usage.Series{Host: "h1"}, CPU: cpu{Busy: usage.CPUSeconds(piece.Length.Seconds())}}
				for _, p := range rules.Parts(usage.Reading{Piece: piece, Samples: []usage.Sample{s}}, nil) {
					sums[p.Key.User] += float64(p.CPU.Busy)
				}
			}
			return sums
		}
		const part = 22500 * time.Millisecond // a piece may begin between two seconds
		var pieces []usage.Interval
		for at := halfHour.Start; at.Before(halfHour.End()); at = at.Add(part) {
			pieces = append(pieces, usage.Interval{Start: at, Length: part})
		}
		whole, halves := byUser(halfHour), byUser(pieces...)
		for user, want := range whole {
			if math.Abs(halves[user]-want) > 1e-9*1800 {
				t.Fatalf("seed %d: %s has %v of the whole and %v of its pieces", seed, user, want, halves[user])
			}
		}
	}
}
