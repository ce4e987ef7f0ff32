// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/remote"
	"github.com/carbon-exporter/carbon_exporter/internal/progress"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// listIntervals lists which intervals are stored, which are not, and why. It also
// drops those that only a wrong clock has made missing.
type listIntervals struct {
	site
	answers.Intervals
	formatGiven bool
	drop, yes   bool
}

func (l *listIntervals) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("intervals", "List stored and missing intervals by state, with the reason.").HelpLong(`
Each line is a run of adjacent intervals in the same state:

  missing      due, not fetched yet; the reason is the error of the last attempt
  empty        Prometheus answered without any series, which is not 0
  unpriced     energy is known, carbon intensity is not
  provisional  may still change
  settled      final

A second list has the hosts that were interpolated or refused in these intervals, and
why: those with the most intervals first, at most 20.

carbon_exporter fetches missing intervals by itself, oldest first. Time before the
first interval and gaps between ranges are unasked: nobody wanted to know, so they are
not listed. "carbontool backfill" fetches them.

A clock that was wrong can leave thousands of missing intervals that were never asked
for. If there are any, the last line says how many, and --drop-never-asked deletes them:
those before the first usage, or in a gap of more than 90 days between two usages. It
never deletes an interval that ends within the last lookback. carbon_exporter may run at
the same time.

Example:

    carbontool intervals --state=missing --state=empty
        --storage.path=/var/lib/carbon_exporter/carbon.db
`)
	l.site.register(c)
	(*timeRange)(&l.Span).registerAll(c)
	all := answers.IntervalStates()
	c.Flag("state", "Show only this state: "+strings.Join(all, ", ")+". Can be repeated.").PlaceHolder("STATE").EnumsVar(&l.States, all...)
	c.Flag("format", "Output format: table or json.").Default(answers.Table).IsSetByUser(&l.formatGiven).EnumVar(&l.Format, answers.IntervalFormats()...)
	c.Flag("drop-never-asked", "Instead of listing, delete missing intervals that were never asked for and that only a wrong clock can have left.").BoolVar(&l.drop)
	c.Flag("yes", "Do not ask for confirmation.").BoolVar(&l.yes)
	return c
}

func (l *listIntervals) run(ctx context.Context, s streams) error {
	if l.drop {
		return l.dropNeverAsked(ctx, s)
	}
	if l.yes {
		return wrongUsef("--yes belongs to --drop-never-asked")
	}
	cfg, err := l.config()
	if err != nil {
		return err
	}
	now := time.Now()
	if err := l.check(l.Span, cfg, now); err != nil {
		return err
	}
	st, err := l.openToRead(ctx, cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	answer, err := l.Answer(ctx, from(cfg, st, now))
	if err != nil {
		return err
	}
	return answer.Write(s.out, nil)
}

func (l *listIntervals) ask(ctx context.Context, s streams, from *remote.Server, flags url.Values) error {
	if l.drop || l.yes {
		return wrongUsef("--drop-never-asked: changes the store, so run it on the host of carbon_exporter, without --server")
	}
	return from.Ask(ctx, "intervals", withFormat(flags, l.Format), s.out)
}

// dropNeverAsked deletes what a wrong clock has left.
func (l *listIntervals) dropNeverAsked(ctx context.Context, s streams) error {
	switch {
	case l.Span.FromGiven || l.Span.ToGiven || len(l.States) > 0 || l.formatGiven:
		return wrongUsef("--drop-never-asked cannot be combined with --from, --to, --state or --format")
	case !l.yes && !progress.Terminal(s.in):
		return wrongUsef("standard input is not a terminal, so there is nobody to confirm: add --yes")
	}
	cfg, err := l.config()
	if err != nil {
		return err
	}
	if err := l.there(); err != nil {
		return err
	}
	st, err := store.Open(ctx, l.storagePath, l.options(cfg))
	if err != nil {
		return err
	}
	defer st.Close()
	before := time.Now().Add(-time.Duration(cfg.Lookback))
	n, err := st.NeverAsked(ctx, before)
	switch {
	case err != nil:
		return err
	case n == 0:
		_, err := fmt.Fprintln(s.out, "There are no intervals to drop.")
		return err
	case !l.yes:
		question := fmt.Sprintf("Drop %s of %s that %s never asked for, %s? Type yes: ", intervals(n), l.storagePath, answers.WasOrWere(n), answers.WhereNeverAsked)
		if err := confirm(ctx, s, question); err != nil {
			return err
		}
	}
	n, err = st.DropNeverAsked(ctx, before)
	if n > 0 || err == nil {
		fmt.Fprintf(s.out, "Dropped %s.\n", intervals(n))
	}
	return err
}
