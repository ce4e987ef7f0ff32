// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

// Stock is what a database has.
type Stock struct {
	Database    string
	Collections map[string]int64  // by what is in it: workspaces, users ...; absent: the collection does not exist
	Named       map[string]string // what these collections are called
	Others      []string          // collections that are not configured
}

// The kinds of collections.
const (
	KindWorkspaces = "workspaces"
	KindUsers      = "users"
	KindGroups     = "groups"
	KindHosts      = "hosts"
)

// Records is about the collections of a database. instead says where workspaces were looked for and
// what there is instead, if there are none. wantsGroups is whether groups are named by the database.
func Records(s Stock, instead string, wantsGroups bool) []Finding {
	c := check{MongoDB, "collections"}
	var has []string
	for _, kind := range []string{KindWorkspaces, KindUsers, KindGroups, KindHosts} {
		if n, ok := s.Collections[kind]; ok {
			has = append(has, fmt.Sprintf("%s %d", s.Named[kind], n))
		}
	}
	var all []Finding
	if len(has) > 0 {
		all = append(all, c.ok("database %s has %s", s.Database, strings.Join(has, ", ")))
	}
	if s.Collections[KindWorkspaces] == 0 {
		all = append(all, c.warn(missing[KindWorkspaces], "there are no workspaces: %s", instead))
	}
	if len(has) == 0 {
		return all
	}
	for _, kind := range []string{KindUsers, KindGroups} {
		n, exists := s.Collections[kind]
		switch {
		case n > 0 || kind == KindGroups && !wantsGroups:
		case exists:
			all = append(all, c.warn(missing[kind], "collection %s is empty", s.Named[kind]))
		case len(s.Others) == 0:
			all = append(all, c.warn(missing[kind], "there is no collection %s", s.Named[kind]))
		default:
			all = append(all, c.warn(missing[kind], "there is no collection %s, but %s", s.Named[kind], some(s.Others)))
		}
	}
	return all
}

// missing is what to do about a collection without records.
var missing = map[string]string{
	KindWorkspaces: "correct what the sentence names: without workspaces nobody owns a machine, and all usage is unattributed",
	KindUsers:      "set mongodb.collections.users: without users every owner is taken as named by the workspace",
	KindGroups:     "set mongodb.collections.groups, or attribution.group_by to another way: without groups usage belongs to none",
}

// Refused is about the records that were refused, of all that a collection has; 0: not known.
func Refused(area Area, rejects []directory.RecordReject, of map[string]int64) []Finding {
	c := check{area, "records"}
	var all []Finding
	for _, r := range rejects {
		said := many(r.Count, "record")
		if n := of[r.Collection]; n > 0 {
			said = fmt.Sprintf("%s of %s", share(r.Count, int(n)), many(int(n), "record"))
		}
		where := ""
		if r.Where != "" {
			where = ", the first in " + r.Where
		}
		all = append(all, c.warn(mend(area, r.Reason), "%s in %s refused: %s%s", said, r.Collection, r.Reason, where))
	}
	if len(all) == 0 {
		return []Finding{c.ok("every record can be read")}
	}
	return all
}

// mend is what to do about records refused for a reason.
func mend(area Area, reason string) string {
	switch {
	case area == Directory:
		return "correct the rows, or the labels of the metric: see docs/attribution.md"
	case strings.HasPrefix(reason, "missing_"):
		return "see whether mongodb.fields names the field that has it"
	case reason == "unknown_owner":
		return "see whether the owners are in users, and mongodb.fields.users.platform_name is what workspaces call them by: their usage is unattributed"
	case reason == "duplicate":
		return "delete the second record: the first counts"
	}
	return "correct the records: see bad records in docs/attribution.md"
}

// NoSection is about a section that was asked for and is not configured.
func NoSection(area Area) Finding {
	return check{area, "section"}.ok("the configuration has no section %s", area)
}

