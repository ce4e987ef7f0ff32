// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/cloud"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/ferret"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// handed is a site whose hosts are handed from one to another, at any second, as
// records say and few series do.
type handed struct {
	*site
	every time.Duration // between two scrapes
}

// newHanded records the last days of a cloud, and a little more: tests may run
// over the border of a half hour.
func newHanded(t *testing.T, hosts int, history, every time.Duration) *handed {
	t.Helper()
	now := usage.SlotAt(time.Now())
	c, err := simulate.New(simulate.Config{
		Seed: seed, Hosts: hosts, Start: now.Add(-history), End: now.Add(14 * 24 * time.Hour), Directory: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	h := &handed{site: &site{cloud: c, engine: newEngine(t), from: now.Add(-history), to: now.Add(time.Hour)}, every: every}
	recorder := cloud.NewRecorder(c, h.engine, every)
	recorder.Sharp = true
	if err := recorder.Record(background, h.from, h.to); err != nil {
		t.Fatal(err)
	}
	return h
}

// mongoDB starts a server with the cloud's records of now, all of them from its
// first moment on. The caller closes it.
func (h *handed) mongoDB(t *testing.T, address string) *ferret.Server {
	t.Helper()
	dir := t.TempDir()
	server, err := ferret.Start("127.0.0.1:0", dir)
	if err != nil {
		t.Fatal(err)
	}
	operator, err := cloud.NewOperator(h.cloud, server.URI(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(operator.Write(background, time.Now()), operator.Close(), server.Close()); err != nil {
		t.Fatal(err)
	}
	if server, err = ferret.Start(address, dir); err != nil {
		t.Fatal(err)
	}
	return server
}

// directoryAt is the configuration of a MongoDB at an address.
func directoryAt(uri string) string {
	return fmt.Sprintf("mongodb: {uri: %q, refresh: 10s, timeout: 2s}", uri)
}

// byPeople attributes to the groups of people.
const byPeople = "group_by: directory"

// truth is the truth by owners and their groups.
func (h *handed) truth(over span, price func(time.Time) usage.GramsPerKWh) book {
	return worked(over, price, h.cloud.Owned, func(s usage.Series) string {
		if g := h.cloud.Group(s.User); g != "" {
			return g
		}
		return usage.Unattributed
	})
}

// kind is all hosts of one kind, in one interval.
type kind struct {
	at               time.Time
	project, machine string
}

func kindOf(at time.Time, k usage.Key) kind { return kind{at, k.Project, k.Machine} }

// slack is how many CPU seconds may be another's where hosts change hands: who
// only sees scrapes knows what a core did to about two of them for each handover.
func (h *handed) slack(over span) map[kind]float64 {
	slack := map[kind]float64{}
	for _, i := range over.intervals() {
		for _, host := range h.cloud.Hosts() {
			for _, turn := range host.Turns(i.Start.Add(time.Second), i.End()) {
				if host.Alive(turn) && !slices.Equal(host.Owners(turn.Add(-time.Second)), host.Owners(turn)) {
					slack[kind{i.Start, host.Project, host.Machine}] += 2 * h.every.Seconds() * float64(host.Cores)
				}
			}
		}
	}
	return slack
}

// becomesTrue waits until the store says of everybody what is true.
func (h *handed) becomesTrue(t *testing.T, where place, over span, want book) {
	t.Helper()
	slack := h.slack(over)
	eventually(t, waitFor, "everybody has what they used", func() error {
		if wrong := apart(factsOf(t, where.store), want, slack); len(wrong) > 0 {
			return fmt.Errorf("%d are wrong, the first: %s", len(wrong), wrong[0])
		}
		return nil
	})
}

// factsOf is the finest grain of a store.
func factsOf(t *testing.T, path string) book {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT ts, cloud_project_name, machine_name, user_id, group_name,
		busy_cpu_seconds, idle_cpu_seconds, busy_kwh, idle_kwh, coalesce(busy_gCo2eq, -1), coalesce(idle_gCo2eq, -1) FROM v_usage`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := book{}
	for rows.Next() {
		var ts string
		var k usage.Key
		var a amount
		if err := rows.Scan(&ts, &k.Project, &k.Machine, &k.User, &k.Group, &a.CPU.Busy, &a.CPU.Idle, &a.KWh.Busy, &a.KWh.Idle, &a.Grams.Busy, &a.Grams.Idle); err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, ts)
		if err != nil {
			t.Fatal(err)
		}
		if all[at] == nil {
			all[at] = map[usage.Key]amount{}
		}
		all[at][k] = a
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// apart lists where two books differ by more than they may.
func apart(got, want book, slack map[kind]float64) []string {
	var all []string
	differ := func(at time.Time, k usage.Key, g, w amount) {
		may := slack[kindOf(at, k)]
		for i, mode := range []string{"busy", "idle"} {
			g, w := g.columns()[i], w.columns()[i]
			if math.Abs(g-w) > may+exact*w {
				all = append(all, fmt.Sprintf("%s %v: %s CPU seconds are %v, truth %v to %v", at, k, mode, g, w, may))
			}
		}
	}
	for at, keys := range want {
		for k, w := range keys {
			differ(at, k, got[at][k], w)
		}
		for k, g := range got[at] {
			if _, known := keys[k]; !known {
				differ(at, k, g, amount{})
			}
		}
	}
	return all
}
