// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// VerifyStatements checks the statements only: that none was changed, removed or put between
// others. It changes nothing.
func (s *Store) VerifyStatements(ctx context.Context) (verdict Verdict, err error) {
	err = s.read(ctx, func(tx *sqlite.Tx) (err error) {
		verdict, err = verifyStatements(ctx, tx)
		return err
	})
	return verdict, err
}

// verifyStatements goes along the chain: each statement has the hash of the one before.
func verifyStatements(ctx context.Context, tx *sqlite.Tx) (Verdict, error) {
	verdict := Verdict{Check: "statements"}
	last, previous, all := 0, "", 0
	err := eachStatement(ctx, tx, "", nil, func(st usage.Statement) error {
		all++
		if st.Number != last+1 {
			verdict.fault("statement %d is missing", last+1)
		} else if st.Previous != previous {
			verdict.fault("statement %d does not follow statement %d as it is now", st.Number, last)
		}
		for _, f := range faultsOf(st) {
			verdict.fault("statement %d: %s", st.Number, f)
		}
		last, previous = st.Number, st.Hash
		return nil
	})
	if err != nil {
		return verdict, err
	}
	var kept string
	err = tx.QueryRowContext(ctx, "SELECT value FROM setting WHERE name = ?", lastStatement).Scan(&kept)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		kept = ""
	case err != nil:
		return verdict, err
	}
	if is := ending(last, previous); kept != is {
		verdict.fault("the last statement is %s, and the last that was issued is %s", inWordsOf(is), inWordsOf(kept))
	}
	verdict.Found = strconv.Itoa(all)
	return verdict, nil
}

// ending is the setting that belongs to a last statement.
func ending(number int, hash string) string {
	if number == 0 {
		return ""
	}
	return strconv.Itoa(number) + " " + hash
}

func inWordsOf(ending string) string {
	if ending == "" {
		return "none"
	}
	return ending
}

// sealed is what the body of a statement says of itself, and of its people.
type sealed struct {
	Number   int         `json:"number"`
	Scope    usage.Scope `json:"scope"`
	Member   string      `json:"member"`
	Month    string      `json:"month"`
	IssuedAt time.Time   `json:"issued_at"`
	Version  string      `json:"version"`
	Revision int64       `json:"revision"`
	Previous string      `json:"previous"`
	People   []struct {
		Seal string `json:"seal"`
	} `json:"people"`
}

// faultsOf says what is wrong with a statement, taken by itself. It names no person.
func faultsOf(st usage.Statement) (faults []string) {
	if is := usage.HashOf(st.Body); is != st.Hash {
		faults = append(faults, fmt.Sprintf("its text has the hash %.12s, not %.12s as it was issued", is, st.Hash))
	}
	var said sealed
	if err := json.Unmarshal(st.Body, &said); err != nil {
		return append(faults, "its text is not JSON")
	}
	head := usage.StatementHead{
		Number: said.Number, Scope: said.Scope, Member: said.Member, Month: said.Month, IssuedAt: said.IssuedAt.UTC(),
		Version: said.Version, Revision: said.Revision, Previous: said.Previous, Hash: st.Hash,
	}
	if head != st.StatementHead {
		faults = append(faults, "its row says other things than its text")
	}
	var seals []string
	for _, p := range said.People {
		if p.Seal != "" {
			seals = append(seals, p.Seal)
		}
	}
	if len(seals) != len(st.People) {
		return append(faults, fmt.Sprintf("its text has %d people, and %d are kept", len(seals), len(st.People)))
	}
	for i, p := range st.People {
		if p.Salt == nil && aliasForm.MatchString(p.Label) { // forgotten
			continue
		}
		if p.Seal() != seals[i] {
			faults = append(faults, fmt.Sprintf("person %d is another than it was issued with", i+1))
		}
	}
	return faults
}
