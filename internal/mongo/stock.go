// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"context"
	"slices"
	"strings"
)

// Stock is what there is to read, for a person who has set up the configuration.
type Stock struct {
	Collections map[string]int64 // the configured ones that exist, with about how many records
	Others      []string         // other collections of the database
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
	return s, nil
}
