// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"fmt"
	"strings"
	"time"
)

// Document is one record. Its values are strings, integers, times, nil, lists and documents.
type Document map[string]any

// Records returns the operator's database as it is at a time, by collection: workspaces created
// by then, including deleted ones, with the times that have passed; users, groups and hosts. A
// few records are bad, as in any database, and none of those is true.
func (c *Cloud) Records(at time.Time) map[string][]Document {
	return map[string][]Document{
		"workspaces": append(c.workspaces(at), c.badWorkspaces()...),
		"users":      userRecords(),
		"groups":     c.groups(),
		"hosts":      c.places(),
	}
}

func (c *Cloud) workspaces(at time.Time) (all []Document) {
	for _, h := range c.hosts {
		for n, w := range h.tenancies {
			if w.created.After(at) {
				break
			}
			all = append(all, h.record(n, w, at))
		}
	}
	return all
}

// record returns what is known of a workspace at a time. It is recorded when somebody takes it;
// acquired_time is missing if it was created for its owner.
func (h *Host) record(n int, w tenancy, at time.Time) Document {
	name := hostOf(h.Instance)
	if draw(h.seed, aboutTenancy, 0, uint64(n)) < 0.2 {
		name = h.Instance // some tools write the port, too
	}
	d := Document{
		"_id": fmt.Sprintf("%s-%d-%03d", hostOf(h.Instance), h.Begin.Unix(), n), "hostname": name, "tag": "analysis",
		"state": "READY", "created_time": w.created, "owner": nil, "deleted_time": nil, "parameters": Document{"users": []any{}},
	}
	if w.owner != "" && !w.taken().After(at) {
		d["state"], d["owner"] = "CLAIMED", w.owner
		d["parameters"] = Document{"users": []any{w.owner}}
		if !w.acquired.IsZero() {
			d["acquired_time"] = w.acquired
		}
	}
	if !w.deleted.After(at) {
		d["state"], d["deleted_time"] = "DELETED", w.deleted
	}
	return d
}

// badWorkspaces returns records that would each give a host to somebody who never had it.
func (c *Cloud) badWorkspaces() []Document {
	host, start := hostOf(c.hosts[0].Instance), c.config.Start
	return []Document{
		{"_id": "bad-1", "hostname": host, "owner": person(1), "created_time": start.Format(time.DateTime)},
		{"_id": "bad-2", "hostname": host, "owner": person(2), "created_time": start, "deleted_time": start.Add(-time.Hour)},
		{"_id": "bad-3", "owner": person(3), "created_time": start},
		{"_id": "bad-4", "hostname": host, "owner": []any{person(4)}, "created_time": start},
	}
}

func userRecords() []Document {
	var all []Document
	for n := 1; n <= users; n++ {
		all = append(all, Document{
			"_id": person(n), "platform_name": person(n), "name": fmt.Sprintf("Scientist %d", n),
			"email": person(n) + "@example.org", "uid": int64(10_000 + n), "tag": "scientist",
		})
	}
	return append(all, // one person is recorded twice, and one record has no name
		Document{"_id": person(7) + "-again", "platform_name": person(7), "name": "Scientist 7, again"},
		Document{"_id": "without-a-name", "email": "who@example.org"},
	)
}

// groups list their members as names, or in documents.
func (c *Cloud) groups() []Document {
	var all []Document
	for g, name := range groupNames {
		members := []any{}
		for _, user := range c.members(g) {
			if g%2 == 0 {
				members = append(members, user)
			} else {
				members = append(members, Document{"platform_name": user, "role": "member"})
			}
		}
		all = append(all, Document{"_id": name, "name": name, "gid": int64(5000 + g), "type": "science", "tag": "group", "members": members})
	}
	return all
}

// places returns the placement of every host.
func (c *Cloud) places() []Document {
	var all []Document
	for n := range c.config.Hosts {
		a := address(c.config.Seed, n)
		all = append(all, Document{
			"_id": hostOf(a.Instance), "hostname": hostOf(a.Instance), "cloud_project_name": a.Project, "machine_name": a.Machine,
		})
	}
	return all
}

func hostOf(instance string) string {
	host, _, _ := strings.Cut(instance, ":")
	return host
}
