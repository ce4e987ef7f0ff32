// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package ingest moves usage from the source to the store. It knows the order of the steps and
// the life of an interval; it must not know HTTP, SQL or how a step does its work. Start with
// collector.collect, which collects every interval, for the live loop (energy.go) and for a
// backfill (backfill.go). Intervals get better prices in pricer.reprice. The loops of spine.go
// never wait for each other, but for their turn to ask a server that several of them ask.
package ingest

import (
	"context"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Source returns CPU seconds of a run of adjacent intervals, all or nothing.
type Source interface {
	// Fits returns how many of the first intervals of a run may be read at once; at least one.
	Fits(run []usage.Interval) int
	Read(ctx context.Context, run []usage.Interval) (usage.Readings, usage.Rejects, error)
	// Present returns, for each interval of a run of adjacent ones, the hosts and cores by project
	// that the source has now: the most of any piece, as in a Reading. It is cheap.
	Present(ctx context.Context, run []usage.Interval) ([]map[string]usage.Presence, error)
	// Look returns what the source has at a moment, cheaply, and says what there is instead if
	// that is nothing.
	Look(ctx context.Context, at time.Time) (usage.Sight, error)
	// UsageQueries returns the queries that Read sends for an interval.
	UsageQueries(i usage.Interval) usage.Queries
	// Profiles returns when in a piece the time of some series was used, where that is known.
	Profiles(ctx context.Context, piece usage.Interval, series []usage.Series) (map[usage.Series]usage.Profile, error)
	// Booted returns when hosts last booted, by label, where that is known.
	Booted(ctx context.Context, at time.Time) (map[string]time.Time, error)
}

// Instruments returns what is known beside CPU seconds of a run of adjacent intervals, by piece, all
// or nothing.
type Instruments interface {
	// Instruments asks for the models of processors only if models is set.
	Instruments(ctx context.Context, run []usage.Interval, models bool) ([]usage.Instruments, usage.Rejects, error)
}

// Power turns CPU seconds into energy, without PUE.
type Power interface {
	// Rating returns the power of a machine type whose hosts have these processors.
	Rating(machine string, models []usage.ModelShare) usage.Rating
	// NeedsModels reports whether the power of a machine type depends on its processors.
	NeedsModels(machine string) bool
	Energy(r usage.Rating, cpu usage.BusyIdle[usage.CPUSeconds]) usage.BusyIdle[usage.KWh]
	Memory(held usage.GiBSeconds) usage.KWh
}

// Zone is the site, or a part of it, with a meter for the whole.
type Zone struct {
	Name     string
	Projects map[string]bool // empty: all
	Cooling  bool            // whether the meter includes what PUE stands for
}

// Attribution splits a reading by the key that its usage belongs to.
type Attribution interface {
	// HandsOver reports whether any host may change owners within a piece. It costs nothing.
	HandsOver(piece usage.Interval) bool
	// Handovers lists the series whose owner changes within the piece.
	Handovers(r usage.Reading) []usage.Series
	// Parts splits every sample where its owner changes. A sample without a profile is split by
	// elapsed time.
	Parts(r usage.Reading, finer map[usage.Series]usage.Profile) []usage.Part
	// Since is when the current workspace of a host began, as of a time.
	Since(host string, at time.Time) (time.Time, bool)
}

// Directory is where the records come from of who had which host when.
type Directory struct {
	Source string // its name in metrics
	Census func(ctx context.Context) (directory.Census, []directory.RecordReject, error)
	Learn  func(known directory.Directory, c directory.Census) directory.Learned
	Every  time.Duration
	Homes  bool // whether it has people's groups
	// Instead says, for when no host is named, where they were looked for and what there is
	// instead, in one sentence for a person; nil: that is no reason to say anything.
	Instead func(ctx context.Context) string
}

// UsageWriter is another system that usage is written to, by group and by user.
type UsageWriter interface {
	Name() string // names the destination: a new one gets everything
	Prepare(ctx context.Context) error
	Write(ctx context.Context, rollups []usage.Rollup) error
}

// Observer receives the health of the upstreams and the store, for the metrics.
type Observer interface {
	Requested(source string, took time.Duration, err error)
	Rejected(usage.Rejects)
	Wrote(err error)
}

// Updater is the store's only way to write usage and prices: see store.Store.Update.
type Updater interface {
	Update(ctx context.Context, intervals []usage.Interval, decide usage.Decide) ([]usage.Outcome, error)
}

// Settings are what the operator configures. A reload replaces them as a whole.
type Settings struct {
	Interval    time.Duration
	Lookback    time.Duration
	SettleAfter time.Duration
	Lag         time.Duration // after an interval's end, for late scrapes
	RereadAfter time.Duration // after an interval's end, for data that comes later; 0: never
	Source      Source
	Grid        Chain       // prices usage
	Factors     []FactorSet // other prices of the same usage
	Marginal    Chain       // for when to run; empty: none
	Addresses   Addresses
	// Attribution is called whenever the directory changes.
	Attribution func(directory.Directory) Attribution
	Directory   *Directory  // nil: none
	UsageWriter UsageWriter // nil: none
	Lake        Lake        // nil: none
	Workspaces  bool        // whether to store usage by host while a workspace exists
	// Power returns the model to use for a time.
	Power func(ctx context.Context, at time.Time) (Power, error)
	// Instruments is asked only for what is Asked for.
	Instruments Instruments
	Asked       Asked
	Meters      []string // the names of those that measure hosts
	Unrated     usage.Unrated
	PUE         float64 // where it is not measured
	MeasuresPUE bool
	Zones       []Zone
	// Embodied returns the embodied emissions of a machine type in an interval, if its hardware is
	// known. nil: that of none is.
	Embodied func(machine string, i usage.Interval) (usage.GramsPerCoreHour, bool)

	generation int64 // number of earlier reloads
}

// Asked is what instruments are asked for.
type Asked struct {
	Models bool // the processors, if the power of a machine type depends on them
	Rest   bool // anything else
}

// Addresses are where the upstreams are, for messages: without users, passwords and tokens. Empty:
// an upstream has none.
type Addresses struct {
	Prometheus, Directory string
	Grid                  map[string]string // by provider
}

// endOfWhole is the end of the last interval that is over, lag included.
func (s Settings) endOfWhole(now time.Time) time.Time {
	return usage.IntervalAt(now.Add(-s.Lag), s.Interval).Start
}
