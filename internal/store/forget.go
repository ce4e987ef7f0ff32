// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var (
	// nobodies are users that stand for no person: /metrics calls the users that it does not
	// name "other".
	nobodies = map[string]bool{"": true, usage.Unattributed: true, usage.Unknown: true, "other": true}
	// aliasForm is the form of the alias of a forgotten person.
	aliasForm = regexp.MustCompile(`^forgotten-[0-9a-f]{8}$`)
	// eraserPragmas overwrite deleted content. VACUUM makes its copy on disk, because the store
	// may be larger than the memory.
	eraserPragmas = []string{
		"foreign_keys(1)", "busy_timeout(5000)",
		"synchronous(FULL)", "secure_delete(1)", "temp_store(FILE)", "journal_size_limit(0)",
	}
)

// Forget removes a person: their usage stays under a random alias, so that no sum changes,
// their name is deleted, and future usage under their id is unattributed. found is false for an
// id that the store does not know, or does not know any more.
//
// It then rewrites the file, because unused pages may still hold the id. That takes as long as
// copying the file, and as much free space. An error together with found means that only this
// rewrite failed; to try it again, forget the same person again.
func (s *Store) Forget(ctx context.Context, user string) (alias string, found bool, err error) {
	if err := isPerson(user); err != nil {
		return "", false, err
	}
	if aliasForm.MatchString(user) {
		return "", false, nil
	}
	db, err := s.file.Connect(eraserPragmas...)
	if err != nil {
		return "", false, fmt.Errorf("store: forget a user: %w", err)
	}
	defer db.Close()
	before := false
	err = s.file.WriteOn(ctx, db, func(tx *sqlite.Tx) (err error) {
		alias, before, err = forget(ctx, tx, user)
		return err
	})
	if err != nil {
		return "", false, fmt.Errorf("store: forget a user: %w", err)
	}
	found = alias != ""
	if found || before {
		if err := sweep(ctx, db); err != nil {
			return alias, found, fmt.Errorf("store: the user is forgotten, but traces may remain in the file: %w", err)
		}
	}
	return alias, found, nil
}

// isPerson refuses ids that stand for nobody.
func isPerson(user string) error {
	if nobodies[user] {
		return errors.New("store: forget a user: the id stands for no person")
	}
	return nil
}

