// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package cloud

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
)

// Operator keeps the records of a cloud in a MongoDB, like the programs that hand out its
// hosts.
type Operator struct {
	cloud  *simulate.Cloud
	client *driver.Client
	db     *driver.Database
	wrote  map[string]map[any]simulate.Document // by collection and id
}

// NewOperator connects to a database that only it uses.
func NewOperator(c *simulate.Cloud, uri, database string) (*Operator, error) {
	client, err := driver.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		return nil, fmt.Errorf("connect to mongodb: %w", err)
	}
	return &Operator{cloud: c, client: client, db: client.Database(database), wrote: map[string]map[any]simulate.Document{}}, nil
}

// Close closes the connections.
func (o *Operator) Close() error {
	ctx, done := context.WithTimeout(context.Background(), time.Second)
	defer done()
	return o.client.Disconnect(ctx)
}

// Write updates the database to the records at a time. It writes only what has changed.
func (o *Operator) Write(ctx context.Context, now time.Time) error {
	for collection, all := range o.cloud.Records(now) {
		wrote := o.wrote[collection]
		if wrote == nil {
			wrote = map[any]simulate.Document{}
			o.wrote[collection] = wrote
		}
		var models []driver.WriteModel
		for _, d := range all {
			if !reflect.DeepEqual(wrote[d["_id"]], d) {
				models = append(models, driver.NewReplaceOneModel().SetFilter(bson.D{{Key: "_id", Value: d["_id"]}}).SetReplacement(d).SetUpsert(true))
			}
		}
		if len(models) == 0 {
			continue
		}
		if _, err := o.db.Collection(collection).BulkWrite(ctx, models); err != nil {
			return fmt.Errorf("write records of %s: %w", collection, err)
		}
		for _, d := range all {
			wrote[d["_id"]] = d
		}
	}
	return nil
}
