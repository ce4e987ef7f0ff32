// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Find is a query of one collection. Fields with their zero value are not sent.
type Find struct {
	Filter       any // nil: all documents
	Projection   any
	Sort         any // ordered: a bson.D
	Skip, Limit  int64
	BatchSize    int32
	Hint         any // an index, by name or by its keys
	AllowDiskUse bool
}

// Find streams the documents that match. A document is valid until the next one. An error ends
// the stream, which is then incomplete.
func (r *Reader) Find(ctx context.Context, collection string, f Find) iter.Seq2[bson.Raw, error] {
	return r.stream(ctx, "find "+collection, findCommand(collection, f))
}

// FindOne returns the first document that matches, nil if there is none.
func (r *Reader) FindOne(ctx context.Context, collection string, f Find) (bson.Raw, error) {
	f.Limit = 1
	for doc, err := range r.Find(ctx, collection, f) {
		return append(bson.Raw(nil), doc...), err
	}
	return nil, nil
}

// findCommand builds the command. The driver's own helper omits the server's time limit, and a plain
// command does not inherit the database's read concern.
func findCommand(collection string, f Find) bson.D {
	command := bson.D{{Key: "find", Value: collection}, {Key: "filter", Value: orAll(f.Filter)}}
	add := func(name string, value any, given bool) {
		if given {
			command = append(command, bson.E{Key: name, Value: value})
		}
	}
	add("projection", f.Projection, f.Projection != nil)
	add("sort", f.Sort, f.Sort != nil)
	add("skip", f.Skip, f.Skip > 0)
	add("limit", f.Limit, f.Limit > 0)
	add("batchSize", f.BatchSize, f.BatchSize > 0)
	add("hint", f.Hint, f.Hint != nil)
	add("allowDiskUse", true, f.AllowDiskUse)
	return append(command, concern()...)
}

// Aggregate streams the answer to a pipeline, a list of stages. A pipeline that would write, at
// any depth, returns ErrWrites and is not sent.
func (r *Reader) Aggregate(ctx context.Context, collection string, pipeline any, allowDiskUse bool, hint any) iter.Seq2[bson.Raw, error] {
	stages, err := readOnly(pipeline)
	if err != nil {
		return func(yield func(bson.Raw, error) bool) { yield(nil, err) }
	}
	command := bson.D{{Key: "aggregate", Value: collection}, {Key: "pipeline", Value: stages}, {Key: "cursor", Value: bson.D{}}}
	if allowDiskUse {
		command = append(command, bson.E{Key: "allowDiskUse", Value: true})
	}
	if hint != nil {
		command = append(command, bson.E{Key: "hint", Value: hint})
	}
	return r.stream(ctx, "aggregate "+collection, append(command, concern()...))
}

func concern() bson.D {
	return bson.D{{Key: "readConcern", Value: bson.D{{Key: "level", Value: majority}}}}
}

// stream sends a command and yields the documents of its cursor. Each batch has the timeout of
// an operation, and all of them together have limits: see limits.
func (r *Reader) stream(ctx context.Context, what string, command bson.D) iter.Seq2[bson.Raw, error] {
	return func(yield func(bson.Raw, error) bool) {
		read := &reading{limits: r.limits, timeout: r.timeout, until: time.Now().Add(r.timeout * time.Duration(r.limits.batches))}
		first, done := context.WithTimeout(ctx, r.timeout)
		cursor, err := r.begin(first, command)
		done()
		if err != nil {
			yield(nil, failure(what, err))
			return
		}
		defer closeCursor(cursor)
		for read.next(ctx, cursor) {
			if !yield(cursor.Current, nil) {
				return
			}
		}
		if err := cmp.Or(read.over, errors.Join(cursor.Err(), ctx.Err())); err != nil {
			yield(nil, failure(what, err))
		}
	}
}

func (r *Reader) begin(ctx context.Context, command bson.D) (*driver.Cursor, error) {
	db, err := r.client.database(ctx)
	if err != nil {
		return nil, err
	}
	return db.RunCommandCursor(ctx, command, options.RunCmd().SetReadPreference(readpref.SecondaryPreferred()))
}

// reading is the progress of a stream.
type reading struct {
	limits  limits
	timeout time.Duration // of one batch
	until   time.Time     // no batch is requested that may end later
	records int
	bytes   int64
	over    error // the limit that was exceeded
}

// next moves on by one document. Only a new batch sends a request.
func (r *reading) next(ctx context.Context, cursor *driver.Cursor) bool {
	if cursor.RemainingBatchLength() == 0 {
		if time.Until(r.until) < r.timeout {
			r.over = limited("reading it took longer than the limit of %d times mongodb.timeout; %d records were read", r.limits.batches, r.records)
			return false
		}
		var done context.CancelFunc
		ctx, done = context.WithTimeout(ctx, r.timeout)
		defer done()
	}
	if !cursor.Next(ctx) {
		return false
	}
	r.records++
	r.bytes += int64(len(cursor.Current))
	switch {
	case r.records > r.limits.records:
		r.over = limited("the collection has more than %d records, the limit", r.limits.records)
	case r.bytes > r.limits.bytes:
		r.over = limited("the collection has more than %d MiB of records, the limit", r.limits.bytes>>20)
	}
	return r.over == nil
}

func limited(format string, args ...any) error {
	return &usage.Failure{Reason: usage.ReasonLimit, Detail: fmt.Sprintf(format, args...)}
}

// closeCursor asks the server to drop the cursor.
func closeCursor(cursor *driver.Cursor) {
	ctx, done := context.WithTimeout(context.Background(), time.Second)
	defer done()
	_ = cursor.Close(ctx)
}
