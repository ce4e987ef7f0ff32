// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"encoding/hex"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// person returns the platform name that a value stands for: it is one, or it is the _id of a
// user. ok is false if it can be neither. known is false if no user has that id, so that the
// platform name is not known.
func (c *counter) person(v bson.RawValue) (id string, known, ok bool) {
	id, ok = plain(v)
	id = usage.Name(id)
	if ok && c.people[id] {
		return id, true, true
	}
	r := reference(v)
	if found := c.ids[r]; found != "" {
		return found, true, true
	}
	if ok && isHexID(id) { // an ObjectId, written as text
		if found := c.ids[strings.ToLower(id)]; found != "" {
			return found, true, true
		}
	}
	return id, ok, ok || r != ""
}

// reference is an _id as a key by which equal ones are found, whatever type a number has; empty
// for types that no id has.
func reference(v bson.RawValue) string {
	if n, ok := number(v); ok {
		return "number " + strconv.FormatInt(n, 10)
	}
	switch v.Type {
	case bson.TypeObjectID:
		return v.ObjectID().Hex()
	case bson.TypeString:
		if s, ok := plain(v); ok {
			return strconv.Quote(s)
		}
	}
	return ""
}

func isHexID(text string) bool {
	id, err := hex.DecodeString(text)
	return err == nil && len(id) == len(bson.ObjectID{})
}

// owner reads the owner of a workspace; empty: none. It is unresolved if it is the id of a user
// that users does not have yet.
func (c *counter) owner(doc bson.Raw) (owner string, unresolved bool, reason string) {
	v, err := lookup(doc, c.names.Workspaces.Owner)
	if err != nil || v.Type != bson.TypeObjectID {
		if owner, reason = name(doc, c.names.Workspaces.Owner, ""); owner == "" {
			return "", false, reason
		}
	}
	owner, known, _ := c.person(v)
	return owner, !known, ""
}

// member reads a member of a group: a person, or a document that holds one.
func (c *counter) member(v bson.RawValue) (string, bool) {
	if v.Type == bson.TypeEmbeddedDocument {
		doc := v.Document()
		for _, field := range []string{c.names.Users.PlatformName, "_id", "$id"} { // the last is that of a DBRef
			inner, err := lookup(doc, field)
			if err != nil || inner.Type == bson.TypeEmbeddedDocument {
				continue
			}
			if id, ok := c.member(inner); ok {
				return id, true
			}
		}
		return "", false
	}
	id, known, ok := c.person(v)
	return id, ok && known && id != ""
}
