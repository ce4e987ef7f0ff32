// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/survey"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var noon = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)

// says looks for a finding of a level with some words, what to do included.
func says(t *testing.T, all []Finding, level Level, words string) {
	t.Helper()
	for _, f := range all {
		if f.Level == level && strings.Contains(f.Seen+"; to do: "+f.Do, words) {
			return
		}
	}
	t.Errorf("no %s says %q: %+v", level, words, all)
}

func TestServers(t *testing.T) {
	apart := func(d time.Duration) survey.Server {
		return survey.Server{Kind: survey.Prometheus, Version: "3.5.0", Skew: &d}
	}
	for _, test := range []struct {
		name   string
		server survey.Server
		level  Level
		words  string
	}{
		{"its name", apart(0), OK, "Prometheus 3.5.0 at http://p answers in 0s"},
		{"clocks that agree", apart(time.Second), OK, "agree to 1s"},
		{"a clock that runs ahead", apart(30 * time.Second), Warning, "30s ahead of ours"},
		{"a clock that is behind", apart(-30 * time.Second), Warning, "30s behind ours"},
		{"a clock that is behind by more than the lag", apart(-10 * time.Minute), Failure, "10m0s behind ours, more than prometheus.lag"},
		{"an answer too slow to tell", survey.Server{Skew: new(8 * time.Second), SkewWithin: 4 * time.Second}, OK, "agree to 8s"},
		{"an unknown clock is no finding", survey.Server{}, OK, "a server with Prometheus' API"},
		{"enough retention", survey.Server{Retention: 15 * 24 * time.Hour, RetentionText: "15d"}, OK, "keeps 15d"},
		{"less retention than is wanted", survey.Server{Retention: 2 * time.Hour, RetentionText: "2h"}, Warning, "set lookback to less"},
		{"retention by size", survey.Server{RetentionText: "512MiB"}, OK, "keeps 512MiB, which is not a time"},
		{"unknown retention", survey.Server{}, OK, "does not say how long it keeps data"},
		{"most targets away", survey.Server{Targets: &survey.Targets{All: 3, Up: 1}}, Warning, "2 of 3 targets do not answer"},
		{"one target away", survey.Server{Targets: &survey.Targets{All: 3, Up: 2}}, OK, "3 targets, of which 1 do not answer"},
		{"no target", survey.Server{Targets: &survey.Targets{}}, Warning, "no targets at all"},
		{"unknown targets", survey.Server{}, OK, "does not say how many targets"},
	} {
		t.Run(test.name, func(t *testing.T) {
			says(t, Server(test.server, "http://p", 2*time.Minute, 24*time.Hour), test.level, test.words)
		})
	}
}

func TestCost(t *testing.T) {
	load := Load{Series: 8000, Cores: 1000, Interval: 30 * time.Minute, Scrape: time.Minute, Took: time.Second}
	for _, test := range []struct {
		name   string
		server survey.Server
		level  Level
		words  string
	}{
		{"unknown limits", survey.Server{}, OK, "a day is about 1881 thousand samples of 8000 series; the newest interval took 1s"},
		{"wide limits", survey.Server{MaxSamples: 50_000_000, QueryTimeout: 2 * time.Minute}, OK, "took 1s"},
		{"a day is too much at once", survey.Server{MaxSamples: 100_000}, OK, "days are asked for in parts"},
		{"an interval is nearly too much", survey.Server{MaxSamples: 20_000}, Warning, "raise query.max-samples"},
		{"nearly too slow", survey.Server{QueryTimeout: 1500 * time.Millisecond}, Warning, "of 1.5s that the server allows (query.timeout)"},
	} {
		t.Run(test.name, func(t *testing.T) { says(t, []Finding{Cost(load, test.server)}, test.level, test.words) })
	}
	for _, test := range []struct {
		name   string
		budget int
		server survey.Server
		level  Level
		words  string
	}{
		{"a budget for a day", 50_000_000, survey.Server{}, OK, "took 1s"},
		{"for some hours", 100_000, survey.Server{}, OK, "one query may need 100 thousand samples (prometheus.max_samples_per_query), so that days are asked for in parts"},
		{"more than the server allows", 200_000, survey.Server{MaxSamples: 100_000}, OK, "(query.max-samples), so that days"},
		{"for no interval", 20_000, survey.Server{}, Warning, "a single interval needs 32 thousand samples, so each is asked for project by project"},
		{"for no interval, and what to do", 20_000, survey.Server{}, Warning, "run several exporters (docs/shards.md)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			load := load
			load.Budget = test.budget
			says(t, []Finding{Cost(load, test.server)}, test.level, test.words)
		})
	}
}

