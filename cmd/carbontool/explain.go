// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/url"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/remote"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// explainUsage shows how a number was calculated.
type explainUsage struct {
	site
	answers.Explain
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
		Required().PlaceHolder("TIME").StringVar(&e.TS)
	c.Flag("project", "Project.").Required().PlaceHolder("NAME").StringVar(&e.Project)
	for _, n := range []struct {
		scope usage.Scope
		to    *answers.Narrowing
		help  string
	}{
		{usage.ScopeMachine, &e.Machine, "Only this machine type."},
		{usage.ScopeUser, &e.User, "Only this user, by id; \"unattributed\" for usage without a user."},
		{usage.ScopeGroup, &e.Group, "Only this group, as it was at that time."},
	} {
		c.Flag(string(n.scope), n.help).PlaceHolder("NAME").IsSetByUser(&n.to.Given).StringVar(&n.to.Name)
	}
	c.Flag("format", "Output format: text or json.").Default(answers.Text).EnumVar(&e.Format, answers.ExplainFormats()...)
	return c
}

func (e *explainUsage) ask(ctx context.Context, s streams, from *remote.Server, flags url.Values) error {
	return from.Ask(ctx, "explain", withFormat(flags, e.Format), s.out)
}

func (e *explainUsage) run(ctx context.Context, s streams) error {
	c, err := e.config()
	if err != nil {
		return err
	}
	now := time.Now()
	if err := e.checkMoment("--ts", e.TS, c, now); err != nil {
		return err
	}
	st, err := e.openToRead(ctx, c)
	if err != nil {
		return err
	}
	defer st.Close()
	answer, err := e.Answer(ctx, from(c, st, now))
	if err != nil {
		return err
	}
	return answer.Write(s.out, nil)
}