// Unread is about a directory that cannot be read.
func Unread(area Area, cause string) Finding {
	do := "see directory in the configuration; usage goes on under what was read last"
	if area == MongoDB {
		do = "check mongodb: the address, the account with the right to read, tls; usage goes on under what was read last"
	}
	return check{area, "reachable"}.fail(do, "%s", cause)
}

// Read is about a directory that was read, by what was learned from it.
func Read(area Area, d directory.Directory, took time.Duration) Finding {
	hosts, owners, groups := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, t := range d.Tenures {
		hosts[t.Host] = true
		if t.Owner != "" {
			owners[t.Owner] = true
		}
	}
	for _, m := range d.Memberships {
		groups[m.Group] = true
	}
	said := fmt.Sprintf("read in %s: %s, %s, %s", took.Round(time.Millisecond), many(len(hosts), "machine"), many(len(owners), "owner"), many(len(groups), "group"))
	if len(d.Names) > 0 {
		said += fmt.Sprintf("; names of %s", many(len(d.Names), "id"))
	}
	if len(d.Hosts) > 0 {
		said += fmt.Sprintf("; project or machine type of %s", many(len(d.Hosts), "machine"))
	}
	return check{area, "reachable"}.ok("%s", said)
}

// nobodyOwns is what to do about a directory that names machines and no owner.
func nobodyOwns(area Area) string {
	if area == Directory {
		return "see whether directory.prometheus.labels.owner is a label of the metric, or the column owner of the file is filled in: all usage is unattributed"
	}
	return "see whether mongodb.fields.workspaces.owner is the field that has it: all usage is unattributed"
}

// Grouped is about groups where the directory is to name them: MongoDB's have a collection of their own.
func Grouped(area Area, d directory.Directory) []Finding {
	if area != Directory || len(d.Memberships) > 0 {
		return nil
	}
	return []Finding{check{area, "groups"}.warn("name the groups of the owners in the directory, or set attribution.group_by to another way", "no owner is in a group, and attribution.group_by is directory")}
}

// Owners is about how many of the hosts that the server has are known to the directory. It shows
// names of hosts, and of nobody.
func Owners(area Area, hosts []string, d directory.Directory, now time.Time) Finding {
	c := check{area, "owners"}
	type stand struct{ known, owned bool }
	known := map[string]stand{}
	example, anybody := "", false
	for _, t := range d.Tenures {
		s := known[t.Host]
		s.known = true
		s.owned = s.owned || t.Owner != "" && !t.From.After(now) && (t.To.IsZero() || t.To.After(now))
		known[t.Host] = s
		example, anybody = max(example, t.Host), anybody || t.Owner != ""
	}
	owned, listed := 0, 0
	var strange []string
	for _, host := range hosts {
		s := known[directory.HostName(host)]
		if s.owned {
			owned++
		}
		if s.known {
			listed++
		} else {
			strange = append(strange, host)
		}
	}
	const do = "see whether prometheus.labels.host and the host names of the directory are the same names (a port does not matter): a label with an address never equals a name"
	switch {
	case len(hosts) == 0:
		return c.ok("not known: the server has no machines now")
	case len(known) == 0 && area == Directory && len(d.Hosts)+len(d.Names) > 0:
		return c.ok("it names projects, machine types or ids, and no owners")
	case len(known) == 0:
		return c.warn("see where it is read from: without it, usage belongs to whom the labels say, or to nobody", "no workspace names a machine")
	case listed == 0:
		return c.warn(do, "none of %d machines is in any workspace: the server calls them such as %s, the directory such as %s", len(hosts), some(strange[:1]), example)
	case !anybody && len(d.Hosts) == 0:
		return c.warn(nobodyOwns(area), "the directory has %d of %d machines, and an owner of none", listed, len(hosts))
	case listed*2 < len(hosts):
		return c.warn(do, "%s of %d machines have an owner; %d are in no workspace: %s", share(owned, len(hosts)), len(hosts), len(strange), some(strange))
	}
	return c.ok("%s of %d machines have an owner now, %d wait in a pool, %d are in no workspace", share(owned, len(hosts)), len(hosts), listed-owned, len(strange))
}
