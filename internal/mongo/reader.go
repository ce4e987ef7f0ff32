// Package mongo reads from MongoDB who had which workspace when, and writes usage
// there. It knows MongoDB's protocol and the records that operators keep; it must not
// know Prometheus, energy or how ownership is worked out. Start with Reader.Census;
// Writer is another client that shares nothing with it.
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

// Options say where a MongoDB is and how to connect to it.
type Options struct {
	URI      string // a secret: no error shows it
	Database string
	AppName  string        // how the server's log names us
	Timeout  time.Duration // of one operation, here and on the server; of a stream, of each batch
}

// limits bound what one stream may give: a cursor that never ends must not take all
// the memory there is.
type limits struct {
	records int
	bytes   int64
	batches int // the time, in times of what one operation may take
}

// usual limits are far above any directory: ten times as many virtual machines as the
// largest clouds have, with records of a usual size.
var usual = limits{records: 1_000_000, bytes: 512 << 20, batches: 30}

const (
	// maxIdle is when unused connections are closed: a directory is read every few
	// minutes.
	maxIdle = time.Minute
	// majority is the read concern of every read, so that nothing read is rolled back.
	majority = "majority"
)

// Reader reads one database. It has no method that writes, and refuses every pipeline
// that would before sending it. Its account needs only the role read.
type Reader struct {
	client  *driver.Client
	db      *driver.Database
	timeout time.Duration
	limits  limits
}

// Open makes a reader. It connects to nothing yet.
func Open(o Options) (*Reader, error) {
	client, err := connect(o, options.Client().SetReadPreference(readpref.SecondaryPreferred()).
		SetReadConcern(readconcern.Majority()).SetRetryWrites(false))
	if err != nil {
		return nil, err
	}
	return &Reader{client: client, db: client.Database(o.Database), timeout: o.Timeout, limits: usual}, nil
}

// connect makes a client with the settings that all clients share.
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

// Within is the same reader with another time limit. Only the original is closed.
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
	return failure("disconnect", client.Disconnect(ctx))
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
	if hasCode(err, []int{failedToParse}) {
		// A server that takes no time limit for this command: ours alone.
		alone, stop := context.WithCancel(ctx)
		defer stop()
		defer context.AfterFunc(limited, stop)()
		list, err = r.db.Collection(collection).Distinct(alone, field, orAll(filter)).Raw()
	}
	if err != nil {
		return nil, failure("distinct "+collection, err)
	}
	values, err := list.Values()
	return values, failure("distinct "+collection, err)
}

// Count counts documents one by one. A nil filter is all documents. A hint is an index,
// by name or by its keys; nil: none.
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

// EstimatedCount is the server's estimate of a collection's size. It answers at once.
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
