// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Instead says in one sentence, for when there is no workspace, where they were looked for, what
// the server has instead, and which key of the configuration to see to.
func (r *Reader) Instead(ctx context.Context, n Names) string {
	database, wanted := r.client.options.Database, n.Workspaces.Collection
	looked := fmt.Sprintf("looked in the collection %q of the database %q", wanted, database)
	collections, err := r.ListCollections(ctx)
	switch {
	case err != nil:
		return fmt.Sprintf("%s; which collections there are is not known: %s", looked, usage.Cause(err))
	case slices.Contains(collections, wanted):
		return looked + ", which is empty"
	case len(collections) > 0:
		return fmt.Sprintf("%s, which does not have it, but %s: see mongodb.collections.workspaces and mongodb.database", looked, some(collections))
	}
	databases, err := r.listDatabases(ctx)
	databases = slices.DeleteFunc(databases, func(name string) bool {
		return name == database || name == "admin" || name == "local" || name == "config"
	})
	if err != nil || len(databases) == 0 {
		return looked + ", which has no collections at all: see mongodb.database"
	}
	return fmt.Sprintf("%s, which has no collections at all; the server has the database %s: see mongodb.database", looked, some(databases))
}

// listDatabases returns the names of the databases that the account may see.
func (r *Reader) listDatabases(ctx context.Context) ([]string, error) {
	ctx, done := context.WithTimeout(ctx, r.timeout)
	defer done()
	db, err := r.client.database(ctx)
	if err != nil {
		return nil, failure("list databases", err)
	}
	names, err := db.Client().ListDatabaseNames(ctx, bson.D{})
	return names, failure("list databases", err)
}

// some writes some names for a person.
func some(names []string) string {
	const most = 5
	slices.Sort(names)
	var quoted []string
	for _, name := range names[:min(most, len(names))] {
		quoted = append(quoted, fmt.Sprintf("%.60q", name))
	}
	if len(names) > most {
		quoted = append(quoted, fmt.Sprintf("and %d more", len(names)-most))
	}
	return strings.Join(quoted, ", ")
}
