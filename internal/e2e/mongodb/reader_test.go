// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongodb

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/mongo"
)

type doc = bson.D

func d(pairs ...any) doc {
	var doc bson.D
	for i := 0; i < len(pairs); i += 2 {
		doc = append(doc, bson.E{Key: pairs[i].(string), Value: pairs[i+1]})
	}
	return doc
}

func xs(t *testing.T, r *mongo.Reader, f mongo.Find) []int32 {
	t.Helper()
	var all []int32
	for doc, err := range r.Find(t.Context(), "things", f) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, doc.Lookup("x").Int32())
	}
	return all
}

func TestEveryWayToRead(t *testing.T) {
	rig := newRig(t)
	reader := rig.reader()
	for n := range int32(250) {
		rig.insert("things", d("_id", n, "x", n, "even", n%2 == 0))
	}
	before := rig.contents()
	ctx := t.Context()
	if err := reader.Ping(ctx); err != nil {
		t.Error(err)
	}
	if names, err := reader.ListCollections(ctx); err != nil || !slices.Contains(names, "things") {
		t.Errorf("collections: %v, %v", names, err)
	}
	if n, err := reader.Count(ctx, "things", d("even", true), nil); n != 125 || err != nil {
		t.Errorf("count: %d, %v", n, err)
	}
	if n, err := reader.EstimatedCount(ctx, "things"); n != 250 || err != nil {
		t.Errorf("estimated count: %d, %v", n, err)
	}
	if values, err := reader.Distinct(ctx, "things", "even", nil); len(values) != 2 || err != nil {
		t.Errorf("distinct: %v, %v", values, err)
	}
	if one, err := reader.FindOne(ctx, "things", mongo.Find{Filter: d("x", 7)}); err != nil || one.Lookup("x").Int32() != 7 {
		t.Errorf("find one: %v, %v", one, err)
	}
	if none, err := reader.FindOne(ctx, "things", mongo.Find{Filter: d("x", -1)}); none != nil || err != nil {
		t.Errorf("find one of none: %v, %v", none, err)
	}
	got := xs(t, reader, mongo.Find{Filter: d("x", d("$gt", 9)), Sort: d("x", -1), Skip: 1, Limit: 3, BatchSize: 2, Projection: d("x", 1)})
	if !slices.Equal(got, []int32{248, 247, 246}) {
		t.Errorf("find: %v", got)
	}
	if all := xs(t, reader, mongo.Find{Sort: d("_id", 1), BatchSize: 100, AllowDiskUse: true}); len(all) != 250 {
		t.Errorf("a stream of several batches has %d documents", len(all))
	}
	sum := int32(0)
	for doc, err := range reader.Aggregate(ctx, "things", []doc{d("$match", d("even", true)), d("$group", d("_id", nil, "n", d("$sum", 1)))}, true, nil) {
		if err != nil {
			t.Fatal(err)
		}
		sum = doc.Lookup("n").Int32()
	}
	if sum != 125 {
		t.Errorf("aggregate counts %d", sum)
	}
	if after := rig.contents(); after != before {
		t.Error("reading has changed the database")
	}
}

func TestNothingThatWritesIsSent(t *testing.T) {
	rig := newRig(t)
	reader := rig.reader()
	rig.insert("things", d("_id", 1))
	before := rig.contents()
	out, merge := d("$out", "stolen"), d("$merge", d("into", "stolen"))
	for _, tc := range []struct {
		name     string
		pipeline any
	}{
		{"a stage", []doc{out}},
		{"the last of several", bson.A{d("$match", doc{}), merge}},
		{"of maps", []map[string]any{{"$out": "stolen"}}},
		{"inside $facet", []doc{d("$facet", d("a", bson.A{d("$match", doc{}), out}))}},
		{"inside $lookup", []doc{d("$lookup", d("from", "things", "pipeline", bson.A{merge}, "as", "x"))}},
		{"inside $unionWith", []doc{d("$unionWith", d("coll", "things", "pipeline", bson.A{out}))}},
		{"deep", []doc{d("$facet", d("a", bson.A{d("$unionWith", d("pipeline", bson.A{d("$lookup", d("pipeline", bson.A{merge}))}))}))}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := 0
			for _, err := range reader.Aggregate(t.Context(), "things", tc.pipeline, false, nil) {
				if n++; !errors.Is(err, mongo.ErrWrites) {
					t.Errorf("got %v", err)
				}
			}
			if n != 1 {
				t.Errorf("answered %d times", n)
			}
		})
	}
	for _, odd := range []any{"$out", d("$out", "stolen"), nil} {
		for _, err := range reader.Aggregate(t.Context(), "things", odd, false, nil) {
			if err == nil {
				t.Errorf("%v is taken for a pipeline", odd)
			}
		}
	}
	if after := rig.contents(); after != before {
		t.Errorf("the database was changed: %s", after)
	}
}

func TestNamesAreNeverAnythingElse(t *testing.T) {
	rig := newRig(t)
	reader := rig.reader()
	odd := []string{`{"$gt":""}`, "$where", ".*", "a.b", "'; drop", "\u202e", "日本"}
	for i, name := range odd {
		rig.insert("things", d("_id", i, "x", int32(i), "name", name))
	}
	for i, name := range odd {
		if got := xs(t, reader, mongo.Find{Filter: d("name", name)}); !slices.Equal(got, []int32{int32(i)}) {
			t.Errorf("%q finds %v", name, got)
		}
	}
}

var created = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func names() (n mongo.Names) {
	n.Workspaces.Collection, n.Workspaces.Hostname, n.Workspaces.Owner = "workspaces", "hostname", "owner"
	n.Workspaces.Created, n.Workspaces.Acquired, n.Workspaces.Deleted = "created_time", "acquired_time", "deleted_time"
	n.Users.Collection, n.Users.PlatformName, n.Users.Name = "users", "platform_name", "name"
	n.Groups.Collection, n.Groups.Name, n.Groups.Members = "groups", "name", "members"
	n.Hosts.Collection, n.Hosts.Hostname, n.Hosts.Project, n.Hosts.Machine = "hosts", "hostname", "cloud_project_name", "machine_name"
	return n
}

func TestACensusOfALargeCollectionIsWhole(t *testing.T) {
	rig := newRig(t)
	var docs []any
	for n := range 3000 {
		docs = append(docs, d("_id", n, "hostname", fmt.Sprint("host-", n), "owner", "ada", "created_time", created, "deleted_time", nil))
	}
	rig.insert("workspaces", docs...)
	rig.insert("users", d("_id", 1, "platform_name", "ada", "name", "Ada L.", "email", "ada@example.org"))
	census, rejects, err := rig.reader().Census(t.Context(), names())
	if err != nil || len(rejects) != 0 || len(census.Workspaces) != 3000 {
		t.Fatalf("%d workspaces, %v, %v", len(census.Workspaces), rejects, err)
	}
}
