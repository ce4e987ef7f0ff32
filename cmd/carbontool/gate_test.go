// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// gated is a site whose projects CLF (of the group Lasers) and IDAaaS use 0.1 kWh each half hour, which is
// 10 g, in some days up to a while ago.
type gated struct {
	config, store string
	now           time.Time
}

// still is a clock that stands.
type still struct{ clock.Real }

func (still) Now() time.Time { return time.Date(2026, 11, 25, 10, 20, 0, 0, time.UTC) }

func newGated(t testing.TB, days int, ago time.Duration) *gated {
	t.Helper()
	return newGatedAt(t, still{}.Now(), days, ago)
}

func newGatedAt(t testing.TB, now time.Time, days int, ago time.Duration) *gated {
	t.Helper()
	dir := t.TempDir()
	g := &gated{filepath.Join(dir, "carbon.yml"), filepath.Join(dir, "carbon.db"), now}
	g.configure(t, "carbon_intensity: {uk: {url: \"http://127.0.0.1:1\"}}\n")
	st, err := store.Open(t.Context(), g.store, store.Options{Interval: usage.SlotLength, Timezone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	until := usage.SlotAt(now.Add(-ago))
	var recs []usage.Record
	for i := usage.IntervalAt(until.AddDate(0, 0, -days), usage.SlotLength); i.Start.Before(until); i = i.Next() {
		rec := usage.Record{
			Interval: i, State: usage.Provisional, PUE: 1, FetchedAt: i.End(),
			Prices: []usage.PiecePrice{{Start: i.Start, Price: usage.Price{
				Intensity: 100, Kind: usage.Actual, Provider: "uk", Grid: "GB", SlotFrom: i.Start, FetchedAt: i.End(),
			}}},
			Ratings: []usage.Rating{{Machine: "Laser", Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}, Source: "default"}},
		}
		for project, group := range map[string]string{"CLF": "Lasers", "IDAaaS": "IDAaaS"} {
			rec.Facts = append(rec.Facts, usage.Fact{
				Key: usage.Key{Project: project, Machine: "Laser", User: "1042", Group: group}, Start: i.Start,
				CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 30000}, Energy: usage.ByMode[usage.KWh]{Busy: 0.1},
			})
		}
		recs = append(recs, rec)
	}
	storetest.Commit(t, st, recs...)
	return g
}

