// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var (
	settings = check{Shards, "settings"}
	stores   = check{Shards, "stores"}
	perShard = check{Shards, "per shard"}
	written  = check{Shards, "usage database"}
	booked   = check{Shards, "devices"}
	lakes    = check{Shards, "lake"}
)

// Settings is about what must be the same in all shards. differ are the keys in which each shard
// differs from the first.
func Settings(shards []Shard, differ [][]string) []Finding {
	var all []Finding
	for i, keys := range differ {
		if len(keys) > 0 {
			all = append(all, settings.fail("give all shards the same: a sum over shards would hold two different things",
				"%s differs from %s in %s", shards[i].Name, shards[0].Name, strings.Join(keys, ", ")))
		}
	}
	if len(all) == 0 {
		return []Finding{settings.ok("what must be the same is the same in all %d files", len(shards))}
	}
	return all
}

// Stores is about the stores of shards. paths has one for each, empty where it was not said; same
// are the shards that have the store of an earlier one, by its place.
func Stores(shards []Shard, paths []string, same map[int]int) []Finding {
	var all []Finding
	for i := range shards {
		if first, shared := same[i]; shared {
			all = append(all, stores.fail("give each exporter a --storage.path of its own", "%s and %s have the same store, %s", shards[first].Name, shards[i].Name, paths[i]))
		}
	}
	unsaid := 0
	for _, path := range paths {
		if path == "" {
			unsaid++
		}
	}
	switch {
	case unsaid > 0:
		all = append(all, stores.ok("the stores of %d shards were not named, as FILE=STORE; each exporter needs a --storage.path of its own", unsaid))
	case len(all) == 0:
		all = append(all, stores.ok("each shard has a store of its own"))
	}
	return all
}

// Wide is what a shard has that is about more than a shard.
type Wide struct {
	Projects  map[string]bool     // that it has now
	Groups    map[string][]string // projects of configured groups
	ByProject bool                // whether a project in none of them is a group
	Budgets   []Target
	Reconcile, Calibrate,
	Meters bool
	MaxUsers int
	Devices  map[string]string // queries by name
	Database string            // where usage is written; empty: nowhere
	Lake     string            // its name in the lake; empty: it has none
}

// PerShard is about what counts a shard where the whole site may be meant.
func PerShard(shards []Shard, all []Wide) []Finding {
	found := append(deviceTwice(shards, all), overwritten(shards, all)...)
	found = append(found, sameLake(shards, all)...)
	for i, w := range all {
		name := shards[i].Name
		for _, b := range w.Budgets {
			if in := spans(b, all); in != "" {
				found = append(found, perShard.warn("watch it by a recording rule over all shards: see docs/shards.md", "budget %s of %s is for %s: the shard counts its own part alone", b.Budget, name, in))
			}
		}
		for _, of := range []struct {
			on       bool
			key, why string
			do       string
		}{
			{w.Reconcile, "power.reconcile", "compares the meter of the site with what one shard books", "take it out of the shards, and compare the meter with the sum over shards: see docs/shards.md"},
			{w.Calibrate, "power.calibrate", "learns in each shard by itself, so that one machine type gets different watts", "calibrate with one shard's exporter, write the watts into power.machines of all, and set power.calibrate to off"},
			{w.MaxUsers > 0, "attribution.max_users", "names the largest users of each shard: who is named in one may be among the others in another", "set it to 0, or sum over users only what is not by user"},
		} {
			if of.on {
				found = append(found, perShard.warn(of.do, "%s: %s %s", name, of.key, of.why))
			}
		}
	}
	if slices.ContainsFunc(all, func(w Wide) bool { return w.Meters }) {
		found = append(found, perShard.ok("power.measured: each shard asks the meters of all machines, and books those of its own"))
	}
	return append(found, perShard.ok("carbon_site_energy_low_kwh and carbon_site_energy_high_kwh are bounds of each shard, which do not add up; neither do ratios"))
}

// spans says whose a budget is that several shards may use; empty: one shard has it all.
func spans(b Target, all []Wide) string {
	in := func(project string) (n int) {
		for _, w := range all {
			if w.Projects[project] {
				n++
			}
		}
		return n
	}
	switch b.Scope {
	case usage.ScopeAda:
		return "the whole site"
	case usage.ScopeProject:
		if n := in(b.Name); n > 1 {
			return fmt.Sprintf("project %s, which is in %d shards", b.Name, n)
		}
		return ""
	case usage.ScopeGroup:
		projects, listed := all[0].Groups[b.Name]
		if !listed && all[0].ByProject {
			projects = []string{b.Name}
		}
		for _, w := range all {
			mine := slices.DeleteFunc(slices.Clone(projects), func(p string) bool { return !w.Projects[p] })
			others := slices.ContainsFunc(projects, func(p string) bool { return in(p) > 1 || in(p) == 1 && !w.Projects[p] })
			if len(mine) > 0 && others {
				return fmt.Sprintf("group %s, whose projects are in several shards", b.Name)
			}
		}
		if len(projects) > 0 {
			return ""
		}
		return fmt.Sprintf("group %s, whose members may use several shards", b.Name)
	case usage.ScopeUser:
		return "a user, who may use several shards"
	}
	return fmt.Sprintf("%s %s, which may be in several shards", b.Scope, b.Name)
}

// deviceTwice is about devices: those of no machine of a shard are booked all the same.
func deviceTwice(shards []Shard, all []Wide) (found []Finding) {
	said := map[string]bool{}
	for i, w := range all {
		for name, query := range w.Devices {
			for j := range i {
				if other, there := all[j].Devices[name]; there && other == query && !said[name] {
					said[name] = true
					found = append(found, booked.fail("put the shard's own matchers into the query of each, so that every device is in one: a device of a machine that a shard does not have is booked there, too",
						"%s and %s have the same query of power.devices %s: its energy counts twice", shards[j].Name, shards[i].Name, name))
				}
			}
		}
	}
	slices.SortFunc(found, func(a, b Finding) int { return strings.Compare(a.Seen, b.Seen) })
	return found
}

// overwritten is about shards that write to one database.
func overwritten(shards []Shard, all []Wide) (found []Finding) {
	first := map[string]int{}
	for i, w := range all {
		j, taken := first[w.Database]
		switch {
		case w.Database == "":
		case taken:
			found = append(found, written.fail("give each shard a mongodb.usage_database of its own, and add up what they hold",
				"%s and %s write usage to the same database, %s: each deletes what the other has written", shards[j].Name, shards[i].Name, w.Database))
		default:
			first[w.Database] = i
		}
	}
	return found
}

// sameLake is about shards that have the same name in the lake.
func sameLake(shards []Shard, all []Wide) (found []Finding) {
	for i, w := range all {
		for j := range i {
			if w.Lake != "" && all[j].Lake == w.Lake {
				found = append(found, lakes.fail("give each shard a lake.site of its own",
					"%s and %s have the same lake.site, %s: each would replace the days of the other", shards[j].Name, shards[i].Name, w.Lake))
				break
			}
		}
	}
	return found
}
