// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// count is how many keys there are, or nearly so.
func (g *naming) count() int {
	g.names.mu.RLock()
	defer g.names.mu.RUnlock()
	return len(g.byID)
}

// ordered returns the ids of all keys that are known, in order of the keys. Keys are only added, and
// rarely: sorting a hundred thousand of them for each snapshot would take a tenth of a second.
func (g *naming) ordered() []int64 {
	g.names.mu.Lock()
	defer g.names.mu.Unlock()
	if len(g.register.ordered) == len(g.byID) {
		return g.register.ordered
	}
	type numbered struct {
		id int64
		usage.Key
	}
	all := make([]numbered, 0, len(g.byID))
	for id, k := range g.byID {
		all = append(all, numbered{id, k.Key})
	}
	slices.SortFunc(all, func(a, b numbered) int { return a.Compare(b.Key) })
	ids := make([]int64, len(all)) // a new one: others may be reading the last
	for i, k := range all {
		ids[i] = k.id
	}
	g.register.ordered = ids
	return ids
}

// inOrder calls f with the keys of ids in order of the keys. has says which they are, n how many.
func (g *naming) inOrder(ctx context.Context, n int, has func(id int64) bool, f func(id int64, k usage.Key)) error {
	ids := make([]int64, 0, n)
	for range 2 {
		ids = ids[:0]
		for _, id := range g.ordered() {
			if has(id) {
				ids = append(ids, id)
			}
		}
		if len(ids) == n {
			break
		}
		if err := g.lookAgain(ctx); err != nil { // another program has added keys
			return err
		}
	}
	for _, id := range ids {
		k, err := g.keyOf(ctx, id)
		if err != nil {
			return err
		}
		f(id, k.Key)
	}
	return nil
}
