// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestRejectedRecordsAreCountedOnce(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	h := NewHealth(r, clock)
	const hosts = `carbon_exporter_rejected_records_total{collection="workspaces",reason="no_host"}`
	const dates = `carbon_exporter_rejected_records_total{collection="workspaces",reason="bad_date"}`
	reading := func(reason string, n int) directory.RecordReject {
		return directory.RecordReject{Collection: "workspaces", Reason: reason, Count: n}
	}
	for _, step := range []struct {
		name    string
		rejects []directory.RecordReject
		want    map[string]float64
	}{
		{"the first reading counts all", []directory.RecordReject{reading("no_host", 3)}, map[string]float64{hosts: 3}},
		{"the same ones again are no news", []directory.RecordReject{reading("no_host", 3)}, map[string]float64{hosts: 3}},
		{"two more, and one of another reason", []directory.RecordReject{reading("no_host", 5), reading("bad_date", 1)}, map[string]float64{hosts: 5, dates: 1}},
		{"some were mended", []directory.RecordReject{reading("no_host", 1), reading("bad_date", 1)}, map[string]float64{hosts: 5, dates: 1}},
		{"one is bad again", []directory.RecordReject{reading("no_host", 2), reading("bad_date", 1)}, map[string]float64{hosts: 6, dates: 1}},
		{"all are well", nil, map[string]float64{hosts: 6, dates: 1}},
		{"a reason in two counts", []directory.RecordReject{reading("no_host", 1), reading("no_host", 1)}, map[string]float64{hosts: 8, dates: 1}},
	} {
		h.RejectedRecords(step.rejects)
		got := gathered(t, r)
		for name := range got {
			if name != "carbon_exporter_rejected_records_total" {
				delete(got, name)
			}
		}
		if d := differ(samples(got), step.want); d != "" {
			t.Errorf("%s: %s", step.name, d)
		}
	}
}

func TestWhatIsNotConfiguredIsNotShown(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	h := NewHealth(r, clock)
	optional := []string{
		"carbon_exporter_directory_timestamp_seconds", "carbon_exporter_usage_writer_pending_intervals", "carbon_exporter_rejected_records_total",
		"carbon_exporter_lake_pending", "carbon_exporter_lake_published_until_timestamp_seconds",
		`carbon_exporter_source_errors_total{reason="auth",source="mongodb"}`, `carbon_exporter_source_errors_total{reason="auth",source="mongodb_usage"}`,
	}
	h.Directory(time.Time{})
	for _, name := range optional {
		if has(samples(gathered(t, r)), name) {
			t.Errorf("%s is there without a directory", name)
		}
	}
	for range 2 {
		h.Watch(usage.SourceMongoDB)
		h.Watch(usage.SourceUsageWriter)
	}
	h.Directory(now.Add(-time.Hour))
	h.RollupsPending(0)
	h.Requested(usage.SourceUsageWriter, time.Second, &usage.Failure{Reason: usage.ReasonAuth})
	got := samples(gathered(t, r))
	for name, want := range map[string]float64{
		"carbon_exporter_directory_timestamp_seconds{}":                             float64(now.Unix() - 3600),
		"carbon_exporter_usage_writer_pending_intervals{}":                          0,
		`carbon_exporter_source_errors_total{reason="auth",source="mongodb"}`:       0,
		`carbon_exporter_source_errors_total{reason="auth",source="mongodb_usage"}`: 1,
		`carbon_exporter_source_up{source="mongodb_usage"}`:                         0,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v (there: %v), want %v", name, v, ok, want)
		}
	}
	h.Unwatch(usage.SourceMongoDB)
	h.Unwatch(usage.SourceUsageWriter)
	h.Directory(time.Time{})
	got = samples(gathered(t, r))
	for _, name := range append(optional, `carbon_exporter_source_up{source="mongodb_usage"}`) {
		if has(got, name) {
			t.Errorf("%s is there after a reload that took it away", name)
		}
	}
	if !has(got, `carbon_exporter_source_errors_total{reason="auth",source="prometheus"}`) {
		t.Error("another source is gone, too")
	}
}

// TestADirectoryInPlaceOfMongoDB has metrics of its own, and the age of the directory.
func TestADirectoryInPlaceOfMongoDB(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	h := NewHealth(r, clock)
	h.Watch(usage.SourceMongoDB)
	h.Unwatch(usage.SourceDirectory)
	h.Directory(now.Add(-time.Hour))
	h.Watch(usage.SourceDirectory) // a reload
	h.Unwatch(usage.SourceMongoDB)
	h.Requested(usage.SourceMongoDB, time.Second, nil) // late
	if got := samples(gathered(t, r)); has(got, "carbon_exporter_directory_timestamp_seconds") || has(got, `carbon_exporter_source_up{source="mongodb"}`) {
		t.Errorf("MongoDB is still there: %v", got)
	}
	h.Requested(usage.SourceDirectory, time.Second, &usage.Failure{Reason: usage.ReasonMalformed})
	h.Directory(now)
	got := samples(gathered(t, r))
	for name, want := range map[string]float64{
		"carbon_exporter_directory_timestamp_seconds{}":                              float64(now.Unix()),
		`carbon_exporter_source_errors_total{reason="malformed",source="directory"}`: 1,
		`carbon_exporter_source_up{source="directory"}`:                              0,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v (there: %v), want %v", name, v, ok, want)
		}
	}
}

// TestAReloadKeepsTheAgeOfTheDirectory: the source of owners that is not configured was not there before either.
func TestAReloadKeepsTheAgeOfTheDirectory(t *testing.T) {
	for configured, other := range map[string]string{usage.SourceMongoDB: usage.SourceDirectory, usage.SourceDirectory: usage.SourceMongoDB} {
		r := prometheus.NewPedanticRegistry()
		h := NewHealth(r, clock)
		h.Watch(configured)
		h.Unwatch(other)
		h.Directory(now)
		h.Watch(configured) // a reload
		h.Unwatch(other)
		if got := samples(gathered(t, r)); !has(got, "carbon_exporter_directory_timestamp_seconds") {
			t.Errorf("%s: the age of the directory is gone", configured)
		}
	}
}

// TestAnAnswerThatComesAfterItsSourceWasRemoved changes nothing, whatever it is.
func TestAnAnswerThatComesAfterItsSourceWasRemoved(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	h := NewHealth(r, clock)
	late := func() {
		for _, source := range []string{usage.SourceMongoDB, usage.SourceUsageWriter} {
			h.Requested(source, time.Second, nil)
			h.Requested(source, time.Second, &usage.Failure{Reason: usage.ReasonTimeout})
		}
		h.Directory(now)
		h.RollupsPending(3)
	}
	shown := func() (names []string) {
		for name := range samples(gathered(t, r)) {
			if strings.Contains(name, "mongodb") || strings.Contains(name, "directory") || strings.Contains(name, "usage_writer") {
				names = append(names, name)
			}
		}
		return names
	}
	reload := func(change func(source string)) {
		change(usage.SourceMongoDB)
		change(usage.SourceDirectory)
		change(usage.SourceUsageWriter)
	}
	reload(h.Watch)
	late()
	all := len(shown())
	if all == 0 {
		t.Fatal("nothing is shown of a source that is configured")
	}
	reload(h.Unwatch)
	late()
	if names := shown(); len(names) > 0 {
		t.Errorf("back for ever: %v", names)
	}
	reload(h.Watch)
	late()
	if names := shown(); len(names) != all {
		t.Errorf("configured again, %d of %d are shown: %v", len(names), all, names)
	}
}
