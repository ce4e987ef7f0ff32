// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestADirectoryWithoutWorkspacesIsSaid(t *testing.T) {
	var lines []string
	now := start
	page := noticed{about: map[usage.Topic]string{}}
	n := &nobody{notices: page, clock: at{func() time.Time { return now }}, log: told(&lines)}
	asked := 0
	set := Settings{Addresses: Addresses{Directory: "mongodb/db:27017/ada"}, Directory: &Directory{Source: usage.SourceMongoDB, Instead: func(context.Context) string {
		asked++
		return `looked in the collection "workspace" of the database "ada", which does not have it, but "workspaces"`
	}}}
	full := directory.Census{Workspaces: []directory.Workspace{{Document: "w"}}}
	for range 12 {
		n.see(t.Context(), set, directory.Census{}, nil)
		now = now.Add(5 * time.Minute)
	}
	want := `level=WARN msg="The directory names no hosts: usage belongs to whom the labels say, or to nobody" url=mongodb/db:27017/ada ` +
		`why="looked in the collection \"workspace\" of the database \"ada\", which does not have it, but \"workspaces\""`
	if !slices.Equal(lines, []string{want}) || asked != 1 {
		t.Errorf("in an hour, asked %d times: %s\nwant %s", asked, strings.Join(lines, "\n"), want)
	}
	if !strings.Contains(page.about[usage.TopicDirectory], `which does not have it, but "workspaces".`) {
		t.Errorf("the page says %q", page.about[usage.TopicDirectory])
	}
	n.see(t.Context(), set, directory.Census{}, nil)
	if len(lines) != 2 {
		t.Errorf("after an hour: %q", lines)
	}
	n.see(t.Context(), set, full, nil)
	if len(lines) != 2 || page.about[usage.TopicDirectory] != "" {
		t.Errorf("with workspaces: %q, the page says %q", lines, page.about[usage.TopicDirectory])
	}
	n.see(t.Context(), set, directory.Census{Refused: map[string]bool{"a": true, "b": true}}, []directory.RecordReject{{Collection: "workspaces", Reason: "missing_hostname", Count: 2}})
	if len(lines) != 3 || !strings.Contains(lines[2], `why="all of its 2 records are refused (workspaces: 2 missing_hostname): see mongodb.fields"`) {
		t.Errorf("of refused records: %q", lines[2:])
	}
	n.see(t.Context(), set, directory.Census{Table: true, Owners: []directory.Claim{{Of: "a", Holder: "ada"}}}, nil)
	n.see(t.Context(), set, directory.Census{Table: true, Members: []directory.Claim{{Of: "ada", Holder: "ISIS"}}}, nil)
	n.see(t.Context(), Settings{Directory: &Directory{}}, directory.Census{}, nil)
	if len(lines) != 3 {
		t.Errorf("of a directory that may be empty: %q", lines[3:])
	}
}
