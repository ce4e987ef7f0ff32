// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package infometric

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Names is a metric that gives the names of ids of a kind.
type Names struct {
	Kind           directory.Kind
	Name, Matchers string // of the metric
	ID, Label      string // its labels
}

// names are names by kind and id.
type names map[directory.Kind]map[string]string

// names asks for all names as of now.
func (r *Reader) names(ctx context.Context, now time.Time) (names, error) {
	all := names{}
	at := now.Truncate(step)
	for _, n := range r.Names {
		found, err := r.Server.Appearances(ctx, n.Name, n.Matchers, []string{n.ID, n.Label}, at, at, step)
		if err == nil && len(found) == 0 {
			err = nothing(n.Name, n.Matchers, at)
		}
		if err != nil {
			return nil, err
		}
		all[n.Kind] = map[string]string{}
		for _, a := range found {
			id, called := usage.Name(strings.TrimSpace(a.Values[0])), usage.Name(strings.TrimSpace(a.Values[1]))
			// Of several names of an id the first counts, so that they do not alternate. An e-mail
			// address is no name to show.
			if was := all[n.Kind][id]; id != "" && called != "" && (r.Emails || n.Kind != directory.Users || !strings.Contains(called, "@")) && (was == "" || called < was) {
				all[n.Kind][id] = called
			}
		}
	}
	return all, nil
}

// of returns the name of an id, or the id.
func (n names) of(kind directory.Kind, id string) string {
	if name := n[kind][id]; name != "" {
		return name
	}
	return id
}

// all returns the names in order.
func (n names) all() (all []directory.Name) {
	for kind, byID := range n {
		for id, name := range byID {
			all = append(all, directory.Name{Kind: kind, ID: id, Name: name})
		}
	}
	slices.SortFunc(all, directory.Name.Compare)
	return all
}
