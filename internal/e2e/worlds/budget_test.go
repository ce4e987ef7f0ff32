// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// peaks has every question say how many samples it needed at once, and remembers the most.
type peaks struct {
	mu   sync.Mutex
	most int
	of   string // the query
}

var peak = regexp.MustCompile(`"peakSamples":([0-9]+)`)

func (p *peaks) watch(s *stage) {
	s.Before(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		query := r.Form.Get("query")
		r.Form.Set("stats", "true")
		worlds.Edited(func(text string) string {
			if found := peak.FindStringSubmatch(text); found != nil {
				n, _ := strconv.Atoi(found[1])
				p.mu.Lock()
				defer p.mu.Unlock()
				if one := strings.Contains(query, `instance=~"host-5"`); n > p.most && !one { // a closer look is of one host at least

					p.most, p.of = n, query
				}
			}
			return text
		})(w, r, next)
	})
}

// park is some machines of four cores and eight modes in two projects, one of which is three times
// as large as the other.
func park() *worlds.World {
	w := newWorld()
	w.From, w.To = minutes(-150), minutes(24*30+150)
	for i := range 8 {
		m := linux(fmt.Sprint("host-", i))
		if m.Project = "large"; i%4 == 0 {
			m.Project = "small"
		}
		if i == 5 { // a closer look
			m.Phases = []worlds.Phase{{At: minutes(200), Load: quarter, Boot: true}}
		}
		w.Machines = append(w.Machines, m)
	}
	return w
}

const parkSeries = 8 * 4 * 8

// What the exporter reads of a large site needs no more samples at once than it may, is the same
// as without a limit, and a limit that is too small says what to do.
func TestABudgetOfSamples(t *testing.T) {
	s := open(t, park(), engine.Options{}, nil)
	run := halfHours(24)
	whole := s.read(t, run)
	var p peaks
	p.watch(s)
	s.client.Query.Instruments = source.Instruments{}

	for _, tc := range []struct {
		name   string
		budget int
		longer int // intervals of the longest run that is read
	}{
		{"enough for all of it", parkSeries * 30, 24},
		{"enough for some intervals", parkSeries * 9, 6},
		{"enough for one", parkSeries * 4, 1},
		{"enough for one project", parkSeries * 3, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p.most = 0
			s.client = &source.Client{Upstream: s.client.Upstream, URL: s.client.URL, Query: s.client.Query, MaxSamples: tc.budget}
			longest := 0
			var all []usage.Reading
			for rest := run; len(rest) > 0; {
				n := len(rest)
				for {
					readings, _, err := s.client.Read(t.Context(), rest[:n])
					if n > 1 && usage.IsTooLarge(err) { // as the exporter does
						n /= 2
						continue
					}
					if err != nil {
						t.Fatal(err)
					}
					all, longest, rest = append(all, readings.All()...), max(longest, n), rest[n:]
					break
				}
			}
			if longest != tc.longer {
				t.Errorf("the longest run has %d intervals, want %d", longest, tc.longer)
			}
			// What is added up in an answer comes on top: a sum for each host and mode.
			if p.most == 0 || p.most > tc.budget*5/4 {
				t.Errorf("a query needs %d samples at once, of %d: %s", p.most, tc.budget, p.of)
			}
			for i := range whole {
				for _, m := range s.Machines {
					if diff := apart(whole[i], all[i], m.Name, 1e-3); diff != "" {
						t.Errorf("%s: %s", whole[i].Piece, diff)
					}
				}
			}
		})
	}

	t.Run("a project that is too large alone", func(t *testing.T) {
		p.most = 0
		c := &source.Client{Upstream: s.client.Upstream, URL: s.client.URL, Query: s.client.Query, MaxSamples: parkSeries}
		_, _, err := c.Read(t.Context(), run[:1])
		f := usage.FailureOf(err)
		if f == nil || f.Reason != usage.ReasonLimit || !f.TooLarge {
			t.Fatalf("got %v", err)
		}
		for _, words := range []string{`project "large"`, "192 series", "768 samples", "of 256", "prometheus.max_samples_per_query", "docs/shards.md"} {
			if !strings.Contains(err.Error(), words) {
				t.Errorf("%q is not in %s", words, err)
			}
		}
		if p.most > parkSeries*5/4 {
			t.Errorf("a query needs %d samples at once: %s", p.most, p.of)
		}
	})

	t.Run("who is there now", func(t *testing.T) {
		c := &source.Client{Upstream: s.client.Upstream, URL: s.client.URL, Query: s.client.Query, MaxSamples: parkSeries * 30}
		if _, _, err := c.Read(t.Context(), run[:2]); err != nil {
			t.Fatal(err)
		}
		c.MaxSamples = 8 * 4 * 12 // 12 moments of one mode
		if _, err := c.Present(t.Context(), run); !usage.IsTooLarge(err) {
			t.Errorf("a day at once: %v", err)
		}
		if present, err := c.Present(t.Context(), run[:12]); err != nil || present[0]["large"].Hosts != 6 {
			t.Errorf("got %v, %v", present, err)
		}
	})

	t.Run("power of each host, each minute", func(t *testing.T) {
		c := &source.Client{Upstream: s.client.Upstream, URL: s.client.URL, Query: s.client.Query, MaxSamples: parkSeries * 9}
		c.Query.Instruments.Meters = []source.Meter{{Name: "m", Query: "sum by (instance) (node_cpu_seconds_total{" + s.client.Query.Matchers + "}) * 0 + 7"}}
		if _, _, err := c.Read(t.Context(), run[:1]); err != nil {
			t.Fatal(err)
		}
		s.Asked()
		if _, _, err := c.Instruments(t.Context(), run, false); !usage.IsTooLarge(err) || len(s.Asked()) > 0 {
			t.Errorf("24 half hours of 8 hosts at once: %v", err)
		}
		got, _, err := c.Instruments(t.Context(), run[:1], false)
		if err != nil || len(got[0].Power) != 8 {
			t.Errorf("got %v, %v", got, err)
		}
	})
}
