// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// More of them take longer, and have found what few did not.
var seeds = flag.Uint64("seeds", 40, "how many random fleets the property tests try")

// fault is something that happens to a machine or to what is kept of it at a minute.
type fault struct {
	name string
	do   func(random *rand.Rand, m *worlds.Machine, at float64)
}

func first(m *worlds.Machine) *worlds.Scrape { return &m.Scrapes[0] }

// scrapesOf is how long it takes until a scrape has surely come.
func scrapesOf(m *worlds.Machine) float64 { return 2*first(m).Every.Minutes() + 0.1 }

func happens(m *worlds.Machine, phases ...worlds.Phase) { m.Phases = append(m.Phases, phases...) }

// copied is another who scrapes the same.
func copied(m *worlds.Machine, change func(*worlds.Scrape)) {
	s := worlds.Scrape{Every: first(m).Every, Offset: (first(m).Offset + 11*time.Second) % first(m).Every}
	change(&s)
	s.Labels["scraper"] = fmt.Sprint(len(m.Scrapes))
	m.Scrapes = append(m.Scrapes, s)
}

var faults = []fault{
	{"nothing", func(*rand.Rand, *worlds.Machine, float64) {}},
	{"reboot", func(_ *rand.Rand, m *worlds.Machine, at float64) { happens(m, boot(at)) }},
	{"off, and boot", func(r *rand.Rand, m *worlds.Machine, at float64) { happens(m, off(at), boot(at+30*r.Float64())) }},
	{"saved to disk", func(r *rand.Rand, m *worlds.Machine, at float64) { happens(m, off(at), on(at+60*r.Float64())) }},
	{"death", func(_ *rand.Rand, m *worlds.Machine, at float64) { happens(m, off(at)) }},
	{"birth", func(_ *rand.Rand, m *worlds.Machine, at float64) { born(m, at) }},
	{"exporter installed", func(r *rand.Rand, m *worlds.Machine, at float64) {
		m.Born, m.Uptime = minutes(at), time.Duration(1+r.IntN(100000))*time.Second
	}},
	{"short life", func(r *rand.Rand, m *worlds.Machine, at float64) {
		born(m, at)
		happens(m, off(at+4+15*r.Float64()))
	}},
	{"pod", func(r *rand.Rand, m *worlds.Machine, at float64) {
		happens(m, labelled(at, "pod", fmt.Sprint(r.Uint32())))
	}},
	{"user", func(r *rand.Rand, m *worlds.Machine, at float64) {
		happens(m, labelled(at, "user", fmt.Sprint("user-", r.IntN(9))))
	}},
	{"hole", func(r *rand.Rand, m *worlds.Machine, at float64) { down(at, at+1+20*r.Float64())(first(m)) }},
	{"unmarked hole", func(r *rand.Rand, m *worlds.Machine, at float64) { away(at, at+1+20*r.Float64())(first(m)) }},
	{"long hole", func(r *rand.Rand, m *worlds.Machine, at float64) { away(at, at+20+50*r.Float64())(first(m)) }},
	{"step back", func(r *rand.Rand, m *worlds.Machine, at float64) { happens(m, step(at, each(times(0.9*r.Float64())))) }},
	{"one counter to 0", func(_ *rand.Rand, m *worlds.Machine, at float64) { happens(m, step(at, of(0, "user", to(0)))) }},
	{"leap", func(r *rand.Rand, m *worlds.Machine, at float64) {
		happens(m, step(at, of(0, "user", plus(1000+1e5*r.Float64()))))
	}},
	{"leap for a scrape", func(r *rand.Rand, m *worlds.Machine, at float64) {
		seeing(at, at+scrapesOf(m), of(0, "idle", plus(1000+1e5*r.Float64())))(first(m))
	}},
	{"0 for a scrape", func(_ *rand.Rand, m *worlds.Machine, at float64) {
		seeing(at, at+scrapesOf(m), each(to(0)))(first(m))
	}},
	{"dip", func(_ *rand.Rand, m *worlds.Machine, at float64) {
		seeing(at, at+scrapesOf(m), of(0, "softirq", plus(-1./64)))(first(m))
	}},
	{"lost series", func(_ *rand.Rand, m *worlds.Machine, at float64) {
		seeing(at, at+scrapesOf(m), of(0, "user", lost))(first(m))
	}},
	{"stands still", func(r *rand.Rand, m *worlds.Machine, at float64) {
		seeing(at, at+5+20*r.Float64(), frozen())(first(m))
	}},
	{"cores", func(r *rand.Rand, m *worlds.Machine, at float64) { happens(m, cores(at, 1+r.IntN(8))) }},
	{"pair", func(_ *rand.Rand, m *worlds.Machine, _ float64) { copied(m, as("replica", "b")) }},
	{"pair, half of it for a while", func(r *rand.Rand, m *worlds.Machine, at float64) {
		copied(m, func(s *worlds.Scrape) {
			as("replica", "b")(s)
			down(at, at+40*r.Float64())(s)
		})
	}},
	{"two jobs", func(_ *rand.Rand, m *worlds.Machine, _ float64) { copied(m, noProject) }},
	{"a second job begins", func(_ *rand.Rand, m *worlds.Machine, at float64) {
		copied(m, func(s *worlds.Scrape) {
			noProject(s)
			down(-99, at)(s)
		})
	}},
	{"sum beside its cores", func(_ *rand.Rand, m *worlds.Machine, _ float64) { first(m).Total = "total" }},
	{"slow scrapes", func(_ *rand.Rand, m *worlds.Machine, _ float64) { first(m).Every = 5 * time.Minute }},
}

