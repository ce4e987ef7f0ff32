// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/explain"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// explainUsage shows how a number was calculated.
type explainUsage struct {
	site
	ts      string
	project string
	narrow  [3]narrowing
	format  string
}

// narrowing is a flag that selects a part of a project.
type narrowing struct {
	scope usage.Scope
	name  string
	given bool
}

func (e *explainUsage) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("explain", "Show how a number was calculated, from CPU seconds to grams.").HelpLong(`
Shows everything known about one interval of a project: the queries sent to
Prometheus and when, busy and idle CPU seconds, watts and their source, PUE, kWh,
forecast and actual carbon intensity, gCO2eq, the directory record that names the
user, and every restatement. Numbers have all their digits, so that multiplying them
gives exactly what is stored.

--ts may be any time within the interval. If the interval is unasked, missing, empty,
unpriced or deleted, the command says so and exits with 0. A name that the store has never
seen is a usage error (exit code 2).

Users are shown by id. Times are in UTC.

Example:

    carbontool explain --ts=2026-10-01T10:30 --project=ISIS --user=alice
`)
	e.site.register(c)
	c.Flag("ts", "Any time within the interval: 2026-10-01T10:30 (in the time zone of the store), yesterday, -1h, RFC 3339, or Unix seconds.").
		Required().PlaceHolder("TIME").StringVar(&e.ts)
	c.Flag("project", "Project.").Required().PlaceHolder("NAME").StringVar(&e.project)
	for i, n := range []struct {
		scope usage.Scope
		help  string
	}{
		{usage.ScopeMachine, "Only this machine type."},
		{usage.ScopeUser, "Only this user, by id; \"unattributed\" for usage without a user."},
		{usage.ScopeGroup, "Only this group, as it was at that time."},
	} {
		e.narrow[i].scope = n.scope
		c.Flag(string(n.scope), n.help).PlaceHolder("NAME").IsSetByUser(&e.narrow[i].given).StringVar(&e.narrow[i].name)
	}
	c.Flag("format", "Output format: text or json.").Default("text").EnumVar(&e.format, "text", "json")
	return c
}

func (e *explainUsage) run(ctx context.Context, s streams) error {
	c, err := e.config()
	if err != nil {
		return err
	}
	now := time.Now()
	if err := e.checkMoment("--ts", e.ts, c, now); err != nil {
		return err
	}
	st, err := e.openToRead(ctx, c)
	if err != nil {
		return err
	}
	defer st.Close()
	at, err := pastMoment("--ts", e.ts, st.Timezone(), now)
	if err != nil {
		return err
	}
	if err := e.known(ctx, st); err != nil {
		return err
	}
	known, err := e.read(ctx, st, usage.IntervalAt(at, st.Interval()), now)
	if err != nil {
		return err
	}
	for grid, v := range c.CarbonIntensity.Statics() {
		known.Statics = append(known.Statics, explain.Static{
			GridName: grid, Intensity: usage.GramsPerKWh(*v.GCO2eqPerKWh), Source: v.Source,
		})
	}
	if e.format == "json" {
		return explain.New(known).WriteJSON(s.out)
	}
	return explain.New(known).WriteText(s.out, st.Timezone())
}

// known refuses names that the store has never seen: they are typing errors, for which "no
// usage" would be the wrong answer.
func (e *explainUsage) known(ctx context.Context, st *store.Store) error {
	for _, n := range append([]narrowing{{usage.ScopeProject, e.project, true}}, e.narrow[:]...) {
		if !n.given {
			continue
		}
		names, err := st.Members(ctx, n.scope)
		if err != nil {
			return err
		}
		if slices.Contains(names, n.name) {
			continue
		}
		if n.scope == usage.ScopeProject {
			return wrongUsef("--project: the store has never seen %q; %s", n.name, projects(names))
		}
		return wrongUsef("--%s: the store has never seen %q", n.scope, n.name)
	}
	return nil
}

// projects lists the projects in the store.
func projects(names []string) string {
	const most = 10
	switch {
	case len(names) == 0:
		return "it has no projects"
	case len(names) > most:
		return fmt.Sprintf("it has %s and %d more", strings.Trim(fmt.Sprintf("%q", names[:most]), "[]"), len(names)-most)
	}
	return "it has " + strings.Trim(fmt.Sprintf("%q", names), "[]")
}

func (e *explainUsage) read(ctx context.Context, st *store.Store, i usage.Interval, now time.Time) (explain.Known, error) {
	k := explain.Known{Now: now, Key: explain.Key{Project: e.project}}
	for n, to := range []**string{&k.Key.Machine, &k.Key.User, &k.Key.Group} {
		if e.narrow[n].given {
			*to = &e.narrow[n].name
		}
	}
	var err error
	if k.Proof, err = st.Proof(ctx, i); err != nil {
		return k, err
	}
	if k.Titles, err = st.Titles(ctx, k.Users(), i); err != nil {
		return k, err
	}
	if k.Pruned {
		remains, used, err := st.ProjectUsage(ctx, e.project, i)
		if err != nil {
			return k, err
		}
		if used {
			k.Remains = &remains
		}
	}
	if k.State == usage.Unasked {
		held, some, err := st.Span(ctx)
		if err != nil {
			return k, err
		}
		if some {
			k.Held = &held
		}
	}
	return k, nil
}
