// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var update = flag.Bool("update", false, "rewrite testdata/*.html")

// pages are the states that a page can be in, each with a golden file.
func pages(t testing.TB) map[string]Known {
	full, state, nothing, refused, static, down, several := cloud(t), cloud(t), cloud(t), cloud(t), cloud(t), cloud(t), cloud(t)
	state.StateOnly = true

	nothing.Numbers = &Numbers{States: map[usage.State]int{usage.Empty: 48}}
	nothing.Budgets = nil
	nothing.Notices = []Notice{{About: usage.TopicUsage, Since: now.Add(-time.Hour), Text: `Prometheus answers and has no CPU seconds of any host: asked for node_cpu_seconds_total{job="nod"}; the server has node_cpu_seconds_total in job "node": see prometheus.matchers.`}}

	none := attended()
	none.Attendance = usage.Attend([]usage.Reading{{
		Present: map[string]usage.Presence{"IDAaaS": {Hosts: 1}},
		Doubts:  []usage.Doubt{{Series: usage.Series{Project: "IDAaaS", Host: "a"}, State: usage.HostRefused, Reason: usage.DoubtHalf}},
	}})
	none.Coverage = nil
	refused.Numbers, refused.Budgets = &Numbers{Attended: none, States: map[usage.State]int{usage.Empty: 3}}, nil
	refused.Notices = []Notice{{About: usage.TopicUsage, Since: now, Text: "Prometheus has hosts, and all 1 of them are refused: 1 half: it has only one of busy and idle CPU seconds."}}

	static.Grid = Grid{Provider: "static", Name: "FR", Static: new(usage.GramsPerKWh(21.7)), From: "RTE, mean of 2025"}

	down.Now = now.Add(5 * time.Hour)
	down.Parts[1].Bad, down.Parts[1].State = true, "down, last response 5h7m10s ago (2026-01-17T18:02:50Z): query cpu seconds: connection: nobody listens at 127.0.0.1:9090"
	down.Parts[1].Meanwhile = "Nothing is lost meanwhile: what is missing is fetched later, as long as Prometheus keeps it."
	down.Numbers.States[usage.Missing] = 10

	several.Grid = standingIn()
	several.Parts = slices.Insert(several.Parts, 3,
		Part{
			Name: "Carbon intensity by rte", For: "the first choice", Within: several.Parts[2].Name, Asked: true, Bad: true,
			State: "down, last response 2h8m0s ago (2026-01-17T16:02:00Z): connection: no route to host", Meanwhile: "The other sources are asked meanwhile.",
		},
		Part{Name: "Carbon intensity by table", For: "where rte has no value", Within: several.Parts[2].Name, Asked: true, State: "responded 2m0s ago (2026-01-17T18:08:00Z)"},
	)
	return map[string]Known{"full": full, "state": state, "nothing": nothing, "refused": refused, "static": static, "down": down, "several": several}
}

// standingIn is a grid whose first source has not answered for two hours.
func standingIn() Grid {
	g := Grid{Provider: "rte"}
	for n := -48; n <= 0; n++ {
		s := usage.Slot{From: usage.SlotAt(now).Add(time.Duration(n) * usage.SlotLength), Provider: "table", Grid: "FR", Quality: usage.QualityYearly, Actual: new(usage.GramsPerKWh(44))}
		if n < -4 {
			s.Provider, s.Quality, s.Actual = "rte", usage.QualityProvisional, new(usage.GramsPerKWh(31))
		}
		g.Slots = append(g.Slots, s)
	}
	return g
}

func TestGolden(t *testing.T) {
	for name, k := range pages(t) {
		t.Run(name, func(t *testing.T) {
			got, path := html(t, k), filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the page differs from %s; go test ./internal/landing -update rewrites it, review reads it:\n%s", path, got)
			}
		})
	}
}
