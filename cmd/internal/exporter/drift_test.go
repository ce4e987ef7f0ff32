// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// labelled stores intervals of half an hour in [from, to) with what series the
// projects have.
func labelled(t *testing.T, d *daemon, from, to time.Time, projects map[string]usage.LabelPresence) {
	t.Helper()
	var recs []usage.Record
	for i := usage.IntervalAt(from, usage.SlotLength); i.Start.Before(to); i = i.Next() {
		rec := usage.Record{Interval: i, State: usage.Unpriced, PUE: 1, FetchedAt: i.End(), Labels: projects}
		for project := range projects {
			rec.Facts = append(rec.Facts, usage.Fact{
				Key:   usage.Key{Project: project, Machine: "Laser", User: "1042", Group: "ISIS"},
				Start: i.Start, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 1}, Energy: usage.ByMode[usage.KWh]{Busy: 1},
			})
		}
		recs = append(recs, rec)
	}
	storetest.Commit(t, d.store, recs...)
}

func TestWhatAProjectHasLostIsShownAndSaidOnce(t *testing.T) {
	d, server := prepared(t)
	said := &screen{}
	d.log = slog.New(slog.NewTextHandler(said, nil))
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	all := usage.LabelPresence{Project: true, Machine: true, Host: true, User: true}
	less := all
	less.Machine = false
	hour := func(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }
	shows := func(clf, isis string) {
		t.Helper()
		d.Changed(t.Context())
		d.Changed(t.Context())
		_, text := ask(t, "GET", server.URL+"/metrics")
		for project, v := range map[string]string{"CLF": clf, "ISIS": isis} {
			line := `carbon_exporter_label_drift{project="` + project + `"} `
			_, after, found := strings.Cut(text, line)
			is, _, _ := strings.Cut(after, "\n")
			if !found {
				is = "absent"
			}
			if is != v {
				t.Errorf("%s%s, want %s", line, is, v)
			}
		}
		if strings.Contains(text, `label_drift{project="unknown"`) {
			t.Error("what nobody names is shown")
		}
	}
	says := func(want ...string) {
		t.Helper()
		got := said.String()
		if n := strings.Count(got, "\n"); n != len(want) {
			t.Errorf("%d lines, want %d:\n%s", n, len(want), got)
		}
		for _, line := range want {
			if !strings.Contains(got, line) {
				t.Errorf("%q is not said in\n%s", line, got)
			}
		}
	}

	labelled(t, d, hour(0), hour(72), map[string]usage.LabelPresence{"CLF": all, "ISIS": all})
	shows("0", "0")
	says()
	labelled(t, d, hour(72), hour(73), map[string]usage.LabelPresence{"unknown": all, "ISIS": less})
	shows("1", "1")
	gone := `level=WARN msg="Project no longer has any series; were its machines deleted or a label renamed?" project=CLF since=2026-03-04T23:30:00Z`
	lost := `level=WARN msg="Series of a project no longer have some labels" project=ISIS lost=machine since=2026-03-04T23:30:00Z`
	says(gone, lost)
	labelled(t, d, hour(73), hour(74), map[string]usage.LabelPresence{"ISIS": all})
	shows("1", "0")
	says(gone, lost, `level=INFO msg="Project has recovered its lost series or labels" project=ISIS had_lost=machine`)
	labelled(t, d, hour(74), hour(72+7*24+1), map[string]usage.LabelPresence{"ISIS": all})
	shows("absent", "0")
}
