// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// nobody warns of a directory that can be read and names no host: of a database or collection by
// another name, which is empty and no error, or of records that are all refused.
type nobody struct {
	notices NoticeObserver
	clock   clock.Clock
	log     *slog.Logger

	generation int64     // of the settings at the last warning
	said       time.Time // zero: there is nothing to warn of
}

// see warns once an hour.
func (n *nobody) see(ctx context.Context, set Settings, c directory.Census, rejects []directory.RecordReject) {
	something := len(c.Workspaces) > 0 || c.Table && len(c.Owners)+len(c.Members)+len(c.Hosts) > 0
	if something || set.Directory.Instead == nil {
		n.said = time.Time{}
		n.notices.Notice(usage.TopicDirectory, "")
		return
	}
	now := n.clock.Now()
	if n.generation == set.generation && !n.said.IsZero() && !n.said.After(now) && now.Sub(n.said) < lookAgainEvery {
		return
	}
	n.said, n.generation = now, set.generation
	why := ""
	if len(c.Refused) > 0 {
		key := "directory"
		if set.Directory.Source == usage.SourceMongoDB {
			key = "mongodb.fields"
		}
		why = fmt.Sprintf("all of its %d records are refused (%s): see %s", len(c.Refused), reasonsOf(rejects), key)
	} else {
		why = set.Directory.Instead(ctx)
	}
	n.log.Warn("The directory names no hosts: usage belongs to whom the labels say, or to nobody", "url", set.Addresses.Directory, "why", why)
	n.notices.Notice(usage.TopicDirectory, fmt.Sprintf("The directory names no hosts, so usage belongs to whom the labels say, or to nobody: %s.", why))
}

func reasonsOf(rejects []directory.RecordReject) string {
	var all []string
	for _, r := range rejects {
		all = append(all, fmt.Sprintf("%s: %d %s", r.Collection, r.Count, r.Reason))
	}
	return strings.Join(all, ", ")
}
