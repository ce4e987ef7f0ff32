// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// every scrapes all so many seconds.
func every(seconds int, more ...func(*worlds.Scrape)) worlds.Scrape {
	s := worlds.Scrape{Every: time.Duration(seconds) * time.Second, Offset: time.Duration(seconds) * time.Second / 4}
	for _, change := range more {
		change(&s)
	}
	return s
}

func silent(s *worlds.Scrape) { s.Silent = true }

func as(labels ...string) func(*worlds.Scrape) {
	return func(s *worlds.Scrape) {
		s.Labels = map[string]string{}
		for i := 0; i < len(labels); i += 2 {
			s.Labels[labels[i]] = labels[i+1]
		}
	}
}

// down is a hole with marks at its beginning, away one without.
func down(from, to float64) func(*worlds.Scrape) {
	return func(s *worlds.Scrape) {
		s.Holes = append(s.Holes, worlds.Hole{From: minutes(from), To: minutes(to)})
	}
}

func away(from, to float64) func(*worlds.Scrape) {
	return func(s *worlds.Scrape) {
		s.Holes = append(s.Holes, worlds.Hole{From: minutes(from), To: minutes(to), Unmarked: true})
	}
}

// seeing changes values from one time to another.
func seeing(from, to float64, change func(core int, mode string, v float64) float64) func(*worlds.Scrape) {
	return func(s *worlds.Scrape) {
		before := s.See
		s.See = func(core int, mode string, at time.Duration, v float64) float64 {
			if before != nil {
				v = before(core, mode, at, v)
			}
			if at >= minutes(from) && at < minutes(to) {
				return change(core, mode, v)
			}
			return v
		}
	}
}

func labelled(at float64, labels ...string) worlds.Phase {
	p := worlds.Phase{At: minutes(at), Labels: map[string]string{}}
	for i := 0; i < len(labels); i += 2 {
		p.Labels[labels[i]] = labels[i+1]
	}
	return p
}

func boot(at float64) worlds.Phase { return worlds.Phase{At: minutes(at), Boot: true} }
func off(at float64) worlds.Phase  { return worlds.Phase{At: minutes(at), Off: true} }
func on(at float64) worlds.Phase   { return worlds.Phase{At: minutes(at)} }
func cores(at float64, n int) worlds.Phase {
	return worlds.Phase{At: minutes(at), Cores: n}
}

func step(at float64, change func(core int, mode string, v float64) float64) worlds.Phase {
	return worlds.Phase{At: minutes(at), Step: change}
}

// born is a machine whose counters begin when it does; its exporter comes a little later.
func born(m *worlds.Machine, at float64) *worlds.Machine {
	m.Born, m.Uptime = minutes(at), 0
	return m
}

