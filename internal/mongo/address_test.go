// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"strings"
	"testing"
)

func TestCheckAddress(t *testing.T) {
	for _, test := range []struct {
		name, uri string
		valid     bool
	}{
		{"one host", "mongodb://localhost", true},
		{"a user and a set of hosts", "mongodb://carbon:hunter2@a:27017,b:27018/?replicaSet=rs0", true},
		{"a name in DNS, which is not asked", "mongodb+srv://carbon:hunter2@db.invalid/?retryWrites=false", true},
		{"nothing", "", false},
		{"another database", "postgres://carbon:hunter2@localhost", false},
		{"no host", "mongodb://", false},
		{"no host in DNS", "mongodb+srv://", false},
		{"a password with a slash", "mongodb://carbon:hun/ter2@localhost", false},
		{"a port that is none", "mongodb://localhost:hunter2", false},
		{"an option that is none", "mongodb://localhost/?connectTimeoutMS=hunter2", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := CheckAddress(test.uri)
			if (err == nil) != test.valid {
				t.Errorf("got %v, want valid: %t", err, test.valid)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Error("shows a password")
			}
		})
	}
}
