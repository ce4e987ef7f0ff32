// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// limited is a client of a fleet of two projects, one of three hosts of four cores and one of one.
func limited(t *testing.T, most int) (*Client, *server) {
	t.Helper()
	f := &fleet{}
	for _, host := range []string{"a", "b", "c", "d"} {
		m := f.machine(host, 4, 1e6)
		if host == "d" {
			m.project = "CLF"
		}
		m.runs(-40, 130)
	}
	s := &server{fleet: f}
	c := s.client(t)
	c.MaxSamples = most
	return c, s
}

// A client counts once what it does not know, then it knows it from what it has read; without a
// limit it counts nothing. A client of one project does not take all for its own.
func TestWhatIsKnownOfTheExtent(t *testing.T) {
	c, s := limited(t, 1_000_000)
	read(t, c)
	counted := func() (n int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, q := range s.asked {
			if strings.HasPrefix(q, "count by (cloud_project_name) (node_cpu_seconds_total{") {
				n++
			}
		}
		return n
	}
	if n := counted(); n != 1 {
		t.Errorf("it has counted %d times", n)
	}
	read(t, c)
	if n := counted(); n != 1 {
		t.Errorf("it has counted %d times after another reading", n)
	}
	clf := "CLF"
	for _, of := range []struct {
		project *string
		series  int
	}{{nil, 4 * 4 * 2}, {&clf, 4 * 2}} {
		if series, cores, known := c.extent.of(of.project); series != of.series || cores != of.series/2 || !known {
			t.Errorf("%d series of %d cores, %v; want %d", series, cores, known, of.series)
		}
	}
	if n := c.extent.perHost(); n != 8 {
		t.Errorf("%d series of a host, want 8", n)
	}
	if _, _, known := c.OfProject("CLF").extent.of(nil); known {
		t.Error("a client of one project takes all for its own")
	}
	if series, _, known := c.copy().extent.of(nil); series != 32 || !known {
		t.Error("a copy has to count again")
	}
	unlimited, s := limited(t, 0)
	read(t, unlimited)
	if n := counted(); n != 0 {
		t.Errorf("without a limit it has counted %d times", n)
	}
}

// What is too large is not sent.
func TestNothingIsAskedThatIsTooLarge(t *testing.T) {
	c, s := limited(t, 1_000_000)
	read(t, c)
	s.asked, c.MaxSamples = nil, 4*4*2*6
	f, _ := failure(t, c, halfHours(4))
	if f.Reason != usage.ReasonLimit || !f.TooLarge || len(s.asked) > 0 {
		t.Errorf("four intervals have seven moments: got %+v, and asked %q", f, s.asked)
	}
	readRun(t, c, halfHours(3))
	for budget, want := range map[int]int{1_000_000: atOnce, 8 * 120 * 5: 5, 8 * 120: 1, 10: 1} { // 8 series, every 15 s
		c.MaxSamples = budget
		c.extent.set(map[string]int{"ISIS": 16}, 2, 4)
		if got := c.looksAtOnce(atOnce, usage.SlotLength); got != want {
			t.Errorf("of %d samples it looks at %d pieces at once, want %d", budget, got, want)
		}
	}
}

// A site that was too large may become smaller: it is counted again.
func TestAnIntervalThatWasTooLargeIsTriedAgain(t *testing.T) {
	c, s := limited(t, 1_000_000)
	s.projects = says(`{"status":"success","data":["CLF","ISIS"]}`)
	c.extent.set(map[string]int{"CLF": 1_000_000, "ISIS": 4}, 2, 4)
	if f, _ := failure(t, c, halfHours(1)); f.Reason != usage.ReasonLimit {
		t.Fatalf("got %+v", f)
	}
	for _, q := range s.asked {
		if strings.Contains(q, `cloud_project_name="CLF"`) {
			t.Errorf("asked %s", q)
		}
	}
	read(t, c)
	if series, _, _ := c.extent.of(nil); series != 32 {
		t.Errorf("%d series, want 32", series)
	}
}
