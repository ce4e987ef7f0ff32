// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"context"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/explain"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Users returns how the user of an id is shown, and whether as somebody: false is one of the others,
// who are shown together.
type Users func(id string) (label string, somebody bool)

// show is how a user is shown. Without Users it is by id.
func (u Users) show(id string) (label string, somebody bool) {
	if u == nil {
		return id, true
	}
	return u(id)
}

// labels are how users are shown.
func (u Users) labels(ids []string) []string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i], _ = u.show(id)
	}
	return all
}

// facts gives the users of facts their labels, and adds up those that have become one. The factors
// of a sum still multiply to it: they are those of a machine type.
func (u Users) facts(facts []usage.Fact) []usage.Fact {
	if u == nil {
		return facts
	}
	type place struct {
		usage.Key
		start int64
	}
	at := map[place]int{}
	var all []usage.Fact
	for _, f := range facts {
		f.User, _ = u.show(f.User)
		p := place{f.Key, f.Start.UnixNano()}
		i, twice := at[p]
		if !twice {
			at[p], all = len(all), append(all, f)
			continue
		}
		sum := &all[i]
		sum.CPU, sum.Energy, sum.Beside = sum.CPU.Plus(f.CPU), sum.Energy.Plus(f.Energy), usage.Together(sum.Beside, f.Beside)
	}
	return all
}

// titles reads why usage belongs to the users of an explanation, whose facts have labels already.
// ids are the users before. The records of the directory name hosts and documents, which tell who
// somebody is: they are shown of those who are shown by id.
func (u Users) titles(ctx context.Context, read func(context.Context, []string, usage.Interval) ([]directory.Title, error), k explain.Known, ids []string) ([]directory.Title, error) {
	if u == nil {
		return read(ctx, k.Users(), k.Interval)
	}
	shown := k.Users()
	var some []string
	for _, id := range ids {
		if label, somebody := u.show(id); somebody && label == id && slices.Contains(shown, id) {
			some = append(some, id)
		}
	}
	return read(ctx, some, k.Interval)
}

// usersOf lists the users of facts.
func usersOf(facts []usage.Fact) (ids []string) {
	for _, f := range facts {
		if f.User != usage.Unattributed {
			ids = append(ids, f.User)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
