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

// half is one Prometheus of a pair.
func half(replica string, more ...func(*worlds.Scrape)) worlds.Scrape {
	s := every(30, append([]func(*worlds.Scrape){as("replica", replica)}, more...)...)
	if replica == "b" {
		s.Offset += 11 * time.Second
	}
	return s
}

// noProject is a job whose targets have no labels of the site's.
var noProject = as("job", "infra", "cloud_project_name", "", "machine_name", "", "user", "")

// total shows the sum of all cores too.
func total(name string) func(*worlds.Scrape) {
	return func(s *worlds.Scrape) { s.Total = name }
}

// The time of a machine counts once, however many show it.
func TestCopies(t *testing.T) {
	one := func(m *worlds.Machine) *worlds.Machine { return loaded(m, 1, quarter) }
	tales := []tale{
		{name: "a pair", world: newWorld(scraped(linux("a"), half("a"), half("b")), scraped(linux("b"), half("a"), half("b")))},
		{name: "a pair of which one scrapes one host alone", world: newWorld(linux("a"), scraped(linux("b"), half("a"), half("b")))},
		{name: "a pair without marks", world: newWorld(linux("a"), scraped(linux("b"), half("a", silent), half("b", silent)))},
		{name: "half of a pair is down for twenty minutes", world: newWorld(linux("a"), scraped(linux("b"), half("a"), half("b", down(35, 55))))},
		{name: "half of a pair is away for twenty minutes", world: newWorld(linux("a"), scraped(linux("b"), half("a", away(35, 55)), half("b")))},
		{name: "half of a pair is away over a border", world: newWorld(linux("a"), scraped(linux("b"), half("a", away(50, 70)), half("b")))},
		{name: "half of a pair is down over a border", world: newWorld(linux("a"), scraped(linux("b"), half("a"), half("b", down(50, 70))))},
		{name: "the halves of a pair are down one after the other", world: newWorld(linux("a"), scraped(linux("b"), half("a", down(25, 35)), half("b", down(55, 65))))},
		{name: "the halves of a pair are away one after the other in one interval", world: newWorld(linux("a"), scraped(linux("b"), half("a", away(35, 43)), half("b", away(45, 58))))},
		{name: "both halves of a pair are away over a border", world: newWorld(linux("a"), scraped(linux("b"), half("a", away(56, 64)), half("b", away(55, 65)))), expect: []expectation{is(interpolated, "b", 1, 2)}},
		{name: "half of a pair ends", world: newWorld(linux("a"), scraped(linux("b"), half("a"), half("b", down(40, 999))))},
		{name: "half of a pair begins", world: newWorld(linux("a"), scraped(linux("b"), half("a"), half("b", down(-99, 40))))},
		{name: "a pair that takes over", world: newWorld(linux("a"), scraped(linux("b"), half("a", down(45, 999)), half("b", down(-99, 44))))},
		{name: "a pair and a reboot", world: newWorld(linux("a"), phased(scraped(linux("b"), half("a"), half("b")), off(44), boot(45)))},
		{name: "a pair and a birth", world: newWorld(linux("a"), born(scraped(linux("b"), half("a"), half("b")), 40))},
		{name: "a pair and a life of ten minutes", world: newWorld(linux("a"), phased(born(scraped(linux("b"), half("a"), half("b")), 40), off(50)))},
		{name: "a pair and a user who hands over", world: newWorld(linux("a"), phased(scraped(linux("b"), half("a"), half("b")), labelled(40, "user", "grace")))},
		{name: "a pair and cores that come", world: newWorld(linux("a"), phased(scraped(linux("b"), half("a"), half("b")), cores(40, 8)))},
		{name: "a pair that scrapes windows", shape: &windows, query: askWindows, world: newWorld(windowsHost("a"), scraped(windowsHost("b"), half("a"), half("b"))), expect: []expectation{is(known, "b").within(720, 720, 6480, 6480)}},
		{name: "two jobs, all 15 s and all minute", world: newWorld(linux("a"), scraped(linux("b"), every(15), every(60, as("job", "nodes"))))},
		{name: "two jobs, all 30 s and all 5 minutes", world: newWorld(linux("a"), scraped(linux("b"), every(30), every(300, as("job", "nodes")))), slack: time.Minute},
		{name: "two jobs, one without the project", world: newWorld(linux("a"), scraped(linux("b"), every(30), every(30, noProject))), expect: []expectation{is(exact, "a")}},
		{name: "two jobs, the fuller one without the project", world: newWorld(linux("a"), scraped(linux("b"), every(60), every(15, noProject))), expect: []expectation{is(exact, "a")}},
		{name: "two jobs of all hosts, one without the project", world: newWorld(scraped(linux("a"), every(30), every(30, noProject)), scraped(linux("b"), every(30), every(30, noProject)))},
		{name: "two jobs of a pair", world: newWorld(linux("a"), scraped(linux("b"), half("a"), half("b"), every(30, as("job", "nodes", "replica", "a")), every(30, as("job", "nodes", "replica", "b"))))},
		{name: "two jobs, one without the project, and a reboot", world: newWorld(linux("a"), phased(scraped(linux("b"), every(30), every(30, noProject)), boot(44)))},
		{name: "a second job comes at minute 40", world: newWorld(linux("a"), scraped(linux("b"), every(30), every(30, noProject, down(-99, 40))))},
		{name: "a sum beside its cores", world: newWorld(linux("a"), scraped(linux("b"), every(30, total("total"))))},
		{name: "a sum beside its cores, as telegraf names it", world: newWorld(scraped(linux("a"), every(30, total("cpu-total"))), scraped(linux("b"), every(30, total("cpu-total"))))},
		{name: "a sum beside its cores, as windows names it", shape: &windows, query: askWindows, world: newWorld(windowsHost("a"), scraped(windowsHost("b"), every(30, total("_Total"))))},
		{name: "a sum beside one core", world: newWorld(linux("a"), scraped(one(linux("b")), every(30, total("total"))))},
		{name: "a sum beside one core, as telegraf names it", world: newWorld(linux("a"), scraped(one(linux("b")), every(30, total("cpu-total"))))},
		{name: "a sum beside one core, as windows names it", shape: &windows, query: askWindows, world: newWorld(windowsHost("a"), scraped(one2(windowsHost("b")), every(30, total("_Total"))))},
		{name: "sums without their cores", world: newWorld(scraped(linux("a"), every(30, total("total"), only)), scraped(linux("b"), every(30, total("total"), only))), loose: true, expect: []expectation{is(any3, "a"), is(any3, "b")}},
		{
			name: "two machines of two projects with one address", loose: true,
			world:  newWorld(linux("a"), linux("b"), with(loaded(linux("b"), 4, worlds.Load{"user": 0.8, "system": 0.1, "idle": 0.1, "iowait": 0}), func(m *worlds.Machine) { m.Project, m.User, m.Uptime = "TDAaaS", "grace", 5*time.Hour })),
			expect: []expectation{is(exact, "a"), is(any3, "b")},
		},
		{name: "ten unlike machines behind one instance", loose: true, world: newWorld(behindOne(10)...), expect: []expectation{is(exact, "a"), is(refused, "b")}, more: because("b", usage.DoubtMixed)},
		{name: "two unlike machines behind one instance", loose: true, world: newWorld(behindOne(2)...), expect: []expectation{is(exact, "a"), is(refused, "b")}, more: because("b", usage.DoubtMixed)},
	}
	all(t, tales)
}

