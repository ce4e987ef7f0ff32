// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"time"

	"github.com/prometheus/common/model"
)

// The bounds of refresh and timeout: reading a directory all the time is a load, and reading it
// less than once a day leaves it out of date.
const (
	minRefresh, maxRefresh = 10 * time.Second, 24 * time.Hour
	minTimeout, maxTimeout = 100 * time.Millisecond, 10 * time.Minute
)

// validate leaves the syntax of an address to the driver: it is a secret, and no message could
// say what is wrong with it.
func (m *MongoDB) validate(f *faults) {
	switch {
	case m.URI == "" && m.URIFile == "":
		f.key("mongodb", "must have uri or uri_file")
	case m.URI != "" && m.URIFile != "":
		f.key("mongodb.uri", "must not be set together with uri_file")
	}
	w := m.Fields.Workspaces
	for _, name := range []struct{ key, value string }{
		{"database", m.Database},
		{"collections.workspaces", m.Collections.Workspaces},
		{"collections.users", m.Collections.Users},
		{"collections.groups", m.Collections.Groups},
		{"collections.hosts", m.Collections.Hosts},
		{"fields.workspaces.hostname", w.Hostname},
		{"fields.workspaces.owner", w.Owner},
		{"fields.workspaces.created_time", w.CreatedTime},
		{"fields.workspaces.acquired_time", w.AcquiredTime},
		{"fields.workspaces.deleted_time", w.DeletedTime},
		{"fields.users.platform_name", m.Fields.Users.PlatformName},
		{"fields.users.name", m.Fields.Users.Name},
		{"fields.groups.name", m.Fields.Groups.Name},
		{"fields.groups.members", m.Fields.Groups.Members},
		{"fields.hosts.hostname", m.Fields.Hosts.Hostname},
		{"fields.hosts.cloud_project_name", m.Fields.Hosts.Project},
		{"fields.hosts.machine_name", m.Fields.Hosts.Machine},
	} {
		if name.value == "" {
			f.key("mongodb."+name.key, "must not be empty")
		}
	}
	validateWithin(f, "mongodb.refresh", m.Refresh, minRefresh, maxRefresh)
	validateWithin(f, "mongodb.timeout", m.Timeout, minTimeout, maxTimeout)
}

// validateWithin reports a duration that is not within [low, high].
func validateWithin(f *faults, path string, d model.Duration, low, high time.Duration) {
	if time.Duration(d) < low || time.Duration(d) > high {
		f.key(path, "must be from %s to %s, is %s", model.Duration(low), model.Duration(high), d)
	}
}
