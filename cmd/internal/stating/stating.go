// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package stating makes monthly statements of what a store has, and issues them. It puts the store,
// the configuration and internal/statement together, and must not know flags or how a statement is
// written. Start with Maker.Issue.
package stating

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/privacy"
	"github.com/carbon-exporter/carbon_exporter/internal/statement"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Maker makes statements of a store.
type Maker struct {
	Store   *store.Store
	Config  *config.Config
	Labels  privacy.Labels
	Now     time.Time
	Version string
}

// Subject is whom a statement is for, and of which month.
type Subject struct {
	Scope  usage.Scope // ada, project or group
	Member string      // of the scope; of ada: "ada"
	Month  string      // 2026-10
}

// Refused is the error of what cannot be issued yet. It says what to do.
type Refused struct{ error }

func refusedf(format string, args ...any) error { return Refused{fmt.Errorf(format, args...)} }

// tries is how often a statement is made anew because the store has changed meanwhile.
const tries = 5

// Issue returns the statement of a subject. Once it was issued it is the same for ever; fresh says
// that it was issued now. A month that is not over is refused, and unless provisional one with
// intervals whose numbers may still change.
//
// The numbers are read beside a running exporter, and only the finished statement is written, in
// one short transaction, if the store is still as it was.
func (m Maker) Issue(ctx context.Context, of Subject, provisional bool) (st usage.Statement, fresh bool, err error) {
	for range tries {
		known, err := m.Store.StatementsOf(ctx, of.Scope, of.Member)
		if err != nil {
			return st, false, err
		}
		if i := slices.IndexFunc(known, func(k usage.Statement) bool { return k.Month == of.Month }); i >= 0 {
			return known[i], false, nil
		}
		now, err := m.Store.Ledger(ctx)
		if err != nil {
			return st, false, err
		}
		d, people, err := m.make(ctx, of, known)
		if err != nil {
			return st, false, err
		}
		if err := ready(d, provisional); err != nil {
			return st, false, err
		}
		d.Number, d.Previous, d.Revision = now.Number+1, now.Hash, now.Revision
		if st, err = d.Seal(people); err != nil {
			return st, false, err
		}
		if err = m.Store.Issue(ctx, st); !errors.Is(err, store.ErrMoved) {
			return st, err == nil, err
		}
	}
	return st, false, fmt.Errorf("the store changed %d times while the statement was made; try again when no backfill or recost is running", tries)
}

// Preview returns the statement as it would be issued now, without a number. Of a month that was
// stated before it is what the store has now, with the adjustments that are yet to be told.
func (m Maker) Preview(ctx context.Context, of Subject) (statement.Print, error) {
	known, err := m.Store.StatementsOf(ctx, of.Scope, of.Member)
	if err != nil {
		return statement.Print{}, err
	}
	now, err := m.Store.Ledger(ctx)
	if err != nil {
		return statement.Print{}, err
	}
	d, people, err := m.make(ctx, of, known)
	if err != nil {
		return statement.Print{}, err
	}
	d.Revision = now.Revision
	return statement.Draft(d, people)
}

// ready refuses what should not be sent.
func ready(d statement.Document, provisional bool) error {
	n := d.Intervals
	switch {
	case n.Ahead > 0 || d.To.After(d.IssuedAt):
		return refusedf("%s is not over; look at it with --preview, and issue the statement when the month is over", d.Month)
	case d.Whole == nil && len(d.Adjustments) == 0:
		return refusedf("no usage of %s is stored for %s, and no earlier statement needs an adjustment: there is nothing to state", d.Subject(), d.Month)
	case n.Open() > 0 && !provisional:
		return refusedf("%d of %d intervals of %s are not final (%d provisional, %d without carbon intensity, %d missing, %d never asked for): wait, or see carbontool intervals and backfill; "+
			"--provisional issues it all the same, and later changes become adjustments in the next statement",
			n.Open(), n.All, d.Month, n.Provisional, n.Unpriced, n.Missing, n.Unasked)
	}
	return nil
}

// monthOf is the time of a month.
func monthOf(month string, zone *time.Location) (usage.Period, error) {
	first, err := time.Parse("2006-01", month)
	if err != nil {
		return usage.Period{}, fmt.Errorf("%q is not a month such as 2026-10", month)
	}
	return usage.Period{From: budget.DayStart(first, zone), To: budget.DayStart(first.AddDate(0, 1, 0), zone)}, nil
}

// before is a month some months earlier.
func before(month string, months int) string {
	first, _ := time.Parse("2006-01", month) // it was read before
	return first.AddDate(0, -months, 0).Format("2006-01")
}

// exists refuses a subject that the store has never heard of, which is most likely a typing error.
func (m Maker) exists(ctx context.Context, of Subject) error {
	if of.Scope == usage.ScopeAda {
		return nil
	}
	all, err := m.Store.Members(ctx, of.Scope)
	if err != nil || slices.Contains(all, of.Member) {
		return err
	}
	const most = 10
	more := ""
	if len(all) > most {
		all, more = all[:most], " and others"
	}
	for i := range all {
		all[i] = escape.Name(all[i])
	}
	return fmt.Errorf("the store has no %s %q; it has %s%s", of.Scope, of.Member, strings.Join(all, ", "), more)
}

func salt() []byte {
	b := make([]byte, usage.SealBytes)
	rand.Read(b) //nolint:errcheck // never fails
	return b
}
