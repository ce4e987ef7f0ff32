// Package privacy says how users appear outside the store: by id, by a pseudonym,
// or not at all, and how many of them. It must not know where numbers come from or
// how they are shown. Start with Labels.Summary.
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

// Other is the user of whom nobody is named: all whose usage is added up.
const Other = "other"

// pseudonymBytes is what is left of the hash: of a million people, the chance that
// two share one is one in forty million.
const pseudonymBytes = 8

// Labels say how users appear. They are not changed once made.
type Labels struct {
	Mode     Mode
	Key      []byte // of Pseudonym
	MaxUsers int    // how many are named, those with the most energy; 0: all
}

// limited says whether some users may not be named.
func (l Labels) limited() bool { return l.Mode == None || l.MaxUsers > 0 }

// most is how many users are named where they are limited.
func (l Labels) most() int {
	if l.Mode == None {
		return 0
	}
	return l.MaxUsers
}

// Label is how a user appears who is named. What is nobody's stays so.
func (l Labels) Label(user string) string {
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

// Shown is how a user appears who may not be named: see View.Named.
func (l Labels) Shown(user string, named map[string]bool) string { return l.label(user, named) }

// label is how a user appears when only some are named; nil: all are.
func (l Labels) label(user string, named map[string]bool) string {
	if user == usage.Unattributed || named == nil || named[user] {
		return l.Label(user)
	}
	return Other
}
