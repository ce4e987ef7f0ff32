package mongo

import (
	"context"
	"errors"
	"iter"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
)

// Find is a question to one collection. What is left at its zero value is not
// asked for.
type Find struct {
	Filter       any // nil: all documents
	Projection   any
	Sort         any // ordered: a bson.D
	Skip, Limit  int64
	BatchSize    int32
	Hint         any // an index, by name or by its keys
	AllowDiskUse bool
}

// Find streams the documents that match. A document is valid until the next one;
// an error ends the stream, and then it is not whole.
func (r *Reader) Find(ctx context.Context, collection string, f Find) iter.Seq2[bson.Raw, error] {
	return r.stream(ctx, "find "+collection, r.find(collection, f))
}

// FindOne gives the first document that matches, nil if there is none.
func (r *Reader) FindOne(ctx context.Context, collection string, f Find) (bson.Raw, error) {
	f.Limit = 1
	for doc, err := range r.Find(ctx, collection, f) {
		return append(bson.Raw(nil), doc...), err
	}
	return nil, nil
}

// find is the command. The driver's own helper leaves the server's time limit
// out, and a command by itself does not take the database's read concern.
func (r *Reader) find(collection string, f Find) bson.D {
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

// Aggregate streams the answer to a pipeline, a list of stages. One that would
// write, at any depth, is refused with ErrWrites and is never sent.
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

// stream sends a command and gives the documents of its cursor. Each batch has
// the operation's time: a large collection takes as long as it takes, a server
// that has stopped does not.
func (r *Reader) stream(ctx context.Context, what string, command bson.D) iter.Seq2[bson.Raw, error] {
	return func(yield func(bson.Raw, error) bool) {
		first, done := context.WithTimeout(ctx, r.timeout)
		cursor, err := r.db.RunCommandCursor(first, command, options.RunCmd().SetReadPreference(readpref.SecondaryPreferred()))
		done()
		if err != nil {
			yield(nil, failure(what, err))
			return
		}
		defer closeCursor(cursor)
		for next(ctx, cursor, r.timeout) {
			if !yield(cursor.Current, nil) {
				return
			}
		}
		if err := errors.Join(cursor.Err(), ctx.Err()); err != nil {
			yield(nil, failure(what, err))
		}
	}
}

// next moves on by one document. Only a new batch asks the server.
func next(ctx context.Context, cursor *driver.Cursor, timeout time.Duration) bool {
	if cursor.RemainingBatchLength() > 0 {
		return cursor.Next(ctx)
	}
	ctx, done := context.WithTimeout(ctx, timeout)
	defer done()
	return cursor.Next(ctx)
}

// closeCursor tells the server to forget it, unless it cannot be told in time.
func closeCursor(cursor *driver.Cursor) {
	ctx, done := context.WithTimeout(context.Background(), time.Second)
	defer done()
	_ = cursor.Close(ctx)
}
