// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// MongoDB is down at the start, comes, and is down at the next start. Energy never
// waits for it, everybody gets what they used as soon as it is known, and what was
// known stays so.
func TestHostsThatChangeHandsAreTheirOwnersByTheMinute(t *testing.T) {
	t.Parallel()
	h, uk := newHanded(t, 40, 26*time.Hour, time.Minute), newGrid(t)
	prometheus := serve(t, h.engine.Handler()).URL
	over := spanOf(30*time.Minute, 24*time.Hour)
	address := built.FreeAddress(t)
	where := settings{
		prometheus: prometheus, uk: uk.URL, attribute: byPeople, more: directoryAt("mongodb://" + address + "/"),
	}.place(t, over)
	want := h.truth(over, uk.price)

	p := start(t, where.args()...)
	p.becomesWhole(over)
	p.says(0, "carbon_exporter_source_errors_total", "source", "mongodb", "reason", "connection")
	checkSitesSum(t, want, factsOf(t, where.store))
	named := 0
	for _, keys := range factsOf(t, where.store) {
		for k := range keys {
			if k.User != usage.Unattributed {
				named++
			}
			if k.Group != usage.Unattributed {
				t.Fatalf("%v has a group that nobody knows", k)
			}
		}
	}
	if n, err := p.scrape().states(); err != nil || n["settled"] != 0 || named == 0 {
		t.Errorf("without MongoDB, intervals by state are %v, %v; users are named by labels %d times", n, err, named)
	}

	server := h.mongoDB(t, address)
	h.becomesTrue(t, where, over, want)
	eventually(t, waitFor, "what is old is final", func() error {
		n, err := p.scrape().states()
		if err == nil && n["settled"] < 40 {
			err = fmt.Errorf("intervals by state: %v", n)
		}
		return err
	})
	checkSitesSum(t, want, factsOf(t, where.store))
	checkSums(t, scopesOf(t, where.store))
	seen := p.scrape()
	for reason, least := range map[string]float64{"bad_type": 2, "missing_hostname": 1, "deleted_before_created": 1, "unknown_owner": 1} {
		if n, _ := seen.value("carbon_exporter_rejected_records_total", "collection", "workspaces", "reason", reason); n < least {
			t.Errorf("%v records of workspaces were refused for %s", n, reason)
		}
	}
	p.terminate()
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}

	p = start(t, where.args()...)
	p.says(0, "carbon_exporter_source_errors_total", "source", "mongodb", "reason", "connection")
	p.says(0, "carbon_exporter_directory_timestamp_seconds")
	h.becomesTrue(t, where, over, want)
	p.terminate()
	checkNoNames(t, p)
}

// checkNoNames wants no name and no address of a person in what was logged.
func checkNoNames(t *testing.T, p *program) {
	t.Helper()
	for _, word := range []string{"Scientist", "@example.org"} {
		if strings.Contains(p.Stderr.String(), word) {
			t.Errorf("it logged %s", word)
		}
	}
}

// A lookback of a month goes by who had which host then: most of their workspaces
// are deleted by now.
func TestLastMonthIsItsOwners(t *testing.T) {
	t.Parallel()
	h, uk := newHanded(t, 3, 32*24*time.Hour, 5*time.Minute), newGrid(t)
	server := h.mongoDB(t, "127.0.0.1:0")
	defer server.Close()
	over := spanOf(30*time.Minute, 31*24*time.Hour)
	where := settings{
		prometheus: serve(t, h.engine.Handler()).URL, uk: uk.URL, attribute: byPeople, more: directoryAt(server.URI()),
	}.place(t, over)
	p := start(t, where.args()...)
	eventually(t, 2*waitFor, "a month is stored", func() error { return p.scrape().whole(over, true) })
	want := h.truth(over, uk.price)
	h.becomesTrue(t, where, over, want)
	owners := map[string]bool{}
	for at, keys := range want {
		for k := range keys {
			if at.Before(over.end.Add(-7 * 24 * time.Hour)) {
				owners[k.User] = true
			}
		}
	}
	if len(owners) < 10 {
		t.Errorf("only %d had a host more than a week ago", len(owners))
	}
	p.terminate()
	checkIntervals(t, where.store, over)
}

// checkSitesSum wants users to add up to what all hosts of a kind have used, at every interval,
// whoever had them.
func checkSitesSum(t *testing.T, truth, facts book) {
	t.Helper()
	want, got := byKind(truth), byKind(facts)
	if len(want) != len(got) {
		t.Errorf("there are %d kinds of hosts by interval, the store has %d", len(want), len(got))
	}
	for k, w := range want {
		if g := got[k].CPU; !near(g.Busy, w.CPU.Busy, 1e-6) || !near(g.Idle, w.CPU.Idle, 1e-6) {
			t.Errorf("%v: users add up to %v CPU seconds, the hosts have used %v", k, g, w.CPU)
		}
	}
}

func byKind(facts book) map[kind]amount {
	all := map[kind]amount{}
	for at, keys := range facts {
		for k, a := range keys {
			all[kindOf(at, k)] = all[kindOf(at, k)].plus(a)
		}
	}
	return all
}