// A label of a host's series changes: a rolling update, or another owner.
func TestLabelsChange(t *testing.T) {
	var tales []tale
	for _, how := range []struct {
		name   string
		scrape worlds.Scrape
	}{{"marked", every(30)}, {"unmarked", every(30, silent)}} {
		pod := func(name string, at ...float64) *worlds.Machine {
			m := scraped(linux(name), how.scrape)
			m.Labels = map[string]string{"pod": "node-exporter-0"}
			for i, minute := range at {
				m.Phases = append(m.Phases, labelled(minute, "pod", fmt.Sprintf("node-exporter-%d", i+1)))
			}
			return m
		}
		rolling := func() (all []*worlds.Machine) {
			for i := range 12 {
				all = append(all, pod(fmt.Sprintf("host-%d", i), 20+1.3*float64(i)))
			}
			return all
		}
		tales = append(tales,
			tale{
				name: "pod at minute 12, " + how.name, world: newWorld(linux("a"), pod("b", 12)),
				expect: []expectation{is(exact, "a"), is(known, "b", 0).within(1740, 1800, 5220, 5400), is(exact, "b", 1, 2)},
			},
			tale{name: "pod at minute 25, " + how.name, world: newWorld(linux("a"), pod("b", 25)), expect: []expectation{is(known, "b").within(1800, 1800, 5400, 5400)}},
			tale{name: "pod at minute 29.9, " + how.name, world: newWorld(linux("a"), pod("b", 29.9))},
			tale{name: "pod at the border, " + how.name, world: newWorld(linux("a"), pod("b", 30))},
			tale{name: "pod three times in an interval, " + how.name, world: newWorld(linux("a"), pod("b", 33, 41, 58))},
			tale{name: "a rolling update of all hosts, " + how.name, world: newWorld(rolling()...)},
			tale{
				name: "a user hands over at minute 40, " + how.name, world: newWorld(linux("a"), phased(scraped(linux("b"), how.scrape), labelled(40, "user", "grace"))),
				expect: []expectation{is(exact, "a"), is(exact, "b", 0, 2)},
			},
			tale{name: "a user hands over at minute 57, " + how.name, world: newWorld(linux("a"), phased(scraped(linux("b"), how.scrape), labelled(57, "user", "grace")))},
			tale{name: "a user hands over at minute 62 and back at 70, " + how.name, world: newWorld(linux("a"), phased(scraped(linux("b"), how.scrape), labelled(62, "user", "grace"), labelled(70, "user", "ada")))},
			tale{name: "a user comes to a machine that had none, " + how.name, world: newWorld(linux("a"), phased(with(scraped(linux("b"), how.scrape), func(m *worlds.Machine) { m.User = "" }), labelled(41, "user", "ada")))},
			tale{name: "another project, " + how.name, world: newWorld(linux("a"), phased(scraped(linux("b"), how.scrape), labelled(40, "cloud_project_name", "TDAaaS")))},
			tale{name: "job renamed, " + how.name, world: newWorld(linux("a"), phased(scraped(linux("b"), how.scrape), labelled(44, "job", "nodes")))},
			tale{name: "another pod with a reboot, " + how.name, world: newWorld(linux("a"), phased(pod("b"), off(44), worlds.Phase{At: minutes(46), Boot: true, Labels: map[string]string{"pod": "new"}}))},
			tale{name: "resized with a reboot, " + how.name, world: newWorld(linux("a"), phased(scraped(linux("b"), how.scrape), off(44), worlds.Phase{At: minutes(46), Boot: true, Cores: 8, Labels: map[string]string{"machine_name": "Tau"}}))},
		)
	}
	for i := range tales {
		tales[i].more = losesLittle
	}
	all(t, tales)
}

// losesLittle sees that in all intervals together a machine has what it did, but for a scrape
// at each thing that happened: what an interval does not have, its neighbour has.
func losesLittle(t *testing.T, s *stage, readings []usage.Reading) {
	for _, m := range s.Machines {
		scrapes := len(m.Phases)
		if m.Born != 0 {
			scrapes++
		}
		every := 30 * time.Second
		if len(m.Scrapes) > 0 {
			every = m.Scrapes[0].Every
		}
		addsUpTo(t, s, readings, m.Name, float64(scrapes*mostCores(m))*every.Seconds()*1.01+1)
	}
}

// besideOne tells of a machine beside one that nothing happens to, under three kinds of scrapes.
func besideOne(name string, b func() *worlds.Machine, expect []expectation) (tales []tale) {
	for _, quick := range []worlds.Scrape{every(15), every(60), every(30, silent)} {
		how := fmt.Sprintf(", all %s", quick.Every)
		if quick.Silent {
			how += " without marks"
		}
		tales = append(tales, tale{
			name: name + how, world: newWorld(linux("a"), scraped(b(), quick)), slack: time.Minute,
			expect: append([]expectation{is(exact, "a")}, expect...), more: losesLittle,
		})
	}
	return tales
}

