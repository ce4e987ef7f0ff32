package simulate

import (
	"fmt"
	"strings"
	"time"
)

// Document is one record. Its values are strings, whole numbers, times, nil,
// lists, and documents inside.
type Document map[string]any

// Records are what the operator's database holds at a time, by collection:
// workspaces that were made by then, deleted ones too, with the times that have
// come; users, groups and hosts. A few records are bad, as in any database, and
// none of them is true.
func (c *Cloud) Records(at time.Time) map[string][]Document {
	return map[string][]Document{
		"workspaces": append(c.workspaces(at), c.badWorkspaces()...),
		"users":      c.users(),
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

// record is what is known of a workspace at a time. Whoever takes it is written
// down as they do; acquired_time is missing where it was made for somebody.
func (h *Host) record(n int, w tenancy, at time.Time) Document {
	name := hostOf(h.Instance)
	if draw(h.seed, aboutTenancy, 0, uint64(n)) < 0.2 {
		name = h.Instance // some tools write the port too
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

// badWorkspaces would each give a host to somebody whose it never was.
func (c *Cloud) badWorkspaces() []Document {
	host, start := hostOf(c.hosts[0].Instance), c.config.Start
	return []Document{
		{"_id": "bad-1", "hostname": host, "owner": person(1), "created_time": start.Format(time.DateTime)},
		{"_id": "bad-2", "hostname": host, "owner": person(2), "created_time": start, "deleted_time": start.Add(-time.Hour)},
		{"_id": "bad-3", "owner": person(3), "created_time": start},
		{"_id": "bad-4", "hostname": host, "owner": []any{person(4)}, "created_time": start},
	}
}

func (c *Cloud) users() []Document {
	var all []Document
	for n := 1; n <= users; n++ {
		all = append(all, Document{
			"_id": person(n), "platform_name": person(n), "name": fmt.Sprintf("Scientist %d", n),
			"email": person(n) + "@example.org", "uid": int64(10_000 + n), "tag": "scientist",
		})
	}
	return append(all, // somebody was written down twice, and somebody forgot to say who
		Document{"_id": person(7) + "-again", "platform_name": person(7), "name": "Scientist 7, again"},
		Document{"_id": "without-a-name", "email": "who@example.org"},
	)
}

// groups name their members as they are, or in documents.
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

// places say what every host is.
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
