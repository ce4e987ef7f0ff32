// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package standing reads from a store what was used in a period, and where budgets stand. It must
// not know who is shown what of it. Start with Book.Status.
package standing

import (
	"context"

	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Book adds up each period of a store once, however many budgets use it. It is of one moment, and
// for one goroutine.
type Book struct {
	store *store.View
	known map[usage.Period]*Account
}

// NewBook makes a Book of what a store has at a moment.
func NewBook(v *store.View) *Book { return &Book{v, map[usage.Period]*Account{}} }

// Account is an account of the store, added up by scope on first use.
type Account struct {
	store.Account
	by map[usage.Scope]map[string]usage.Tally
}

// Over returns the account of a period.
func (b *Book) Over(ctx context.Context, p usage.Period) (*Account, error) {
	if known := b.known[p]; known != nil {
		return known, nil
	}
	all, err := b.store.Accounts(ctx, p)
	if err != nil {
		return nil, err
	}
	b.known[p] = &Account{Account: all[0], by: map[usage.Scope]map[string]usage.Tally{}}
	return b.known[p], nil
}
