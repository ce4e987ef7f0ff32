// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var sites = flag.Uint64("sites", 30, "how many sites TestAnIntervalIsTheSameInAnyRun makes up")

// An interval is the same to the last bit in whatever run it is read, whatever holes the scrapes of
// its hosts have, how often they are scraped and by whom, and whatever happens to them: two exporters
// that were down at other times would differ else.
func TestAnIntervalIsTheSameInAnyRun(t *testing.T) {
	const pieces = 8
	for seed := range *sites {
		random := rand.New(rand.NewPCG(seed, 3))
		length := []time.Duration{5, 30, 30, 30, 60}[random.IntN(5)] * time.Minute
		s := &server{fleet: someSite(random, pieces*length.Minutes())}
		run := []usage.Interval{{Start: noon, Length: length}}
		for len(run) < pieces {
			run = append(run, run[len(run)-1].Next())
		}
		whole := map[string]string{}
		for _, r := range readRun(t, s.client(t), run) {
			whole[r.Piece.String()] = inNumbers(r)
		}
		cuts := map[string][]int{"one by one": {1, 2, 3, 4, 5, 6, 7}}
		a, b := 1+random.IntN(3), 4+random.IntN(4)
		cuts[fmt.Sprintf("cut at %d", b)] = []int{b}
		cuts[fmt.Sprintf("cut at %d and %d", a, b)] = []int{a, b}
		for name, at := range cuts {
			from, c := 0, s.client(t)
			for _, to := range append(at, pieces) {
				for _, r := range readRun(t, c, run[from:to]) {
					if got, want := inNumbers(r), whole[r.Piece.String()]; got != want {
						t.Errorf("site %d, %s, %s:\n%s\nin one run:\n%s", seed, r.Piece, name, got, want)
					}
				}
				from = to
			}
		}
	}
}

// So it is when a hole is in more hosts than are looked at core by core, and others have troubles of
// their own at other times.
func TestACrowdIsTheSameInAnyRun(t *testing.T) {
	f := &fleet{}
	for i := range manyHosts + 5 {
		m := f.machine(fmt.Sprintf("host-%03d", i), 1, 50_000).runs(-60.3, 19.7).unseen(20)
		m.runs(39.7, 79.7)
		if i%3 == 0 {
			m.boots()
		}
		m.unseen(1).runs(80.7, 200)
	}
	run := halfHours(4)
	s := &server{fleet: f}
	whole := readRun(t, s.client(t), run)
	if s.times(ofFolded) == 0 || s.times(ofRaw) == 0 {
		t.Fatalf("%d folded and %d raw queries, want some of both", s.times(ofFolded), s.times(ofRaw))
	}
	for i := range run {
		if got, want := inNumbers(readRun(t, s.client(t), run[i:i+1])[0]), inNumbers(whole[i]); got != want {
			t.Errorf("half hour %d, alone:\n%s\nin one run:\n%s", i, got, want)
		}
	}
}

// inNumbers is all of a reading that is stored, with no bit lost.
func inNumbers(r usage.Reading) string {
	samples := slices.Clone(r.Samples)
	slices.SortFunc(samples, func(a, b usage.Sample) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.Project, b.Project), strings.Compare(a.User, b.User))
	})
	text := ""
	for _, s := range samples {
		text += fmt.Sprintf("%s %s %v+%v\n", s.Host, s.Project, float64(s.CPU.Busy), float64(s.CPU.Idle))
	}
	for _, project := range slices.Sorted(maps.Keys(r.Coverage)) {
		text += fmt.Sprintf("%s covered %v of %v, %+v\n", project, float64(r.Coverage[project].Seen), float64(r.Coverage[project].Capacity), r.Present[project])
	}
	for _, d := range r.Doubts {
		d.Detail = "" // a refusal may be told as it was seen last
		text += fmt.Sprintf("%+v\n", d)
	}
	return text + fmt.Sprintf("there %v, unlisted %v", r.There, r.Unlisted)
}

// someSite makes up hosts and what was scraped of them from hours before noon to hours after the
// minutes that are read.
func someSite(random *rand.Rand, until float64) *fleet {
	f := &fleet{}
	var down []span // of one server, and so of all its hosts
	for range random.IntN(3) {
		down = append(down, someSpan(random, until, 40))
	}
	paired := random.IntN(3) == 0
	for i := range 3 {
		h := &someHost{name: fmt.Sprint("host-", i), cores: 1 + random.IntN(3), project: "ISIS"}
		h.live(random, until)
		if !paired {
			h.strange(random, until)
		}
		every := []float64{15, 20, 30, 60, 60, 60, 120, 300}[random.IntN(8)]
		phase := every * random.Float64()
		f.series = append(f.series, h.scraped(random, until, every, phase, "", down)...)
		if calm := h.before > 1e5 && len(h.boots) == 0 && h.still.to == 0 && h.back == 0; paired || calm && random.IntN(3) == 0 {
			every = []float64{every, every, every, 60}[random.IntN(4)]
			f.series = append(f.series, h.scraped(random, until, every, phase+every*random.Float64(), []string{`,"replica":"b"`, `,"job":"c"`}[random.IntN(2)], nil)...)
		}
	}
	return f
}

