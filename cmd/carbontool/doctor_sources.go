// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/doctor"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/table"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// sourcesWord in --only asks for the table of sources of carbon intensity.
	sourcesWord = "sources"
	// patientExamination bounds that table: some providers want time between requests.
	patientExamination = 3 * time.Minute
	// sourcesAtOnce bounds how many are asked at a time.
	sourcesAtOnce = 16
	// mostLate bounds how much longer than a day is asked for of a source whose values are late.
	mostLate = 31 * 24 * time.Hour
)

// carbon asks every source of carbon intensity for the last day and the next.
func (e *examination) carbon(ctx context.Context) (all []doctor.Finding) {
	e.sources = e.askSources(ctx, parts.GridSources(e.cfg, time.Now))
	if e.only == "" { // who asks for sources alone wants to know of each whether it is of use
		doctor.FindSpares(e.sources)
	}
	for _, s := range e.sources {
		all = append(all, doctor.Intensity(s, e.now)...)
	}
	return all
}

// askSources asks side by side, but for the sources of one server: it is asked politely.
func (e *examination) askSources(ctx context.Context, all []parts.GridSource) []doctor.GridSource {
	asked := make([]doctor.GridSource, len(all))
	places := make(chan struct{}, sourcesAtOnce)
	var group sync.WaitGroup
	for _, lane := range lanes(all) {
		group.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			for n, i := range lane {
				if n > 0 {
					rest(ctx, all[i].Grid.Terms().Gap)
				}
				asked[i] = e.askSource(ctx, all[i])
			}
		})
	}
	group.Wait()
	return asked
}

// writeSources writes a table of the sources.
func (e *examination) writeSources(out io.Writer) error {
	var t table.Table
	for _, head := range doctor.SourceHeads() {
		t = append(t, table.Words(head))
	}
	for _, s := range e.sources {
		t.Add(s.Cells(e.now)...)
	}
	if err := t.Write(out, ""); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out)
	return err
}

// lanes groups sources whose requests must follow each other, by their places in the list.
func lanes(all []parts.GridSource) (lanes [][]int) {
	of := map[string]int{}
	for i, s := range all {
		at := s.Source.Endpoint().URL
		if s.Grid == nil || at.URL == nil {
			lanes = append(lanes, []int{i})
			continue
		}
		n, known := of[at.Host]
		if !known {
			n = len(lanes)
			of[at.Host], lanes = n, append(lanes, nil)
		}
		lanes[n] = append(lanes[n], i)
	}
	return lanes
}

func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (e *examination) askSource(ctx context.Context, s parts.GridSource) doctor.GridSource {
	said := e.describe(s)
	switch {
	case s.Err != nil:
		said.Failed = s.Err
		return said
	case ctx.Err() != nil:
		said.Unasked = true
		return said
	}
	to := usage.SlotAt(e.now)
	from := to.Add(-24*time.Hour - min(said.Terms.Late, mostLate))
	said.Lately, said.Failed = e.slots(ctx, s.Grid, from, to, func(ctx context.Context) ([]usage.Slot, usage.Rejects, error) {
		return s.Grid.Slots(ctx, from, to)
	})
	said.Unasked = len(said.Lately) == 0 && said.Terms.Gap > 0 && ctx.Err() != nil
	if with, ok := s.Grid.(interface{ Grain() time.Duration }); ok {
		said.Grain = with.Grain()
	}
	said.Remarks = remarks(s.Grid)
	if !said.Terms.Forecasts || said.Failed != nil && len(said.Lately) == 0 {
		return said
	}
	said.Coming, said.Ahead = e.slots(ctx, s.Grid, to, to.Add(usage.OutlookLength), func(ctx context.Context) ([]usage.Slot, usage.Rejects, error) {
		return s.Grid.Outlook(ctx, e.now)
	})
	return said
}

// slots asks one question. It may take longer than others where the source wants time between its
// requests.
func (e *examination) slots(ctx context.Context, g ingest.Grid, from, to time.Time, ask func(context.Context) ([]usage.Slot, usage.Rejects, error)) ([]usage.Slot, error) {
	pauses := time.Duration(0)
	if counter, ok := g.(interface{ Requests(from, to time.Time) int }); ok {
		pauses = time.Duration(counter.Requests(from, to)) * g.Terms().Gap
	}
	return inTimeOf(ctx, eachQuestion+pauses, func(ctx context.Context) ([]usage.Slot, error) {
		slots, _, err := ask(ctx)
		return slots, err
	})
}

// describe is what is known of a source without asking it.
func (e *examination) describe(s parts.GridSource) doctor.GridSource {
	said := doctor.GridSource{
		Provider: s.Source.Name, Grid: s.Chain.GridName(s.Source), For: s.Chain.String(), Path: s.Path, Others: len(s.Chain.Sources) - 1,
	}
	if s.Source.NeedsKey() {
		said.Key = s.Path + "." + s.Source.Kind() + ".token_file"
	}
	if fixed := s.Source.Static; fixed != nil {
		said.Fixed, said.From = fixed.GCO2eqPerKWh, fixed.Source
	}
	if s.Grid == nil {
		return said
	}
	said.Grid, said.Terms = s.Grid.Grid(), s.Grid.Terms()
	if s.Chain.Use != parts.UseElsewhere { // those are asked only by commands
		said.Calls = ingest.CallsADay(s.Grid, time.Duration(e.cfg.SettleAfter), e.now)
	}
	return said
}

// remarks are what a source says of its own answers.
func remarks(g ingest.Grid) []string {
	if with, ok := g.(interface{ Remarks() []string }); ok {
		return with.Remarks()
	}
	return nil
}
