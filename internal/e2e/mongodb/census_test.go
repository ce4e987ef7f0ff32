// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongodb

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

func hour(n int) time.Time { return created.Add(time.Duration(n) * time.Hour) }

func TestACensusReadsWhatOperatorsHave(t *testing.T) {
	rig := newRig(t)
	rig.insert("users", d("_id", 1, "platform_name", "ada", "name", "Ada L.", "email", "ada@example.org"), d("_id", 2, "platform_name", "bob"))
	rig.insert("groups",
		d("_id", 1, "name", "muons", "members", bson.A{"ada", d("platform_name", "bob", "role", "pi")}), d("_id", 2, "name", "empty"))
	rig.insert("hosts", d("_id", 1, "hostname", "172.16.100.5", "cloud_project_name", "IDAaaS", "machine_name", "Muon"))
	id := bson.NewObjectID()
	rig.insert("workspaces",
		d("_id", id, "hostname", "172.16.100.5:9100", "owner", "ada", "created_time", hour(0), "acquired_time", hour(1), "deleted_time", hour(2), "state", "DELETED"),
		d("_id", "pool", "hostname", "WS-1.example.org.", "created_time", hour(0), "deleted_time", nil, "state", "READY", "parameters", d("users", bson.A{"bob"})))
	census, rejects, err := rig.reader().Census(t.Context(), names())
	if err != nil || len(rejects) != 0 {
		t.Fatal(rejects, err)
	}
	want := directory.Census{
		People:  []directory.Person{{ID: "ada", Name: "Ada L."}, {ID: "bob"}},
		Groups:  map[string][]string{"muons": {"ada", "bob"}, "empty": nil},
		Hosts:   []directory.Placement{{Host: "172.16.100.5", Project: "IDAaaS", Machine: "Muon"}},
		Refused: map[string]bool{},
	}
	workspaces := map[string]directory.Workspace{}
	for _, w := range census.Workspaces {
		workspaces[w.Document] = w
	}
	census.Workspaces = nil
	if !reflect.DeepEqual(census, want) {
		t.Errorf("got  %+v\nwant %+v", census, want)
	}
	wantWorkspaces := map[string]directory.Workspace{
		id.Hex(): {Document: id.Hex(), Host: "172.16.100.5", Owner: "ada", Created: hour(0), Acquired: hour(1), Deleted: hour(2)},
		`"pool"`: {Document: `"pool"`, Host: "ws-1.example.org", Created: hour(0)},
	}
	if !reflect.DeepEqual(workspaces, wantWorkspaces) {
		t.Errorf("got  %+v\nwant %+v", workspaces, wantWorkspaces)
	}
}

func TestBadRecordsAreRefusedOneByOne(t *testing.T) {
	for _, tc := range []struct {
		name, collection string
		doc              doc
		reason           string // empty: it is taken
	}{
		{"a date that is a string", "workspaces", d("hostname", "h", "created_time", "2026-07-01"), "bad_type"},
		{"a date of a far future", "workspaces", d("hostname", "h", "created_time", created, "deleted_time", bson.DateTime(1<<60)), "bad_type"},
		{"deleted before created", "workspaces", d("hostname", "h", "created_time", hour(2), "deleted_time", hour(1)), "deleted_before_created"},
		{"acquired after deleted", "workspaces", d("hostname", "h", "created_time", hour(0), "acquired_time", hour(3), "deleted_time", hour(1)), "acquired_after_deleted"},
		{"acquired before created", "workspaces", d("hostname", "h", "created_time", hour(2), "acquired_time", hour(1)), ""},
		{"no hostname", "workspaces", d("created_time", created), "missing_hostname"},
		{"an empty hostname", "workspaces", d("hostname", "", "created_time", created), "missing_hostname"},
		{"a hostname that is a document", "workspaces", d("hostname", d("gt", ""), "created_time", created), "bad_type"},
		{"a hostname that only looks like one", "workspaces", d("hostname", `{"$gt":""}`, "created_time", created), ""},
		{"never created", "workspaces", d("hostname", "h"), "missing_created_time"},
		{"an owner that is a list", "workspaces", d("hostname", "h", "created_time", created, "owner", bson.A{"ada"}), "bad_type"},
		{"an owner nobody knows", "workspaces", d("hostname", "h", "created_time", created, "owner", "eve"), "unknown_owner"},
		{"a hostname of 64 KiB", "workspaces", d("hostname", strings.Repeat("h", 64<<10), "created_time", created), "bad_text"},
		{"the same user twice", "users", d("platform_name", "ada", "name", "Another"), "duplicate"},
		{"a user without a name to log in by", "users", d("name", "Nobody"), "missing_platform_name"},
		{"a user by number", "users", d("platform_name", int64(1042)), ""},
		{"a user by half a number", "users", d("platform_name", 10.5), "bad_type"},
		{"a user by a number of JavaScript", "users", d("platform_name", 42.0), ""},
		{"an owner by an _id that no user has", "workspaces", d("hostname", "h", "created_time", created, "owner", bson.NewObjectID()), "unknown_owner"},
		{"an owner by a number that no user has", "workspaces", d("hostname", "h", "created_time", created, "owner", int32(77)), "unknown_owner"},
		{"created at no time", "workspaces", d("hostname", "h", "created_time", time.Time{}), "missing_created_time"},
		{"created before there was Unix", "workspaces", d("hostname", "h", "created_time", created.AddDate(-100, 0, 0)), "bad_type"},
		{"a member by an _id that no user has", "groups", d("name", "g", "members", bson.A{"ada", bson.NewObjectID()}), "bad_member"},
		{"a group without a name", "groups", d("members", bson.A{"ada"}), "missing_name"},
		{"members that are no list", "groups", d("name", "g", "members", "ada"), "bad_type"},
		{"a member that is a date", "groups", d("name", "g", "members", bson.A{"ada", created}), "bad_member"},
		{"a host without a name", "hosts", d("machine_name", "Muon"), "missing_hostname"},
		{"a machine type that is a date", "hosts", d("hostname", "h", "machine_name", created), "bad_type"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rig := newRig(t)
			rig.insert("users", d("_id", 0, "platform_name", "ada"))
			rig.insert(tc.collection, append(d("_id", 1), tc.doc...))
			census, rejects, err := rig.reader().Census(t.Context(), names())
			if err != nil {
				t.Fatal(err)
			}
			if tc.reason == "" {
				if len(rejects) != 0 {
					t.Errorf("refused: %v", rejects)
				}
				return
			}
			if want := []directory.RecordReject{{Collection: tc.collection, Reason: tc.reason, Count: 1}}; !reflect.DeepEqual(rejects, want) {
				t.Errorf("got %v, want %v", rejects, want)
			}
			kept := tc.reason == "unknown_owner" // and nobody's until somebody is called so
			if tc.collection == "workspaces" && (census.Refused[`{"$numberInt":"1"}`] == kept || (len(census.Workspaces) == 1) != kept) {
				t.Errorf("workspaces %v, refused %v", census.Workspaces, census.Refused)
			}
		})
	}
}

