// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Statement is a statement of a month as it was issued. It never changes.
type Statement struct {
	StatementHead
	Body   []byte // canonical JSON, with all of the head but the hash
	People []StatementPerson
}

// StatementHead is what identifies a statement.
type StatementHead struct {
	Number   int       // 1, 2, 3 and so on in a store, without a gap
	Scope    Scope     // ada, project or group
	Member   string    // of the scope
	Month    string    // 2026-10
	IssuedAt time.Time // whole seconds
	Version  string    // of the program
	Revision int64     // of the store
	Previous string    // the hash of the statement before; empty for the first
	Hash     string    // SHA-256 of the body, in hexadecimal
}

// StatementPerson is a person of a statement. Its body has their seal.
type StatementPerson struct {
	User  string // id
	Label string // as the statement shows them
	Salt  []byte // nil: forgotten; nobody can say any more whose seal it is
}

// SealBytes is the length of the salt of a seal.
const SealBytes = 16

// Seal stands for a person where their label must not be: without the salt nobody can tell whose
// it is, even who knows all labels.
func (p StatementPerson) Seal() string {
	sum := sha256.New()
	sum.Write(p.Salt)
	sum.Write([]byte(p.Label))
	return hex.EncodeToString(sum.Sum(nil))
}

// HashOf is the hash of a statement's body, in hexadecimal.
func HashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
