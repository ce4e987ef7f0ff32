// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

// Names are the names of the collections and fields of the directory. A field inside another is
// written with a dot.
type Names struct {
	Workspaces struct{ Collection, Hostname, Owner, Created, Acquired, Deleted string }
	Users      struct{ Collection, PlatformName, Name string }
	Groups     struct{ Collection, Name, Members string }
	Hosts      struct{ Collection, Hostname, Project, Machine string }
}

// batch is how many records the server sends at once: a few hundred kilobytes.
const batch = 5000

// Census reads all records as they are now. Bad records are refused one by one and counted.
// With an error, even at the very end, there is no census: with half a directory, the usage of
// the other half would be unattributed. The caller sets Census.AsOf.
func (r *Reader) Census(ctx context.Context, n Names) (directory.Census, []directory.RecordReject, error) {
	c := newCounter(n)
	for _, part := range []struct {
		collection string
		fields     []string
		read       func(bson.Raw)
	}{
		// Users first, because owners are looked up among them.
		{n.Users.Collection, []string{n.Users.PlatformName, n.Users.Name}, c.user},
		{n.Groups.Collection, []string{n.Groups.Name, n.Groups.Members}, c.group},
		{n.Hosts.Collection, []string{n.Hosts.Hostname, n.Hosts.Project, n.Hosts.Machine}, c.host},
		{n.Workspaces.Collection, []string{n.Workspaces.Hostname, n.Workspaces.Owner, n.Workspaces.Created, n.Workspaces.Acquired, n.Workspaces.Deleted}, c.workspace},
	} {
		question := Find{Projection: only(part.fields), Sort: bson.D{{Key: "_id", Value: 1}}, BatchSize: batch, AllowDiskUse: true}
		for doc, err := range r.Find(ctx, part.collection, question) {
			if err != nil {
				return directory.Census{}, nil, err
			}
			part.read(doc)
		}
	}
	census, rejects := c.close()
	return census, rejects, nil
}

// only selects these fields: an e-mail address that is not read cannot leak.
func only(fields []string) bson.D {
	var projection bson.D
	seen := map[string]bool{}
	for _, f := range fields {
		if !seen[f] {
			projection = append(projection, bson.E{Key: f, Value: 1})
		}
		seen[f] = true
	}
	return projection
}
