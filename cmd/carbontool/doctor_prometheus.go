// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/doctor"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/survey"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func durationOf(d time.Duration) model.Duration { return model.Duration(d) }

// prometheus asks the server about itself, then as the exporter asks it.
func (e *examination) prometheus(ctx context.Context) []doctor.Finding {
	defer close(e.hosts)
	url := config.PublicURL(e.cfg.Prometheus.URL)
	asker, err := parts.Asker(e.cfg.Prometheus, time.Now)
	if err != nil {
		return []doctor.Finding{doctor.Unreached(url, usage.Cause(err), "")}
	}
	server, err := inTime(ctx, asker.Ask)
	switch {
	case usage.IsOutage(err): // whatever the path
		return []doctor.Finding{doctor.Unreached(url, usage.Cause(err), "")}
	case err != nil:
		return []doctor.Finding{doctor.Unreached(url, usage.Cause(err), elsewhere(ctx, asker))}
	}
	from, err := parts.Source(e.cfg.Prometheus, nil)
	if err != nil {
		return []doctor.Finding{doctor.Unreached(url, usage.Cause(err), "")}
	}
	all := doctor.Server(server, url, time.Duration(e.cfg.Prometheus.Lag), time.Duration(e.cfg.Lookback))
	return append(all, e.series(ctx, from, server)...)
}

// elsewhere is the address at which there is the API on a server that answers otherwise.
func elsewhere(ctx context.Context, asker *survey.Asker) string {
	other, err := inTime(ctx, func(ctx context.Context) (string, error) {
		if u := asker.Instead(ctx); u != nil {
			return config.PublicURL(promconfig.URL{URL: u}), nil
		}
		return "", nil
	})
	if err != nil {
		return ""
	}
	return other
}

// series asks for what the configuration selects.
func (e *examination) series(ctx context.Context, from *source.Client, server survey.Server) []doctor.Finding {
	jobs, all := e.selected(ctx, from)
	if len(all) > 0 && all[0].Level == doctor.Failure {
		return append(all, e.renamed(ctx, from))
	}
	interval := e.newest()
	readings, err := e.usage(ctx)
	if err != nil {
		return append(all, doctor.Unasked(doctor.Prometheus, "newest interval", usage.Cause(err)), e.renamed(ctx, from))
	}
	instead := ""
	if len(doctor.Machines(readings)) == 0 {
		instead = e.instead(ctx, from)
	}
	all = append(all, doctor.Newest(interval, readings, len(jobs) > 0, instead)...)
	load := doctor.Load{Budget: e.cfg.Prometheus.MaxSamplesPerQuery, Interval: interval.Length, Took: e.took, Cores: coresOf(readings)}
	for _, n := range jobs {
		load.Series += n
	}
	return append(append(all, e.labels(ctx, from, interval, readings, load, server)...), e.renamed(ctx, from))
}

// selected counts the series that are selected, by job.
func (e *examination) selected(ctx context.Context, from *source.Client) (map[string]int, []doctor.Finding) {
	if from.Query.BusyQuery != "" {
		return nil, nil
	}
	ask := func(window time.Duration) (map[string]int, error) {
		return inTime(ctx, func(ctx context.Context) (map[string]int, error) { return from.Jobs(ctx, e.now, window) })
	}
	jobs, err := ask(0)
	if err != nil {
		return nil, []doctor.Finding{doctor.Unasked(doctor.Prometheus, "series", usage.Cause(err))}
	}
	if len(jobs) == 0 {
		const window = time.Hour
		if jobs, err = ask(window); err == nil && len(jobs) > 0 {
			return jobs, []doctor.Finding{doctor.Stale(jobs, window)}
		}
	}
	sight, err := inTime(ctx, func(ctx context.Context) (usage.Sight, error) { return from.Look(ctx, e.now) })
	e.have = sight.Have
	switch {
	case len(jobs) == 0:
		return nil, doctor.Selected(nil, cmp.Or(sight.Instead, insteadUnknown))
	case err != nil:
		return jobs, append(doctor.Selected(jobs, ""), doctor.Unasked(doctor.Prometheus, "series", usage.Cause(err)))
	}
	return jobs, doctor.Selected(jobs, sight.Instead)
}

