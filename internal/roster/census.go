// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package roster

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The reasons why a row is refused: values of a label.
const (
	badCells     = "bad_cells"
	badType      = "bad_type"
	badText      = "bad_text"
	badDate      = "bad_date"
	endsBefore   = "to_before_from"
	missingHost  = "missing_host"
	groupOfNone  = "group_without_owner"
	ownerIsEmail = "owner_is_email"
)

// explained says what is wrong, and what to do.
var explained = map[string]string{
	badCells:     "must have as many cells as the header has columns",
	badType:      "must have text or a number in each column",
	badText:      fmt.Sprintf("must have text of at most %d bytes", maxText),
	badDate:      "from and to must be a date such as 2026-01-31, a time such as 2026-01-31T12:00:00Z, or empty",
	endsBefore:   "to must be after from",
	missingHost:  "must name a host, or an owner and a group",
	groupOfNone:  "a group is one of people, so that the row must name an owner",
	ownerIsEmail: "an owner is shown on /metrics, so it must not be an e-mail address; use another id, or set attribution.user_label to pseudonym or none",
}

// maxText is the longest text of a cell, in bytes.
const maxText = 1024

// fileCollection is the collection of rows of a file, where refused records are counted.
const fileCollection = "file"

// record is a row that can be used.
type record struct {
	host, owner, group, project, machine string
	from, to                             time.Time
}

// read makes a census of rows.
func (f *File) read(rows []row) (reading, error) {
	c := directory.Census{Table: true, Refused: map[string]bool{}}
	var good []record
	refused := map[string]*directory.RecordReject{}
	var rejects []directory.RecordReject
	for _, r := range rows {
		made, reason := f.record(r)
		if reason == "" {
			good = append(good, made)
			continue
		}
		if host := hostOf(r.cells["host"]); host != "" {
			c.Refused[host] = true
		}
		if refused[reason] == nil {
			refused[reason] = &directory.RecordReject{Collection: fileCollection, Reason: reason, Where: fmt.Sprintf("line %d", r.line)}
		}
		refused[reason].Count++
	}
	for _, reason := range sortedReasons(refused) {
		rejects = append(rejects, *refused[reason])
	}
	if len(good) == 0 {
		return reading{}, fmt.Errorf("none of its %d rows can be used; %w", len(rows), reading{rejects: rejects}.faults())
	}
	collect(&c, good)
	return reading{c, rejects}, nil
}

func sortedReasons(refused map[string]*directory.RecordReject) []string {
	var all []string
	for reason := range refused {
		all = append(all, reason)
	}
	slices.Sort(all)
	return all
}

// collect adds what the records say to a census. Of several projects or machine types of a host
// the one of the newest record counts, and of those the last.
func collect(c *directory.Census, records []record) {
	people, places := map[string]bool{}, map[string]*directory.Placement{}
	byStart := slices.Clone(records)
	slices.SortStableFunc(byStart, func(a, b record) int { return a.from.Compare(b.from) })
	for _, r := range byStart {
		if r.host != "" && (r.owner != "" || !r.from.IsZero()) {
			c.Owners = append(c.Owners, directory.Claim{Of: r.host, Holder: r.owner, From: r.from, To: r.to})
		}
		if r.group != "" {
			c.Members = append(c.Members, directory.Claim{Of: r.owner, Holder: r.group, From: r.from, To: r.to})
		}
		if r.owner != "" && !people[r.owner] {
			people[r.owner] = true
			c.People = append(c.People, directory.Person{ID: r.owner})
		}
		if r.host == "" || r.project == "" && r.machine == "" {
			continue
		}
		if places[r.host] == nil {
			places[r.host] = &directory.Placement{Host: r.host}
		}
		if r.project != "" {
			places[r.host].Project = r.project
		}
		if r.machine != "" {
			places[r.host].Machine = r.machine
		}
	}
	for _, p := range places {
		c.Hosts = append(c.Hosts, *p)
	}
	slices.SortFunc(c.Hosts, func(a, b directory.Placement) int { return strings.Compare(a.Host, b.Host) })
}

// record reads the cells of a row.
func (f *File) record(r row) (record, string) {
	if r.fault != "" {
		return record{}, r.fault
	}
	for _, cell := range r.cells {
		if len(cell) > maxText || strings.ContainsRune(cell, 0) {
			return record{}, badText
		}
	}
	name := func(column string) string { return usage.Name(strings.TrimSpace(r.cells[column])) }
	made := record{
		host: hostOf(r.cells["host"]), owner: name("owner"), group: name("group"), project: name("project"), machine: name("machine"),
	}
	var ok bool
	if made.from, ok = f.moment(r.cells["from"]); !ok {
		return record{}, badDate
	}
	if made.to, ok = f.moment(r.cells["to"]); !ok {
		return record{}, badDate
	}
	switch {
	case made.host == "" && (made.owner == "" || made.group == ""):
		return record{}, missingHost
	case made.owner == "" && made.group != "":
		return record{}, groupOfNone
	case !made.from.IsZero() && !made.to.IsZero() && !made.to.After(made.from):
		return record{}, endsBefore
	case !f.Emails && strings.Contains(made.owner, "@"):
		return record{}, ownerIsEmail
	}
	return made, ""
}

func hostOf(cell string) string { return directory.HostName(usage.HostLabel(strings.TrimSpace(cell))) }

// layouts are the ways to write a time, the zone's own first.
var layouts = []string{time.RFC3339, time.DateOnly, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, "2006-01-02 15:04"}

// moment reads a time. Empty is the zero time, and so are dates that programs write for none.
func (f *File) moment(cell string) (time.Time, bool) {
	cell = strings.TrimSpace(cell)
	if cell == "" {
		return time.Time{}, true
	}
	for _, layout := range layouts {
		at, err := time.ParseInLocation(layout, cell, f.Zone)
		if err != nil {
			continue
		}
		if year := at.Year(); year <= 1 || year >= 9999 || year == 1970 && at.YearDay() == 1 {
			return time.Time{}, true
		}
		return at.UTC().Truncate(time.Second), at.Year() >= 1970
	}
	return time.Time{}, false
}
