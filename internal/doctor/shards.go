// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

var (
	cut     = check{Shards, "cut"}
	whole   = check{Shards, "whole"}
	twice   = check{Shards, "twice"}
	divided = check{Shards, "divided"}
	absent  = check{Shards, "absent"}
	moved   = check{Shards, "moved"}
)

// Shard is one of the exporters of a site.
type Shard struct {
	Name string // of its file
	Own  string // the matchers that the other shards do not have
}

// Cut is what a server had at a moment.
type Cut struct {
	At    time.Time
	Whole map[string]int   // series of each host, of all that the site selects; nil: not known
	Parts []map[string]int // the same of each shard
}

// CutOf is about how shards divide a site. common are the matchers that all of them have, and
// given is whether the queries are the operator's own. The moments are from new to old.
func CutOf(shards []Shard, common string, given bool, cuts []Cut) []Finding {
	all := []Finding{siteOf(common, given)}
	for i, s := range shards {
		all = append(all, partOf(s, i, cuts[0]))
	}
	all = append(all, selectedTwice(shards, cuts)...)
	if cuts[0].Whole != nil {
		all = append(all, inNone(shards, cuts)...)
	}
	return append(all, wandering(shards, cuts))
}

// siteOf says what the whole is.
func siteOf(common string, given bool) Finding {
	switch {
	case given:
		return whole.warn("write selectors that add up, and compare the sums of busy_query by hand",
			"the shards have queries of their own, so it cannot be seen which machines are in none of them")
	case common == "":
		return whole.ok("the site is every series of prometheus.metric: the shards have no matcher in common")
	}
	return whole.ok("the site is what the matchers select that all shards have: %s", common)
}

func partOf(s Shard, i int, now Cut) Finding {
	own := cmp.Or(s.Own, "no matchers of its own")
	if len(now.Parts[i]) == 0 {
		return cut.warn("correct its prometheus.matchers, or leave it if its machines are yet to come", "%s selects no machine now, by %s", s.Name, own)
	}
	return cut.ok("%s selects %s now, by %s", s.Name, many(len(now.Parts[i]), "machine"), own)
}

// when says of what moment a sentence is.
func when(cuts []Cut, i int) string {
	if i == 0 {
		return "now"
	}
	return "at " + cuts[i].At.UTC().Format(time.RFC3339)
}

// selectedTwice is about hosts that several shards select.
func selectedTwice(shards []Shard, cuts []Cut) (all []Finding) {
	for i, c := range cuts {
		var same, pieces []string
		for _, host := range hostsIn(c.Parts...) {
			in, n := c.in(shards, host)
			if len(in) < 2 {
				continue
			}
			named := fmt.Sprintf("%s (%s)", nameOf(host), strings.Join(in, ", "))
			if c.Whole != nil && n <= c.Whole[host] {
				pieces = append(pieces, named)
			} else {
				same = append(same, named)
			}
		}
		if len(same) > 0 {
			all = append(all, twice.fail("make the matchers exclude each other: dc=\"east\" in one shard and dc!=\"east\" in the other; until then these count twice in every sum over shards",
				"%s, %s %s in several shards: %s", when(cuts, i), many(len(same), "machine"), is(len(same)), some(same)))
		}
		if len(pieces) > 0 {
			all = append(all, divided.fail("cut by a label that all series of a machine share, such as its instance or its data centre: each shard knows a part of the machine, and cannot tell what it used",
				"%s, the series of %s are divided among shards: %s", when(cuts, i), many(len(pieces), "machine"), some(pieces)))
		}
	}
	if len(all) == 0 {
		all = append(all, twice.ok("no machine is in two shards, %s", moments(cuts)))
	}
	return all
}

// in are the shards that select a host, and how many of its series they have together.
func (c Cut) in(shards []Shard, host string) (names []string, series int) {
	for i, part := range c.Parts {
		if n := part[host]; n > 0 {
			names, series = append(names, shards[i].Name), series+n
		}
	}
	return names, series
}

// inNone is about hosts, or series of hosts, that no shard selects.
func inNone(shards []Shard, cuts []Cut) (all []Finding) {
	for i, c := range cuts {
		var none, partly []string
		for host, n := range c.Whole {
			in, series := c.in(shards, host)
			switch {
			case len(in) == 0:
				none = append(none, nameOf(host))
			case series < n:
				partly = append(partly, fmt.Sprintf("%s (%s)", nameOf(host), strings.Join(in, ", ")))
			}
		}
		if len(none) > 0 {
			all = append(all, absent.fail("give one shard the rest: the matchers of all others with != or !~ in place of = or =~, which takes machines without the label, too",
				"%s, %d of %s %s in no shard: %s", when(cuts, i), len(none), many(len(c.Whole), "machine"), is(len(none)), some(none)))
		}
		if len(partly) > 0 {
			all = append(all, divided.fail("cut by a label that all series of a machine share, such as its instance or its data centre",
				"%s, some series of %s are in no shard: %s", when(cuts, i), many(len(partly), "machine"), some(partly)))
		}
	}
	if len(all) == 0 {
		all = append(all, absent.ok("all machines of the site are in a shard, %s", moments(cuts)))
	}
	return all
}

// wandering is about hosts that were in another shard before.
func wandering(shards []Shard, cuts []Cut) Finding {
	was := map[string]string{}
	for _, host := range hostsIn(cuts[0].Parts...) {
		now, _ := cuts[0].in(shards, host)
		for i := 1; i < len(cuts) && was[host] == ""; i++ {
			if then, _ := cuts[i].in(shards, host); len(then) > 0 && !slices.Equal(then, now) {
				was[host] = fmt.Sprintf("%s (from %s to %s)", nameOf(host), strings.Join(then, ", "), strings.Join(now, ", "))
			}
		}
	}
	if len(was) == 0 {
		return moved.ok("no machine has changed its shard in the last day")
	}
	return moved.warn("cut by a label that a machine keeps, such as its instance or its data centre: the half hour in which a machine changes its shard is known to each of them in part",
		"%s changed the shard in the last day: %s", many(len(was), "machine"), some(slices.Collect(maps.Values(was))))
}

// moments says what was looked at.
func moments(cuts []Cut) string {
	var all []string
	for i := range cuts {
		if len(hostsIn(cuts[i].Parts...)) > 0 || len(cuts[i].Whole) > 0 {
			all = append(all, when(cuts, i))
		}
	}
	if len(all) == 0 {
		return "but there is no machine at all"
	}
	return strings.Join(all, ", ")
}

// hostsIn lists the hosts of some parts, by name.
func hostsIn(parts ...map[string]int) []string {
	all := map[string]bool{}
	for _, part := range parts {
		for host := range part {
			all[host] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func nameOf(host string) string { return cmp.Or(host, "machines without the label of the host") }

func is(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
