// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Manifests are those of a site in a bucket. The oldest and the newest are read.
type Manifests struct {
	Site, Timezone string // of the configuration
	Count          int
	First, Last    string // days
	Read           []Manifest
}

// Manifest is one that was read.
type Manifest struct {
	Name     string // of the object
	Timezone string
	Fault    string // empty: it can be understood
	Newer    bool   // a newer program has written it
}

var lakeManifests = check{Lake, "manifests"}

// theyAre is names with a verb.
func theyAre(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return strings.Join(names, " and ") + " are"
}

// LakeManifests says whether the manifests of a site are of this site and time zone.
func LakeManifests(m Manifests) (all []Finding) {
	if m.Count == 0 {
		return []Finding{lakeManifests.ok("there is none of site %s yet", m.Site)}
	}
	zones := map[string][]string{}
	for _, is := range m.Read {
		switch {
		case is.Newer:
			all = append(all, lakeManifests.fail("update this program and carbon_exporter", "%s: %s", is.Name, brief(is.Fault)))
		case is.Fault != "":
			all = append(all, lakeManifests.fail("restore it from the versions of the bucket; or delete it, and its day is published again, if the store still has it by key; then its earlier revisions are lost",
				"%s cannot be understood: %s", is.Name, brief(is.Fault)))
		case is.Timezone != m.Timezone:
			zones[is.Timezone] = append(zones[is.Timezone], is.Name)
		}
	}
	for _, zone := range slices.Sorted(maps.Keys(zones)) {
		all = append(all, lakeManifests.warn(
			fmt.Sprintf("set timezone to %s, unless the other one is meant: then every day is published again, as far as the store has it by key", zone),
			"timezone is %s, but %s in %s: days of the site begin at different times", m.Timezone, theyAre(zones[zone]), zone))
	}
	if len(all) > 0 {
		return all
	}
	return []Finding{lakeManifests.ok("%s of site %s, from %s to %s, in %s", many(m.Count, "manifest"), m.Site, m.First, m.Last, m.Timezone)}
}