// reading is of label sets that were booked.
func reading(sets ...usage.Series) []usage.Reading {
	r := usage.Reading{Present: map[string]usage.Presence{}}
	for _, s := range sets {
		r.Samples = append(r.Samples, usage.Sample{Series: s})
		p := r.Present[s.Project]
		r.Present[s.Project] = usage.Presence{Hosts: p.Hosts + 1, Cores: p.Cores + 2}
	}
	return []usage.Reading{r}
}

func named(project, host string) usage.Series {
	return usage.Series{Project: project, Machine: "Muon", Host: host}
}

func TestALabelThatADirectoryStandsInFor(t *testing.T) {
	names := Names{Project: "project", Machine: "type", Host: "instance"}
	all := Machines(reading(named("ISIS", "a"), named(usage.Unknown, "B:9100"), named(usage.Unknown, "c")))
	placed := []directory.Placement{{Host: "b", Project: "CLF"}, {Host: "c", Machine: "Muon"}}
	labels := Labels(all, names, []string{"instance"}, placed)
	says(t, labels, Warning, "33 % of 3 machines have no label project and count as unknown (prometheus.labels.project), such as c; the directory names the project of 1")
	says(t, Labels(all[:2], names, nil, placed), OK, "1 of 2 machines have the label project, 1 value; the directory names the project of 1")
	if without := Labels(all, names, nil, nil); strings.Contains(fmt.Sprint(without), "directory") {
		t.Errorf("there is no directory: %+v", without)
	}
}

func TestLabels(t *testing.T) {
	names := Names{Project: "project", Machine: "type", Host: "instance", User: "user"}
	all := Machines(reading(named("ISIS", "a"), named(usage.Unknown, "b"), named("CLF", usage.Unknown)))
	labels := Labels(all, names, []string{"instance", "tenant"}, []directory.Placement{})
	says(t, labels, Warning, "33 % of 3 machines have no label project and count as unknown (prometheus.labels.project), such as b")
	says(t, labels, Warning, "set prometheus.labels.project to a label that they have (instance, tenant), or give them one")
	says(t, labels, Warning, "or name their project in the directory of hosts")
	says(t, labels, OK, "3 of 3 machines have the label type, 1 value")
	says(t, labels, OK, "0 of 3 machines have the label user")
	says(t, labels, Failure, "there are series without the label instance")
	names.Shares = true
	says(t, Labels(all, names, []string{"instance", "tenant"}, nil), OK, "2 of 3 machines have shares with a project, 2 values")
	if hosts := Hosts(all); len(hosts) != 2 {
		t.Errorf("got %q", hosts)
	}
}

func TestSelected(t *testing.T) {
	says(t, Selected(nil, "asked for x"), Failure, "no CPU seconds of any machine: asked for x; to do: correct what the sentence names")
	half := Selected(map[string]int{"b": 2, "a": 1}, "asked for shares")
	says(t, half, OK, "3 series are selected, by job: a (1), b (2)")
	says(t, half, Warning, "something is not found: asked for shares")
}