// labels looks at the labels of machines, now and in the last day, and at how often they are
// scraped.
func (e *examination) labels(ctx context.Context, from *source.Client, interval usage.Interval, readings []usage.Reading, load doctor.Load, server survey.Server) []doctor.Finding {
	e.machines = doctor.Machines(readings)
	hosts := doctor.Hosts(e.machines)
	e.hosts <- hosts
	if len(e.machines) == 0 {
		return nil
	}
	l := e.cfg.Prometheus.Labels
	names := doctor.Names{Project: l.Project, Machine: l.Machine, Host: l.Host, User: l.User, Shares: from.Query.Shares != nil}
	all := doctor.Labels(e.machines, names, e.have, e.placements(ctx))
	before, err := e.before(ctx, from, interval)
	if err != nil {
		all = append(all, doctor.Unasked(doctor.Prometheus, "drift", usage.Cause(err)))
	} else {
		e.machines = doctor.Machines(readings, before...)
		all = append(all, doctor.Drift(e.machines, names)...)
	}
	samples, err := inTime(ctx, func(ctx context.Context) (map[string]int, error) { return from.Scrapes(ctx, interval, hosts) })
	if err != nil {
		all = append(all, doctor.Unasked(doctor.Prometheus, "scrape interval", usage.Cause(err)))
	} else {
		finding, every := doctor.Scrapes(samples, interval.Length)
		load.Scrape = every
		all = append(all, finding)
	}
	if load.Series == 0 { // the operator's own queries, of unknown cost
		return all
	}
	return append(all, doctor.Cost(load, server))
}

// placements are the machines whose project or machine type the directory names, as soon as it is
// read; nil: there is no directory.
func (e *examination) placements(ctx context.Context) []directory.Placement {
	if e.directoryArea() == "" {
		return nil
	}
	select {
	case <-e.known:
		return append([]directory.Placement{}, e.placed...)
	case <-ctx.Done():
		return []directory.Placement{}
	}
}

// newest is the newest interval that the exporter would read.
func (e *examination) newest() usage.Interval {
	length := time.Duration(e.cfg.Interval)
	return usage.IntervalAt(e.now.Add(-time.Duration(e.cfg.Prometheus.Lag)-length), length)
}

// usage is that of the newest interval, which is read once.
func (e *examination) usage(ctx context.Context) ([]usage.Reading, error) {
	e.once.Do(func() {
		from, err := parts.Source(e.cfg.Prometheus, nil)
		if err != nil {
			e.unread = err
			return
		}
		began := time.Now()
		e.readings, e.unread = e.read(ctx, from, e.newest())
		e.took = time.Since(began)
	})
	return e.readings, e.unread
}

func (e *examination) read(ctx context.Context, from *source.Client, i usage.Interval) ([]usage.Reading, error) {
	return inTime(ctx, func(ctx context.Context) ([]usage.Reading, error) {
		readings, _, err := from.Read(ctx, []usage.Interval{i})
		if err != nil {
			return nil, err
		}
		return readings.All(), nil
	})
}

// before reads two intervals of the last day: a label that was lost was there then.
func (e *examination) before(ctx context.Context, from *source.Client, newest usage.Interval) (all [][]usage.Reading, err error) {
	for _, ago := range []time.Duration{24 * time.Hour, 3 * time.Hour} {
		readings, err := e.read(ctx, from, usage.IntervalAt(newest.Start.Add(-ago), newest.Length))
		if err != nil {
			return nil, err
		}
		all = append(all, readings)
	}
	return all, nil
}

// insteadUnknown stands for what the server has instead.
const insteadUnknown = "see prometheus.metric and prometheus.matchers"

func (e *examination) instead(ctx context.Context, from *source.Client) string {
	said, err := inTime(ctx, func(ctx context.Context) (string, error) { return from.Instead(ctx), nil })
	if err != nil {
		return insteadUnknown
	}
	return cmp.Or(said, insteadUnknown)
}

func (e *examination) renamed(ctx context.Context, from *source.Client) doctor.Finding {
	var has bool
	labels, err := inTime(ctx, func(ctx context.Context) (labels []string, err error) {
		labels, has, err = from.Renamed(ctx, e.now)
		return labels, err
	})
	if err != nil {
		return doctor.Unasked(doctor.Prometheus, "honor_labels", usage.Cause(err))
	}
	return doctor.Renamed(labels, has)
}

func coresOf(readings []usage.Reading) (cores int) {
	if a := usage.Attend(readings); a != nil {
		for _, p := range a.Present {
			cores += p.Cores
		}
	}
	return cores
}
