// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// stay is a time in which a host had the same owners.
type stay struct {
	host     *simulate.Host
	owners   []string
	from, to time.Time // to is zero while it lasts
}

// stays are those of all hosts whose series name no user, up to now.
func (h *handed) stays() (all []stay) {
	now := time.Now()
	for _, host := range h.cloud.Hosts() {
		if host.User != "" || host.Begin.After(now) {
			continue
		}
		turns := append([]time.Time{host.Begin}, host.Turns(host.Begin.Add(time.Nanosecond), usage.Earlier(host.End, now))...)
		for i, turn := range turns {
			s := stay{host: host, owners: host.Owners(turn), from: turn}
			switch {
			case i+1 < len(turns):
				s.to = turns[i+1]
			case host.End.Before(now):
				s.to = host.End
			}
			if s.to.IsZero() || s.to.After(s.from) {
				all = append(all, s)
			}
		}
	}
	return all
}

// owners is the file that says so, in some order of rows.
func (h *handed) owners(t *testing.T, order func(rows [][]string)) string {
	t.Helper()
	var rows [][]string
	stamp := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return at.UTC().Format(time.RFC3339)
	}
	for _, s := range h.stays() {
		if len(s.owners) == 0 {
			s.owners = []string{""} // nobody's, whatever was known before
		}
		for _, owner := range s.owners {
			rows = append(rows, []string{s.host.Instance, owner, stamp(s.from), stamp(s.to), h.cloud.Group(owner)})
		}
	}
	for _, host := range h.cloud.Hosts() {
		if host.User != "" { // in a group, too
			rows = append(rows, []string{"", host.User, "", "", h.cloud.Group(host.User)})
		}
	}
	rows = slices.DeleteFunc(rows, func(r []string) bool { return r[0] == "" && r[4] == "" })
	order(rows)
	var text strings.Builder
	w := csv.NewWriter(&text)
	if err := w.WriteAll(append([][]string{{"host", "owner", "from", "to", "group"}}, rows...)); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// becomesKnown is becomesTrue for what is said of owners alone, by people who see a host begin
// and end so much later: a guest, whom no directory lists, has no part in what a host is shared.
func (h *handed) becomesKnown(t *testing.T, where place, over span, want book, late time.Duration) {
	t.Helper()
	slack := h.slack(over)
	for _, i := range over.intervals() {
		for _, s := range h.stays() {
			k, cores := kind{i.Start, s.host.Project, s.host.Machine}, float64(s.host.Cores)
			if s.from.Before(i.End()) && (s.to.IsZero() || s.to.After(i.Start)) && len(s.owners) > 1 && slices.Contains(s.owners, "") {
				slack[k] += i.Length.Seconds() * cores
			}
		}
		for _, host := range h.cloud.Hosts() {
			for _, edge := range []time.Time{host.Begin, host.End} {
				if !edge.Before(i.Start) && edge.Before(i.End()) {
					slack[kind{i.Start, host.Project, host.Machine}] += late.Seconds() * float64(host.Cores)
				}
			}
		}
	}
	eventually(t, waitFor, "everybody has what they used", func() error {
		if wrong := apart(factsOf(t, where.store), want, slack); len(wrong) > 0 {
			return fmt.Errorf("%d are wrong, the first: %s", len(wrong), wrong[0])
		}
		return nil
	})
}