// No silent wrong: whatever happens, a host's number is right to 1 % of its cores x time and
// a scrape for each thing that happened, or the host is in doubt and counted as such, or the
// reading says that there is more to come.
func TestNoSilentWrong(t *testing.T) {
	for seed := range *seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 99))
			w := newWorld()
			w.Seed, w.To = seed, minutes(200) // beyond every hole: one that never ends is a death
			told := map[*worlds.Machine]string{}
			for i := range 4 {
				m, what := troubled(random, fmt.Sprint("host-", i), i == 0)
				w.Machines, told[m] = append(w.Machines, m), what
			}
			s := open(t, w, noOptions, nil)
			run := halfHours(4)
			readings := s.read(t, run)
			defer func() {
				for _, m := range w.Machines {
					if t.Failed() {
						t.Logf("%q, scraped all %s, silent %v:%s", m.Name, first(m).Every, first(m).Silent, told[m])
					}
				}
			}()
			for _, r := range readings {
				checkForm(t, r)
				for _, m := range w.Machines {
					if wrong := s.silentlyWrong(r, m); wrong != "" && (told[m] == "" || r.Final) {
						t.Errorf("%s: %q %s", r.Piece, m.Name, wrong)
					}
					if state, why := stateOf(r, m.Name); told[m] == "" && state != usage.HostExact {
						t.Errorf("%s: %q, to which nothing happens, is %s (%s)", r.Piece, m.Name, state, why)
					}
				}
			}
			s.checkChunks(t, run, readings, tale{slack: time.Minute}.slackOf)
		})
	}
}

// troubled is a machine to which up to three things happen, and what.
func troubled(random *rand.Rand, name string, calm bool) (m *worlds.Machine, what string) {
	m = linux(name)
	m.Uptime = time.Duration(1+random.IntN(1000)) * time.Hour
	every := []time.Duration{15 * time.Second, 30 * time.Second, time.Minute}[random.IntN(3)]
	m.Scrapes = []worlds.Scrape{{Every: every, Offset: time.Duration(random.Int64N(every.Milliseconds()-100)) * time.Millisecond, Silent: random.IntN(2) == 0}}
	if calm {
		return m, ""
	}
	for range 1 + random.IntN(3) {
		f, at := faults[1+random.IntN(len(faults)-1)], 2+116*random.Float64()
		if random.IntN(3) == 0 { // near a border
			at = 30*float64(1+random.IntN(3)) + 4*random.Float64() - 3
		}
		f.do(random, m, at)
		what += fmt.Sprintf(" %s at %.1f,", f.name, at)
	}
	slices.SortFunc(m.Phases, func(a, b worlds.Phase) int { return int(a.At - b.At) })
	return m, strings.TrimSuffix(what, ",")
}

// couldBeOff reports whether nothing is kept of a machine in an interval and it boots before
// more is: what there is looks the same if it was off.
func (s *stage) couldBeOff(m *worlds.Machine, from, to time.Duration) bool {
	for at := from; at < to; at += 10 * time.Second {
		if s.Shows(m, at) {
			return false
		}
	}
	for to < s.To && !s.Shows(m, to) {
		to += 10 * time.Second
	}
	for !s.Shows(m, from) && from > s.From {
		from -= 10 * time.Second
	}
	return slices.ContainsFunc(m.Phases, func(p worlds.Phase) bool { return p.Boot && p.At >= from && p.At <= to })
}

// silentlyWrong says what is wrong with an exact host.
func (s *stage) silentlyWrong(r usage.Reading, m *worlds.Machine) string {
	from, to := since(r.Piece)
	truth, _ := s.Truth(m, from, to)
	got := booked(r, m.Name)
	state, why := stateOf(r, m.Name)
	most := mostCores(m)
	whole := float64(most) * (to - from).Seconds()
	every := first(m).Every
	for _, o := range m.Scrapes {
		every = max(every, o.Every)
	}
	if total := float64(sum(got).Total()); total > 1.03*whole+every.Seconds()*float64(most) {
		return fmt.Sprintf("is %s (%s) with %.1f s, its %d cores have %.0f", state, why, total, most, whole)
	}
	if state != usage.HostExact || s.couldBeOff(m, from, to) {
		return ""
	}
	events := 2 // the edges
	if m.Born >= from && m.Born < to {
		events++
	}
	for _, p := range m.Phases {
		if p.At >= from-10*time.Minute && p.At <= to {
			events++
		}
	}
	want := map[usage.Series]seconds{}
	for series, modes := range truth {
		want[series], _ = byMode(s.client.Query, modes)
	}
	if slices.ContainsFunc(m.Scrapes, func(o worlds.Scrape) bool { return o.Labels["job"] == "infra" }) {
		// Where only the job without labels of the site's shows it, whose it is is not known.
		whose := usage.Series{Host: m.Name}
		got, want = map[usage.Series]seconds{whose: sum(got)}, map[usage.Series]seconds{whose: sum(want)}
	}
	shift := float64(events) * every.Seconds() * float64(most)
	for series := range union(got, want) {
		g, w := got[series], want[series]
		if d := math.Abs(float64(g.Busy - w.Busy)); d > 0.01*whole+0.25*shift {
			return fmt.Sprintf("%v is exact with %.1f s busy, truth %.1f", series, g.Busy, w.Busy)
		}
		if d := math.Abs(float64(g.Idle - w.Idle)); d > 0.01*whole+0.75*shift {
			return fmt.Sprintf("%v is exact with %.1f s idle, truth %.1f", series, g.Idle, w.Idle)
		}
	}
	return ""
}
