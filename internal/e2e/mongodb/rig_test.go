// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package mongodb tests reading and writing MongoDB against a server that speaks
// its protocol: FerretDB, started here, or an operator's own mongod.
package mongodb

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/ferret"
	"github.com/carbon-exporter/carbon_exporter/internal/mongo"
)

// own is the address of an operator's server, on which the same tests run. They
// use databases of random names there, and drop them.
const own = "CARBON_TEST_MONGODB_URI"

var address string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if address = os.Getenv(own); address != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "ferret-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	server, err := ferret.Start("127.0.0.1:0", dir)
	if err != nil {
		panic(err)
	}
	defer server.Close()
	address = server.URI()
	return m.Run()
}

// rig is a database of its own, and clients of it.
type rig struct {
	t    *testing.T
	name string
	db   *driver.Database // may write
}

func newRig(t *testing.T) *rig {
	t.Helper()
	client, err := driver.Connect(options.Client().ApplyURI(address))
	if err != nil {
		t.Fatal(err)
	}
	name := "carbon_test_" + rand.Text()[:12]
	r := &rig{t: t, name: name, db: client.Database(name)}
	t.Cleanup(func() {
		ctx, done := context.WithTimeout(context.Background(), 10*time.Second)
		defer done()
		if err := r.db.Drop(ctx); err != nil {
			t.Error(err)
		}
		client.Disconnect(ctx)
	})
	return r
}

func (r *rig) options() mongo.Options {
	return mongo.Options{URI: address, Database: r.name, AppName: "carbon_exporter_test", Timeout: 10 * time.Second}
}

func (r *rig) reader(change ...func(*mongo.Options)) *mongo.Reader {
	r.t.Helper()
	o := r.options()
	for _, c := range change {
		c(&o)
	}
	reader, err := mongo.Open(o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { reader.Close() })
	return reader
}

func (r *rig) insert(collection string, docs ...any) {
	r.t.Helper()
	if _, err := r.db.Collection(collection).InsertMany(r.t.Context(), docs); err != nil {
		r.t.Fatal(err)
	}
}

// contents is everything in the database, as text.
func (r *rig) contents() string {
	r.t.Helper()
	names, err := r.db.ListCollectionNames(r.t.Context(), bson.D{})
	if err != nil {
		r.t.Fatal(err)
	}
	all := ""
	for _, name := range names {
		cursor, err := r.db.Collection(name).Find(r.t.Context(), bson.D{}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
		if err != nil {
			r.t.Fatal(err)
		}
		var docs []bson.D
		if err := cursor.All(r.t.Context(), &docs); err != nil {
			r.t.Fatal(err)
		}
		all += fmt.Sprintln(name, docs)
	}
	return all
}
