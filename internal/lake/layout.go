// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"fmt"
	"path"
	"strings"
)

// The directories at the top of a bucket, or below the prefix of its configuration. Each is one
// table, but the last.
const (
	FactsTable    = "facts"
	MembersTable  = "members"
	ManifestTable = "manifest"
	// SupersededDir has earlier revisions. No part of its paths is key=value, so that nothing takes
	// it for a partition.
	SupersededDir = "superseded"
)

// FactsPath is where the present facts of a day lie.
func FactsPath(site string, day Day) string { return partition(FactsTable, site, day, "facts.parquet") }

// MembersPath is where the present members of a day lie.
func MembersPath(site string, day Day) string {
	return partition(MembersTable, site, day, "members.parquet")
}

func partition(table, site string, day Day, file string) string {
	return path.Join(table, "site="+site, "day="+string(day), file)
}

// ManifestPath is where the manifest of a day lies.
func ManifestPath(site string, day Day) string {
	return path.Join(ManifestDir(site), "day="+string(day)+".json")
}

// ManifestDir holds the manifests of a site.
func ManifestDir(site string) string { return path.Join(ManifestTable, "site="+site) }

// DayOfManifest returns the day of a manifest, by its path; ok is false for other objects.
func DayOfManifest(name string) (day Day, ok bool) {
	text, isDay := strings.CutPrefix(path.Base(name), "day=")
	text, isJSON := strings.CutSuffix(text, ".json")
	if !isDay || !isJSON {
		return "", false
	}
	day, err := ParseDay(text)
	return day, err == nil
}

// PublisherPath is where it is written who may publish a site.
func PublisherPath(site string) string { return path.Join(ManifestDir(site), "publisher.json") }

// SupersededPath is where an object of an earlier revision lies. erasures is how often a person
// was removed from it: each time it gets another path, so that who reads by an old manifest finds
// either what that names, or nothing.
func SupersededPath(site string, day Day, revision, erasures int, file string) string {
	name := fmt.Sprintf("%06d", revision)
	if erasures > 0 {
		name += fmt.Sprintf("-%d", erasures)
	}
	return path.Join(supersededDay(site, day), name, file)
}

// supersededDay holds the earlier revisions of a day.
func supersededDay(site string, day Day) string {
	return path.Join(SupersededDir, site, string(day))
}
