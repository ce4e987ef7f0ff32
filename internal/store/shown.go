// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"maps"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Shown reads back what SaveShown wrote. A person who was forgotten since appears under the
// alias.
func (v *View) Shown(ctx context.Context) (usage.Shown, error) { return readShown(ctx, v.tx) }

func readShown(ctx context.Context, tx *sqlite.Tx) (usage.Shown, error) {
	var shown usage.Shown
	var chosen bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM setting WHERE name = 'users_shown')").Scan(&chosen); err != nil {
		return shown, err
	}
	if chosen {
		shown.Users = map[string]bool{}
	}
	err := each(ctx, tx, "SELECT user_id FROM shown_user", nil, func(rows *sql.Rows) error {
		var user string
		err := rows.Scan(&user)
		shown.Users[user] = true
		return err
	})
	if err != nil {
		return shown, err
	}
	return shown, each(ctx, tx, `SELECT p.cloud_project_name, m.machine_name, k.user_id, g.group_name,
			e.busy_kwh, e.idle_kwh, e.busy_gCo2eq, e.idle_gCo2eq, e.measured_kwh, e.measured_gCo2eq, e.embodied_gCo2eq
		FROM shown_elsewhere e JOIN usage_key k USING (key_id) JOIN dim_project p USING (project_id)
		JOIN dim_machine m USING (machine_id) JOIN dim_group g ON g.group_id = k.group_id`, nil, func(rows *sql.Rows) error {
		var k usage.Key
		var u usage.SettledUsage
		err := rows.Scan(&k.Project, &k.Machine, &k.User, &k.Group,
			&u.Energy.Busy, &u.Energy.Idle, &u.Emissions.Busy, &u.Emissions.Idle,
			&u.Energy.Measured, &u.Emissions.Measured, &u.Embodied)
		if shown.Elsewhere == nil {
			shown.Elsewhere = map[usage.Key]usage.SettledUsage{}
		}
		shown.Elsewhere[k] = u
		return err
	})
}

// SaveShown replaces the record of who is shown, and writes nothing if nothing changed. A
// person who was forgotten while this program ran is stored under the alias; one that it never
// knew is left out.
func (s *Store) SaveShown(ctx context.Context, shown usage.Shown) error {
	naming := (*naming)(nil)
	err := s.write(ctx, func(tx *sqlite.Tx) (err error) {
		if naming, err = s.names.in(ctx, tx); err != nil {
			return err
		}
		fresh := naming.shown(shown)
		have, err := readShown(ctx, tx)
		if err != nil || (have.Users == nil) == (fresh.Users == nil) &&
			maps.Equal(have.Users, fresh.Users) && maps.Equal(have.Elsewhere, fresh.Elsewhere) {
			return err
		}
		return putShown(ctx, tx, naming, fresh)
	})
	if err == nil {
		naming.keep()
	}
	return err
}

// shown replaces the names of people by what they are called now.
func (g *naming) shown(s usage.Shown) usage.Shown {
	fresh := usage.Shown{Elsewhere: map[usage.Key]usage.SettledUsage{}}
	if s.Users != nil {
		fresh.Users = map[string]bool{}
	}
	for user, named := range s.Users {
		if user = g.names.alias(user); named && !g.isGone(user) {
			fresh.Users[user] = true
		}
	}
	for k, u := range s.Elsewhere {
		if k.User = g.names.alias(k.User); !g.isGone(k.User) {
			fresh.Elsewhere[k] = u
		}
	}
	return fresh
}

func putShown(ctx context.Context, tx *sqlite.Tx, naming *naming, shown usage.Shown) error {
	for _, query := range []string{
		"DELETE FROM shown_user", "DELETE FROM shown_elsewhere", "DELETE FROM setting WHERE name = 'users_shown'",
	} {
		if _, err := tx.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	if shown.Users != nil {
		if _, err := tx.ExecContext(ctx, "INSERT INTO setting VALUES ('users_shown', 'chosen')"); err != nil {
			return err
		}
	}
	for user := range shown.Users {
		if err := naming.user(user); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO shown_user VALUES (?)", user); err != nil {
			return err
		}
	}
	for k, u := range shown.Elsewhere {
		ids, err := naming.ids([]usage.Fact{{Key: k}})
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO shown_elsewhere VALUES (?, ?, ?, ?, ?, ?, ?, ?)", ids[0],
			float64(u.Energy.Busy), float64(u.Energy.Idle), float64(u.Emissions.Busy), float64(u.Emissions.Idle),
			float64(u.Energy.Measured), float64(u.Emissions.Measured), float64(u.Embodied)); err != nil {
			return err
		}
	}
	return nil
}
