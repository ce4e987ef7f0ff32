// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package privacy

import (
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// totals adds up by label. elsewhere is the part of the settled counters that is not
// shown under the label of the user: it is under Other for named users and hidden for
// others.
func (l Labels) totals(totals []usage.Total, named map[string]bool, elsewhere map[usage.Key]usage.SettledUsage) []usage.Total {
	label := l.labeller(named)
	sums := map[usage.Key]*usage.TotalSum{}
	at := func(k usage.Key) *usage.TotalSum {
		s := sums[k]
		if s == nil {
			s = &usage.TotalSum{}
			sums[k] = s
		}
		return s
	}
	for i := range totals {
		t := &totals[i]
		k := t.Key
		k.User = label(t.User)
		s := at(k)
		s.Add(t)
		away, some := elsewhere[t.Key]
		if !some {
			continue
		}
		s.SubSettled(away)
		if k.User != Other {
			k.User = Other
			o := at(k)
			o.Used(t)
			o.AddSettled(away)
		}
	}
	all := make([]usage.Total, 0, len(sums))
	for k, s := range sums {
		all = append(all, s.Total(k))
	}
	slices.SortFunc(all, func(a, b usage.Total) int { return a.Compare(b.Key) })
	return all
}

// usage adds up usage of one time by label.
func (l Labels) usage(keys []usage.KeyUsage, named map[string]bool) []usage.KeyUsage {
	label := l.labeller(named)
	return usage.MergeUsage(keys, func(k usage.Key) usage.Key {
		k.User = label(k.User)
		return k
	})
}

// labeller is label for many keys of few users: it computes each pseudonym once.
func (l Labels) labeller(named map[string]bool) func(user string) string {
	if l.Mode != Pseudonym {
		return func(user string) string { return l.label(user, named) }
	}
	known := map[string]string{}
	return func(user string) string {
		label, ok := known[user]
		if !ok {
			label = l.label(user, named)
			known[user] = label
		}
		return label
	}
}
