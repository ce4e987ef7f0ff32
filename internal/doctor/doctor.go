// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package doctor judges what the upstreams, the store and the configuration of a site look like,
// and says of each thing what was seen and what to do. It must not know how any of it is asked
// for, and names no person. Start with Finding; each area has its own file, but prometheus three:
// server.go, fleet.go and attendance.go, lake three, shards two, and power five: rating.go, averages.go,
// meters.go, beside.go and embodied.go.
package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// Level is how bad a finding is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning" // it works, and less is counted, or counted otherwise, than is meant
	Failure Level = "failure" // nothing comes of it until somebody does something
)

// Area is what a finding is about.
type Area string

// The areas.
const (
	Config          Area = "config"
	Prometheus      Area = "prometheus"
	Power           Area = "power"
	CarbonIntensity Area = "carbon_intensity"
	MongoDB         Area = "mongodb"
	Directory       Area = "directory"
	Store           Area = "store"
	Lake            Area = "lake"
	Shards          Area = "shards" // several configurations, compared
)

// Areas lists all areas of one configuration in the order in which they are reported.
func Areas() []Area {
	return []Area{Config, Prometheus, Power, CarbonIntensity, MongoDB, Directory, Store, Lake}
}

// Finding is the result of one check.
type Finding struct {
	Area  Area   `json:"area"`
	Check string `json:"check"` // its name in docs/troubleshooting.md
	Level Level  `json:"level"`
	Seen  string `json:"seen"`            // in one line
	Do    string `json:"to_do,omitempty"` // in one line; empty: nothing
}

// Count counts findings by level.
func Count(all []Finding) map[Level]int {
	n := map[Level]int{}
	for _, f := range all {
		n[f.Level]++
	}
	return n
}

// check makes the findings of one check.
type check struct {
	area Area
	name string
}

func (c check) ok(format string, args ...any) Finding {
	return Finding{Area: c.area, Check: c.name, Level: OK, Seen: fmt.Sprintf(format, args...)}
}

func (c check) warn(do, format string, args ...any) Finding {
	return Finding{Area: c.area, Check: c.name, Level: Warning, Seen: fmt.Sprintf(format, args...), Do: do}
}

func (c check) fail(do, format string, args ...any) Finding {
	return Finding{Area: c.area, Check: c.name, Level: Failure, Seen: fmt.Sprintf(format, args...), Do: do}
}

// Unasked is the finding of a check whose question failed.
func Unasked(area Area, name, cause string) Finding {
	return check{area, name}.warn("run this again; if it stays, ask the server the same by hand", "not known: %s", cause)
}

// mostNamed is how many names a finding has.
const mostNamed = 5

// some writes some names.
func some(names []string) string {
	names = slices.Sorted(slices.Values(names))
	if len(names) <= mostNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNamed], ", "), len(names)-mostNamed)
}

// share is a part of a whole in percent; what is not nothing is not 0 %.
func share(part, whole int) string {
	percent := 100 * float64(part) / float64(max(whole, 1))
	switch {
	case part > 0 && percent < 1:
		return "under 1 %"
	case part < whole && percent > 99:
		return "over 99 %"
	}
	return fmt.Sprintf("%.0f %%", percent)
}

// many is a number with its noun.
func many(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