// forget returns the alias, empty if the person is not known, and whether they were forgotten
// before.
func forget(ctx context.Context, tx *sqlite.Tx, user string) (alias string, before bool, err error) {
	gone, err := readForgotten(ctx, tx)
	if err != nil || gone.holds(user) {
		return "", true, err
	}
	var known bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM dim_user WHERE user_id = ?1)
		OR EXISTS (SELECT 1 FROM directory_person WHERE user_id = ?1)
		OR EXISTS (SELECT 1 FROM directory_membership WHERE user_id = ?1)
		OR EXISTS (SELECT 1 FROM directory_tenure WHERE owner = ?1)
		OR EXISTS (SELECT 1 FROM statement_person WHERE user_id = ?1)`, user).Scan(&known); err != nil || !known {
		return "", false, err
	}
	if gone.salt == nil {
		gone.salt = []byte(random(16))
		if _, err := tx.ExecContext(ctx, "INSERT INTO setting VALUES ('forgotten_salt', ?)", string(gone.salt)); err != nil {
			return "", false, err
		}
	}
	hash := gone.hash(user)
	if _, err := tx.ExecContext(ctx, "INSERT INTO forgotten VALUES (?)", hash[:]); err != nil {
		return "", false, err
	}
	alias = "forgotten-" + random(4)
	if err := rename(ctx, tx, user, alias); err != nil {
		return "", false, err
	}
	return alias, false, reviseUser(ctx, tx, alias)
}

// rename replaces the id by the alias everywhere. usage_key and shown_user follow dim_user by
// their foreign keys; the document's tables do not. Statements keep their text: what stood for the
// person in it stands for nobody any more.
func rename(ctx context.Context, tx *sqlite.Tx, user, alias string) error {
	for _, query := range []string{
		"PRAGMA defer_foreign_keys = ON",
		"UPDATE dim_user SET user_id = ?2, display_name = NULL WHERE user_id = ?1",
		"UPDATE fact_usage SET user_id = ?2 WHERE user_id = ?1",
		"UPDATE map_user_project SET user_id = ?2 WHERE user_id = ?1",
		"UPDATE active_workspace SET user_id = ?2 WHERE user_id = ?1",
		"UPDATE directory_tenure SET owner = '' WHERE owner = ?1",
		"DELETE FROM directory_person WHERE user_id = ?1",
		"DELETE FROM directory_membership WHERE user_id = ?1",
		"DELETE FROM directory_name WHERE kind = 'user' AND (id = ?1 OR name = ?1)",
		"UPDATE statement_person SET user_id = ?2, label = ?2, salt = NULL WHERE user_id = ?1",
	} {
		if _, err := tx.ExecContext(ctx, query, user, alias); err != nil {
			return err
		}
	}
	return nil
}

// sweep rewrites the file without what was deleted, and empties the log.
func sweep(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, "VACUUM"); err != nil {
		return fmt.Errorf("rewrite it: %w", err)
	}
	var busy, frames, done int
	if err := db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &done); err != nil {
		return fmt.Errorf("empty its log: %w", err)
	}
	if busy != 0 {
		return errors.New("empty its log: another program is reading it")
	}
	return nil
}

// random returns random bytes in hexadecimal.
func random(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) //nolint:errcheck // never fails
	return hex.EncodeToString(b)
}

// forgotten knows whose usage becomes unattributed without storing who: it holds hashes of ids,
// keyed with a salt of this store.
type forgotten struct {
	salt []byte
	ids  map[[sha256.Size]byte]bool
}

func readForgotten(ctx context.Context, db queryer) (forgotten, error) {
	f := forgotten{ids: map[[sha256.Size]byte]bool{}}
	err := db.QueryRowContext(ctx, "SELECT value FROM setting WHERE name = 'forgotten_salt'").Scan(&f.salt)
	if errors.Is(err, sql.ErrNoRows) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	return f, each(ctx, db, "SELECT hash FROM forgotten", nil, func(rows *sql.Rows) error {
		var hash []byte
		if err := rows.Scan(&hash); err != nil {
			return err
		}
		f.ids[[sha256.Size]byte(hash)] = true
		return nil
	})
}

func (f forgotten) hash(user string) [sha256.Size]byte {
	mac := hmac.New(sha256.New, f.salt)
	mac.Write([]byte(user))
	return [sha256.Size]byte(mac.Sum(nil))
}

func (f forgotten) holds(user string) bool {
	return len(f.ids) > 0 && f.ids[f.hash(user)]
}

// isGone reports whether a user was forgotten.
func (g *naming) isGone(user string) bool {
	if len(g.forgotten.ids) == 0 {
		return false
	}
	gone, asked := g.gone[user]
	if !asked {
		gone = g.forgotten.holds(user)
		g.gone[user] = gone
	}
	return gone
}

// whose returns the user to attribute usage to: unattributed for a forgotten user.
func (g *naming) whose(user string) string {
	if g.isGone(user) {
		return usage.Unattributed
	}
	return user
}

// booked returns the facts as they are stored: those of forgotten people become unattributed
// and are added up where that gives several facts of one key.
func (g *naming) booked(facts []usage.Fact) []usage.Fact {
	type place struct {
		usage.Key
		start int64
	}
	var moved map[place][]usage.Fact
	for _, f := range facts {
		if g.isGone(f.User) {
			if moved == nil {
				moved = map[place][]usage.Fact{}
			}
			f.User = usage.Unattributed
			p := place{f.Key, f.Start.Unix()}
			moved[p] = append(moved[p], f)
		}
	}
	if moved == nil {
		return facts
	}
	var all []usage.Fact
	for _, f := range facts {
		p := place{f.Key, f.Start.Unix()}
		switch others, ok := moved[p]; {
		case g.isGone(f.User):
		case ok:
			moved[p] = append(others, f)
		default:
			all = append(all, f)
		}
	}
	for _, same := range moved {
		all = append(all, together(same))
	}
	return all
}

// together adds up facts of one key and piece, exactly, so that their order does not matter.
func together(facts []usage.Fact) usage.Fact {
	f := facts[0]
	if len(facts) == 1 {
		return f
	}
	var cpu usage.BusyIdleSum[usage.CPUSeconds]
	var energy usage.ByModeSum[usage.KWh]
	for _, o := range facts {
		cpu.Add(o.CPU)
		energy.Add(o.Energy)
	}
	f.CPU, f.Energy, f.Beside = cpu.BusyIdle(), energy.ByMode(), usage.BesidesOf(facts)
	return f
}
