// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package mongo reads from MongoDB who had which workspace when, and writes usage there. It
// knows MongoDB's protocol and the records that operators keep; it must not know Prometheus,
// energy or how ownership is determined. Start with Reader.Census; Writer is another client
// that shares nothing with it.
package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
)

// Options describe a MongoDB and how to connect to it.
type Options struct {
	URI      string // a secret: no error contains it
	Database string
	AppName  string        // our name in the server's log
	Timeout  time.Duration // of one operation, here and on the server; in a stream, of each batch
}

// limits bound a stream: a cursor that never ends must not use up the memory.
type limits struct {
	records int
	bytes   int64
	batches int // time limit, as a multiple of the timeout of one operation
}

// usual limits are far above any directory: ten times as many virtual machines as the largest
// clouds have, with records of the usual size.
var usual = limits{records: 1_000_000, bytes: 512 << 20, batches: 30}

const (
	// maxIdle is when unused connections are closed: a directory is read every few minutes.
	maxIdle = time.Minute
	// majority is the read concern of all reads, so that nothing read can be rolled back.
	majority = "majority"
)

// Reader reads one database. No method of it writes, and it refuses every pipeline that would
// write before sending it. Its account needs only the role read.
type Reader struct {
	client  *client
	timeout time.Duration
	limits  limits
}

// Open returns a reader. It does not connect yet.
func Open(o Options) (*Reader, error) {
	client, err := newClient(o, options.Client().SetReadPreference(readpref.SecondaryPreferred()).
		SetReadConcern(readconcern.Majority()).SetRetryWrites(false))
	if err != nil {
		return nil, err
	}
	return &Reader{client: client, timeout: o.Timeout, limits: usual}, nil
}

// connect makes a client with the settings that all clients share.
func connect(o Options, more *options.ClientOptions) (*driver.Client, error) {
	given := options.Client().ApplyURI(o.URI)
	if err := given.Validate(); err != nil {
		return nil, errURI // the driver's error may quote it
	}
	client, err := driver.Connect(given, options.Client().SetAppName(o.AppName).SetMaxConnIdleTime(maxIdle).
		SetServerSelectionTimeout(o.Timeout).SetConnectTimeout(o.Timeout), more)
	if err != nil {
		return nil, errURI
	}
	return client, nil
}

// Within returns the same reader with another timeout. Only the original must be closed.
func (r *Reader) Within(timeout time.Duration) *Reader {
	other := *r
	other.timeout = timeout
	return &other
}

// Close closes the connections.
func (r *Reader) Close() error { return r.client.close() }

func disconnect(client *driver.Client) error {
	ctx, done := context.WithTimeout(context.Background(), time.Second)
	defer done()
	return failure("disconnect", client.Disconnect(ctx))
}

// Ping checks that the server answers.
func (r *Reader) Ping(ctx context.Context) error {
	ctx, done := context.WithTimeout(ctx, r.timeout)
	defer done()
	db, err := r.client.database(ctx)
	if err == nil {
		err = db.Client().Ping(ctx, nil)
	}
	return failure("ping", err)
}

// ListCollections returns the names of the collections of the database.
func (r *Reader) ListCollections(ctx context.Context) ([]string, error) {
	ctx, done := context.WithTimeout(ctx, r.timeout)
	defer done()
	db, err := r.client.database(ctx)
	if err != nil {
		return nil, failure("list collections", err)
	}
	names, err := db.ListCollectionNames(ctx, bson.D{})
	return names, failure("list collections", err)
}

// Distinct returns the distinct values of a field. A nil filter matches all documents.
func (r *Reader) Distinct(ctx context.Context, collection, field string, filter any) ([]bson.RawValue, error) {
	limited, done := context.WithTimeout(ctx, r.timeout)
	defer done()
	db, err := r.client.database(limited)
	if err != nil {
		return nil, failure("distinct "+collection, err)
	}
	list, err := db.Collection(collection).Distinct(limited, field, orAll(filter)).Raw()
	if hasCode(err, []int{failedToParse}) {
		// For a server that takes no time limit for this command: only our own limit.
		alone, stop := context.WithCancel(ctx)
		defer stop()
		defer context.AfterFunc(limited, stop)()
		list, err = db.Collection(collection).Distinct(alone, field, orAll(filter)).Raw()
	}
	if err != nil {
		return nil, failure("distinct "+collection, err)
	}
	values, err := list.Values()
	return values, failure("distinct "+collection, err)
}

// Count counts documents one by one. A nil filter matches all documents. The hint is an index,
// by name or by its keys; nil: none.
func (r *Reader) Count(ctx context.Context, collection string, filter, hint any) (int64, error) {
	ctx, done := context.WithTimeout(ctx, r.timeout)
	defer done()
	how := options.Count()
	if hint != nil {
		how.SetHint(hint)
	}
	db, err := r.client.database(ctx)
	if err != nil {
		return 0, failure("count "+collection, err)
	}
	n, err := db.Collection(collection).CountDocuments(ctx, orAll(filter), how)
	return n, failure("count "+collection, err)
}

// EstimatedCount returns the server's estimate of a collection's size, immediately.
func (r *Reader) EstimatedCount(ctx context.Context, collection string) (int64, error) {
	ctx, done := context.WithTimeout(ctx, r.timeout)
	defer done()
	db, err := r.client.database(ctx)
	if err != nil {
		return 0, failure("estimated count "+collection, err)
	}
	n, err := db.Collection(collection).EstimatedDocumentCount(ctx)
	return n, failure("estimated count "+collection, err)
}

func orAll(filter any) any {
	if filter == nil {
		return bson.D{}
	}
	return filter
}
