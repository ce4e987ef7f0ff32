// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var directory = clouds[2]

// told is who has which host at a time, from the records alone, by somebody who
// takes the good ones at their word.
func told(records map[string][]Document, host string, at time.Time) []string {
	known := map[string]bool{}
	for _, d := range records["users"] {
		if name, ok := d["platform_name"].(string); ok {
			known[name] = true
		}
	}
	var owners []string
	for _, d := range records["workspaces"] {
		name, _ := d["hostname"].(string)
		if name, _, _ = strings.Cut(name, ":"); name != host {
			continue
		}
		owner, _ := d["owner"].(string)
		from, ok := d["created_time"].(time.Time)
		if acquired, late := d["acquired_time"].(time.Time); late {
			from = acquired
		}
		until, gone := d["deleted_time"].(time.Time)
		if owner == "" || !ok || at.Before(from) || gone && !at.Before(until) {
			continue
		}
		if !known[owner] {
			owner = ""
		}
		owners = append(owners, owner)
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

func TestRecordsSayWhoseTheHostsWere(t *testing.T) {
	c := newCloud(t, directory)
	now := monday.Add(4*24*time.Hour + 1234*time.Second)
	records := c.Records(now)
	compared := 0
	for _, h := range c.Hosts() {
		if h.User != "" || !h.Begin.Before(now) {
			continue
		}
		for _, turn := range append(h.Turns(monday, now), now) {
			for _, at := range []time.Time{turn.Add(-time.Second), turn} {
				if h.Alive(at) {
					compared++
					if got := told(records, hostOf(h.Instance), at); !slices.Equal(got, h.Owners(at)) {
						t.Errorf("%s at %s: the records say %q, it is %q", h.Instance, at, got, h.Owners(at))
					}
				}
			}
		}
	}
	if compared < 100 {
		t.Errorf("only %d moments were compared", compared)
	}
}

func TestRecordsKnowNothingOfTheFutureAndKeepThePast(t *testing.T) {
	c := newCloud(t, directory)
	then := c.Records(monday.Add(30*time.Hour + 77*time.Second))
	now := c.Records(monday.Add(60 * time.Hour))
	for _, collection := range []string{"users", "groups", "hosts"} {
		if !reflect.DeepEqual(then[collection], now[collection]) {
			t.Errorf("%s have changed", collection)
		}
	}
	byID := map[any]Document{}
	for _, d := range now["workspaces"] {
		byID[d["_id"]] = d
	}
	took, left := 0, 0
	for _, d := range then["workspaces"] {
		later := byID[d["_id"]]
		for _, field := range []string{"created_time", "acquired_time", "deleted_time"} {
			at, ok := d[field].(time.Time)
			if ok && at.After(monday.Add(30*time.Hour+77*time.Second)) {
				t.Errorf("%v has a %s of %s already", d["_id"], field, at)
			}
			if ok && later[field] != any(at) {
				t.Errorf("%s of %v was %s and is %v", field, d["_id"], at, later[field])
			}
		}
		if d["owner"] == nil && later["owner"] != nil {
			took++
		}
		if d["deleted_time"] == nil && later["deleted_time"] != nil {
			left++
		}
	}
	if took == 0 || left == 0 || len(now["workspaces"]) <= len(then["workspaces"]) {
		t.Errorf("in 30 hours %d are taken and %d deleted, of %d there are %d", took, left, len(then["workspaces"]), len(now["workspaces"]))
	}
}

func TestOwnersShareAllThatThereIs(t *testing.T) {
	type host struct{ project, machine, host string }
	sum := func(all map[usage.Series]usage.BusyIdle[usage.CPUSeconds]) map[host]usage.BusyIdle[usage.CPUSeconds] {
		sums := map[host]usage.BusyIdle[usage.CPUSeconds]{}
		for s, cpu := range all {
			h := host{s.Project, s.Machine, s.Host}
			sums[h] = sums[h].Plus(cpu)
		}
		return sums
	}
	for _, config := range clouds {
		c := newCloud(t, config)
		interval := usage.Interval{Start: monday.Add(9*time.Hour + 13*time.Second), Length: 17 * time.Hour}
		truth, owned := c.Truth(interval), c.Owned(interval)
		if got, want := len(owned) > len(truth), config.Directory; got != want {
			t.Errorf("directory %v: %d series have %d owners", config.Directory, len(truth), len(owned))
		}
		want := sum(truth)
		for h, got := range sum(owned) {
			if !near(float64(got.Busy), float64(want[h].Busy), 1e-12) || !near(float64(got.Idle), float64(want[h].Idle), 1e-12) {
				t.Errorf("%v: owners have %v, it spent %v", h, got, want[h])
			}
			delete(want, h)
		}
		if len(want) != 0 {
			t.Errorf("nobody has %v", want)
		}
	}
}

// A cloud with a directory has all that makes it hard to say whose usage it was.
func TestADirectoryHasWhatTestsNeed(t *testing.T) {
	c := newCloud(t, directory)
	now := monday.Add(72 * time.Hour)
	seen := map[string]int{}
	for _, h := range c.Hosts() {
		if h.User != "" && len(h.tenancies) > 0 {
			seen["a label that says another than the records"]++
		}
		for _, turn := range h.Turns(monday, now) {
			if !turn.Equal(usage.SlotAt(turn)) {
				seen["a turn in mid-interval"]++
			}
			switch before, after := h.Owners(turn.Add(-time.Second)), h.Owners(turn); {
			case !h.Alive(turn), slices.Equal(before, after):
			case len(before) == 0:
				seen["from the pool to somebody"]++
			case len(after) == 0:
				seen["from somebody to nobody"]++
			case len(after) > 1:
				seen["to two at a time"]++
			case len(before) == 1:
				seen["from hand to hand"]++
			}
			if slices.Contains(h.Owners(turn), "") {
				seen["to a guest"]++
			}
		}
	}
	for _, d := range c.Records(now)["workspaces"] {
		if name, _ := d["hostname"].(string); strings.HasSuffix(name, ":9100") {
			seen["a host with its port"]++
		}
		if _, ok := d["acquired_time"]; !ok && d["owner"] != nil {
			seen["made for its owner"]++
		}
	}
	groups := map[int]int{}
	for n := 1; n <= users; n++ {
		in := 0
		for g := range groupNames {
			if slices.Contains(c.members(g), person(n)) {
				in++
			}
		}
		groups[in]++
	}
	if groups[0] == 0 || groups[1] == 0 || groups[2] == 0 {
		t.Errorf("users by how many groups they are in: %v", groups)
	}
	for _, what := range []string{
		"a label that says another than the records", "a turn in mid-interval", "from the pool to somebody", "from somebody to nobody",
		"to two at a time", "from hand to hand", "to a guest", "a host with its port", "made for its owner",
	} {
		if seen[what] == 0 {
			t.Errorf("there is no case of %s; there are %v", what, slices.Sorted(maps.Keys(seen)))
		}
	}
}

func TestAGroupIsTheFirstByName(t *testing.T) {
	c := newCloud(t, directory)
	for user, want := range map[string]string{person(users): "", "nobody": "", "": "", guest + "01": ""} {
		if got := c.Group(user); got != want {
			t.Errorf("the group of %q is %q, want %q", user, got, want)
		}
	}
	for g, name := range groupNames {
		for _, user := range c.members(g) {
			if got := c.Group(user); got == "" || got > name {
				t.Errorf("%s is in %s and the group is %q", user, name, got)
			}
		}
	}
}

// FerretDB finds nothing by an index but ids: collections must stay small.
func TestACloudOfTwoWeeksHasFewRecords(t *testing.T) {
	for collection, all := range newCloud(t, directory).Records(monday.AddDate(0, 0, 14)) {
		t.Log(collection, len(all))
		if len(all) == 0 || len(all) > 1000 {
			t.Errorf("%d %s", len(all), collection)
		}
	}
}