// configure writes a configuration with budgets of every kind. Those that end in two weeks began a week ago.
func (g *gated) configure(t testing.TB, more string) {
	t.Helper()
	day := func(days int) string { return g.now.UTC().AddDate(0, 0, days).Format(time.DateOnly) }
	now := fmt.Sprintf("from: %s, to: %s", day(-7), day(14))
	text := "timezone: UTC\nprometheus: {url: \"http://127.0.0.1:1\"}\n" + more + "budgets:\n" +
		"- {name: clf, scope: project, target: CLF, " + now + ", kgco2eq: 100}\n" +
		"- {name: clf-small, scope: project, target: CLF, " + now + ", gco2eq: 300}\n" +
		"- {name: lasers, scope: group, target: Lasers, " + now + ", mwh: 1}\n" +
		"- {name: whole, scope: site, " + now + ", kwh: 1}\n" +
		"- {name: old, scope: site, from: 2020-01-01, to: 2021-01-01, kwh: 1}\n" +
		"- {name: new-project, scope: project, target: New, " + now + ", kwh: 1}\n" +
		"- {name: type, scope: machine, target: Laser, " + now + ", kwh: 1}\n" +
		"- {name: person, scope: user, target: alice, " + now + ", kwh: 1}\n"
	if err := os.WriteFile(g.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// forecasts stores these forecasts from the current slot on, fetched so long ago.
func (g *gated) forecasts(t testing.TB, ago time.Duration, values ...float64) {
	t.Helper()
	st, err := store.Open(t.Context(), g.store, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	now := g.now
	var slots []usage.Slot
	for n, v := range values {
		slots = append(slots, usage.Slot{
			From: usage.SlotAt(now).Add(time.Duration(n) * usage.SlotLength), Forecast: new(usage.GramsPerKWh(v)),
			Provider: "uk", Grid: "GB", FetchedAt: now.Add(-ago),
		})
	}
	if _, err := st.SaveSlots(t.Context(), slots); err != nil {
		t.Fatal(err)
	}
}

func (g *gated) gate(args ...string) called {
	return atOnce(append([]string{"gate", "--config.file", g.config, "--storage.path", g.store}, args...)...)
}

// atOnce is call at the time of the clock that stands.
func atOnce(args ...string) called {
	var stdout, stderr bytes.Buffer
	code := run(args, streams{in: strings.NewReader(""), out: &stdout, err: &stderr, clock: still{}})
	return called{code, stdout.String(), stderr.String()}
}

const attributed = "carbon_intensity: {uk: {url: \"http://127.0.0.1:1\"}}\nattribution: {group_by: project, groups: [{name: Lasers, projects: [CLF, Vulcan]}]}\n"

func TestGateVerdicts(t *testing.T) {
	g := newGated(t, 8, 0)
	g.configure(t, attributed)
	g.forecasts(t, time.Minute, 100, 100, 100, 40, 40, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 10, 10)
	const better = "2026-11-25T11:30:00Z"
	for _, c := range []struct {
		name, args string
		code       int
		stdout     string
		stderr     string // it has this
		lines      int    // of stderr
	}{
		{"much is left", "--project=CLF --budget=clf", exitDone, "", `msg=go reason="nothing holds the work back" project=CLF budget=clf scope=project unit=gco2eq limit=100000 used=`, 1},
		{"nothing is left", "--project=CLF --budget=clf-small", exitDenied, "", `msg=denied reason="budget clf-small is used up to 1`, 1},
		{"the group's", "--project=CLF --budget=lasers", exitDone, "", "budget=lasers scope=group unit=kwh limit=1000 used=", 1},
		{"the group's, of a project that has used nothing", "--project=Vulcan --budget=lasers", exitDone, "", "msg=go", 1},
		{"the site's, of a project that nobody knows", "--project=Unheard --budget=whole", exitDenied, "", "msg=denied", 1},
		{"a threshold below", "--project=CLF --budget=clf --at=0.02", exitDenied, "", "work begins below 2 %", 1},
		{"a projection", "--project=CLF --budget=clf --projected=0.1", exitDenied, "", "is projected to end at 1", 1},
		{"a projection that is lower", "--project=CLF --budget=clf --projected=0.2", exitDone, "", "projected_ratio=0.1", 1},
		{"a better time", "--defer-to-best=6h", exitDeferred, better + "\n", `msg=deferred reason="` + better + ` is a better time to begin: the mean is 40 gCO2eq/kWh then and 100 now, 60 % less" grid=GB`, 1},
		{"a better time that is too late", "--defer-to-best=30m --saves=0.2", exitDone, "", "msg=go", 1},
		{"a better time that saves too little", "--defer-to-best=6h --saves=0.6", exitDone, "", "saving_ratio=0.6", 1},
		{"a longer window", "--defer-to-best=6h --for=2h", exitDeferred, "2026-11-25T10:30:00Z\n", "17.6 % less", 1},
		{"a budget with something left, and a better time", "--project=CLF --budget=clf --defer-to-best=6h", exitDeferred, better + "\n", "budget=clf", 1},
		{"a budget with nothing left, and a better time", "--project=CLF --budget=clf-small --defer-to-best=6h", exitDenied, "", "msg=denied", 1},
		{"a budget that is over", "--project=CLF --budget=old", exitDone, "", "not known: budget old is not in force: it is from 2020-01-01T00:00:00Z to 2021-01-01T00:00:00Z", 2},
		{"a budget of a project without usage", "--project=New --budget=new-project", exitDone, "", "not known: what budget new-project has used is not known", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := g.gate(strings.Fields(c.args)...)
			if got.code != c.code || got.stdout != c.stdout || !strings.Contains(got.stderr, c.stderr) || strings.Count(got.stderr, "\n") != c.lines {
				t.Errorf("%d, %q\n%s\nwant %d, %q\n%s", got.code, got.stdout, got.stderr, c.code, c.stdout, c.stderr)
			}
		})
	}
}

// Whatever is not known, work goes, and a line says what it was.
func TestGateFailsOpen(t *testing.T) {
	const both = "--project=CLF --budget=clf-small --defer-to-best=6h"
	static := "carbon_intensity: {provider: static, static: {gco2eq_per_kwh: 210, grid: GB}}\n"
	directory := "carbon_intensity: {uk: {url: \"http://127.0.0.1:1\"}}\nattribution: {group_by: directory}\ndirectory: {file: " + filepath.Join(t.TempDir(), "none.csv") + "}\n"
	for _, c := range []struct {
		name, args string
		ago        time.Duration
		prepare    func(*testing.T, *gated)
		want       []string // what stderr has
	}{
		{"no store", both, 0, func(_ *testing.T, g *gated) { g.store += ".none" }, []string{"not known: where budget clf-small stands: open store ", "not known: whether a later time is better: "}},
		{"not a store", both, 0, func(_ *testing.T, g *gated) { g.store = g.config }, []string{"is not a SQLite database"}},
		{"a broken configuration", both, 0, func(t *testing.T, g *gated) { g.configure(t, "nothing: 1\n") }, []string{`unknown key "nothing"`}},
		{"no configuration", both, 0, func(_ *testing.T, g *gated) { g.config += ".none" }, []string{"no such file"}},
		{"the data is stale", "--project=CLF --budget=clf-small", 3 * time.Hour, func(*testing.T, *gated) {}, []string{"not known: the data is stale: the newest interval ended at "}},
		{"an old forecast, and the provider is down", "--defer-to-best=6h", 0, func(t *testing.T, g *gated) { g.forecasts(t, 2*time.Hour, 100, 100, 10, 10) }, []string{"not known: the forecast of GB is old: it was fetched at "}},
		{"no forecast, and the provider is down", "--defer-to-best=6h", 0, func(*testing.T, *gated) {}, []string{"not known: whether a later time is better: carbon intensity of GB, "}},
		{"a static grid", "--defer-to-best=6h", 0, func(t *testing.T, g *gated) { g.configure(t, static) }, []string{"for all time has no forecast"}},
		{"a group that only usage knows", "--project=IDAaaS --budget=lasers", 0, func(t *testing.T, g *gated) { g.configure(t, directory) }, []string{"not known: whether budget lasers of group Lasers concerns project IDAaaS"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGated(t, 1, c.ago)
			c.prepare(t, g)
			got := g.gate(strings.Fields(c.args)...)
			if got.code != exitDone || got.stdout != "" || !strings.Contains(got.stderr, "msg=go") {
				t.Errorf("%+v", got)
			}
			for _, want := range c.want {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("stderr\n%s\nwant %s", got.stderr, want)
				}
			}
		})
	}
}

func TestGateRefuses(t *testing.T) {
	g := newGated(t, 1, 0)
	g.configure(t, attributed)
	for _, c := range []struct{ args, want string }{
		{"", "nothing to decide: give --project and --budget, or --defer-to-best, or all of them"},
		{"--project=CLF", "--budget: is missing: which budget of the project?"},
		{"--budget=clf", "--project: is missing: whose work counts against the budget?"},
		{"--project=CLF --budget=none", `--budget: there is no budget "none"; the budgets are clf, clf-small, lasers, whole, old, new-project`},
		{"--project=IDAaaS --budget=clf", `--budget: clf is of project CLF, and does not concern project "IDAaaS"`},
		{"--project=IDAaaS --budget=lasers", `--budget: lasers is of group Lasers, and does not concern project "IDAaaS"`},
		{"--project=CLF --budget=type", `--budget: type is of machine Laser, and does not concern project "CLF"`},
		{"--project=CLF --budget=person", `--budget: person is of a user, and does not concern project "CLF"`},
		{"--project=CLF --budget=clf --at=0", "--at: must be above 0, is 0"},
		{"--project=CLF --budget=clf --at=NaN", "--at: must be above 0, is NaN"},
		{"--project=CLF --budget=clf --projected=-1", "--projected: must not be below 0, is -1"},
		{"--project=CLF --budget=clf --for=2h", "--for and --saves belong to --defer-to-best"},
		{"--defer-to-best=soon", `--defer-to-best: "soon" is not a duration such as 6h or 90m`},
		{"--defer-to-best=2d", "--defer-to-best: must be at most 47h, because forecasts are for 48h, is 2d"},
		{"--defer-to-best=6h --for=45m", `--for: must be a multiple of 30m, at most 48h, is "45m"`},
		{"--defer-to-best=6h --saves=1", "--saves: must be at least 0 and below 1, is 1"},
	} {
		t.Run(c.args, func(t *testing.T) {
			if got, want := g.gate(strings.Fields(c.args)...), (called{exitUsage, "", "carbontool gate: " + c.want + "; see carbontool gate --help\n"}); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestGateAsJSON(t *testing.T) {
	g := newGated(t, 1, 0)
	g.forecasts(t, time.Minute, 100, 100, 25, 25)
	got := g.gate("--project=CLF", "--budget=clf", "--defer-to-best=6h", "--format=json")
	var a map[string]any
	if err := json.Unmarshal([]byte(got.stdout), &a); err != nil || got.code != exitDeferred {
		t.Fatalf("%v: %+v", err, got)
	}
	budget, grid := a["budget"].(map[string]any), a["grid"].(map[string]any)
	for what, is := range map[string][2]any{
		"verdict": {a["verdict"], "deferred"}, "code": {a["exit_code"], 4.0}, "start": {a["start"], "2026-11-25T11:00:00Z"}, "project": {a["project"], "CLF"},
		"limit": {budget["limit"], 100000.0}, "unit": {budget["unit"], "gco2eq"}, "allowed": {budget["allowed_ratio"], 1.0},
		"newest": {budget["newest_interval_end"], "2026-11-25T10:00:00Z"},
		"saving": {grid["saving_ratio"], 0.75}, "mean": {grid["best"].(map[string]any)["mean_gco2eq_per_kwh"], 25.0},
	} {
		if is[0] != is[1] {
			t.Errorf("%s is %v, want %v", what, is[0], is[1])
		}
	}
	if used := budget["used"].(float64); math.Abs(used-480) > 1e-9 || budget["unseen_seconds"] != 6*86400+10*3600. {
		t.Errorf("used %v but for %v s, want a day's", used, budget["unseen_seconds"])
	}
	if doubts := a["not_known"].([]any); len(doubts) != 1 || !strings.HasPrefix(doubts[0].(string), "6d10h of the period is missing from what budget clf has used") {
		t.Errorf("not known: %v", doubts)
	}
}
