// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var (
	threeShards = []Shard{{Name: "a.yml", Own: `dc="a"`}, {Name: "b.yml", Own: `dc="b"`}, {Name: "c.yml", Own: `dc="c"`}}
	cutAt       = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
)

type byHost = map[string]int

// TestCutOf holds what is said of shards to what they select.
func TestCutOf(t *testing.T) {
	well := Cut{At: cutAt.Add(-time.Hour), Whole: byHost{"1": 4, "2": 4, "3": 4}, Parts: []byHost{{"1": 4}, {"2": 4}, {"3": 4}}}
	for _, test := range []struct {
		name  string
		now   Cut
		level Level
		check string
		words string
	}{
		{"well", well, OK, "twice", "no machine is in two shards, now, at 2026-03-02T11:00:00Z"},
		{"well, and whole", well, OK, "absent", "all machines of the site are in a shard"},
		{"the part of each", well, OK, "cut", `b.yml selects 1 machine now, by dc="b"`},
		{"in two", Cut{Whole: byHost{"1": 4, "2": 4, "3": 4}, Parts: []byHost{{"1": 4}, {"2": 4, "1": 4}, {"3": 4}}}, Failure, "twice", "now, 1 machine is in several shards: 1 (a.yml, b.yml)"},
		{"in all, and in two without the whole", Cut{Parts: []byHost{{"1": 4, "2": 4}, {"1": 4, "2": 4}, {"1": 4}}}, Failure, "twice", "now, 2 machines are in several shards: 1 (a.yml, b.yml, c.yml), 2 (a.yml, b.yml)"},
		{"in none", Cut{Whole: byHost{"1": 4, "2": 4, "3": 4, "9": 1}, Parts: []byHost{{"1": 4}, {"2": 4}, {"3": 4}}}, Failure, "absent", "now, 1 of 4 machines is in no shard: 9"},
		{"its series are in two", Cut{Whole: byHost{"1": 4, "2": 4}, Parts: []byHost{{"1": 1}, {"1": 3, "2": 4}, {}}}, Failure, "divided", "now, the series of 1 machine are divided among shards: 1 (a.yml, b.yml)"},
		{"some of its series are in none", Cut{Whole: byHost{"1": 4, "2": 4, "3": 4}, Parts: []byHost{{"1": 3}, {"2": 4}, {"3": 4}}}, Failure, "divided", "some series of 1 machine are in no shard: 1 (a.yml)"},
		{"in another than before", Cut{Whole: byHost{"1": 4, "2": 4, "3": 4}, Parts: []byHost{{}, {"1": 4, "2": 4}, {"3": 4}}}, Warning, "moved", "1 machine changed the shard in the last day: 1 (from a.yml to b.yml)"},
		{"a shard of nothing", Cut{Whole: byHost{"2": 4, "3": 4}, Parts: []byHost{{}, {"2": 4}, {"3": 4}}}, Warning, "cut", `a.yml selects no machine now, by dc="a"`},
		{"nothing at all", Cut{Whole: byHost{}, Parts: []byHost{{}, {}, {}}}, OK, "twice", "no machine is in two shards, at 2026-03-02T11:00:00Z"},
		{"queries of its own", Cut{Parts: []byHost{{"1": 1}, {"2": 1}, {"3": 1}}}, OK, "twice", "no machine is in two shards"},
		{"hosts without a name", Cut{Whole: byHost{"": 4}, Parts: []byHost{{"": 2}, {"": 2}, {}}}, Failure, "divided", "machines without the label of the host (a.yml, b.yml)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.now.At = cutAt
			saysOf(t, CutOf(threeShards, `job="node"`, test.now.Whole == nil, []Cut{test.now, well}), test.level, test.check, test.words)
		})
	}
	later := Cut{At: cutAt.Add(-24 * time.Hour), Whole: byHost{"1": 4}, Parts: []byHost{{"1": 4}, {"1": 4}, {}}}
	saysOf(t, CutOf(threeShards, "", false, []Cut{well, later}), Failure, "twice", "at 2026-03-01T12:00:00Z, 1 machine is in several shards: 1 (a.yml, b.yml)")
	saysOf(t, CutOf(threeShards, "", false, []Cut{well}), OK, "whole", "the site is every series of prometheus.metric")
	saysOf(t, CutOf(threeShards, `job="node"`, false, []Cut{well}), OK, "whole", `that all shards have: job="node"`)
	saysOf(t, CutOf(threeShards, "", true, []Cut{{Parts: well.Parts}}), Warning, "whole", "it cannot be seen which machines are in none of them")
}

