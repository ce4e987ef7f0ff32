// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/doctor"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/power"
	"github.com/carbon-exporter/carbon_exporter/internal/processor"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// draw is the newest interval with what is known of its power.
type draw struct {
	*examination
	made     *parts.Parts
	from     *source.Client // of which each instrument is asked alone
	model    power.Model
	stored   averages
	interval usage.Interval
	readings []usage.Reading
	page     ingest.Attribution
	hosts    []string            // with CPU time
	beside   []usage.Instruments // by piece, as it is gathered
	modelled map[string]usage.KWh
}

// averages are those of the store.
type averages struct {
	ratings map[string]usage.Rating
	since   map[string]time.Time
}

// MachineAverages implements parts.Averages.
func (a averages) MachineAverages(context.Context, time.Time) (map[string]usage.Rating, error) {
	return a.ratings, nil
}

// power looks at where the watts of the newest interval come from. Each instrument is asked alone,
// so that one that fails hides no other.
func (e *examination) power(ctx context.Context) []doctor.Finding {
	d, err := e.draw(ctx)
	if err != nil {
		return []doctor.Finding{doctor.Unasked(doctor.Power, "rating", usage.Cause(err))}
	}
	defer d.made.Close() //nolint:errcheck // nothing was written
	all := d.ratings(ctx)
	all = append(all, d.meters(ctx)...)
	all = append(all, d.devices(ctx)...)
	all = append(all, d.memory(ctx)...)
	all = append(all, d.pue(ctx)...)
	all = append(all, d.zones(ctx)...)
	return append(all, d.embodied()...)
}

// draw reads the newest interval, and the averages if there is a store.
func (e *examination) draw(ctx context.Context) (_ *draw, err error) {
	d := &draw{examination: e, interval: e.newest()}
	if d.readings, err = e.usage(ctx); err != nil {
		return nil, err
	}
	if d.stored, err = inTime(ctx, e.averages); err != nil {
		return nil, err
	}
	if d.from, err = parts.Source(e.cfg.Prometheus, nil); err != nil {
		return nil, err
	}
	if d.made, err = parts.New(e.cfg, d.stored, time.Now, true, nil); err != nil {
		return nil, err
	}
	if d.model, err = parts.Power(ctx, e.cfg.Power, d.stored, d.interval.Start); err != nil {
		return nil, errors.Join(err, d.made.Close())
	}
	known := directory.Directory{}
	if placed := e.placements(ctx); placed != nil {
		known.AsOf, known.Hosts = e.now, placed
	}
	d.page = d.made.Settings.Attribution(known)
	for _, piece := range d.interval.Pieces() {
		d.beside = append(d.beside, usage.Instruments{Piece: piece})
	}
	return d, nil
}

// averages reads the store, if there is one.
func (e *examination) averages(ctx context.Context) (a averages, err error) {
	if _, err := os.Stat(e.storagePath); errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	st, err := e.openToRead(ctx, e.cfg)
	if err != nil {
		return a, err
	}
	defer st.Close() //nolint:errcheck // nothing was written
	if a.ratings, err = st.MachineAverages(ctx, e.now); err != nil {
		return a, err
	}
	a.since, err = st.AveragesSince(ctx, e.now)
	return a, err
}

// ask asks for some instruments of the newest interval.
func (d *draw) ask(ctx context.Context, some source.Instruments) ([]usage.Instruments, usage.Rejects, error) {
	some.Strict = true
	d.from.Query.Instruments = some
	var rejects usage.Rejects
	got, err := inTime(ctx, func(ctx context.Context) (all []usage.Instruments, err error) {
		all, rejects, err = d.from.Instruments(ctx, []usage.Interval{d.interval}, true)
		return all, err
	})
	return got, rejects, err
}

// draft is what would be booked with a model of power, with PUE or without.
func (d *draw) draft(model power.Model, withPUE bool) usage.Record {
	set := d.made.Settings
	if !withPUE {
		set.PUE, set.MeasuresPUE = 1, false
	}
	return ingest.Draft(set, model, d.page, d.interval, d.readings, d.beside, d.now)
}

// ratings looks at the machine types, and keeps what the model says of each host.
func (d *draw) ratings(ctx context.Context) (all []doctor.Finding) {
	p := doctor.Processors{Unrated: d.made.Settings.Unrated, Known: knowing}
	if d.made.Settings.Asked.Models {
		is, _ := parts.Instruments(d.cfg)
		got, _, err := d.ask(ctx, source.Instruments{Processors: is.Processors})
		if err != nil {
			return []doctor.Finding{doctor.Unasked(doctor.Power, "processor", refusal(err))}
		}
		for i := range got {
			d.beside[i].Models = got[i].Models
		}
		all = doctor.RemarkedProcessors(remarksOf(got))
	}
	// What their processors say of all machine types, also of those that are rated otherwise.
	bare := d.draft(power.Model{Default: d.model.Default, Processor: d.model.Processor}, false)
	p.Types = bare.Models
	rec := d.draft(d.model, false)
	d.modelled = map[string]usage.KWh{}
	for i := range rec.Hosts {
		h := &rec.Hosts[i]
		if h.CPU.Busy > 0 || h.CPU.Idle > 0 {
			d.modelled[h.Host] += h.Energy.Total()
		}
	}
	d.hosts = slices.Sorted(maps.Keys(d.modelled))
	all = append(doctor.Ratings(rec.Ratings, p), all...)
	all = append(all, doctor.Averages(d.stored.ratings, d.stored.since, slices.Collect(maps.Keys(d.cfg.Power.Machines)), d.now)...)
	return append(all, doctor.Watts(rec.Ratings, bare.Ratings)...)
}

// knowing is what the table of processors says.
func knowing(m usage.ModelShare) doctor.Knowing {
	e, known := processor.Of(m.Model, m.Threads)
	return doctor.Knowing{Known: known, Weak: e.Weak}
}

func remarksOf(all []usage.Instruments) (remarks []string) {
	for i := range all {
		remarks = append(remarks, all[i].Remarks...)
	}
	return remarks
}

// refusal says why an instrument cannot be asked: in the words of the server, if it refuses, and
// without the query, which is long.
func refusal(err error) string {
	if f := usage.FailureOf(err); f != nil && f.Cause == "" && f.Detail != "" {
		return "the server says: " + f.Detail
	}
	return usage.Cause(err)
}
