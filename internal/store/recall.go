package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
)

// Directory reads back what SaveDirectory has written, but for people who were
// forgotten since: tenures by document and as they were within it, people by id,
// memberships by user, group and time, hosts by name. It is the zero Directory
// while there is none.
func (s *Store) Directory(ctx context.Context) (directory.Directory, error) {
	var d directory.Directory
	err := s.read(ctx, func(tx *sqlite.Tx) error {
		var asOf int64
		err := tx.QueryRowContext(ctx, "SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'directory_as_of'").Scan(&asOf)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		d.AsOf = unix(asOf)
		return readDirectory(ctx, tx, &d)
	})
	return d, err
}

func readDirectory(ctx context.Context, tx *sqlite.Tx, d *directory.Directory) error {
	var from, to *int64
	for _, table := range []struct {
		query string
		scan  func(*sql.Rows) error
	}{
		{"SELECT document, host, owner, valid_from, valid_to FROM directory_tenure ORDER BY document, place", func(rows *sql.Rows) error {
			var t directory.Tenure
			err := rows.Scan(&t.Document, &t.Host, &t.Owner, &from, &to)
			t.From, t.To = moment(from), moment(to)
			d.Tenures = append(d.Tenures, t)
			return err
		}},
		{"SELECT user_id, coalesce(display_name, '') FROM directory_person ORDER BY user_id", func(rows *sql.Rows) error {
			var p directory.Person
			err := rows.Scan(&p.ID, &p.Name)
			d.People = append(d.People, p)
			return err
		}},
		{"SELECT user_id, group_name, valid_from, valid_to FROM directory_membership ORDER BY user_id, group_name, valid_from", func(rows *sql.Rows) error {
			var m directory.Membership
			err := rows.Scan(&m.User, &m.Group, &from, &to)
			m.From, m.To = moment(from), moment(to)
			d.Memberships = append(d.Memberships, m)
			return err
		}},
		{"SELECT host, coalesce(project, ''), coalesce(machine, '') FROM directory_placement ORDER BY host", func(rows *sql.Rows) error {
			var p directory.Placement
			err := rows.Scan(&p.Host, &p.Project, &p.Machine)
			d.Hosts = append(d.Hosts, p)
			return err
		}},
	} {
		if err := each(ctx, tx, table.query, nil, table.scan); err != nil {
			return err
		}
	}
	return nil
}

// moment is a stored time; the zero time for NULL.
func moment(seconds *int64) time.Time {
	if seconds == nil {
		return time.Time{}
	}
	return unix(*seconds)
}
