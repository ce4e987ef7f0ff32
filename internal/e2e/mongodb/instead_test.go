// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongodb

import (
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/mongo"
)

// A wrong name is no error to MongoDB: it answers with nothing.
func TestWhereThereAreNoWorkspacesItIsSaidWhatThereIs(t *testing.T) {
	r := newRig(t)
	r.insert("workspaces", bson.D{{Key: "hostname", Value: "a"}})
	r.insert("users", bson.D{{Key: "platform_name", Value: "ada"}})
	if err := r.db.CreateCollection(t.Context(), "empty"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, database, collection string
		want                       []string
	}{
		{"a collection by another name", r.name, "workspace", []string{`looked in the collection "workspace" of the database "` + r.name + `", which does not have it, but "empty", "users", "workspaces": see mongodb.collections.workspaces`}},
		{"a collection without records", r.name, "empty", []string{`looked in the collection "empty" of the database "` + r.name + `", which is empty`}},
		{"a database by another name", r.name + "_", "workspaces", []string{`of the database "` + r.name + `_", which has no collections at all; the server has the database `, r.name + `"`, "see mongodb.database"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			reader := r.reader(func(o *mongo.Options) { o.Database = c.database })
			var names mongo.Names
			names.Workspaces.Collection = c.collection
			got := reader.Instead(t.Context(), names)
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		})
	}
	reader := r.reader(func(o *mongo.Options) { o.Timeout = 1 })
	if got := reader.Instead(t.Context(), mongo.Names{}); !strings.Contains(got, "which collections there are is not known: ") {
		t.Errorf("of a server that does not answer: %s", got)
	}
}
