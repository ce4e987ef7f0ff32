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