func TestWhatShardsHaveApart(t *testing.T) {
	saysOf(t, Settings(threeShards, [][]string{nil, nil, nil}), OK, "settings", "in all 3 files")
	saysOf(t, Settings(threeShards, [][]string{nil, {"power.pue", "timezone"}, nil}), Failure, "settings", "b.yml differs from a.yml in power.pue, timezone")
	saysOf(t, Stores(threeShards, []string{"x", "y", "z"}, nil), OK, "stores", "each shard has a store of its own")
	saysOf(t, Stores(threeShards, []string{"x", "x", ""}, map[int]int{1: 0}), Failure, "stores", "a.yml and b.yml have the same store, x")
	saysOf(t, Stores(threeShards, []string{"x", "", ""}, nil), OK, "stores", "the stores of 2 shards were not named")

	of := func(change func(all []Wide)) []Finding {
		all := make([]Wide, 3)
		for i, projects := range []map[string]bool{{"A": true, "B": true}, {"B": true}, {"C": true}} {
			all[i] = Wide{Projects: projects, ByProject: true, Groups: map[string][]string{"AC": {"A", "C"}, "only A": {"A"}}}
		}
		change(all)
		return PerShard(threeShards, all)
	}
	budget := func(scope usage.Scope, name string) func([]Wide) {
		return func(all []Wide) { all[0].Budgets = []Target{{Budget: "x", Scope: scope, Name: name}} }
	}
	for _, test := range []struct {
		name   string
		change func([]Wide)
		level  Level
		check  string
		words  string // empty: no warning and no failure
	}{
		{"nothing", func([]Wide) {}, OK, "per shard", "carbon_site_energy_low_kwh"},
		{"a budget of the site", budget(usage.ScopeAda, ""), Warning, "per shard", "budget x of a.yml is for the whole site: the shard counts its own part alone"},
		{"of a project in two shards", budget(usage.ScopeProject, "B"), Warning, "per shard", "project B, which is in 2 shards"},
		{"of a project in one", budget(usage.ScopeProject, "A"), OK, "per shard", ""},
		{"of a group in two", budget(usage.ScopeGroup, "AC"), Warning, "per shard", "group AC, whose projects are in several shards"},
		{"of a group in one", budget(usage.ScopeGroup, "only A"), OK, "per shard", ""},
		{"of a group that is a project", budget(usage.ScopeGroup, "B"), Warning, "per shard", "group B, whose projects are in several shards"},
		{"of a user", budget(usage.ScopeUser, "ada"), Warning, "per shard", "a user, who may use several shards"},
		{"of a machine type", budget(usage.ScopeMachine, "Muon"), Warning, "per shard", "machine Muon, which may be in several shards"},
		{"the meter of the site", func(all []Wide) { all[1].Reconcile = true }, Warning, "per shard", "b.yml: power.reconcile compares"},
		{"calibration", func(all []Wide) { all[2].Calibrate = true }, Warning, "per shard", "c.yml: power.calibrate learns in each shard"},
		{"the largest users", func(all []Wide) { all[2].MaxUsers = 9 }, Warning, "per shard", "c.yml: attribution.max_users"},
		{"meters", func(all []Wide) { all[0].Meters = true }, OK, "per shard", "books those of its own"},
		{"the same devices", func(all []Wide) {
			all[0].Devices, all[2].Devices = map[string]string{"gpu": "q"}, map[string]string{"gpu": "q"}
		}, Failure, "devices", "a.yml and c.yml have the same query of power.devices gpu"},
		{"other devices", func(all []Wide) {
			all[0].Devices, all[2].Devices = map[string]string{"gpu": `q{dc="a"}`}, map[string]string{"gpu": `q{dc="c"}`}
		}, OK, "per shard", ""},
		{"one name in the lake", func(all []Wide) { all[0].Lake, all[1].Lake, all[2].Lake = "x", "x", "y" }, Failure, "lake", "a.yml and b.yml have the same lake.site, x"},
		{"one database of usage", func(all []Wide) { all[0].Database, all[1].Database, all[2].Database = "x", "y", "x" }, Failure, "usage database", "a.yml and c.yml write usage to the same database, x"},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := of(test.change)
			if test.words != "" {
				saysOf(t, found, test.level, test.check, test.words)
				return
			}
			if n := Count(found); n[Warning]+n[Failure] > 0 {
				t.Errorf("got %+v", found)
			}
		})
	}
	for _, f := range of(budget(usage.ScopeUser, "ada")) {
		if strings.Contains(f.Seen+f.Do, "ada") {
			t.Errorf("it names a person: %+v", f)
		}
	}
}

// saysOf looks for a finding of a check.
func saysOf(t *testing.T, all []Finding, level Level, check, words string) {
	t.Helper()
	for _, f := range all {
		if f.Level == level && f.Check == check && strings.Contains(f.Seen, words) {
			return
		}
	}
	t.Errorf("no %s of %s says %q: %+v", level, check, words, all)
}
