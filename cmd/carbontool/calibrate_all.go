// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/learning"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/when"
	"github.com/carbon-exporter/carbon_exporter/internal/calibrate"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/table"
)

// defaultDays is how much --all learns from: a week, since weekends are unlike other days.
const defaultDays = 7

// runAll learns every machine type of which hosts are measured.
func (k *calibrateMachine) runAll(ctx context.Context, s streams, cfg *config.Config) error {
	if len(cfg.Power.Measured) == 0 {
		return wrongUsef("--all: power.measured of the configuration has no meter to learn from")
	}
	now := time.Now()
	period := learning.LastDays(defaultDays, now, cfg.Location())
	if k.span.FromGiven || k.span.ToGiven {
		var err error
		if period, err = k.span.period(cfg, now); err != nil {
			return err
		}
	}
	valid, err := k.validity(cfg, learning.Next(now, time.Duration(cfg.Interval)), now)
	if err != nil {
		return err
	}
	st, err := k.open(ctx, cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	l := learning.Lesson{Config: cfg, Store: st, Period: period, Valid: valid, Now: now, DryRun: k.dryRun}
	report, err := teach(s.err, &l, func() (learning.Report, error) { return l.Run(ctx) })
	if err != nil {
		return err
	}
	k.list(s.out, cfg, l, report)
	return k.verdict(s.err, report)
}

// teach runs a lesson with its progress on a terminal.
func teach[T any](stderr io.Writer, l *learning.Lesson, run func() (T, error)) (none T, err error) {
	if l.Client, err = parts.Source(l.Config.Prometheus, nil); err != nil {
		return none, err
	}
	grain := l.Client.Grain(time.Duration(l.Config.Interval))
	told := watched(stderr, "intervals", len(learning.Within(l.Period, grain)))
	defer told.End()
	l.Told = func(_ context.Context, n int, at time.Time) { told.Add(n, at) }
	got, err := run()
	if errors.Is(err, learning.ErrNoInterval) {
		return none, wrongUsef("the range contains no complete interval of %s", model.Duration(grain))
	}
	return got, err
}

// list prints a line for each machine type.
func (k *calibrateMachine) list(out io.Writer, cfg *config.Config, l learning.Lesson, r learning.Report) {
	zone := cfg.Location()
	learned, lines := 0, table.Table{
		table.Words("MACHINE"), table.Numbers("BUSY WATTS"), table.Numbers("IDLE WATTS"), table.Numbers("ENERGY"),
		table.Words("BEFORE"), table.Numbers("OBSERVATIONS"), table.Numbers("HOSTS"),
	}
	for _, o := range r.Types {
		if o.Err == nil {
			learned++
			lines.Add(o.Machine, plusMinus(o.Watts.Busy, o.StdError.Busy), plusMinus(o.Watts.Idle, o.StdError.Idle), "± "+percent(o.StandardError()),
				both(o.Before), strconv.Itoa(o.Fit.Observations), strconv.Itoa(o.Hosts))
		}
	}
	if learned > 0 {
		_ = lines.Write(out, "")
	}
	for _, o := range r.Types {
		if o.Err != nil {
			fmt.Fprintf(out, "Not learned: %s: %s\n", escape.Name(o.Machine), escape.Line(fmt.Sprintf("%v%s", o.Err, leftOut("; left out: ", o.Left))))
		}
	}
	for _, f := range r.Faults {
		fmt.Fprintf(out, "Not used: %s\n", escape.Line(f.String()))
	}
	if left := leftOut("", r.Left); left != "nothing" {
		fmt.Fprintf(out, "Left out: %s.\n", left)
	}
	if len(r.Unmeasured) > 0 {
		fmt.Fprintf(out, "Without measured hosts: %s.\n", escape.Line(firstOf(r.Unmeasured)))
	}
	if learned == 0 {
		return
	}
	verb := "Stored in " + k.storagePath
	if l.DryRun {
		verb = "Dry run, not stored"
	}
	fmt.Fprintf(out, "\n%s: %s from %s %s, learned from %s to %s.\n", verb, counted(learned, "average"),
		when.Written(l.Valid.From, zone), lasting(l.Valid.To, zone), when.Written(l.Period.From, zone), when.Written(l.Period.To, zone))
	fmt.Fprintf(out, "Stored usage keeps its watts until \"carbontool recost\". PUE is not included: energy is multiplied by it afterwards (currently %v).\n", cfg.Power.PUE.Ratio)
}

// verdict warns of what is surprising, and decides how the command ends: well if something was
// learned, and what was not had only too little to learn from.
func (k *calibrateMachine) verdict(stderr io.Writer, r learning.Report) error {
	learned, wrong := 0, len(r.Faults)
	for _, o := range r.Types {
		switch {
		case o.Err == nil:
			learned++
			k.warnOfChange(stderr, o)
			for _, doubt := range o.Doubts() {
				warn(stderr, "%s: %s", o.Machine, doubt)
			}
			if o.Spared > 0 {
				warn(stderr, "%s: %d of its measured hosts were not looked at, because there are so many; a shorter range looks at more", o.Machine, o.Spared)
			}
		case !errors.Is(o.Err, calibrate.ErrTooLittle):
			wrong++
		}
	}
	switch {
	case learned == 0 && len(r.Types) == 0 && len(r.Faults) == 1:
		return errors.New(r.Faults[0].String())
	case learned == 0:
		return errors.New("nothing was learned: see what is listed above for the reasons")
	case wrong > 0:
		return fmt.Errorf("%s learned, but there is %s: see what is listed above", counted(learned, "machine type"), counted(wrong, "fault"))
	}
	return nil
}

// warnOfChange warns of a rating that is replaced, if that is a surprise.
func (k *calibrateMachine) warnOfChange(stderr io.Writer, o learning.Outcome) {
	if o.Overrides() {
		warn(stderr, "this average counts before power.machines.%s in %s; to go back: carbontool calibrate --forget=%s", o.Machine, k.configFile, o.Machine)
	}
	if text := o.Surprise(); text != "" {
		warn(stderr, "%s", text)
	}
}

// runMeasured learns one machine type from power.measured.
func (k *calibrateMachine) runMeasured(ctx context.Context, s streams, cfg *config.Config, st *store.Store, l learning.Lesson) error {
	read, err := teach(s.err, &l, func() (*learning.Read, error) { return l.Read(ctx) })
	if err != nil {
		return err
	}
	for _, f := range read.Faults {
		if len(read.Faults) == len(cfg.Power.Measured) {
			return fmt.Errorf("learn the watts of %s: %s", k.machine, f)
		}
		warn(s.err, "%s", f)
	}
	if !read.Fleet.Used(k.machine) {
		return k.unused(ctx, st)
	}
	learned := read.Fleet.Of(k.machine)
	learned.Left.Add(read.Left)
	if learned.Err != nil {
		return fmt.Errorf("learn the watts of %s: %w%s", k.machine, learned.Err, leftOut("; left out: ", learned.Left))
	}
	k.report(s.out, learned.Fit, learned.Paired, read.Fleet.Grain)
	doubts(s.err, learned.Fit)
	return k.keep(ctx, s, cfg, st, learned, l.Average(learned))
}

// firstOf lists the first of many names.
func firstOf(names []string) string {
	const most = 10
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}
