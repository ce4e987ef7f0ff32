// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"strings"
	"testing"
)

// A pair of servers is asked with each core once for as long as it is one.
func TestAPairIsAskedOnceWhileItIsOne(t *testing.T) {
	once := func(s *server) (n int) {
		for _, query := range s.asked {
			if strings.Contains(query, "max by (cloud_project_name") {
				n++
			}
		}
		return n
	}
	pair := &fleet{}
	a := pair.machine("a", 2, 50_000)
	b := a.clone(`,"replica":"b"`)
	a.runs(-40, 70)
	b.grow(30)
	b.runs(-39.5, 70)
	s := &server{fleet: pair}
	c := s.client(t)
	read(t, c)
	s.asked = nil
	if reading, _ := read(t, c); len(reading.Samples) != 1 || once(s) != 1 || s.times(ofCounters) != 1 {
		t.Errorf("got %v after %q", reading.Samples, s.asked)
	}
	alone := &fleet{}
	alone.machine("a", 2, 50_000).runs(-40, 70)
	s.fleet = alone
	read(t, c)
	s.asked = nil
	if reading, _ := read(t, c); len(reading.Samples) != 1 || once(s) != 0 || s.times(ofSpread) != 0 {
		t.Errorf("one server is left, got %v after %q", reading.Samples, s.asked)
	}
}

// Sums over all cores count where there is nothing else, and no longer when there is.
func TestSumsAreReadOnlyWhereThereIsNothingElse(t *testing.T) {
	of := func(cpus ...string) *fleet {
		f := &fleet{}
		m := f.machine("a", 1, 50_000)
		m.cpus = cpus
		for _, cpu := range cpus {
			m.user[cpu], m.idle[cpu] = m.user["0"], m.idle["0"]
		}
		m.runs(-40, 70)
		return f
	}
	s := &server{fleet: of("total")}
	c := s.client(t)
	for name, f := range map[string]*fleet{"the sum alone": of("total"), "the sum and its core": of("0", "total")} {
		s.fleet = f
		reading, _ := read(t, c)
		if len(reading.Samples) != 1 || reading.Samples[0].CPU.Total() != 1800 {
			t.Errorf("%s: got %+v", name, reading)
		}
		s.fleet = of("total")
		read(t, c)
	}
}