// put replaces a file in one step.
func put(t *testing.T, path, text string) {
	t.Helper()
	write(t, path+".new", text)
	before := time.Now().Add(-time.Minute)
	if err := os.Chtimes(path+".new", before, before); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// A file of owners comes after the start, changes, breaks and is gone. Everybody gets what they
// used, without a reload.
func TestAFileOfOwners(t *testing.T) {
	t.Parallel()
	h, uk := newHanded(t, 40, 26*time.Hour, time.Minute), newGrid(t)
	over := spanOf(30*time.Minute, 24*time.Hour)
	where := settings{
		prometheus: serve(t, h.engine.Handler()).URL, uk: uk.URL, attribute: byPeople, more: "directory: {file: owners.csv, refresh: 10s}",
		settle: 100 * time.Hour, // a file that is corrected may correct all of it
	}.place(t, over)
	file := filepath.Join(filepath.Dir(where.config), "owners.csv")
	want := h.truth(over, uk.price)

	p := start(t, where.args()...)
	p.becomesWhole(over)
	p.says(0, "carbon_exporter_source_errors_total", "source", "directory", "reason", "connection")
	checkSitesSum(t, want, factsOf(t, where.store))

	// At first only who has what now, as of all time.
	var rows strings.Builder
	rows.WriteString("host,owner\n")
	for _, s := range h.stays() {
		if s.to.IsZero() && len(s.owners) > 0 {
			fmt.Fprintf(&rows, "%s,%s\n", s.host.Instance, s.owners[0])
		}
	}
	put(t, file, rows.String())
	eventually(t, waitFor, "the file is read", func() error {
		if up, ok := p.scrape().value("carbon_exporter_source_up", "source", "directory"); !ok || up != 1 {
			return fmt.Errorf("source_up is %v", up)
		}
		return nil
	})
	checkSitesSum(t, want, factsOf(t, where.store))

	// Then all of it, in whatever order.
	put(t, file, h.owners(t, slices.Reverse))
	h.becomesKnown(t, where, over, want, 0)
	checkSitesSum(t, want, factsOf(t, where.store))
	checkSums(t, scopesOf(t, where.store))

	put(t, file, "host,owner,from\n")
	eventually(t, waitFor, "an emptied file is noticed", func() error {
		if up, _ := p.scrape().value("carbon_exporter_source_up", "source", "directory"); up != 0 {
			return fmt.Errorf("source_up is %v", up)
		}
		return nil
	})
	h.becomesKnown(t, where, over, want, 0)
	p.terminate()
	if log := p.Stderr.String(); !strings.Contains(log, "owners.csv: has no rows; owners stay as last read") {
		t.Errorf("the log does not say what is wrong:\n%s", log)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	p = start(t, where.args()...)
	p.says(0, "carbon_exporter_source_errors_total", "source", "directory", "reason", "connection")
	h.becomesKnown(t, where, over, want, 0)
	p.terminate()

	// A store that reads the same file from the start, in another order, ends in the same facts.
	other := settings{
		prometheus: serve(t, h.engine.Handler()).URL, uk: uk.URL, attribute: byPeople, more: "directory: {file: owners.csv, refresh: 10s}",
		settle: 100 * time.Hour,
	}.place(t, over)
	put(t, filepath.Join(filepath.Dir(other.config), "owners.csv"), h.owners(t, func([][]string) {}))
	p = start(t, other.args()...)
	p.becomesWhole(over)
	h.becomesKnown(t, other, over, want, 0)
	p.terminate()
	if wrong := apart(factsOf(t, other.store), factsOf(t, where.store), map[kind]float64{}); len(wrong) > 0 {
		t.Errorf("%d are other facts, the first: %s", len(wrong), wrong[0])
	}
}

// record appends an info metric of the hosts' owners, scraped every minute, as an exporter of a
// hypervisor has it: without an owner in a pool, and gone with the host.
func (h *handed) record(t *testing.T, metric string) {
	t.Helper()
	type said struct {
		series  *engine.Series
		samples []engine.Sample
	}
	all := map[string]*said{}
	last := map[string]time.Time{}
	for at := usage.FloorEpoch(h.from, time.Minute); at.Before(h.to); at = at.Add(time.Minute) {
		now := map[string]bool{}
		for _, host := range h.cloud.Hosts() {
			if !host.Alive(at) {
				continue
			}
			owners := host.Owners(at)
			if len(owners) == 0 {
				owners = []string{""}
			}
			for _, owner := range owners {
				labels := map[string]string{
					"__name__": metric, "job": "libvirt", "domain": host.Instance, "user_uuid": owner, "team": h.cloud.Group(owner),
					"project_uuid": "id-of-" + host.Project, "flavor": host.Machine,
				}
				if owner != "" {
					labels["user_uuid"] = "id-of-" + owner
				}
				key := host.Instance + "/" + owner + "/" + host.Project + "/" + host.Machine
				if all[key] == nil {
					all[key] = &said{series: engine.NewSeries(labels)}
				}
				all[key].samples = append(all[key].samples, engine.At(at, 1))
				now[key] = true
			}
		}
		for key := range now {
			last[key] = at
		}
		for key, s := range all {
			if !now[key] && last[key].Equal(at.Add(-time.Minute)) {
				s.samples = append(s.samples, engine.At(at, engine.Stale()))
			}
		}
	}
	for _, s := range all {
		if err := h.engine.Append(background, s.series, s.samples...); err != nil {
			t.Fatal(err)
		}
	}
	h.recordNames(t)
}

// recordNames appends the metrics that name the ids of users and projects.
func (h *handed) recordNames(t *testing.T) {
	t.Helper()
	users, projects := map[string]bool{}, map[string]bool{}
	for _, host := range h.cloud.Hosts() {
		projects[host.Project] = true
		if host.User != "" {
			users[host.User] = true
		}
	}
	for _, s := range h.stays() {
		for _, owner := range s.owners {
			if owner != "" {
				users[owner] = true
			}
		}
	}
	for name, of := range map[string]map[string]bool{"test_user_info": users, "test_project_info": projects} {
		for id := range of {
			series := engine.NewSeries(map[string]string{"__name__": name, "id": "id-of-" + id, "name": id})
			var samples []engine.Sample
			for at := usage.FloorEpoch(h.from, time.Minute); at.Before(h.to); at = at.Add(time.Minute) {
				samples = append(samples, engine.At(at, 1))
			}
			if err := h.engine.Append(background, series, samples...); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// An info metric says who had which host, to the minute, with ids that other metrics name.
func TestAnInfoMetricOfOwners(t *testing.T) {
	t.Parallel()
	h, uk := newHanded(t, 40, 26*time.Hour, time.Minute), newGrid(t)
	h.record(t, "libvirt_domain_openstack_info")
	over := spanOf(30*time.Minute, 24*time.Hour)
	directory := `directory:
  refresh: 10s
  prometheus:
    metric: %s
    matchers: job="libvirt"
    labels: {host: domain, owner: user_uuid, project: project_uuid, machine: flavor, group: team}
    names: {user: {metric: test_user_info}, project: {metric: test_project_info}}
`
	where := settings{
		prometheus: serve(t, h.engine.Handler()).URL, uk: uk.URL, attribute: byPeople, more: fmt.Sprintf(directory, "libvirt_domain_openstack_info"),
		section: "  labels: {project: no_project, machine: no_machine}", // which the directory has to say
	}.place(t, over)
	want := h.truth(over, uk.price)
	p := start(t, where.args()...)
	p.becomesWhole(over)
	h.becomesKnown(t, where, over, want, time.Minute)
	checkSums(t, scopesOf(t, where.store))
	p.terminate()
}
