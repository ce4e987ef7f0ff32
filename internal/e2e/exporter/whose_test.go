// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/ferret/ferrettest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// working records a host whose cores work as busy says: the seconds that each of
// them has been busy for, so many seconds after the first interval's start.
func working(t *testing.T, e *engine.Engine, over span, labels map[string]string, cores int, busy func(seconds float64) float64) {
	t.Helper()
	for core := range cores {
		for _, mode := range []string{"user", "idle"} {
			l := map[string]string{"__name__": "node_cpu_seconds_total", "job": "node", "cpu": strconv.Itoa(core), "mode": mode}
			maps.Copy(l, labels)
			var samples []engine.Sample
			for at := over.first.Add(-5 * time.Minute); at.Before(over.end.Add(time.Hour)); at = at.Add(time.Minute) {
				seconds := at.Sub(over.first).Seconds()
				v := busy(seconds)
				if mode == "idle" {
					v = seconds - v
				}
				samples = append(samples, engine.At(at, 1e5+v))
			}
			if err := e.Append(background, engine.NewSeries(l), samples...); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// One half hour of machines that all spend 1800 s busy and 1800 s idle, but for
// one, and every way to say whose they are.
func TestWhoseAHalfHourIs(t *testing.T) {
	t.Parallel()
	over, uk, e := spanOf(30*time.Minute, time.Hour), newGrid(t), newEngine(t)
	half := func(s float64) float64 { return s / 2 }
	early := func(s float64) float64 { // in the first ten minutes of each half hour
		intervals, rest := int(s/1800), s-1800*float64(int(s/1800))
		return 600*float64(intervals) + min(rest, 600)
	}
	at := func(host, machine, user string) map[string]string {
		return map[string]string{"instance": host, "cloud_project_name": "ISIS", "machine_name": machine, "user": user}
	}
	working(t, e, over, at("172.16.0.1:9100", "Even", ""), 2, half)
	working(t, e, over, at("172.16.0.2:9100", "Early", ""), 3, early)
	working(t, e, over, at("172.16.0.3:9100", "SANS", "carl"), 2, half)
	working(t, e, over, map[string]string{"instance": "WS-4.example.org:9100"}, 2, half)
	working(t, e, over, at("172.16.0.5:9100", "SANS", ""), 2, half)
	working(t, e, over, at("172.16.0.50:9100", "SANS", ""), 2, half)
	working(t, e, over, at("172.16.0.6:9100", "SANS", ""), 2, half)
	working(t, e, over, at("172.16.0.7:9100", "SANS", ""), 2, half)

	long, now := over.first.Add(-time.Hour), over.end.Add(-20*time.Minute)
	d := func(pairs ...any) bson.D {
		var doc bson.D
		for i := 0; i < len(pairs); i += 2 {
			doc = append(doc, bson.E{Key: pairs[i].(string), Value: pairs[i+1]})
		}
		return doc
	}
	uri := ferrettest.Serve(t, map[string][]any{
		"users": {d("platform_name", "ada", "name", "Ada King"), d("platform_name", "bob"), d("platform_name", "carl"), d("platform_name", `{"$gt":""}`)},
		"groups": {
			d("name", "Zeta", "members", bson.A{"ada", "carl"}), d("name", "Alpha", "members", bson.A{d("platform_name", "ada")}),
			d("name", "Beta", "members", bson.A{"bob"}), d("name", ".*", "members", bson.A{`{"$gt":""}`}),
		},
		"hosts": {d("hostname", "ws-4.example.org", "cloud_project_name", "CLF", "machine_name", "Laue")},
		"workspaces": {
			d("hostname", "172.16.0.1", "owner", "ada", "created_time", long, "deleted_time", now),
			d("hostname", "172.16.0.1:9100", "owner", "bob", "created_time", now),
			d("hostname", "172.16.0.2", "owner", "ada", "created_time", long, "deleted_time", now),
			d("hostname", "172.16.0.2", "owner", "bob", "created_time", long, "acquired_time", now, "deleted_time", nil),
			d("hostname", "172.16.0.3", "owner", "ada", "created_time", long),
			d("hostname", "WS-4.example.org.", "owner", "bob", "created_time", long),
			d("hostname", "172.16.0.5", "owner", "eve", "created_time", long),
			d("hostname", "172.16.0.6", "owner", `{"$gt":""}`, "created_time", long),
			d("hostname", "172.16.0.7", "owner", "ada", "created_time", long),
			d("hostname", "172.16.0.7", "owner", "bob", "created_time", long),
		},
	})
	where := settings{
		prometheus: serve(t, e.Handler()).URL, uk: uk.URL, attribute: byPeople, more: directoryAt(uri),
	}.place(t, over)
	p := start(t, append(where.args(), "--collector.workspace")...)
	p.becomesWhole(over)

	key := func(machine, user, group string) usage.Key {
		return usage.Key{Project: "ISIS", Machine: machine, User: user, Group: group}
	}
	cpu := func(busy, idle float64) amount {
		return amount{CPU: usage.BusyIdle[float64]{Busy: busy, Idle: idle}}
	}
	none := usage.Unattributed
	want := map[usage.Key]amount{
		key("Even", "ada", "Alpha"):                                   cpu(600, 600),
		key("Even", "bob", "Beta"):                                    cpu(1200, 1200),
		key("Early", "ada", "Alpha"):                                  cpu(1800, 0),
		key("Early", "bob", "Beta"):                                   cpu(0, 3600),
		key("SANS", "ada", "Alpha"):                                   cpu(900, 900),
		key("SANS", "bob", "Beta"):                                    cpu(900, 900),
		key("SANS", "carl", "Zeta"):                                   cpu(1800, 1800),
		key("SANS", none, none):                                       cpu(3600, 3600),
		key("SANS", `{"$gt":""}`, ".*"):                               cpu(1800, 1800),
		{Project: "CLF", Machine: "Laue", User: "bob", Group: "Beta"}: cpu(1800, 1800),
	}
	last := over.end.Add(-over.interval)
	eventually(t, waitFor, "everybody has what they used", func() error { return differ(factsOf(t, where.store)[last], want) })

	facts := factsOf(t, where.store)[last]
	for user, kwh := range map[string]float64{"ada": 0.00216667, "bob": 0.00433333} {
		k := key("Even", user, map[string]string{"ada": "Alpha", "bob": "Beta"}[user])
		if got := facts[k].KWh.Total(); !near(got, kwh*pue, 2e-6) {
			t.Errorf("of the vector's 0.0065 kWh, times PUE, %s has %v, want %v", user, got, kwh*pue)
		}
	}
	for host, who := range map[string][3]string{
		"172.16.0.1:9100": {"Even", "bob", "Beta"}, "172.16.0.3:9100": {"SANS", "carl", "Zeta"}, "WS-4.example.org:9100": {"Laue", "bob", "Beta"},
		"172.16.0.5:9100": {"SANS", none, none}, "172.16.0.50:9100": {"SANS", none, none}, "172.16.0.6:9100": {"SANS", `{"$gt":""}`, ".*"},
	} {
		p.says(0, "carbon_workspace_info", "host", host, "machine", who[0], "user", who[1], "group", who[2])
	}
	if since, ok := p.scrape().value("carbon_workspace_start_timestamp_seconds", "host", "172.16.0.1:9100"); !ok || since != float64(now.Unix()) {
		t.Errorf("bob's workspace began at %v, want %d", since, now.Unix())
	}
	p.terminate()
}

// differ says how the CPU time of an interval is not what was wanted. Who works for
// ten minutes of thirty is seen to do so but for the first scrape in 29.
func differ(got, want map[usage.Key]amount) error {
	if len(got) != len(want) {
		return fmt.Errorf("there are %d keys, want %d: %v", len(got), len(want), slices.Collect(maps.Keys(got)))
	}
	for k, w := range want {
		g, within := got[k].CPU, exact
		if k.Machine == "Early" {
			within = 0.08
		}
		if !near(g.Busy, w.CPU.Busy, within) || !near(g.Idle, w.CPU.Idle, within) {
			return fmt.Errorf("%v has CPU seconds %v, want %v", k, g, w.CPU)
		}
	}
	return nil
}

// A group of a project and a machine type is the two names together.
func TestGroupsOfProjectsAndMachineTypes(t *testing.T) {
	t.Parallel()
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, 4*time.Hour)
	where := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL, attribute: "group_by: project_machine"}.place(t, over)
	p := start(t, where.args()...)
	want := worked(over, uk.price, s.cloud.Truth, func(s usage.Series) string { return s.Project + "_" + s.Machine })
	p.becomesWhole(over).checkUsage(t, want.total())
	p.terminate()
	checkStore(t, where.store, want)
}
