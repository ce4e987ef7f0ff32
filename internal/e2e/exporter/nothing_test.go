// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"errors"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/ferret/ferrettest"
)

// said waits until the log and the page of a program say something.
func (p *program) said(want string) {
	p.t.Helper()
	eventually(p.t, time.Minute, fmt.Sprintf("the log says %q", want), func() error {
		if !strings.Contains(strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(p.Stderr.String()), want) {
			return errors.New("it does not")
		}
		return nil
	})
	eventually(p.t, time.Minute, fmt.Sprintf("the page says %q", want), func() error {
		if _, page := p.page("/", ""); !strings.Contains(html.UnescapeString(string(page)), want) {
			return errors.New("it does not")
		}
		return nil
	})
}

// scrapedBy is a Prometheus that has scraped some targets for an hour.
func scrapedBy(t *testing.T, up map[string]float64) string {
	t.Helper()
	e := newEngine(t)
	now := time.Now()
	for job, is := range up {
		s := engine.NewSeries(map[string]string{"__name__": "up", "job": job, "instance": job + ":1"})
		for at := now.Add(-time.Hour); at.Before(now.Add(time.Hour)); at = at.Add(time.Minute) {
			if err := e.Append(t.Context(), s, engine.At(at, is)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return serve(t, e.Handler()).URL
}

// Whatever is configured for another Prometheus than the one that is there is named within a minute,
// by the key to see to.
func TestWhatPrometheusHasInstead(t *testing.T) {
	site := serve(t, sharedSite(t).engine.Handler()).URL
	for _, c := range []struct {
		name, prometheus, section, want string
	}{
		{
			"another job", site, `  matchers: 'job="nodes"'`,
			`asked for node_cpu_seconds_total{job="nodes",mode="idle"}; the server has node_cpu_seconds_total in job "node": see prometheus.matchers`,
		},
		{
			"another metric", site, `  metric: windows_cpu_time_total`,
			`the server has no windows_cpu_time_total, but "node_cpu_seconds_total": see prometheus.metric`,
		},
		{
			"another label of the mode", site, `  labels: {mode: state}`,
			`the server has node_cpu_seconds_total without the label state; its labels are "cloud_project_name", "cpu", "instance", "job", "machine_name", and 2 more: see prometheus.labels.mode`,
		},
		{
			"other idle modes", site, `  idle_modes: [Idle]`,
			`asked for node_cpu_seconds_total{mode="Idle"}; the server has node_cpu_seconds_total in other modes, "idle", "iowait"`,
		},
		{"other busy modes", site, `  busy_modes: [privileged]`, `asked for the modes "privileged"; the server has node_cpu_seconds_total in other modes, "idle", "iowait"`},
		{
			"a recording rule that is not loaded", site, `  profile: recorded`,
			`the server has no carbon:cpu_seconds:sum, which is the name of a recording rule: load the rule into that server, and see that it has evaluated it, but "node_cpu_seconds_total": see prometheus.metric`,
		},
		{
			"a query of a recording rule that is not loaded", site,
			"  busy_query: 'site:busy:rate5m{job=\"node\"} * $__interval_seconds'\n  idle_query: 'site:idle:rate5m * $__interval_seconds'",
			`the server has no "site:busy:rate5m", which is the name of a recording rule: load the rule into that server`,
		},
		{"a server without anything", scrapedBy(t, nil), "", "the server is empty, it has no series at all: see prometheus.url"},
		{"a server that scrapes something else", scrapedBy(t, map[string]float64{"caddy": 1, "postgres": 0}), "", `nor CPU seconds of another known name; it scrapes job "caddy", "postgres"`},
		{"a server whose targets are down", scrapedBy(t, map[string]float64{"node": 0}), "", `all its targets are down, in job "node": see why on its page /targets`},
		{"another label of the project", site, `  labels: {project: tenant}`, `ost hosts have no label tenant, so usage is in the project unknown: see prometheus.labels.project`},
		{"another label of the machine type", site, `  labels: {machine: flavor}`, `ost hosts have no label flavor, so usage has the machine type unknown, and the default watts: see prometheus.labels.machine`},
		{"another label of the host", site, `  labels: {host: nodename}`, `ost hosts have no label nodename, so all machines look like one: see prometheus.labels.host`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			over := spanOf(30*time.Minute, 2*time.Hour)
			p := start(t, settings{prometheus: c.prometheus, uk: newGrid(t).URL, section: c.section}.place(t, over).args()...)
			if strings.HasPrefix(c.want, "ost ") { // the log has it in parts
				_, rest, _ := strings.Cut(c.want, "no label ")
				label, _, _ := strings.Cut(rest, ",")
				eventually(t, time.Minute, "the log names the label", func() error {
					if !strings.Contains(p.Stderr.String(), "label="+label+" ") {
						return errors.New("it does not")
					}
					return nil
				})
				eventually(t, time.Minute, "the page says "+c.want, func() error {
					if _, page := p.page("/", ""); !strings.Contains(html.UnescapeString(string(page)), c.want) {
						return errors.New("it does not")
					}
					return nil
				})
				return
			}
			p.said(c.want)
		})
	}
}

var foundLine = regexp.MustCompile(`level=INFO .*msg="Found machines" hosts=[1-9]\d* cores=[1-9]\d* projects=[1-9] machine_types=[1-9] some="[A-Z].* \d+, `)

// What is there is said, too.
func TestWhatWasFoundIsSaid(t *testing.T) {
	over := spanOf(30*time.Minute, 2*time.Hour)
	p := start(t, settings{prometheus: serve(t, sharedSite(t).engine.Handler()).URL, uk: newGrid(t).URL}.place(t, over).args()...)
	eventually(t, time.Minute, "the log says what was found", func() error {
		if !foundLine.MatchString(p.Stderr.String()) {
			return errors.New("it does not")
		}
		return nil
	})
}

// Prometheus answers and has nothing: nothing is shown of hosts, and every interval is empty, which
// CarbonNothingFound fires on.
func TestMetricsOfNothing(t *testing.T) {
	over := spanOf(30*time.Minute, 2*time.Hour)
	p := start(t, settings{prometheus: scrapedBy(t, nil), uk: newGrid(t).URL}.place(t, over).args()...)
	eventually(t, time.Minute, "every interval is empty", func() error {
		n, err := p.scrape().states()
		if err == nil && n["empty"] != len(over.intervals()) {
			err = fmt.Errorf("intervals by state are %v", n)
		}
		return err
	})
	seen := p.scrape()
	for _, family := range []string{"carbon_hosts", "carbon_cores", "carbon_coverage_ratio", "carbon_last_complete_interval_timestamp_seconds"} {
		if n := len(seen[family].GetMetric()); n != 0 {
			t.Errorf("%d samples of %s, and there is nothing", n, family)
		}
	}
}

// A directory that knows all machines by other names is said.
func TestADirectoryOfOtherHosts(t *testing.T) {
	uri := ferrettest.Serve(t, map[string][]any{
		"users":      {bson.D{{Key: "platform_name", Value: "ada"}}},
		"workspaces": {bson.D{{Key: "hostname", Value: "ws-1.example.org"}, {Key: "created_time", Value: time.Now().Add(-time.Hour)}, {Key: "owner", Value: "ada"}}},
	})
	over := spanOf(30*time.Minute, 2*time.Hour)
	p := start(t, settings{
		prometheus: serve(t, sharedSite(t).engine.Handler()).URL, uk: newGrid(t).URL,
		more: fmt.Sprintf("mongodb: {uri: %q, database: ada}", uri),
	}.place(t, over).args()...)
	p.said("The directory has none of the machines: usage belongs to whom the labels say, or to nobody")
	p.said("ws-1.example.org")
}

// A directory that is empty because of a wrong name is said.
func TestADirectoryOfAnotherName(t *testing.T) {
	uri := ferrettest.Serve(t, map[string][]any{"workspace": {bson.D{{Key: "hostname", Value: "a"}, {Key: "created_time", Value: time.Now()}}}})
	site, uk := serve(t, sharedSite(t).engine.Handler()).URL, newGrid(t).URL
	for _, c := range []struct{ name, more, want string }{
		{"database", "database: Ada", `looked in the collection "workspaces" of the database "Ada", which has no collections at all; the server has the database "ada": see mongodb.database`},
		{"collection", "database: ada", `looked in the collection "workspaces" of the database "ada", which does not have it, but "workspace": see mongodb.collections.workspaces and mongodb.database`},
		{"field", "database: ada, collections: {workspaces: workspace}, fields: {workspaces: {hostname: host}}", `all of its 1 records are refused (workspace: 1 missing_hostname): see mongodb.fields`},
	} {
		t.Run(c.name, func(t *testing.T) {
			over := spanOf(30*time.Minute, 2*time.Hour)
			p := start(t, settings{prometheus: site, uk: uk, more: fmt.Sprintf("mongodb: {uri: %q, %s}", uri, c.more)}.place(t, over).args()...)
			p.said(c.want)
		})
	}
}
