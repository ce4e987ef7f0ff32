// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package standing

import (
	"context"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Status is the status of a budget at a time. ever is all usage that there ever was, by key: see
// Seen.
func (b *Book) Status(ctx context.Context, of budget.Budget, ever []usage.Total, now time.Time) (budget.Status, error) {
	held, _, err := b.store.Span(ctx)
	if err != nil {
		return budget.Status{}, err
	}
	return b.status(ctx, of, ever, held, now)
}

// Ended is the status at the end of a time that is over: what was used later does not count.
func (b *Book) Ended(ctx context.Context, of budget.Budget, ever []usage.Total, end time.Time) (budget.Status, error) {
	held, _, err := b.store.Span(ctx)
	if err != nil {
		return budget.Status{}, err
	}
	held.To = usage.Earlier(held.To, end)
	return b.status(ctx, of, ever, held, end.Add(-time.Nanosecond)) // at the end, the next period has begun
}

func (b *Book) status(ctx context.Context, of budget.Budget, ever []usage.Total, held usage.Period, now time.Time) (budget.Status, error) {
	return of.Status(now, budget.Record{
		Held: held, Seen: Seen(ever, of),
		Used: func(p usage.Period) (budget.Amount, error) { return b.amount(ctx, p, of) },
	})
}

// Seen reports whether a budget's target ever had usage.
func Seen(ever []usage.Total, of budget.Budget) bool {
	for _, t := range ever {
		if of.Scope == usage.ScopeAda || of.Scope.Member(t.Key) == of.Target {
			return true
		}
	}
	return false
}

func (b *Book) amount(ctx context.Context, p usage.Period, of budget.Budget) (budget.Amount, error) {
	over, err := b.Over(ctx, p)
	if err != nil {
		return budget.Amount{}, err
	}
	members := over.by[of.Scope]
	if members == nil {
		members = map[string]usage.Tally{}
		for _, t := range over.By(of.Scope) {
			members[t.Name] = t
		}
		over.by[of.Scope] = members
	}
	target := of.Target
	if of.Scope == usage.ScopeAda {
		target = string(usage.ScopeAda)
	}
	t := members[target] // no usage in the period is an empty tally
	return budget.Amount{
		Energy: t.Energy.Total(), Emissions: t.Emissions.Total(), Priced: t.Priced, Missing: over.Missing, Unpriced: over.Unpriced,
	}, nil
}