// Counters begin anew.
func TestReboots(t *testing.T) {
	var tales []tale
	add := func(name string, b func() *worlds.Machine, expect ...expectation) {
		tales = append(tales, besideOne(name, b, expect)...)
	}
	add("at minute 45", func() *worlds.Machine { return phased(linux("b"), boot(45)) }, is(exact, "b", 0, 2))
	add("for two minutes", func() *worlds.Machine { return phased(linux("b"), off(43), boot(45)) }, is(exact, "b", 0, 2))
	add("twice", func() *worlds.Machine { return phased(linux("b"), boot(35), boot(50)) }, is(exact, "b", 0, 2))
	add("two minutes before an interval", func() *worlds.Machine { return phased(linux("b"), boot(28)) })
	add("two minutes after the begin of one", func() *worlds.Machine { return phased(linux("b"), boot(32)) })
	add("at the border", func() *worlds.Machine { return phased(linux("b"), off(29), boot(30.5)) })
	add("back after twenty minutes", func() *worlds.Machine { return phased(linux("b"), off(35), boot(55)) }, is(exact, "b", 0, 2))
	add("off over a border", func() *worlds.Machine { return phased(linux("b"), off(50), boot(70)) })
	add("off over an interval", func() *worlds.Machine { return phased(linux("b"), off(20), boot(70)) })
	add("of a machine that is only a little older", func() *worlds.Machine { return phased(born(linux("b"), -20), boot(40)) })
	all(t, tales)
}

// Machines come and go.
func TestBirthsAndDeaths(t *testing.T) {
	var tales []tale
	add := func(name string, b func() *worlds.Machine, expect ...expectation) {
		tales = append(tales, besideOne(name, b, expect)...)
	}
	old := func(at float64) *worlds.Machine { // its exporter was installed late
		m := born(linux("b"), at)
		m.Uptime = 5000 * time.Second
		return m
	}
	add("born at minute 40", func() *worlds.Machine { return born(linux("b"), 40) }, is(exact, "b", 2))
	add("born at minute 59", func() *worlds.Machine { return born(linux("b"), 59) }, is(exact, "b", 2))
	add("born at a border", func() *worlds.Machine { return born(linux("b"), 30) }, is(exact, "b", 2))
	add("an exporter installed at minute 40", func() *worlds.Machine { return old(40) }, is(exact, "b", 2))
	add("an exporter installed at a border", func() *worlds.Machine { return old(30) }, is(exact, "b", 2))
	add("died at minute 50", func() *worlds.Machine { return phased(linux("b"), off(50)) }, is(exact, "b", 0))
	add("died at a border", func() *worlds.Machine { return phased(linux("b"), off(60)) }, is(exact, "b", 0))
	add("lived for ten minutes between two borders", func() *worlds.Machine { return phased(born(linux("b"), 40), off(50)) })
	add("lived for six minutes over a border", func() *worlds.Machine { return phased(born(linux("b"), 58), off(64)) })
	add("an old one shown for ten minutes between two borders", func() *worlds.Machine { return phased(old(40), off(50)) })
	add("lived from interval to interval", func() *worlds.Machine { return phased(born(linux("b"), 20), off(70)) })
	tales = append(tales,
		tale{name: "many that live for ten minutes", slack: time.Minute, world: newWorld(manyShort()...)},
		tale{
			name: "an address that another machine takes over", slack: time.Minute,
			world: newWorld(linux("a"), phased(linux("b"), off(40)), with(born(linux("b"), 45), func(m *worlds.Machine) { m.Project, m.User = "TDAaaS", "grace" })),
		},
		tale{
			name: "an address that a larger machine of the same people takes over", slack: time.Minute, loose: true,
			world:  newWorld(linux("a"), phased(linux("b"), off(40), worlds.Phase{At: minutes(45), Boot: true, Cores: 8})),
			expect: []expectation{is(exact, "b", 0, 2)},
		},
	)
	all(t, tales)
}

func manyShort() (all []*worlds.Machine) {
	for i := range 20 {
		begin := 31 + float64(i%10)
		all = append(all, phased(born(linux(fmt.Sprintf("job-%d", i)), begin), off(begin+10)))
	}
	return append(all, linux("a"))
}
