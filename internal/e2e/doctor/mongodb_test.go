// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/ferret/ferrettest"
)

func workspace(host, owner string) bson.D {
	return bson.D{{Key: "hostname", Value: host}, {Key: "owner", Value: owner}, {Key: "created_time", Value: now.Add(-48 * time.Hour)}}
}

func people(names ...string) (all []any) {
	for _, n := range names {
		all = append(all, bson.D{{Key: "platform_name", Value: n}, {Key: "name", Value: n + " Lovelace"}})
	}
	return all
}

func TestMongoDB(t *testing.T) {
	_, prometheus := scraped(t, machine{}, machine{})
	group := []any{bson.D{{Key: "name", Value: "muons"}, {Key: "members", Value: bson.A{"ada"}}}}
	whole := map[string][]any{"users": people("ada"), "groups": group, "workspaces": {workspace("10.0.0.1", "ada"), workspace("10.0.0.2:9100", "ada")}}
	for _, test := range []struct {
		name         string
		collections  map[string][]any
		mongodb      string // more of the section
		level, check string
		words        string
	}{
		{"all is well", whole, "", "ok", "owners", "100 % of 2 machines have an owner now, 0 wait in a pool"},
		{"all is well, by its collections", whole, "", "ok", "collections", "database ada has workspaces 2, users 1, groups 1"},
		{"another database", whole, ", database: adaa", "warning", "collections", `of the database "adaa", which has no collections at all; the server has the database "ada": see mongodb.database`},
		{"another database has no owners", whole, ", database: adaa", "warning", "owners", "no workspace names a machine"},
		{"another collection", whole, ", collections: {workspaces: vms}", "warning", "collections", `looked in the collection "vms" of the database "ada", which does not have it, but "groups", "users", "workspaces": see mongodb.collections.workspaces`},
		{"none of the collections", map[string][]any{"vms": {workspace("10.0.0.1", "ada")}}, "", "warning", "collections", `which does not have it, but "vms"`},
		{"an empty collection", map[string][]any{"users": nil, "groups": group, "workspaces": whole["workspaces"]}, "", "warning", "collections", "collection users is empty"},
		{"no record of a workspace", map[string][]any{"users": people("ada"), "groups": group, "workspaces": nil}, "", "warning", "collections", `looked in the collection "workspaces" of the database "ada", which is empty`},
		{"no groups where they are wanted", map[string][]any{"users": people("ada"), "workspaces": whole["workspaces"]}, "", "warning", "collections", "there is no collection groups"},
		{"hosts by other names", map[string][]any{"users": people("ada"), "groups": group, "workspaces": {workspace("ws-1.example.org", "ada")}}, "", "warning", "owners", "none of 2 machines is in any workspace: the server calls them such as 10.0.0.1:9100, the directory such as ws-1.example.org"},
		{"few of the hosts", map[string][]any{"users": people("ada"), "groups": group, "workspaces": {workspace("10.0.0.9", "ada"), workspace("10.0.0.3", "")}}, "", "warning", "owners", "none of 2 machines"},
		{"records without a host", map[string][]any{"users": people("ada"), "groups": group, "workspaces": {workspace("", "ada"), workspace("10.0.0.1", "ada")}}, "", "warning", "records", "50 % of 2 records in workspaces refused: missing_hostname"},
		{"owners whom nobody knows", map[string][]any{"users": people("bob"), "groups": group, "workspaces": {workspace("10.0.0.1", "ada")}}, "", "warning", "records", "unknown_owner"},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := fmt.Sprintf("prometheus: {url: %q}\nmongodb: {uri: %q%s}\nattribution: {group_by: directory}\n", prometheus, ferrettest.Serve(t, test.collections), test.mongodb)
			r := examine(t, config, "--only=prometheus,mongodb")
			r.wants(test.level, test.check, test.words)
			if r.code != 0 {
				t.Errorf("exit code %d: %s", r.code, r)
			}
			for _, name := range []string{"bob", "Lovelace", "muons"} {
				if strings.Contains(r.String(), name) {
					t.Errorf("it names %s:\n%s", name, r)
				}
			}
		})
	}
}

// TestALoginThatMongoDBRefuses: this server takes none at all.
func TestALoginThatMongoDBRefuses(t *testing.T) {
	_, prometheus := scraped(t, machine{})
	uri := strings.Replace(ferrettest.Serve(t, nil), "mongodb://", "mongodb://carbon:hunter2hunter2@", 1)
	r := examine(t, fmt.Sprintf("prometheus: {url: %q}\nmongodb: {uri: %q}\n", prometheus, uri), "--only=prometheus,mongodb")
	r.wants("failure", "reachable", "check user, password and authSource in mongodb.uri")
	r.wants("ok", "newest interval", "1 exact")
	if r.code != 1 {
		t.Errorf("exit code %d: %s", r.code, r)
	}
}