func TestDrift(t *testing.T) {
	names := Names{Project: "project", Machine: "type", Host: "instance", User: "user"}
	for _, test := range []struct {
		name        string
		now, before []usage.Reading
		level       Level
		words       string
	}{
		{"nothing new", reading(named("ISIS", "a")), reading(named("ISIS", "a")), OK, "no machine has changed"},
		{"a machine that is gone", reading(named("ISIS", "a")), reading(named("ISIS", "a"), named("CLF", "b")), OK, "no machine has changed"},
		{"a lost label", reading(named(usage.Unknown, "a")), reading(named("ISIS", "a")), Warning, "1 machine had the label project within the last day and have lost it: a"},
		{"another value", reading(named("CLF", "a")), reading(named("ISIS", "a")), Warning, "another value of project within the last day: a"},
		{"two values", reading(named("CLF", "a"), named("ISIS", "a")), nil, Warning, "several values of project at once: a"},
		{"a label that came", reading(named("CLF", "a")), reading(named(usage.Unknown, "a")), OK, "no machine has changed"},
		{"a user who went", reading(named("CLF", "a")), reading(usage.Series{Project: "CLF", Machine: "Muon", Host: "a", User: "ada"}), Warning, "had the label user"},
		{"a machine that went back to its pool", reading(named("CLF", "a"), usage.Series{Project: "CLF", Machine: "Muon", Host: "b", User: "eve"}), reading(usage.Series{Project: "CLF", Machine: "Muon", Host: "a", User: "ada"}), OK, "no machine has changed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := Drift(Machines(test.now, test.before), names)
			says(t, got, test.level, test.words)
			for _, f := range got {
				if strings.Contains(f.Seen, "ada") {
					t.Errorf("names a person: %+v", f)
				}
			}
		})
	}
}

func TestSharesComeAndGo(t *testing.T) {
	names := Names{Project: "namespace", Machine: "type", Host: "node", User: "user", Shares: true}
	all := Machines(reading(named("a", "node-1"), named("b", "node-1")), reading(named("c", "node-1")))
	says(t, Drift(all, names), OK, "no machine has changed")
}

func TestNewest(t *testing.T) {
	i := usage.Interval{Start: noon, Length: 30 * time.Minute}
	doubt := func(reason usage.DoubtReason) usage.Doubt {
		return usage.Doubt{Series: named("ISIS", "b"), State: usage.HostRefused, Reason: reason, Detail: "it leapt"}
	}
	refused := func(r []usage.Reading, d ...usage.Doubt) []usage.Reading {
		r[0].Doubts = d
		r[0].Present["ISIS"] = usage.Presence{Hosts: r[0].Present["ISIS"].Hosts + len(d), Cores: 4}
		return r
	}
	given := reading(named("ISIS", "a"))
	given[0].Present = nil
	doubtful, alike := reading(named("ISIS", "a")), reading(named("ISIS", "a"))
	doubtful[0].Remarks = []string{"No share of any machine was found"}
	alike[0].Alike = [][]string{{"ct-1", "ct-2"}}
	for _, test := range []struct {
		name     string
		readings []usage.Reading
		now      bool
		level    Level
		words    string
	}{
		{"all exact", reading(named("ISIS", "a")), true, OK, "2026-10-01T12:00:00Z: 1 exact, 0 interpolated, 0 refused of 1 machine and 2 cores; 1 project, 1 machine type"},
		{"some refused", refused(reading(named("ISIS", "a")), doubt(usage.DoubtLeap)), true, Warning, "1 exact, 0 interpolated, 1 refused"},
		{"why they are", refused(reading(named("ISIS", "a")), doubt(usage.DoubtLeap)), true, Warning, "1 machine refused (leap), because its counters grew by more than its cores can give: b: it leapt; to do: see whether prometheus.labels.host"},
		{"all refused", refused(reading(), doubt(usage.DoubtMixed)), true, Failure, "nothing is booked"},
		{"nothing yet", reading(), true, Warning, "wait until an interval is over"},
		{"nothing at all", reading(), false, Failure, "no machine has CPU seconds: asked for x"},
		{"queries of the operator", given, false, OK, "1 machine, by your own queries; 1 project"},
		{"what is doubtful about them", doubtful, true, Warning, "No share of any machine was found; to do: correct what the sentence names"},
		{"machines that show the same", alike, true, Warning, "2 machines show the same CPU counters, and each is booked with all of them: ct-1, ct-2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			says(t, Newest(i, test.readings, test.now, "asked for x"), test.level, test.words)
		})
	}
}

