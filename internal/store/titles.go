package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Titles gives, in the order of the users, the records of the directory by which
// usage in an interval is theirs: the hosts that they had and the groups they were
// in for any of it.
func (s *Store) Titles(ctx context.Context, users []string, i usage.Interval) ([]directory.Title, error) {
	titles := make([]directory.Title, len(users))
	of := map[string]*directory.Title{}
	for n, user := range users {
		titles[n].User = user
		of[user] = &titles[n]
	}
	args := []any{i.Start.Unix(), i.End().Unix()}
	err := s.read(ctx, func(tx *sqlite.Tx) error {
		var from, to *int64
		if err := each(ctx, tx, `SELECT document, host, owner, valid_from, valid_to FROM directory_tenure
			WHERE (valid_to IS NULL OR valid_to > ?) AND (valid_from IS NULL OR valid_from < ?) AND owner <> ''
			ORDER BY valid_from, host, document`, args, func(rows *sql.Rows) error {
			var t directory.Tenure
			err := rows.Scan(&t.Document, &t.Host, &t.Owner, &from, &to)
			t.From, t.To = moment(from), moment(to)
			if title := of[t.Owner]; title != nil {
				title.Tenures = append(title.Tenures, t)
			}
			return err
		}); err != nil {
			return err
		}
		return each(ctx, tx, `SELECT user_id, group_name, valid_from, valid_to FROM directory_membership
			WHERE (valid_to IS NULL OR valid_to > ?) AND (valid_from IS NULL OR valid_from < ?)
			ORDER BY group_name, valid_from`, args, func(rows *sql.Rows) error {
			var m directory.Membership
			err := rows.Scan(&m.User, &m.Group, &from, &to)
			m.From, m.To = moment(from), moment(to)
			if title := of[m.User]; title != nil {
				title.Memberships = append(title.Memberships, m)
			}
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("interval %s: store: read whose it was: %w", i, err)
	}
	return titles, nil
}
