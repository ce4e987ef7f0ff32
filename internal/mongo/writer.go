// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The collections that usage is written to.
const (
	groupUsage = "group_usage"
	userUsage  = "user_usage"
)

// maxBulk is how many documents are sent at once.
const maxBulk = 1000

// Writer writes usage by group and by user. It is a separate client, whose account may write to
// its one database.
type Writer struct {
	client  *client
	place   string
	timeout time.Duration
}

// OpenWriter returns a writer. It does not connect yet. Writes are acknowledged by the
// majority, so that the position never moves past what could be rolled back.
func OpenWriter(o Options) (*Writer, error) {
	client, err := newClient(o, options.Client().SetWriteConcern(writeconcern.Majority()).SetRetryWrites(false))
	if err != nil {
		return nil, err
	}
	return &Writer{client: client, place: Place(o.URI, o.Database), timeout: o.Timeout}, nil
}

// Place names a database for a message: without user, password and options.
func Place(uri, database string) string { return "mongodb/" + hosts(uri) + "/" + database }

// hosts returns the part of an address that names the servers, without user and password.
func hosts(uri string) string {
	_, rest, _ := strings.Cut(uri, "://")
	rest, _, _ = strings.Cut(rest, "?")
	if at := strings.LastIndex(rest, "@"); at >= 0 { // a password may contain one, too
		rest = rest[at+1:]
	}
	rest, _, _ = strings.Cut(rest, "/")
	return rest
}

// Close closes the connections.
func (w *Writer) Close() error { return w.client.close() }

// Name identifies the destination. A new destination gets everything.
func (w *Writer) Name() string { return w.place }

// Prepare creates the indexes for looking up usage.
func (w *Writer) Prepare(ctx context.Context) error {
	for collection, who := range map[string]string{groupUsage: "group", userUsage: "user"} {
		for _, keys := range []bson.D{{{Key: "ts", Value: 1}}, {{Key: who, Value: 1}, {Key: "ts", Value: 1}}} {
			err := w.do(ctx, func(ctx context.Context, db *driver.Database) error {
				_, err := db.Collection(collection).Indexes().CreateOne(ctx, driver.IndexModel{Keys: keys})
				return err
			})
			if err != nil {
				return failure("create indexes of "+collection, err)
			}
		}
	}
	return nil
}

// Write makes the documents of these intervals match the rollups: one for each group and user;
// documents of groups and users without usage are deleted. Writing again changes nothing.
func (w *Writer) Write(ctx context.Context, rollups []usage.Rollup) error {
	for _, p := range rollups {
		if err := w.put(ctx, groupUsage, "group", p, p.Groups); err != nil {
			return err
		}
		if err := w.put(ctx, userUsage, "user", p, p.Users); err != nil {
			return err
		}
	}
	return nil
}

func (w *Writer) put(ctx context.Context, collection, who string, p usage.Rollup, all []usage.RollupMember) error {
	for first := 0; first < len(all); first += maxBulk {
		some := all[first:min(first+maxBulk, len(all))]
		models := make([]driver.WriteModel, len(some))
		for i, u := range some {
			doc := document(who, p, u)
			models[i] = driver.NewReplaceOneModel().SetFilter(bson.D{doc[0]}).SetReplacement(doc).SetUpsert(true)
		}
		err := w.do(ctx, func(ctx context.Context, db *driver.Database) error {
			_, err := db.Collection(collection).BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false))
			return err
		})
		if err != nil {
			return failure("write "+collection, err)
		}
	}
	return failure("write "+collection, w.removeOthers(ctx, collection, p, all))
}

// removeOthers deletes the documents of an interval that a rollup does not have: usage that now
// belongs to others. It goes by their names and not by the revision: two exporters of one site may
// write the same interval at the same time, and neither may delete what the other has just written.
func (w *Writer) removeOthers(ctx context.Context, collection string, p usage.Rollup, all []usage.RollupMember) error {
	ids := make([]string, len(all))
	for i, u := range all {
		ids[i] = documentID(p, u)
	}
	for _, id := range othersThan(ids, maxBulk) {
		err := w.do(ctx, func(ctx context.Context, db *driver.Database) error {
			_, err := db.Collection(collection).DeleteMany(ctx, bson.D{
				{Key: "ts", Value: bson.NewDateTimeFromTime(p.Interval.Start)}, {Key: "_id", Value: id},
			})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// othersThan returns filters which together match every id but these: each names at most so many, and
// is about one stretch of all ids.
func othersThan(ids []string, most int) (all []bson.D) {
	ids = slices.Sorted(slices.Values(ids))
	for first := 0; first == 0 || first < len(ids); first += most {
		some := ids[first:min(first+most, len(ids))]
		in := bson.A{}
		for _, id := range some {
			in = append(in, id)
		}
		stretch := bson.D{{Key: "$nin", Value: in}}
		if first > 0 {
			stretch = append(stretch, bson.E{Key: "$gt", Value: ids[first-1]})
		}
		if first+most < len(ids) {
			stretch = append(stretch, bson.E{Key: "$lte", Value: some[len(some)-1]})
		}
		all = append(all, stretch)
	}
	return all
}

func (w *Writer) do(ctx context.Context, f func(context.Context, *driver.Database) error) error {
	ctx, done := context.WithTimeout(ctx, w.timeout)
	defer done()
	db, err := w.client.database(ctx)
	if err != nil {
		return err
	}
	return f(ctx, db)
}

// document is the usage of one group or user in one interval. Its id is the interval's start
// and the name, so that there is one per interval. Grams are null while there is no intensity:
// unknown is not 0. What devices measured is there only where there is any.
func document(who string, p usage.Rollup, u usage.RollupMember) bson.D {
	var busy, idle, intensity any
	if u.Emissions != nil {
		busy, idle = float64(u.Emissions.Busy), float64(u.Emissions.Idle)
	}
	if p.Intensity != nil {
		intensity = float64(*p.Intensity)
	}
	doc := bson.D{
		{Key: "_id", Value: documentID(p, u)},
		{Key: "ts", Value: bson.NewDateTimeFromTime(p.Interval.Start)},
		{Key: "interval_seconds", Value: int64(p.Interval.Length.Seconds())},
		{Key: who, Value: u.Name},
		{Key: "busy_cpu_seconds", Value: float64(u.CPU.Busy)},
		{Key: "idle_cpu_seconds", Value: float64(u.CPU.Idle)},
		{Key: "busy_kwh", Value: float64(u.Energy.Busy)},
		{Key: "idle_kwh", Value: float64(u.Energy.Idle)},
		{Key: "busy_gco2eq", Value: busy},
		{Key: "idle_gco2eq", Value: idle},
		{Key: "intensity_gco2eq_per_kwh", Value: intensity},
		{Key: "provenance", Value: string(p.State)},
		{Key: "revision", Value: p.Revision},
	}
	if u.Energy.Measured == 0 {
		return doc
	}
	var measured any
	if u.Emissions != nil {
		measured = float64(u.Emissions.Measured)
	}
	return append(doc, bson.E{Key: "measured_kwh", Value: float64(u.Energy.Measured)}, bson.E{Key: "measured_gco2eq", Value: measured})
}

func documentID(p usage.Rollup, u usage.RollupMember) string {
	return p.Interval.String() + "/" + u.Name
}