func TestGroupsOfADirectory(t *testing.T) {
	says(t, Grouped(Directory, directory.Directory{}), Warning, "no owner is in a group, and attribution.group_by is directory")
	if all := Grouped(Directory, directory.Directory{Memberships: []directory.Membership{{}}}); len(all) != 0 {
		t.Errorf("with groups: %+v", all)
	}
	if all := Grouped(MongoDB, directory.Directory{}); len(all) != 0 {
		t.Errorf("of a database, whose collections are looked at: %+v", all)
	}
}

func TestOwners(t *testing.T) {
	held := func(host, owner string, from, to time.Duration) directory.Tenure {
		t := directory.Tenure{Host: host, Owner: owner, From: noon.Add(from)}
		if to != 0 {
			t.To = noon.Add(to)
		}
		return t
	}
	hosts := []string{"WS-1:9100", "ws-2", "ws-3"}
	for _, test := range []struct {
		name    string
		tenures []directory.Tenure
		level   Level
		words   string
	}{
		{"most have one", []directory.Tenure{held("ws-1", "ada", -time.Hour, 0), held("ws-2", "", -time.Hour, 0)}, OK, "33 % of 3 machines have an owner now, 1 wait in a pool, 1 are in no workspace"},
		{"few have one", []directory.Tenure{held("ws-1", "ada", -time.Hour, 0)}, Warning, "33 % of 3 machines have an owner; 2 are in no workspace: ws-2, ws-3"},
		{"an owner of yesterday", []directory.Tenure{held("ws-1", "ada", -48*time.Hour, -24*time.Hour), held("ws-2", "bob", time.Hour, 0)}, OK, "0 % of 3 machines have an owner now"},
		{"other names", []directory.Tenure{held("10.0.0.1", "ada", -time.Hour, 0)}, Warning, "the server calls them such as WS-1:9100, the directory such as 10.0.0.1"},
		{"nobody", nil, Warning, "no workspace names a machine"},
		{"machines of nobody", []directory.Tenure{held("ws-1", "", -time.Hour, 0), held("ws-2", "", -time.Hour, 0)}, Warning, "the directory has 2 of 3 machines, and an owner of none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := Owners(MongoDB, hosts, directory.Directory{Tenures: test.tenures}, noon)
			says(t, []Finding{f}, test.level, test.words)
			if strings.Contains(f.Seen+f.Do, "ada") || strings.Contains(f.Seen, "bob") {
				t.Errorf("names a person: %+v", f)
			}
		})
	}
}

func TestStores(t *testing.T) {
	day := usage.Period{From: noon.Add(-48 * time.Hour), To: noon}
	for _, test := range []struct {
		name  string
		kept  Kept
		level Level
		words string
	}{
		{"what it is", Kept{Path: "carbon.db", Version: 15, Bytes: 1_300_000, Free: -1}, OK, "carbon.db: schema version 15, 1.3 MB"},
		{"intervals", Kept{States: map[usage.State]int{usage.Settled: 90, usage.Missing: 6}, Interval: 30 * time.Minute, Span: day, Free: -1}, OK, "96 intervals of 30m: 6 missing, 90 settled; usage from 2026-09-29T12:00:00Z to 2026-10-01T12:00:00Z"},
		{"none yet", Kept{Free: -1}, Warning, "no intervals yet"},
		{"only empty ones", Kept{States: map[usage.State]int{usage.Empty: 3}, Free: -1}, Warning, "never had usage"},
		{"some that fail", Kept{States: map[usage.State]int{usage.Settled: 3, usage.Missing: 1}, Failing: 1, Free: -1}, Warning, "reading 1 of them failed"},
		{"a disk for years", Kept{Bytes: 30e6, File: 10e6, Span: day, Free: 50e9}, OK, "50 GB free; the store grows by about 1825.0 MB a year"},
		{"a disk for months", Kept{Bytes: 100e6, File: 100e6, Span: day, Free: 5e9}, Warning, "set --storage.retention"},
		{"a full disk", Kept{Free: 1e6}, Warning, "1.0 MB free"},
		{"too early to tell", Kept{Free: 5e9}, OK, "too early to say"},
		{"an unknown disk", Kept{Free: -1}, OK, "free space is not known"},
	} {
		t.Run(test.name, func(t *testing.T) { says(t, Holds(test.kept), test.level, test.words) })
	}
	says(t, []Finding{NoStore("there is no such file", true)}, Warning, "start carbon_exporter")
	says(t, []Finding{NoStore(errors.New("is damaged").Error(), false)}, Failure, "carbontool check store")
}

