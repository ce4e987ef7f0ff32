// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// meet keeps the machines of the newest interval.
func (l *lookout) meet(parts []usage.Part) {
	l.machines, l.compared = map[string]bool{}, nil
	for _, p := range parts {
		l.machines[p.Series.Host] = true
	}
}

// unread is whether there is a directory, and none was ever read.
func (l *lookout) unread(set Settings) bool {
	known := l.directory()
	return set.Directory != nil && (known == nil || known.AsOf.IsZero())
}

// strangers warns of a directory that names hosts, none of which is a machine of the newest
// interval: one of both has addresses and the other names, or it is the directory of another site.
// It looks healthy otherwise, and all usage is nobody's.
func (l *lookout) strangers(set Settings) {
	known := l.directory()
	if l.machines == nil || known == l.compared && known != nil {
		return
	}
	l.compared = known
	text := ""
	if set.Directory != nil && known != nil && !known.AsOf.IsZero() {
		text = l.strange(set, known)
	}
	l.notices.Notice(usage.TopicOwners, text)
}

// strange is what the page says; empty: nothing. Of a directory that names no hosts, nobody is.
func (l *lookout) strange(set Settings, known *directory.Directory) string {
	named, theirs, ours, owned := map[string]bool{}, "", "", false
	for _, t := range known.Tenures {
		named[t.Host], theirs, owned = true, max(theirs, t.Host), owned || t.Owner != ""
	}
	if set.Directory.Source == usage.SourceDirectory && len(named) > 0 && !owned && len(known.Hosts) == 0 { // MongoDB's may all wait in a pool
		if l.labelsSaid.isNew("ownerless") {
			l.log.Warn("The directory has an owner of none of its machines: usage belongs to whom the labels say, or to nobody", "url", set.Addresses.Directory,
				"machines", len(named), "key", "directory")
		}
		return fmt.Sprintf("The directory has an owner of none of its machines: usage belongs to whom the labels say, or to nobody. "+
			"It has %d; see whether the label or column of the owner has another name.", len(named))
	}
	for _, p := range known.Hosts {
		named[p.Host], theirs = true, max(theirs, p.Host)
	}
	for host := range l.machines {
		if host == usage.Unknown || named[directory.HostName(host)] {
			return "" // that there is no label of the host is said elsewhere
		}
		ours = max(ours, host)
	}
	if len(named) == 0 || len(l.machines) == 0 {
		return ""
	}
	if l.labelsSaid.isNew("strangers") {
		l.log.Warn("The directory has none of the machines: usage belongs to whom the labels say, or to nobody", "url", set.Addresses.Directory,
			"machines", len(l.machines), "prometheus_has", ours, "directory_has", theirs, "key", "prometheus.labels.host")
	}
	return fmt.Sprintf("The directory has none of the machines: usage belongs to whom the labels say, or to nobody. "+
		"Prometheus has %d, such as %s, and the directory others, such as %s: see prometheus.labels.host.", len(l.machines), ours, theirs)
}
