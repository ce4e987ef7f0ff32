// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/learning"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/when"
	"github.com/carbon-exporter/carbon_exporter/internal/calibrate"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/power"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// calibrateMachine learns the average power of machine types from measured power.
type calibrateMachine struct {
	site
	machine, expr, forget           string
	machineGiven, exprGiven, forgot bool
	all                             bool
	span                            timeRange
	validFrom, validTo              string
	dryRun                          bool
}

func (k *calibrateMachine) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("calibrate", "Learn the watts of machine types from measured power.").HelpLong(`
Where power is measured (IPMI, RAPL, Scaphandre, Kepler, a PDU), this command fits
watts per busy and per idle core to the measurements, by least squares over the
intervals of the range, and stores them as the average of the machine type.

With --all, it learns every machine type that has hosts in power.measured of the
configuration, by default from the last 7 days that are complete. The averages apply from
the next interval on. What cannot be learned is listed with the reason.

With --machine, it learns one type. Without --power-metric, power.measured is used for it,
too. --power-metric must return watts. Best is one series per host, with the same host
label as the CPU time (ports may differ); several series of one host, such as its
sockets, are added up. Without that label, it must return the power of all hosts of the
type together. PUE is not included: it is applied afterwards. The average applies from
--from on and ends any older one there.

The command refuses to guess: it fails with fewer than 12 intervals, if the share of
busy time barely changes, or if the power is constant or hardly depends on the load.
Two weeks with quiet nights and busy days work well.

Stored usage keeps its watts until "carbontool recost". What was learned counts before
power.machines of the configuration. --forget ends that from the next interval on.

Example:

    carbontool calibrate --all --dry-run

    carbontool calibrate --machine=Muon --from=2026-10-01 --to=2026-10-15
        --power-metric='ipmi_dcmi_power_consumption_watts' --dry-run

    carbontool calibrate --forget=Muon
`)
	k.site.register(c)
	c.Flag("machine", "Learn this machine type, as in the label of the CPU time.").PlaceHolder("TYPE").IsSetByUser(&k.machineGiven).StringVar(&k.machine)
	c.Flag("all", "Learn every machine type that has hosts in power.measured of the configuration.").BoolVar(&k.all)
	c.Flag("forget", "End the validity of what was learned of this machine type, so that the configuration or its processors count again.").PlaceHolder("TYPE").IsSetByUser(&k.forgot).StringVar(&k.forget)
	c.Flag("power-metric", "PromQL expression that returns watts, per host or for all hosts of the type. Default: power.measured of the configuration.").PlaceHolder("EXPR").IsSetByUser(&k.exprGiven).StringVar(&k.expr)
	k.span.register(c)
	c.Flag("valid-from", "Start of the validity of the average. Default: --from; with --all, the next interval.").PlaceHolder("TIME").StringVar(&k.validFrom)
	c.Flag("valid-to", "End of the validity (exclusive), for example for retired hardware. Default: unlimited.").PlaceHolder("TIME").StringVar(&k.validTo)
	c.Flag("dry-run", "Print what would be stored or ended, and change nothing.").BoolVar(&k.dryRun)
	return c
}

func (k *calibrateMachine) run(ctx context.Context, s streams) error {
	if err := k.one(); err != nil {
		return err
	}
	cfg, err := k.config()
	if err != nil {
		return err
	}
	switch {
	case k.forgot:
		return k.runForget(ctx, s, cfg)
	case k.all:
		return k.runAll(ctx, s, cfg)
	case !k.exprGiven && len(cfg.Power.Measured) == 0:
		return wrongUsef("--power-metric: must be given, because power.measured of the configuration has no meter")
	}
	return k.runMachine(ctx, s, cfg)
}

// one refuses flags that contradict each other.
func (k *calibrateMachine) one() error {
	switch {
	case k.all && k.machineGiven:
		return wrongUsef("--all cannot be combined with --machine")
	case k.all && k.exprGiven:
		return wrongUsef("--all cannot be combined with --power-metric: it uses power.measured of the configuration")
	case k.forgot && (k.all || k.machineGiven || k.exprGiven || k.span.FromGiven || k.span.ToGiven || k.validFrom != "" || k.validTo != ""):
		return wrongUsef("--forget cannot be combined with flags other than --dry-run")
	case k.forgot && strings.TrimSpace(k.forget) == "":
		return wrongUsef("--forget: must not be empty")
	case k.all || k.forgot:
		return nil
	case !k.machineGiven:
		return wrongUsef("nothing to learn: give --machine, or --all")
	case strings.TrimSpace(k.machine) == "":
		return wrongUsef("--machine: must not be empty")
	case k.exprGiven && strings.TrimSpace(k.expr) == "":
		return wrongUsef("--power-metric: must not be empty")
	}
	return nil
}

