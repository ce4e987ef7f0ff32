package mongo

import (
	"context"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Stock is what there is to read, for a person who has set up the configuration.
type Stock struct {
	Collections map[string]int64 // the configured ones that exist, with about how many records
	Others      []string         // other collections of the database
	Databases   []string         // that the account may see, if the database has no collection; nil: not known
}

// Stock looks what the database has.
func (r *Reader) Stock(ctx context.Context, n Names) (Stock, error) {
	s := Stock{Collections: map[string]int64{}}
	has, err := r.ListCollections(ctx)
	if err != nil {
		return s, err
	}
	wanted := []string{n.Workspaces.Collection, n.Users.Collection, n.Groups.Collection, n.Hosts.Collection}
	for _, name := range has {
		switch {
		case strings.HasPrefix(name, "system."):
		case !slices.Contains(wanted, name):
			s.Others = append(s.Others, name)
		default:
			if s.Collections[name], err = r.EstimatedCount(ctx, name); err != nil {
				return s, err
			}
		}
	}
	if len(has) == 0 {
		s.Databases = r.databases(ctx)
	}
	return s, nil
}

// databases lists those that the account may see, without those of the server itself. It needs no
// right, but a server may refuse it.
func (r *Reader) databases(ctx context.Context) []string {
	ctx, done := context.WithTimeout(ctx, r.timeout)
	defer done()
	db, err := r.client.database(ctx)
	if err != nil {
		return nil
	}
	names, err := db.Client().ListDatabaseNames(ctx, bson.D{}, options.ListDatabases().SetAuthorizedDatabases(true))
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "admin" || name == "local" || name == "config" })
}
