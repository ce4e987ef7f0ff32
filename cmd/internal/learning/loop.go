// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package learning

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
)

const (
	wakeEvery = time.Minute // the wall clock may jump, and timers do not notice
	// tryAgain is the pause after a Prometheus that did not answer.
	tryAgain = time.Hour
	// longestPause between two queries; it is as long as the last one took.
	longestPause = time.Minute
)

// Loop learns by the schedule of power.calibrate, in the daemon. It does nothing at all where that
// is off.
type Loop struct {
	Clock clock.Clock
	Log   *slog.Logger
	Store interface {
		Store
		LastLearned(ctx context.Context) (time.Time, error)
	}
	Config func() *config.Config
	Turns  *upstream.Turns // of all that ask Prometheus; nil: nobody else does
	// Ready reports whether everything that was due has been collected: usage comes first. Wake
	// says that it has become so; nil: nobody says.
	Ready func() bool
	Wake  <-chan struct{}

	done   time.Time // the last moment that is done with
	failed time.Time // the moment for which a failure was said
	again  time.Time // not before this
}

// Run works until ctx ends.
func (l *Loop) Run(ctx context.Context) {
	for ctx.Err() == nil {
		l.turn(ctx)
		l.Clock.Sleep(ctx, wakeEvery, l.Wake)
	}
}

// turn learns if it is time to, and nothing was learned since it was.
func (l *Loop) turn(ctx context.Context) {
	cfg, now := l.Config(), l.Clock.Now()
	moment := Due(cfg.Power.Calibrate, now, cfg.Location())
	if moment.IsZero() || !l.done.Before(moment) || now.Before(l.again) || !l.Ready() {
		return
	}
	last, err := l.Store.LastLearned(ctx)
	if err == nil && last.Before(moment) {
		err = l.learn(ctx, cfg, now)
	}
	switch {
	case ctx.Err() != nil:
	case err == nil:
		l.done = moment
	default:
		l.again = now.Add(tryAgain)
		if l.failed.Before(moment) {
			l.Log.Warn("Calibrating machine types failed; trying again every hour", "err", err)
			l.failed = moment
		}
	}
}

func (l *Loop) learn(ctx context.Context, cfg *config.Config, now time.Time) error {
	client, err := parts.Source(cfg.Prometheus, l.Turns)
	if err != nil {
		return err
	}
	interval, asked := time.Duration(cfg.Interval), now
	lesson := Lesson{
		Config: cfg, Client: client, Store: l.Store, Now: now, Period: Span(cfg.Power.Calibrate, now, cfg.Location()),
		// Prometheus has at least half of the time for others.
		Told: func(ctx context.Context, _ int, _ time.Time) {
			l.Clock.Sleep(ctx, min(l.Clock.Now().Sub(asked), longestPause), nil)
			asked = l.Clock.Now()
		},
		Begin: func() time.Time { return Next(l.Clock.Now(), interval) },
	}
	report, err := lesson.Run(ctx)
	if err != nil {
		return err
	}
	l.say(report)
	return nil
}

// say logs what a person would want to know: what has changed, and what could not be learned.
func (l *Loop) say(r Report) {
	learned := 0
	for _, o := range r.Types {
		if o.Err != nil {
			l.Log.Warn("Machine type was not calibrated", "machine", o.Machine, "reason", o.Err)
			continue
		}
		learned++
		l.sayChange(o)
	}
	for _, f := range r.Faults {
		l.Log.Warn("Meter was not used to calibrate", "reason", f)
	}
	if learned > 0 {
		l.Log.Info("Calibrated machine types", "learned", learned, "measured", len(r.Types), "not_measured", len(r.Unmeasured))
	}
}

// short has as many digits as anybody reads.
func short(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// sayChange logs a machine type whose watts have changed by more than their error, or that had some
// in the configuration.
func (l *Loop) sayChange(o Outcome) {
	change, sigmas := o.Change(o.Before)
	if o.Spared > 0 {
		l.Log.Debug("Machine type has more measured hosts than are looked at", "machine", o.Machine, "not_looked_at", o.Spared)
	}
	if !(sigmas > 1) && !o.Overrides() {
		return
	}
	about := []any{
		"machine", o.Machine, "busy_watts", short(float64(o.Watts.Busy)), "idle_watts", short(float64(o.Watts.Idle)), "error", short(o.StandardError()),
		"was_busy_watts", short(float64(o.Before.Watts.Busy)), "was_idle_watts", short(float64(o.Before.Watts.Idle)), "was_from", o.Before.Source,
		"energy_changed_by", short(change), "from", o.Average.From.UTC().Format(time.RFC3339),
	}
	if doubts := o.Doubts(); len(doubts) > 0 {
		about = append(about, "doubts", strings.Join(doubts, "; "))
	}
	switch {
	case o.Overrides():
		l.Log.Warn("Machine type has learned watts, which count before power.machines of the configuration; to go back, run carbontool calibrate --forget and set power.calibrate to off", about...)
	case o.Surprise() != "":
		l.Log.Warn("Machine type has other watts than were learned before, by more than chance can explain; has the hardware changed, or what is measured?", about...)
	default:
		l.Log.Info("Machine type has new watts", about...)
	}
}
