// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package lake keeps settled days as Parquet files on object storage, where DuckDB, ClickHouse,
// Trino and Spark read them without this program. It knows where the objects of a day lie, what
// their columns mean, and the manifest that says which of them count. It must not know the store,
// the configuration or the clock: days come as values of internal/usage, buckets as objstore's.
// Start with Manifest and layout.go, then Fact and Member, then Publisher.
//
// Three rules hold for who writes and who reads. A reader that wants a day goes by its manifest:
// the objects that it names have the hashes that it names, at any moment. Every object of facts/
// and members/ is present usage, so that a glob never reads a day twice; what was superseded lies
// in superseded/. The same numbers make the same bytes: no file has a clock, a host or an id of a
// store in it. That is why a row does not say the revision of its interval, and why a day is
// compared by Object.Content, which stays when another version of the program compresses better.
//
// Users and groups are in the columns user_id and group_name, because user and group are words of
// SQL: "SELECT user" answers with who asks in some databases.
package lake

import (
	"fmt"
	"regexp"
	"time"
)

// Format is the version of layout, columns and manifest. A reader refuses a newer one.
const Format = 1

// Day is a calendar day in the time zone of its manifest: 2026-11-27.
type Day string

const dayLayout = time.DateOnly

// DayOf is the day of a time in a time zone.
func DayOf(t time.Time, zone *time.Location) Day { return Day(t.In(zone).Format(dayLayout)) }

// ParseDay reads a day as it is written in paths and manifests.
func ParseDay(text string) (Day, error) {
	if t, err := time.Parse(dayLayout, text); err != nil || t.Format(dayLayout) != text {
		return "", fmt.Errorf("%q is no day such as 2026-11-27", text)
	}
	return Day(text), nil
}

// Date is when a day begins, as if it were in UTC.
func (d Day) Date() time.Time {
	t, _ := time.Parse(dayLayout, string(d)) // it was read by ParseDay
	return t
}

// Next is the day after it.
func (d Day) Next() Day { return DayOf(d.Date().AddDate(0, 0, 1), time.UTC) }

var siteForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// CheckSite checks the name of a site: it is part of paths, which Hive, Trino and Spark read as
// site=NAME, so that it has letters, digits, '.', '_' and '-' only.
func CheckSite(site string) error {
	if !siteForm.MatchString(site) {
		return fmt.Errorf("%q is no name of a site: use up to 63 letters, digits, '.', '_' and '-', and begin with a letter or digit", site)
	}
	return nil
}