func only(s *worlds.Scrape) { s.Only = true }

// one2 is windowsHost of one core.
func one2(m *worlds.Machine) *worlds.Machine { return loaded(m, 1, windowsLoad) }

// behindOne is a machine, and more that one exporter shows all, as behind a gateway.
func behindOne(n int) []*worlds.Machine {
	machines := []*worlds.Machine{linux("a")}
	for i := range n {
		busy := 0.05 + 0.08*float64(i)
		m := loaded(linux("b"), 2+2*(i%4), worlds.Load{"user": busy, "system": 0.01, "idle": 0.99 - busy, "iowait": 0})
		m.Uptime, m.Labels = time.Duration(10+37*i)*time.Hour, map[string]string{"exported_instance": fmt.Sprint("node", i)}
		machines = append(machines, m)
	}
	return machines
}

// because sees why a host is refused.
func because(host string, reasons ...usage.DoubtReason) func(*testing.T, *stage, []usage.Reading) {
	return func(t *testing.T, _ *stage, readings []usage.Reading) {
		for _, r := range readings {
			found := false
			for _, d := range r.Doubts {
				for _, reason := range reasons {
					found = found || d.Host == host && d.Reason == reason
				}
			}
			if !found {
				t.Errorf("%s: %q must be in doubt because of %v: %v", r.Piece, host, reasons, r.Doubts)
			}
		}
	}
}
