// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
)

// Traces are what a store holds of a person: what Forget would take away or put under an alias.
type Traces struct {
	Intervals   int       // with usage
	First, Last time.Time // of these, their starts; zero: there are none
	Listed      bool      // in the list of users, with or without a name
	Tenures     int       // records of who had a machine when
	Memberships int       // of groups
	Workspaces  int       // that are active
	Statements  int       // that show the person
	Forgotten   bool      // before, so that there is nothing else
}

// Any says that there is anything to forget.
func (t Traces) Any() bool {
	return t.Intervals+t.Tenures+t.Memberships+t.Workspaces+t.Statements > 0 || t.Listed
}

// Traces looks at what Forget would do, and changes nothing.
func (s *Store) Traces(ctx context.Context, user string) (t Traces, err error) {
	if err := isPerson(user); err != nil {
		return t, err
	}
	err = s.read(ctx, func(tx *sqlite.Tx) error {
		gone, err := readForgotten(ctx, tx)
		if err != nil {
			return err
		}
		if t.Forgotten = gone.holds(user); t.Forgotten {
			return nil
		}
		var first, last *string
		if err := tx.QueryRowContext(ctx, "SELECT count(*), min(ts), max(ts) FROM fact_usage WHERE user_id = ?", user).
			Scan(&t.Intervals, &first, &last); err != nil {
			return err
		}
		for _, d := range []struct {
			text *string
			at   *time.Time
		}{{first, &t.First}, {last, &t.Last}} {
			if d.text == nil {
				continue
			}
			if *d.at, err = time.Parse(time.RFC3339, *d.text); err != nil {
				return err
			}
		}
		return tx.QueryRowContext(ctx, `SELECT
			EXISTS (SELECT 1 FROM dim_user WHERE user_id = ?1) OR EXISTS (SELECT 1 FROM directory_person WHERE user_id = ?1),
			(SELECT count(*) FROM directory_tenure WHERE owner = ?1),
			(SELECT count(*) FROM directory_membership WHERE user_id = ?1),
			(SELECT count(*) FROM active_workspace WHERE user_id = ?1),
			(SELECT count(*) FROM statement_person WHERE user_id = ?1)`, user).
			Scan(&t.Listed, &t.Tenures, &t.Memberships, &t.Workspaces, &t.Statements)
	})
	if err != nil {
		return t, fmt.Errorf("store: look for a user: %w", err)
	}
	return t, nil
}
