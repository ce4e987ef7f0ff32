// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// SaveDirectory writes what was learned, and nothing else: the tenures of a document all
// together; people, memberships, placements and names one by one. With homes, a person's present group
// comes from the directory (the first by name if there are several); without, from their newest
// usage. People who were forgotten stay forgotten.
//
// Intervals that are not settled and whose owners have changed become due again; stale is their
// number.
func (s *Store) SaveDirectory(ctx context.Context, l directory.Learned, homes bool) (stale int, err error) {
	naming, moved := (*naming)(nil), false
	err = s.write(ctx, func(tx *sqlite.Tx) (err error) {
		if naming, err = s.names.in(ctx, tx); err != nil {
			return err
		}
		d := recordWriter{ctx: ctx, tx: tx, naming: naming}
		if err := s.putTenures(d, l.Tenures); err != nil {
			return err
		}
		if err := d.putPeople(l.People); err != nil {
			return err
		}
		if err := d.putMemberships(l.Memberships); err != nil {
			return err
		}
		if err := d.putPlacements(l.Hosts); err != nil {
			return err
		}
		if err := d.putNames(l.Names); err != nil {
			return err
		}
		if err := d.set("directory_as_of", strconv.FormatInt(l.Directory.AsOf.Unix(), 10)); err != nil {
			return err
		}
		if moved, err = d.putHomes(l.Directory.AsOf, homes); err != nil {
			return err
		}
		stale, err = dueAgain(ctx, tx, l.Spans)
		return err
	})
	if err != nil {
		return 0, err
	}
	naming.keep()
	if moved {
		s.names.homesMoved()
	}
	return stale, nil
}

// recordWriter writes the directory to its tables in one transaction.
type recordWriter struct {
	ctx    context.Context
	tx     *sqlite.Tx
	naming *naming
}

// do runs one statement for each of n rows.
func (d recordWriter) do(query string, n int, args func(i int) []any) error {
	if n == 0 {
		return nil
	}
	// See sqlite.Bulk.Write for why it cannot be cancelled.
	quiet := context.WithoutCancel(d.ctx)
	stmt, err := d.tx.PrepareContext(quiet, query)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for i := range n {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		if _, err := stmt.ExecContext(quiet, args(i)...); err != nil {
			return err
		}
	}
	return nil
}

// putTenures replaces all tenures of every document that has a tenure in the list.
func (s *Store) putTenures(d recordWriter, tenures []directory.Tenure) error {
	tenures = slices.Clone(tenures)
	slices.SortStableFunc(tenures, func(a, b directory.Tenure) int { return strings.Compare(a.Document, b.Document) })
	places := make([]int, len(tenures)) // within the document
	var documents []string
	for i, t := range tenures {
		if i > 0 && t.Document == tenures[i-1].Document {
			places[i] = places[i-1] + 1
		} else {
			documents = append(documents, t.Document)
		}
	}
	if err := d.do("DELETE FROM directory_tenure WHERE document = ?", len(documents), func(i int) []any {
		return []any{documents[i]}
	}); err != nil {
		return err
	}
	return s.insert.tenure.Write(d.ctx, d.tx, len(tenures), func(values []any, i int) []any {
		t, owner := &tenures[i], tenures[i].Owner
		if d.naming.isGone(owner) {
			owner = ""
		}
		return append(values, t.Document, places[i], t.Host, owner, unixOrNull(t.From), unixOrNull(t.To))
	})
}

// putPeople stores people, and makes them users whether or not they ever use anything.
func (d recordWriter) putPeople(people []directory.Person) error {
	people = slices.DeleteFunc(slices.Clone(people), func(p directory.Person) bool { return d.naming.isGone(p.ID) })
	for _, table := range []string{"directory_person", "dim_user"} {
		if err := d.do("INSERT INTO "+table+`(user_id, display_name) VALUES (?, ?)
			ON CONFLICT DO UPDATE SET display_name = excluded.display_name WHERE display_name IS NOT excluded.display_name`,
			len(people), func(i int) []any { return []any{people[i].ID, text(people[i].Name)} }); err != nil {
			return err
		}
	}
	return nil
}