func TestBudgetsNameNobody(t *testing.T) {
	seen := map[usage.Scope][]string{usage.ScopeProject: {"ISIS"}, usage.ScopeUser: {"ada"}}
	got := Budgets([]Target{
		{"site", usage.ScopeAda, ""}, {"isis", usage.ScopeProject, "ISIS"}, {"clf", usage.ScopeProject, "CLF"}, {"hers", usage.ScopeUser, "eve"},
	}, seen)
	says(t, got, Warning, "budget clf is for project CLF, which was never seen")
	says(t, got, Warning, "budget hers is for a user, which was never seen")
	if len(got) != 2 {
		t.Errorf("got %+v", got)
	}
	says(t, Budgets([]Target{{"isis", usage.ScopeProject, "ISIS"}}, seen), OK, "1 budget, all for what was seen")
}

func TestText(t *testing.T) {
	all := []Finding{
		Selected(map[string]int{"node": 8}, "")[0], Unreached("http://p", "nothing listens", ""), BadConfig("carbon.yml:1: interval: \x1b[31m\n")[0],
	}
	var text, document bytes.Buffer
	if err := errors.Join(WriteText(&text, all), WriteJSON(&document, all, nil, noon)); err != nil {
		t.Fatal(err)
	}
	want := `prometheus  ok       series     8 series are selected, by job: node (8)
prometheus  failure  reachable  http://p: nothing listens
                     to do: ` + all[1].Do + `
config      failure  file       carbon.yml:1: interval: \x1b[31m
                     to do: correct the file; carbontool check config shows the same
`
	if text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", text.String(), want)
	}
	if !strings.HasPrefix(document.String(), "{\n  \"ok\": 1,\n  \"warnings\": 0,\n  \"failures\": 2,\n  \"findings\": [\n    {\n      \"area\": \"prometheus\",\n      \"check\": \"series\",\n      \"level\": \"ok\",\n") {
		t.Errorf("got %s", document.String())
	}
}

func TestShare(t *testing.T) {
	for want, of := range map[string][2]int{"0 %": {0, 3}, "33 %": {1, 3}, "100 %": {3, 3}, "under 1 %": {1, 1000}, "over 99 %": {999, 1000}} {
		if got := share(of[0], of[1]); got != want {
			t.Errorf("%v: got %s, want %s", of, got, want)
		}
	}
}

func TestManySamplesAndFewLabels(t *testing.T) {
	for _, c := range []struct {
		name       string
		keys, most int
		warns      bool
	}{{"few", 20_000, 500_000, false}, {"many", 20_001, 500_000, true}, {"no limit", 1_000_000, 0, false}} {
		found := Holds(Kept{Keys: c.keys, Most: c.most, Free: -1})
		last := found[len(found)-1]
		if warns := last.Check == "samples" && last.Level == Warning; warns != c.warns {
			t.Errorf("%s: %+v", c.name, last)
		}
	}
	for by, do := range map[string]string{
		"project machine user group": "leave labels out with metrics.by, name fewer users with attribution.max_users, shorten metrics.keep",
		"project machine":            "leave labels out with metrics.by, shorten metrics.keep",
		"project":                    "shorten metrics.keep if many keys are no longer used, or raise metrics.max_samples",
	} {
		says(t, Holds(Kept{Keys: 9, Most: 20, Free: -1, Labels: strings.Fields(by)}), Warning, "None is left out; to do: "+do)
	}
	if got := Lacking(nil); got != nil {
		t.Errorf("says %+v of nothing", got)
	}
	if got := Lacking([]string{"user", "group"}); len(got) != 1 || got[0].Level != OK || !strings.Contains(got[0].Seen, "lack user, group") {
		t.Errorf("says %+v", got)
	}
}
