// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
)

// checkConfig checks a file and prints in a few lines what it means: reading that back reveals
// a typing error that is a valid value.
type checkConfig struct {
	file string
}

func (k *checkConfig) register(app *kingpin.Application) *kingpin.CmdClause {
	c := group(app, "check", "Check a configuration file or a store.").
		Command("config", "Check a configuration file and the files that it names, and show its meaning.").HelpLong(`
Each fault is a line with the file, the line and the key. Files that the
configuration names, such as password_file, are opened and looked at. No server is
contacted and nothing is written.

Example:

    carbontool check config /etc/carbon_exporter/carbon.yml
`)
	c.Arg("FILE", "The configuration file to check.").Required().StringVar(&k.file)
	return c
}

func (k *checkConfig) run(_ context.Context, s streams) error {
	c, err := config.Load(k.file)
	if err != nil {
		for line := range strings.Lines(err.Error()) { // each begins with the file
			fmt.Fprintln(s.err, escape.Line(line))
		}
		return errReported
	}
	if err := parts.Check(c); err != nil {
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintf(s.err, "%s: %s\n", escape.Line(k.file), escape.Line(line))
		}
		return errReported
	}
	fmt.Fprintf(s.out, "%s: ok\n", escape.Line(k.file))
	for _, line := range summary(c) {
		fmt.Fprintf(s.out, "  %s\n", escape.Line(line))
	}
	return nil
}

// summary is what the configuration means.
func summary(c *config.Config) []string {
	all := []string{
		fmt.Sprintf("interval: %s; an empty store starts %s before now; %s", c.Interval, c.Lookback, finality(c)),
		"prometheus: " + config.PublicURL(c.Prometheus.URL) + ", " + series(c.Prometheus),
	}
	all = append(append(append(all, watts(c)...), intensities(c)...),
		fmt.Sprintf("attribution: by %s, %s", c.Attribution.GroupBy, groups(c.Attribution.Groups)),
		whose(c),
		"users on /metrics: "+shownUsers(c),
		fmt.Sprintf("budgets: %d, in %s", len(c.Budgets), c.Timezone),
	)
	if lacking := slices.DeleteFunc(config.ByAll(), func(label string) bool { return slices.Contains(c.Metrics.By, label) }); len(lacking) > 0 {
		all = append(all, "metrics: those of usage lack "+strings.Join(lacking, ", ")+" (metrics.by)")
	}
	if c.Lake != nil {
		all = append(all, "lake: "+published(c.Lake))
	}
	return all
}

// shownUsers is how users appear on /metrics, and where not.
func shownUsers(c *config.Config) string {
	if slices.Contains(c.Metrics.By, "user") {
		return users(c.Attribution)
	}
	return "not in metrics of usage (metrics.by); elsewhere " + users(c.Attribution)
}

// published is where settled days go.
func published(l *config.Lake) string {
	is, err := parts.LakeBucket(l)
	if err != nil {
		return "site " + l.Site // parts.Check has read the file
	}
	return fmt.Sprintf("settled days of site %s, to %s", l.Site, is.Place)
}

func series(p config.Prometheus) string {
	from := p.Metric
	switch {
	case p.BusyQuery != "":
		from = "custom queries"
	case p.Matchers != "":
		from += "{" + p.Matchers + "}"
	}
	if p.CoresQuery != "" {
		from += ", cores by a query"
	}
	return from
}

// finality says when prices are final.
func finality(c *config.Config) string {
	if c.CarbonIntensity.Priced().Fixed() != nil {
		return "the price is final at once"
	}
	return fmt.Sprintf("prices are final after %s", c.SettleAfter)
}

func groups(groups []config.Group) string {
	if len(groups) == 0 {
		return "no named groups"
	}
	described := make([]string, len(groups))
	for i, group := range groups {
		described[i] = group.Name + " (" + strings.Join(group.Projects, ", ") + ")"
	}
	return "named groups: " + strings.Join(described, "; ")
}

// whose is where owners come from.
func whose(c *config.Config) string {
	d := c.Directory
	switch {
	case d == nil:
		return "mongodb: " + mongodb(c.MongoDB)
	case d.File != "":
		return fmt.Sprintf("directory: %s is read every %s", d.File, d.Refresh)
	}
	server, metric := d.Prometheus.URL, d.Prometheus.Metric
	if server.URL == nil {
		server = c.Prometheus.URL
	}
	if metric == "" {
		metric = "names only"
	}
	return fmt.Sprintf("directory: %s of %s is read every %s", metric, config.PublicURL(server), d.Refresh)
}

// mongodb never shows the address, which often contains a password.
func mongodb(m *config.MongoDB) string {
	if m == nil {
		return "none"
	}
	read := fmt.Sprintf("database %s is read every %s (%s, %s, %s, %s)", m.Database, m.Refresh,
		m.Collections.Workspaces, m.Collections.Users, m.Collections.Groups, m.Collections.Hosts)
	if m.UsageDatabase == "" {
		return read + ", nothing is written"
	}
	return read + fmt.Sprintf(", group_usage and user_usage are written to database %s", m.UsageDatabase)
}

func users(a config.Attribution) string {
	who := "all of them"
	if a.MaxUsers > 0 {
		who = fmt.Sprintf("the %d with the most energy, the others added up", a.MaxUsers)
	}
	switch a.UserLabel {
	case config.UserLabelNone:
		return "none"
	case config.UserLabelPseudonym:
		return "by a keyed hash of their id, " + who
	}
	return "by their id, " + who
}
