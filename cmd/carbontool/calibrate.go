package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/calibrate"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/power"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// calibrated is the source of a learned average.
const calibrated = "calibrated"

// calibrateMachine learns the average power of a machine type from power that was
// measured.
type calibrateMachine struct {
	site
	machine, expr      string
	span               timeRange
	validFrom, validTo string
	dryRun             bool
}

func (k *calibrateMachine) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("calibrate", "Learn the watts of a machine type from measured power.").HelpLong(`
Where power is measured (IPMI, RAPL, Scaphandre, Kepler, a PDU), this finds the
watts per busy and per idle core that come nearest to it, by least squares over
the intervals of the range, and stores them as the machine type's average. The
expression gives watts: by host, with the same label that CPU time has (ports may
differ), which is best; or, without that label, of all hosts of the type together.
Series of one host, such as its sockets, are added up. PUE is not part of it: it
multiplies afterwards.

It refuses to guess: of fewer than 12 intervals, of a share of busy time that
barely moves, of power that is a constant or has little to do with the load. Two
weeks with quiet nights and busy days are good.

The average is in force from --from on, and ends an older one there; what is
stored already keeps its watts until a recost. One in power.machines of the
configuration wins over it.

Example:

    carbontool calibrate --machine=Muon --from=2026-10-01 --to=2026-10-15
        --power-metric='ipmi_dcmi_power_consumption_watts' --dry-run
`)
	k.site.register(c)
	c.Flag("machine", "The machine type, as in the label of CPU time.").Required().StringVar(&k.machine)
	c.Flag("power-metric", "PromQL that gives watts, by host or of all hosts of the type.").Required().PlaceHolder("EXPR").StringVar(&k.expr)
	k.span.register(c)
	c.Flag("valid-from", "First moment at which the average is in force. Without it: --from.").PlaceHolder("TIME").StringVar(&k.validFrom)
	c.Flag("valid-to", "First moment at which it is no longer, as of hardware that is gone. Without it: never.").PlaceHolder("TIME").StringVar(&k.validTo)
	c.Flag("dry-run", "Print the fit and store nothing.").BoolVar(&k.dryRun)
	return c
}

func (k *calibrateMachine) run(ctx context.Context, s streams) error {
	switch {
	case strings.TrimSpace(k.machine) == "":
		return wrongUsef("--machine: names no machine type")
	case strings.TrimSpace(k.expr) == "":
		return wrongUsef("--power-metric: is empty")
	}
	cfg, err := k.config()
	if err != nil {
		return err
	}
	now := time.Now()
	period, err := k.span.period(cfg, now)
	if err != nil {
		return err
	}
	valid, err := k.validity(cfg, period)
	if err != nil {
		return err
	}
	st, err := k.open(ctx, cfg)
	if err != nil {
		return err
	}
	defer st.Close()
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
	return k.keep(ctx, s, cfg, st, store.MachineAverage{
		Rating: usage.Rating{Machine: k.machine, Watts: fit.Watts, Source: calibrated, Error: &fit.Error},
		From:   valid.From, To: valid.To,
		Calibration: &store.Calibration{
			RSquared: fit.RSquared, Observations: fit.Observations, At: now,
			From: fmt.Sprintf("%s, %s to %s, %s", k.expr, written(period.From, time.UTC), written(period.To, time.UTC), paired.Way),
		},
	})
}

// validity is when the average is in force; no end is the zero time.
func (k *calibrateMachine) validity(cfg *config.Config, measured usage.Period) (usage.Period, error) {
	valid := usage.Period{From: measured.From}
	var err error
	if k.validFrom != "" {
		if valid.From, err = moment(k.validFrom, cfg.Location()); err != nil {
			return valid, wrongUsef("--valid-from: %w", err)
		}
	}
	if k.validTo == "" {
		return valid, nil
	}
	if valid.To, err = moment(k.validTo, cfg.Location()); err != nil {
		return valid, wrongUsef("--valid-to: %w", err)
	}
	if !valid.From.Before(valid.To) {
		return valid, wrongUsef("--valid-to: %s is not after %s, from which on the average is in force", k.validTo, written(valid.From, cfg.Location()))
	}
	return valid, nil
}

// unused says why there is no CPU time of a machine type: a name that nobody has,
// or a range in which it was not used.
func (k *calibrateMachine) unused(ctx context.Context, st *store.Store) error {
	known, err := st.Machines(ctx)
	if err != nil {
		return err
	}
	if slices.Contains(known, k.machine) {
		return fmt.Errorf("learn the watts of %s: prometheus has no CPU time of it in the range", k.machine)
	}
	const most = 10
	var more string
	if len(known) > most {
		known, more = known[:most], ", ..."
	}
	if len(known) == 0 {
		return wrongUsef("--machine: there is no machine type %q in prometheus, in the range, nor in the store", k.machine)
	}
	return wrongUsef("--machine: there is no machine type %q; there are %s%s", k.machine, strings.Join(known, ", "), more)
}

// learn fits what can be compared. An error also says what was left out, for that
// may be the reason.
func learn(pairs *calibrate.Pairs, rejects usage.Rejects) (calibrate.Paired, calibrate.Fit, error) {
	if !pairs.Measured() {
		return calibrate.Paired{}, calibrate.Fit{}, fmt.Errorf("--power-metric gives no power in the range%s", leftOut("; left out: ", rejects))
	}
	paired, err := pairs.Pair()
	if err != nil {
		return paired, calibrate.Fit{}, err
	}
	paired.Left.Add(rejects)
	if len(paired.Observations) == 0 {
		return paired, calibrate.Fit{}, fmt.Errorf("no interval has both CPU time and measured power%s", leftOut("; left out: ", paired.Left))
	}
	fit, err := calibrate.Learn(paired.Observations)
	if err != nil {
		return paired, fit, fmt.Errorf("%w%s", err, leftOut("; left out: ", paired.Left))
	}
	return paired, fit, nil
}

// keep stores the average, or says what would be stored.
func (k *calibrateMachine) keep(ctx context.Context, s streams, cfg *config.Config, st *store.Store, a store.MachineAverage) error {
	before, err := parts.Power(ctx, cfg.Power, st, a.From)
	if err != nil {
		return err
	}
	was := before.Rating(k.machine)
	verb, put := "Stored in "+k.storagePath, st.SaveMachineAverage
	if k.dryRun {
		verb, put = "Not stored, this is a dry run", st.Place
	}
	placed, err := put(ctx, a)
	if err != nil {
		return fmt.Errorf("store the average of %s: %w", k.machine, err)
	}
	zone := cfg.Location()
	fmt.Fprintf(s.out, "\n%s: the average of %s from %s %s, source %q,\n", verb, k.machine, written(placed.From, zone), lasting(placed, zone), calibrated)
	fmt.Fprintf(s.out, "in place of %s. Usage of that time which is stored already keeps its watts until a recost.\n", both(was))
	fmt.Fprintf(s.out, "PUE is not part of it: energy is multiplied by it afterwards, here by %v.\n", cfg.Power.PUE)
	if was.Source == power.SourceConfig {
		warn(s.err, "power.machines.%s in %s wins over what is stored: remove it there to use this average", k.machine, k.configFile)
	}
	return nil
}

func warn(stderr io.Writer, format string, args ...any) {
	fmt.Fprintf(stderr, "carbontool calibrate: warning: %s\n", fmt.Sprintf(format, args...))
}
