// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"fmt"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/landing"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// state is the summary on the landing page. It sends no requests: everything in it is on
// /metrics, too, but for why an upstream is down.
func (d *daemon) state(now time.Time) ([]landing.Part, error) {
	gathered, err := d.live.Gather()
	if err != nil {
		return nil, err
	}
	seen := families{}
	for _, f := range gathered {
		seen[f.GetName()] = f
	}
	parts := []landing.Part{d.record(), d.prometheus(seen, now)}
	parts = append(parts, d.carbonIntensity(seen, now)...)
	parts = append(parts, d.directory(seen, now), d.writer(seen, now))
	parts = append(parts, d.lake(seen, now)...)
	return append(parts, d.metrics(seen), seen.store(), seen.configuration(now)), nil
}

// record is the state of the stored intervals.
func (d *daemon) record() landing.Part {
	p := landing.Part{Name: "Intervals", For: "stored usage", State: "none yet"}
	snapshot := d.shown.Load()
	if snapshot == nil {
		return p
	}
	var states []string
	for _, s := range usage.States() {
		states = append(states, fmt.Sprintf("%d %s", snapshot.States[s], s))
	}
	if snapshot.Newest != nil {
		p.State = strings.Join(states, ", ") + "; newest ends " + stamp(snapshot.Newest.Interval.End())
	}
	return p
}

func (d *daemon) prometheus(seen families, now time.Time) landing.Part {
	p := seen.source("Prometheus", "CPU time of machines", usage.SourcePrometheus, now)
	p.About = usage.TopicPrometheus
	p.Meanwhile = "Nothing is lost meanwhile: what is missing is fetched later, as long as Prometheus keeps it."
	return d.because(p, usage.SourcePrometheus)
}

// because adds why an upstream is down. No error has a secret in it, see upstream.Scrubber, and
// those of MongoDB name no host.
func (d *daemon) because(p landing.Part, source string) landing.Part {
	if err := d.Trouble(source); p.Bad && err != nil {
		p.State += ": " + escape.Line(usage.Cause(err))
	}
	return p
}

// directory is the state of the directory.
func (d *daemon) directory(seen families, now time.Time) landing.Part {
	const what = "owners of workspaces and members of groups"
	name, source := "MongoDB", usage.SourceMongoDB
	switch cfg, _ := d.current(); {
	case cfg.Directory != nil:
		name, source = "Directory", usage.SourceDirectory
	case cfg.MongoDB == nil:
		return landing.Part{Name: name, For: what, State: "not configured; users come from a label"}
	}
	p := d.because(seen.source(name, what, source, now), source)
	p.About = usage.TopicDirectory
	p.Meanwhile = "Energy is recorded meanwhile, for the owners of the last reading, and corrected later."
	if asOf, ok := seen.value("carbon_exporter_directory_timestamp_seconds", ""); ok {
		p.State += "; directory read " + ago(now, asOf)
	} else {
		p.State += "; directory never read"
	}
	if refused, _ := seen.value("carbon_exporter_rejected_records_total", ""); refused > 0 {
		p.State += fmt.Sprintf("; %.0f records rejected", refused)
	}
	return p
}

// writer is the state of writing usage to MongoDB.
func (d *daemon) writer(seen families, now time.Time) landing.Part {
	const name, what = "MongoDB, usage", "receives the usage of groups and users"
	if cfg, _ := d.current(); cfg.MongoDB == nil || cfg.MongoDB.UsageDatabase == "" {
		return landing.Part{Name: name, For: what, State: "not configured"}
	}
	p := seen.source(name, what, usage.SourceUsageWriter, now)
	p.About, p.Meanwhile = usage.TopicUsageWriter, "Intervals wait in the store meanwhile, and are written later."
	if n, ok := seen.value("carbon_exporter_usage_writer_pending_intervals", ""); ok {
		p.State += fmt.Sprintf("; %.0f intervals pending", n)
	}
	return d.because(p, usage.SourceUsageWriter)
}

// metrics is the state of /metrics.
func (d *daemon) metrics(seen families) landing.Part {
	p := landing.Part{Name: "Metrics", For: d.flags.telemetryPath, State: "none yet"}
	if samples, ok := seen.value("carbon_exporter_exposition_samples", ""); ok && d.shown.Load() != nil {
		p.State = fmt.Sprintf("%.0f samples", samples)
		for _, m := range seen["carbon_exporter_exposition_bytes"].GetMetric() {
			if m.GetLabel()[0].GetValue() == "gzip" {
				p.State += fmt.Sprintf(", %.1f MB compressed", m.GetGauge().GetValue()/1e6)
			}
		}
	}
	cfg, _ := d.current()
	if lacking := lackingLabels(cfg); len(lacking) > 0 {
		p.State += "; without the labels " + strings.Join(lacking, ", ") + " (metrics.by), so panels and queries by them are empty"
	}
	return p
}

// families are metrics by name.
type families map[string]*dto.MetricFamily

// value adds up the samples of a source, or of all sources if it is "". It is false if
// there are none.
func (f families) value(name, source string) (sum float64, ok bool) {
	for _, m := range f[name].GetMetric() {
		fits := source == ""
		for _, l := range m.GetLabel() {
			fits = fits || l.GetName() == "source" && l.GetValue() == source
		}
		if fits {
			sum, ok = sum+m.GetGauge().GetValue()+m.GetCounter().GetValue(), true
		}
	}
	return sum, ok
}

func (f families) source(name, what, source string, now time.Time) landing.Part {
	p := landing.Part{Name: name, For: what, Asked: true}
	up, asked := f.value("carbon_exporter_source_up", source)
	last, ever := f.value("carbon_exporter_source_last_success_timestamp_seconds", source)
	switch {
	case !asked:
		p.State, p.Asked = "no request yet", false
	case up == 1:
		p.State = "responded " + ago(now, last)
	case ever:
		p.State, p.Bad = "down, last response "+ago(now, last), true
	default:
		p.State, p.Bad = "down", true
	}
	return p
}

func (f families) store() landing.Part {
	p := landing.Part{Name: "Store", For: "SQLite file with all stored usage", State: "writable"}
	if ok, _ := f.value("carbon_exporter_store_writable", ""); ok != 1 {
		p.State, p.Bad = "not writable", true
		p.Meanwhile = "Nothing can be recorded. To do: see whether the disk is full or read-only; the log says more."
	}
	size, _ := f.value("carbon_exporter_store_size_bytes", "")
	p.State += fmt.Sprintf(", %.1f MB", size/1e6)
	return p
}

func (f families) configuration(now time.Time) landing.Part {
	loaded, _ := f.value("carbon_exporter_config_last_reload_success_timestamp_seconds", "")
	p := landing.Part{Name: "Configuration", For: "settings", State: "loaded " + ago(now, loaded)}
	if ok, _ := f.value("carbon_exporter_config_last_reload_successful", ""); ok != 1 {
		p.State, p.Bad = p.State+"; the last reload failed, see the log", true
		p.Meanwhile = "The last good configuration is in use."
	}
	return p
}

// ago returns how long ago a time was, given in Unix seconds.
func ago(now time.Time, at float64) string {
	t := time.UnixMilli(int64(at * 1000))
	return fmt.Sprintf("%s ago (%s)", max(now.Sub(t), 0).Round(time.Second), stamp(t))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