// runMachine learns one machine type.
func (k *calibrateMachine) runMachine(ctx context.Context, s streams, cfg *config.Config) error {
	now := time.Now()
	period, err := k.span.period(cfg, now)
	if err != nil {
		return err
	}
	valid, err := k.validity(cfg, period.From, now)
	if err != nil {
		return err
	}
	st, err := k.open(ctx, cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	if !k.exprGiven {
		return k.runMeasured(ctx, s, cfg, st, learning.Lesson{Config: cfg, Store: st, Period: period, Valid: valid, Now: now})
	}
	pairs, rejects, err := k.measure(ctx, s.err, cfg, period)
	if err != nil {
		return err
	}
	if !pairs.Used() {
		return k.unused(ctx, st)
	}
	paired, fit, err := learn(pairs, rejects)
	if err != nil {
		return fmt.Errorf("learn the watts of %s: %w", k.machine, err)
	}
	k.report(s.out, fit, paired, pairs.Grain)
	doubts(s.err, fit)
	return k.keep(ctx, s, cfg, st, calibrate.Learned{Machine: k.machine, Fit: fit, Paired: paired}, store.MachineAverage{
		Rating: usage.Rating{Machine: k.machine, Watts: fit.Watts, Source: power.SourceCalibrated, Error: &fit.Error},
		From:   valid.From, To: valid.To,
		Calibration: &store.Calibration{
			RSquared: fit.RSquared, Observations: fit.Observations, At: now,
			From: fmt.Sprintf("%s, %s to %s, %s", k.expr, when.Written(period.From, time.UTC), when.Written(period.To, time.UTC), paired.Way),
		},
	})
}

// validity is when the average applies; the zero time means no end.
func (k *calibrateMachine) validity(cfg *config.Config, from, now time.Time) (usage.Period, error) {
	valid := usage.Period{From: from}
	var err error
	if k.validFrom != "" {
		if valid.From, err = when.Moment(k.validFrom, cfg.Location(), now); err != nil {
			return valid, wrongUsef("--valid-from: %w", err)
		}
	}
	if k.validTo == "" {
		return valid, nil
	}
	if valid.To, err = when.Moment(k.validTo, cfg.Location(), now); err != nil {
		return valid, wrongUsef("--valid-to: %w", err)
	}
	if !valid.From.Before(valid.To) {
		return valid, wrongUsef("--valid-to: %s is not after %s, the start of the validity", k.validTo, when.Written(valid.From, cfg.Location()))
	}
	return valid, nil
}

// unused says why there is no CPU time for a machine type: an unknown name, or a range
// without usage.
func (k *calibrateMachine) unused(ctx context.Context, st *store.Store) error {
	known, err := st.Machines(ctx)
	if err != nil {
		return err
	}
	if slices.Contains(known, k.machine) {
		return fmt.Errorf("learn the watts of %s: Prometheus has no CPU time for it in this range", k.machine)
	}
	if len(known) == 0 {
		return wrongUsef("--machine: there is no machine type %q in the store, or in Prometheus in this range", k.machine)
	}
	return wrongUsef("--machine: there is no machine type %q; known types: %s", k.machine, firstOf(known))
}

// learn fits the data. Its errors also say what was left out, which may be the reason.
func learn(pairs *calibrate.Pairs, rejects usage.Rejects) (calibrate.Paired, calibrate.Fit, error) {
	if !pairs.Measured() {
		return calibrate.Paired{}, calibrate.Fit{}, fmt.Errorf("--power-metric returns no data in this range%s", leftOut("; left out: ", rejects))
	}
	paired, err := pairs.Pair()
	if err != nil {
		return paired, calibrate.Fit{}, err
	}
	paired.Left.Add(rejects)
	fit, err := paired.Learn()
	if err != nil {
		return paired, fit, fmt.Errorf("%w%s", err, leftOut("; left out: ", paired.Left))
	}
	return paired, fit, nil
}

// keep stores the average, or in a dry run says what would be stored.
func (k *calibrateMachine) keep(ctx context.Context, s streams, cfg *config.Config, st *store.Store, learned calibrate.Learned, a store.MachineAverage) error {
	before, err := parts.Power(ctx, cfg.Power, st, a.From)
	if err != nil {
		return err
	}
	models, err := st.Models(ctx)
	if err != nil {
		return err
	}
	was := before.Rating(k.machine, models[k.machine])
	verb, put := "Stored in "+k.storagePath, st.SaveMachineAverage
	if k.dryRun {
		verb, put = "Dry run, not stored", st.Place
	}
	placed, err := put(ctx, a)
	if err != nil {
		return fmt.Errorf("store the average of %s: %w", k.machine, err)
	}
	zone := cfg.Location()
	fmt.Fprintf(s.out, "\n%s: average of %s from %s %s, source %q,\n", verb, escape.Name(k.machine), when.Written(placed.From, zone), lasting(placed.To, zone), a.Source)
	fmt.Fprintf(s.out, "replacing %s. Stored usage keeps its watts until \"carbontool recost\".\n", both(was))
	fmt.Fprintf(s.out, "PUE is not included: energy is multiplied by it afterwards (currently %v).\n", cfg.Power.PUE.Ratio)
	k.warnOfChange(s.err, learning.Outcome{Learned: learned, Before: was})
	return nil
}

func warn(stderr io.Writer, format string, args ...any) {
	fmt.Fprintf(stderr, "carbontool calibrate: warning: %s\n", escape.Line(fmt.Sprintf(format, args...)))
}