// someSpan is some minutes in the time that is read or near it.
func someSpan(random *rand.Rand, until, most float64) span {
	from := -60 + (until+120)*random.Float64()
	return span{minute(from), minute(from + 1 + most*random.Float64()*random.Float64())}
}

// someHost is a host of which the counters are known at any time.
type someHost struct {
	name, project string
	cores         int
	from, to      float64
	boots         []span    // it is off, and its counters begin again
	still         span      // its counters stand still
	back          float64   // when they step back
	moved         float64   // when it changes hands
	loads         []float64 // busy part of each five minutes
	before        float64   // it has counted so much when it is first known
}

func (h *someHost) live(random *rand.Rand, until float64) {
	h.from, h.to, h.moved = minute(-400), minute(until+400), math.Inf(1)
	h.before = []float64{0, 5000, 1e6}[random.IntN(3)]
	if random.IntN(4) == 0 {
		h.from = minute(until * random.Float64())
	}
	if random.IntN(4) == 0 {
		h.to = minute(until * random.Float64())
	}
	if random.IntN(3) == 0 {
		off := someSpan(random, until, 30)
		h.boots = append(h.boots, off)
	}
	if random.IntN(4) == 0 {
		h.moved = minute(until * random.Float64())
	}
	for range int(until+900) / 5 {
		h.loads = append(h.loads, max(random.Float64()*1.3-0.3, 0))
	}
}

// strange lets counters do what those of a pair of scrapers must not do: what is seen of that depends
// on which of the two is seen.
func (h *someHost) strange(random *rand.Rand, until float64) {
	if random.IntN(6) == 0 {
		h.still = someSpan(random, until, 100)
	}
	if random.IntN(6) == 0 {
		h.back = minute(until * random.Float64())
	}
}

// counter is how much a core has been busy and idle at a time; false: it is off.
func (h *someHost) counter(at float64) (busy, idle float64, ok bool) {
	since, total := h.from, h.before
	for _, off := range h.boots {
		if at >= off.from && at < off.to {
			return 0, 0, false
		}
		if at >= off.to {
			since, total = off.to, 0
		}
	}
	if at < h.from || at > h.to {
		return 0, 0, false
	}
	if h.back > since && at > h.back {
		total -= min(2000, total+h.back-since)
	}
	total += at - since - h.still.over(span{since, at})
	busy = h.before / 4
	if since > h.from {
		busy = 0
	}
	const each = 300.0
	for i, load := range h.loads {
		from := minute(-400) + each*float64(i)
		at := span{max(since, from), min(at, from+each)}
		busy += load * (max(at.to-at.from, 0) - h.still.over(at))
	}
	busy = min(busy, total)
	return busy, total - busy, true
}

// scraped is what one server sees of it: with holes, of which some are marked as such.
func (h *someHost) scraped(random *rand.Rand, until, every, phase float64, more string, down []span) []*scraped {
	holes := slices.Clone(down)
	for range random.IntN(4) {
		holes = append(holes, someSpan(random, until, []float64{3, 20, 100, 230}[random.IntN(4)]))
	}
	marked, late := random.IntN(2) == 0 && more == "", float64(random.IntN(2))*every/10
	series := map[string]*scraped{}
	var all []*scraped
	seen := false
	for at := minute(-300) + phase; at < minute(until+300); at += every {
		when := math.Round((at+late*random.Float64())*1000) / 1000
		busy, idle, ok := h.counter(when)
		ok = ok && !slices.ContainsFunc(holes, func(s span) bool { return when > s.from && when < s.to })
		if !ok && !(seen && marked) {
			seen = false
			continue
		}
		project := h.project
		if when > h.moved {
			project = "DLS"
		}
		for cpu := range h.cores {
			for mode, v := range map[string]float64{"user": busy, "idle": idle} {
				key := fmt.Sprint(project, cpu, mode)
				s := series[key]
				if s == nil {
					if !ok {
						continue
					}
					s = &scraped{
						host: h.name, cpu: fmt.Sprint(cpu), mode: mode, labels: more,
						set: fmt.Sprintf(`"cloud_project_name":%q,"machine_name":"Muon","instance":%q,"user":"ada"`, project, h.name),
					}
					series[key] = s
					all = append(all, s)
				}
				v = math.Floor((v+float64(cpu)/8)*100) / 100
				if !ok {
					v = math.NaN()
				}
				s.at, s.v = append(s.at, when), append(s.v, v)
			}
		}
		seen = ok
	}
	return all
}
