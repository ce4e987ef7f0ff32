package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var (
	// nobodies are users that stand for no person: "other" is what /metrics calls
	// those it does not name.
	nobodies = map[string]bool{"": true, usage.Unattributed: true, usage.Unknown: true, "other": true}
	// aliasForm is what people are called once they were forgotten.
	aliasForm = regexp.MustCompile(`^forgotten-[0-9a-f]{8}$`)
	// eraserPragmas overwrite what is deleted. A copy for VACUUM goes to disk:
	// the store may be larger than the memory.
	eraserPragmas = []string{
		"foreign_keys(1)", "busy_timeout(5000)",
		"synchronous(FULL)", "secure_delete(1)", "temp_store(FILE)", "journal_size_limit(0)",
	}
)

// Forget removes a person: their usage goes on under an alias made up for it,
// so that no sum changes by a bit, their name is gone, and what comes of their
// id from now on is nobody's. An id that the store does not know, or knows no
// longer, is not found.
//
// It then rewrites the file, because pages that were used before may still hold
// the id: this takes as long as copying it, and as much space again for that
// time. An error after found says that only this could not be done. Asking again
// for a person who is forgotten does it again.
func (s *Store) Forget(ctx context.Context, user string) (alias string, found bool, err error) {
	if nobodies[user] {
		return "", false, errors.New("store: forget a user: this one stands for nobody")
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
			return alias, found, fmt.Errorf("store: the user is forgotten, but traces may be left in the file: %w", err)
		}
	}
	return alias, found, nil
}

// forget gives the alias, empty if the person is not known, and whether they
// were forgotten before.
func forget(ctx context.Context, tx *sqlite.Tx, user string) (alias string, before bool, err error) {
	gone, err := readForgotten(ctx, tx)
	if err != nil || gone.holds(user) {
		return "", true, err
	}
	var known bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM dim_user WHERE user_id = ?1)
		OR EXISTS (SELECT 1 FROM directory_person WHERE user_id = ?1)
		OR EXISTS (SELECT 1 FROM directory_membership WHERE user_id = ?1)
		OR EXISTS (SELECT 1 FROM directory_tenure WHERE owner = ?1)`, user).Scan(&known); err != nil || !known {
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

// rename writes the alias wherever the id is. usage_key and shown_user follow
// dim_user by themselves, the seed's tables do not.
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

// random is so many random bytes, in hexadecimal.
func random(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) //nolint:errcheck // never fails
	return hex.EncodeToString(b)
}
