// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package learning learns the watts of machine types from hosts that are measured, for the daemon
// as for the command: it asks Prometheus for both sides, has them fitted, and stores what can be
// trusted. It must not know when to learn, or how what was learned is shown. Start with
// Lesson.Run; Schedule says when the daemon learns.
package learning

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/calibrate"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/power"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Store has the averages, and the processors by which the power in force is known.
type Store interface {
	parts.Averages
	Models(ctx context.Context) (map[string][]usage.ModelShare, error)
	Place(ctx context.Context, a store.MachineAverage) (store.MachineAverage, error)
	SaveMachineAverage(ctx context.Context, a store.MachineAverage) (store.MachineAverage, error)
}

// Lesson is one learning of all machine types of which hosts are measured.
type Lesson struct {
	Config *config.Config
	Client *source.Client
	Store  Store
	Period usage.Period // what is learned from
	Valid  usage.Period // of the averages; To may be zero: no end
	// Begin says when averages become valid that are stored now, in place of Valid.From, for a
	// lesson that takes long; nil: it does not.
	Begin  func() time.Time
	Now    time.Time
	DryRun bool // store nothing
	// Told is called after each answer, with the number of intervals and the end of the last;
	// nil: nobody is told.
	Told func(ctx context.Context, n int, at time.Time)
}

// Report is what a lesson brought.
type Report struct {
	Types      []Outcome
	Faults     []Fault       // of meters
	Unmeasured []string      // machine types of which no host is measured
	Left       usage.Rejects // measurements that are none
}

// Outcome is what was found of one machine type.
type Outcome struct {
	calibrate.Learned
	Before  usage.Rating         // in force when what was learned begins
	Average store.MachineAverage // with its validity; zero if nothing was learned
}

// Overrides reports whether what was learned takes the place of watts of the configuration.
func (o Outcome) Overrides() bool { return o.Before.Source == power.SourceConfig }

// Fault is what is wrong with a meter.
type Fault struct {
	Index int // in power.measured
	Name  string
	Err   error
}

// String names the meter as the configuration does.
func (f Fault) String() string {
	return fmt.Sprintf("power.measured[%d] (%s) %v", f.Index, f.Name, f.Err)
}

// Run learns. Its error says why nothing at all could be; what concerns one machine type or one
// meter is in the report.
func (l Lesson) Run(ctx context.Context) (Report, error) {
	read, err := l.Read(ctx)
	if err != nil {
		return Report{}, err
	}
	if l.Begin != nil {
		l.Valid.From = l.Begin()
	}
	r := Report{Faults: read.Faults, Unmeasured: read.Fleet.Unmeasured(), Left: read.Left}
	model, err := parts.Power(ctx, l.Config.Power, l.Store, l.Valid.From)
	if err != nil {
		return Report{}, err
	}
	models, err := l.Store.Models(ctx)
	if err != nil {
		return Report{}, err
	}
	for _, learned := range read.Fleet.Learn() {
		o := Outcome{Learned: learned, Before: model.Rating(learned.Machine, models[learned.Machine])}
		if learned.Err == nil {
			if o.Average, err = l.keep(ctx, learned); err != nil {
				return Report{}, fmt.Errorf("store the average of %s: %w", learned.Machine, err)
			}
		}
		r.Types = append(r.Types, o)
	}
	return r, nil
}

// keep stores an average, or says with which validity it would be.
func (l Lesson) keep(ctx context.Context, learned calibrate.Learned) (store.MachineAverage, error) {
	a := l.Average(learned)
	if l.DryRun {
		return l.Store.Place(ctx, a)
	}
	return l.Store.SaveMachineAverage(ctx, a)
}

// Average is what was learned, as it is stored.
func (l Lesson) Average(learned calibrate.Learned) store.MachineAverage {
	return store.MachineAverage{
		Rating: usage.Rating{Machine: learned.Machine, Watts: learned.Watts, Source: power.SourceCalibrated, Error: new(learned.StandardError())},
		From:   l.Valid.From, To: l.Valid.To,
		Calibration: &store.Calibration{
			RSquared: learned.RSquared, Observations: learned.Fit.Observations, At: l.Now,
			From: fmt.Sprintf("power.measured %s, %s to %s, %s", strings.Join(learned.Meters, ", "),
				l.Period.From.UTC().Format(time.RFC3339), l.Period.To.UTC().Format(time.RFC3339), learned.Way),
		},
	}
}

// surprising is how many standard errors two learned averages may differ by chance.
const surprising = 3

// Surprise says that an average differs from the one that was learned before by more than chance
// can explain; empty: it does not.
func (o Outcome) Surprise() string {
	change, sigmas := o.Change(o.Before)
	if o.Before.Source != power.SourceCalibrated || !(sigmas > surprising) {
		return ""
	}
	return fmt.Sprintf("%s: this differs from what was learned before by %+.1f %% of the energy, which is %.1f standard errors: has the hardware changed, or what is measured?",
		o.Machine, 100*change, sigmas)
}
