// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package privacy decides how users are shown outside the store: by id, by pseudonym or
// not at all, and how many of them. It must not know where numbers come from or how
// they are displayed. Start with Labels.Summary.
package privacy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Mode is how a user is named.
type Mode string

// The ways to name users.
const (
	ID        Mode = "id"        // as the platform writes it
	Pseudonym Mode = "pseudonym" // a keyed hash: the same person is the same label, and without the key nobody can tell who
	None      Mode = "none"      // nobody is
)

// Other is the user label for the usage of all users who are not named.
const Other = "other"

// pseudonymBytes is the length of the pseudonym: among a million people, the chance of
// a collision is one in forty million.
const pseudonymBytes = 8

// Labels decide how users are shown. They do not change once made.
type Labels struct {
	Mode     Mode
	Key      []byte // of Pseudonym
	MaxUsers int    // how many are named, those with the most energy; 0: all
}

// limited reports whether some users may be hidden.
func (l Labels) limited() bool { return l.Mode == None || l.MaxUsers > 0 }

// most is how many users are named if they are limited.
func (l Labels) most() int {
	if l.Mode == None {
		return 0
	}
	return l.MaxUsers
}

// labelOf is the label of a named user. Unattributed usage stays unattributed.
func (l Labels) labelOf(user string) string {
	switch {
	case user == usage.Unattributed:
		return user
	case l.Mode == Pseudonym:
		mac := hmac.New(sha256.New, l.Key)
		mac.Write([]byte(user))
		return hex.EncodeToString(mac.Sum(nil)[:pseudonymBytes])
	case user == Other:
		return Other + "#id" // somebody is called so: not the sum of those who are not named
	}
	return user
}

// Shown is the label of a user who may be hidden: see View.Named.
func (l Labels) Shown(user string, named map[string]bool) string { return l.label(user, named) }

// label is the label of a user if only some are named; nil: all are.
func (l Labels) label(user string, named map[string]bool) string {
	if user == usage.Unattributed || named == nil || named[user] {
		return l.labelOf(user)
	}
	return Other
}