// Owners and members by the _id of a user are that user, whatever type the _id has.
func TestOwnersAndMembersByTheirID(t *testing.T) {
	ada, bob := bson.NewObjectID(), bson.NewObjectID()
	rig := newRig(t)
	rig.insert("users", d("_id", ada, "platform_name", "ada"), d("_id", bob, "platform_name", "bob"),
		d("_id", int64(7), "platform_name", "carl"), d("_id", "u-8", "platform_name", "dora"), d("_id", int32(9), "platform_name", "7000"))
	rig.insert("groups", d("_id", 1, "name", "g", "members", bson.A{
		ada, d("_id", bob), int32(7), "u-8", 7000.0,
	}))
	owners := map[string]any{
		"objectid": ada, "text": strings.ToUpper(bob.Hex()), "long": int64(7), "int": int32(7), "double": 7.0, "string": "u-8",
		"name": "ada", "number": int32(7000), "gone": bson.NewObjectID(), "nobody": nil,
	}
	i := 0
	for host, owner := range owners {
		i++
		rig.insert("workspaces", d("_id", i, "hostname", host, "created_time", created, "owner", owner))
	}
	census, rejects, err := rig.reader().Census(t.Context(), names())
	if err != nil {
		t.Fatal(err)
	}
	if want := []directory.RecordReject{{Collection: "workspaces", Reason: "unknown_owner", Count: 1}}; !reflect.DeepEqual(rejects, want) {
		t.Errorf("refused %v, want %v", rejects, want)
	}
	want := map[string]string{
		"objectid": "ada", "text": "bob", "long": "carl", "int": "carl", "double": "carl", "string": "dora", "name": "ada", "number": "7000", "gone": "", "nobody": "",
	}
	for _, w := range census.Workspaces {
		if w.Owner != want[w.Host] || w.Unresolved != (w.Host == "gone") {
			t.Errorf("%s is %q's, want %q; unresolved: %v", w.Host, w.Owner, want[w.Host], w.Unresolved)
		}
	}
	if len(census.Workspaces) != len(want) {
		t.Errorf("%d workspaces, want %d", len(census.Workspaces), len(want))
	}
	if got, want := census.Groups["g"], []string{"7000", "ada", "bob", "carl", "dora"}; !reflect.DeepEqual(got, want) {
		t.Errorf("members %v, want %v", got, want)
	}
}

func TestDatesThatMeanNotSet(t *testing.T) {
	rig := newRig(t)
	for i, at := range []any{
		nil,
		time.Time{},
		time.Time{}.Add(-14 * time.Hour), time.Unix(0, 0), time.Unix(-3600, 0), time.Unix(3600, 0),
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(10000, 1, 1, 9, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		rig.insert("workspaces", d("_id", i, "hostname", "h", "created_time", created, "acquired_time", at, "deleted_time", at))
	}
	census, rejects, err := rig.reader().Census(t.Context(), names())
	if err != nil || len(rejects) != 0 || len(census.Workspaces) != 9 {
		t.Fatal(len(census.Workspaces), rejects, err)
	}
	for _, w := range census.Workspaces {
		if !w.Acquired.IsZero() || !w.Deleted.IsZero() {
			t.Errorf("%s: acquired %v, deleted %v", w.Document, w.Acquired, w.Deleted)
		}
	}
}
