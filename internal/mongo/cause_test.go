// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestACauseIsSaidInPlainWords(t *testing.T) {
	refuse := func(code int32, commands ...string) string {
		return (&server{answer: func(command bson.Raw) bson.D {
			for _, c := range commands {
				if command.Index(0).Key() == c {
					return refusal(code, "", "no")
				}
			}
			return bson.D{{Key: "ok", Value: 1.0}}
		}}).start(t)
	}
	for _, c := range []struct {
		name, address, userinfo, options, want string
	}{
		{"an account without the right", refuse(13, "find"), "", "", "find users: the account may not do that: give it the role read on mongodb.database, and readWrite on mongodb.usage_database"},
		{
			"a password that is wrong", refuse(18, "saslStart"), "reader:hunter2@", "?authMechanism=PLAIN&authSource=%24external",
			"MongoDB does not accept the login: check user, password and authSource in mongodb.uri",
		},
		{"nobody", "127.0.0.1:1", "", "", "no MongoDB can be reached (no server can be used: connection refused): check that it runs, and the hosts in mongodb.uri"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := readerOf(t, c.address, c.userinfo, c.options)
			if c.name == "nobody" {
				r = r.Within(300 * time.Millisecond)
			}
			_, err := read(t, r)
			if err == nil || usage.Cause(err) != c.want {
				t.Errorf("got  %v\nwant %s", usage.Cause(err), c.want)
			}
		})
	}
}
