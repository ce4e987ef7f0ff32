// Package mongo reads who had which workspace when from MongoDB, and writes usage
// there. It knows MongoDB's protocol and the records that operators keep; it must
// not know Prometheus, energy or how ownership is worked out. Start with
// Reader.Census; Writer is another client that shares nothing with it.
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

// Options say where a MongoDB is and how it is spoken to.
type Options struct {
	URI      string // a secret: no error shows it
	Database string
	AppName  string        // how the server's log names us
	Timeout  time.Duration // of one operation, here and on the server; of a stream, of each batch
}

const (
	// maxIdle closes connections that a directory read every few minutes does not need.
	maxIdle = time.Minute
	// majority is the read concern of every read: nothing that may be rolled back.
	majority = "majority"
)

// Reader reads one database. It has no method that writes, and every pipeline
// that would is refused before it is sent; give its account the role read.
type Reader struct {
	client  *driver.Client
	db      *driver.Database
	timeout time.Duration
}

// Open makes a reader. Nothing is connected to yet.
func Open(o Options) (*Reader, error) {
	client, err := connect(o, options.Client().SetReadPreference(readpref.SecondaryPreferred()).
		SetReadConcern(readconcern.Majority()).SetRetryWrites(false))
	if err != nil {
		return nil, err
	}
	return &Reader{client: client, db: client.Database(o.Database), timeout: o.Timeout}, nil
}

// connect makes a client with what all have in common.
func connect(o Options, more *options.ClientOptions) (*driver.Client, error) {
	given := options.Client().ApplyURI(o.URI)
	if err := given.Validate(); err != nil {
		return nil, errURI // the driver's words may quote it
	}
	client, err := driver.Connect(given, options.Client().SetAppName(o.AppName).SetMaxConnIdleTime(maxIdle).
		SetServerSelectionTimeout(o.Timeout).SetConnectTimeout(o.Timeout), more)
	if err != nil {
		return nil, errURI
	}
	return client, nil
}

// Within is the same reader for questions that may take another time than usual.
// Only the first is to be closed.
func (r *Reader) Within(timeout time.Duration) *Reader {
	other := *r
	other.timeout = timeout
	return &other
}

// Close ends the connections.
func (r *Reader) Close() error { return disconnect(r.client) }

func disconnect(client *driver.Client) error {
	ctx, done := context.WithTimeout(context.Background(), time.Second)
	defer done()
	return client.Disconnect(ctx)
}

// Ping says whether the server answers.
func (r *Reader) Ping(ctx context.Context) error {
	ctx, done := context.WithTimeout(ctx, r.timeout)
	defer done()
	return failure("ping", r.client.Ping(ctx, nil))
}

// ListCollections names the collections of the database.
func (r *Reader) ListCollections(ctx context.Context) ([]string, error) {
	ctx, done := context.WithTimeout(ctx, r.timeout)
	defer done()
	names, err := r.db.ListCollectionNames(ctx, bson.D{})
	return names, failure("list collections", err)
}

// Distinct gives the distinct values of a field. A nil filter is all documents.
func (r *Reader) Distinct(ctx context.Context, collection, field string, filter any) ([]bson.RawValue, error) {
	limited, done := context.WithTimeout(ctx, r.timeout)
	defer done()
	list, err := r.db.Collection(collection).Distinct(limited, field, orAll(filter)).Raw()
	if hasCode(err, []int32{failedToParse}) {
		// A server that takes no time limit for this command: ours alone.
		alone, stop := context.WithCancel(ctx)
		defer stop()
		defer context.AfterFunc(limited, stop)()
		list, err = r.db.Collection(collection).Distinct(alone, field, orAll(filter)).Raw()
	}
	if err != nil {
		return nil, failure("distinct "+collection, err)
	}
	return list.Values()
}

// Count counts documents one by one. A nil filter is all documents; a hint, if
// there is one, is an index, by name or by its keys.
func (r *Reader) Count(ctx context.Context, collection string, filter, hint any) (int64, error) {
	ctx, done := context.WithTimeout(ctx, r.timeout)
	defer done()
	how := options.Count()
	if hint != nil {
		how.SetHint(hint)
	}
	n, err := r.db.Collection(collection).CountDocuments(ctx, orAll(filter), how)
	return n, failure("count "+collection, err)
}

// EstimatedCount is what the server believes of a collection's size, at once.
func (r *Reader) EstimatedCount(ctx context.Context, collection string) (int64, error) {
	ctx, done := context.WithTimeout(ctx, r.timeout)
	defer done()
	n, err := r.db.Collection(collection).EstimatedDocumentCount(ctx)
	return n, failure("estimated count "+collection, err)
}

func orAll(filter any) any {
	if filter == nil {
		return bson.D{}
	}
	return filter
}