func (d recordWriter) putMemberships(memberships []directory.Membership) error {
	memberships = slices.DeleteFunc(slices.Clone(memberships), func(m directory.Membership) bool { return d.naming.isGone(m.User) })
	for _, m := range memberships {
		if _, err := d.naming.group(m.Group); err != nil {
			return err
		}
	}
	return d.do(`INSERT INTO directory_membership(user_id, group_name, valid_from, valid_to) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET valid_to = excluded.valid_to WHERE valid_to IS NOT excluded.valid_to`,
		len(memberships), func(i int) []any {
			m := memberships[i]
			return []any{m.User, m.Group, unixOrNull(m.From), unixOrNull(m.To)}
		})
}

func (d recordWriter) putPlacements(hosts []directory.Placement) error {
	return d.do(`INSERT INTO directory_placement VALUES (?, ?, ?) ON CONFLICT DO UPDATE
		SET project = excluded.project, machine = excluded.machine`,
		len(hosts), func(i int) []any { return []any{hosts[i].Host, text(hosts[i].Project), text(hosts[i].Machine)} })
}

// putNames stores names. That of a person who was forgotten would name them again.
func (d recordWriter) putNames(names []directory.Name) error {
	names = slices.DeleteFunc(slices.Clone(names), func(n directory.Name) bool {
		return n.Kind == directory.Users && (d.naming.isGone(n.ID) || d.naming.isGone(n.Name))
	})
	return d.do("INSERT INTO directory_name VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET name = excluded.name",
		len(names), func(i int) []any { return []any{string(names[i].Kind), names[i].ID, names[i].Name} })
}

// putHomes sets the present group of everybody in the directory. It reports whether any group
// changed or used to follow other rules, and writes only changes.
func (d recordWriter) putHomes(at time.Time, homes bool) (moved bool, err error) {
	by := "usage"
	if homes {
		by = "directory"
	}
	var was string
	if err := d.tx.QueryRowContext(d.ctx, "SELECT coalesce((SELECT value FROM setting WHERE name = 'homes'), 'usage')").Scan(&was); err != nil {
		return false, err
	}
	if was != by {
		if err := d.set("homes", by); err != nil {
			return false, err
		}
	}
	if !homes {
		return was != by, nil
	}
	none, err := d.naming.group(usage.Unattributed)
	if err != nil {
		return false, err
	}
	result, err := d.tx.ExecContext(d.ctx, `UPDATE dim_user SET group_id = home.group_id FROM (
		SELECT user_id, coalesce((
			SELECT g.group_id FROM directory_membership m JOIN dim_group g USING (group_name)
			WHERE m.user_id = p.user_id AND (valid_from IS NULL OR valid_from <= ?1) AND (valid_to IS NULL OR valid_to > ?1)
			ORDER BY group_name LIMIT 1), ?2) AS group_id
		FROM directory_person p) AS home
		WHERE home.user_id = dim_user.user_id AND home.group_id IS NOT dim_user.group_id`, at.Unix(), none)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0 || was != by, err
}

func (d recordWriter) set(name, value string) error {
	_, err := d.tx.ExecContext(d.ctx, `INSERT INTO setting VALUES (?, ?)
		ON CONFLICT DO UPDATE SET value = excluded.value WHERE value <> excluded.value`, name, value)
	return err
}

// unixOrNull is a time as it is stored: NULL if it is zero.
func unixOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Unix()
}

// text is a word as it is stored where it may be unknown: NULL if it is empty.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// Directory reads back what SaveDirectory wrote, without people who were forgotten since:
// tenures by document and by their order within it, people by id, memberships by user, group
// and time, hosts by name, names by kind and id. It is the zero Directory while none is stored.
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
		{"SELECT kind, id, name FROM directory_name ORDER BY kind, id", func(rows *sql.Rows) error {
			var n directory.Name
			err := rows.Scan(&n.Kind, &n.ID, &n.Name)
			d.Names = append(d.Names, n)
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
