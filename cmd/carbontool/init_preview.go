// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/survey"
	"github.com/carbon-exporter/carbon_exporter/internal/table"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// noAverages is a store that is not there yet.
type noAverages struct{}

// MachineAverages implements parts.Averages.
func (noAverages) MachineAverages(context.Context, time.Time) (map[string]usage.Rating, error) {
	return nil, nil
}

// projectNow is a project in the first table.
type projectNow struct {
	usage.Presence
	watts usage.Watts
}

// preview shows what carbon_exporter will find with the configuration: it reads the last minutes
// as it does. That it finds nothing is no error, since a server may have been started just now.
func (i *initialise) preview(ctx context.Context, s streams, c *config.Config, server survey.Server, scrape time.Duration) error {
	now := s.time().Now()
	if server.Skew != nil {
		now = now.Add(*server.Skew) // its samples have the times of its clock
	}
	made, err := parts.New(c, noAverages{}, s.time().Now, false, nil)
	if err != nil {
		return err
	}
	defer made.Close() //nolint:errcheck // nothing was written
	for _, recent := range recently(now, scrape) {
		answer, _, err := made.Settings.Source.Read(ctx, []usage.Interval{recent})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			fmt.Fprintf(s.err, "WARNING: reading the last minutes failed: %s.\n", escape.Line(err.Error()))
			return nil
		}
		readings := answer.All()
		rec, err := drafted(ctx, made, recent, readings)
		if err != nil {
			return err
		}
		if projects := byProject(readings, rec); len(projects) > 0 {
			warnOfDoubts(s.err, readings)
			fmt.Fprintf(s.err, "\nFrom %s to %s:\n", recent.Start.Format("15:04"), recent.End().Format("15:04 UTC"))
			if err := firstTable(projects).Write(s.err, "  "); err != nil {
				return err
			}
			sayRated(s.err, c, rec)
			return nil
		}
	}
	fmt.Fprintln(s.err, "WARNING: the last minutes have no usage that can be counted yet; if this does not change, carbontool doctor says why.")
	return nil
}

// warnOfDoubts says which machines are there and will not count as they should.
func warnOfDoubts(out io.Writer, readings []usage.Reading) {
	for _, r := range readings {
		byReason := map[usage.DoubtReason][]string{}
		for _, d := range r.Doubts {
			if d.State == usage.HostRefused {
				byReason[d.Reason] = append(byReason[d.Reason], d.Host)
			}
		}
		for _, reason := range slices.Sorted(maps.Keys(byReason)) {
			hosts := byReason[reason]
			fmt.Fprintf(out, "WARNING: refused, because %s: %s and %d more. What to do: %s.\n", reason.Means(), escape.Name(hosts[0]), len(hosts)-1, reason.Advice())
		}
		for _, text := range r.Remarks {
			fmt.Fprintf(out, "WARNING: %s.\n", text)
		}
		for _, group := range r.Alike {
			fmt.Fprintf(out, "WARNING: %s and %d more show the same counters, as containers do that see the cores of their machine: each would be booked with all of it.\n",
				escape.Name(group[0]), len(group)-1)
		}
	}
}

// recently are the times to look at: a few scrapes, and the shortest that may do where the server
// was started just now. They end so long ago that what comes after them is known, too.
func recently(now time.Time, scrape time.Duration) []usage.Interval {
	var all []usage.Interval
	for _, length := range []time.Duration{5 * time.Minute, time.Minute} {
		if length < 2*scrape {
			continue
		}
		end := usage.FloorEpoch(now.Add(-length), time.Minute)
		all = append(all, usage.IntervalAt(end.Add(-length), length))
	}
	if len(all) == 0 {
		all = append(all, usage.IntervalAt(now.Add(-30*time.Minute), 15*time.Minute))
	}
	return all
}

// drafted is what would be booked. That the processors cannot be asked for is no reason to show
// nothing.
func drafted(ctx context.Context, made *parts.Parts, i usage.Interval, readings []usage.Reading) (usage.Record, error) {
	set := made.Settings
	power, err := set.Power(ctx, i.Start)
	if err != nil {
		return usage.Record{}, err
	}
	beside, _, err := set.Instruments.Instruments(ctx, []usage.Interval{i}, true)
	if ctx.Err() != nil {
		return usage.Record{}, ctx.Err()
	}
	if err != nil {
		beside = nil
	}
	return ingest.Draft(set, power, set.Attribution(directory.Directory{}), i, readings, beside, i.End()), nil
}

// sayRated says where the watts of the table come from, and how they can be better.
func sayRated(out io.Writer, c *config.Config, rec usage.Record) {
	rated := usage.RatedOf(rec.Ratings, rec.Models)
	fmt.Fprintf(out, "  Watts of machine types: %s.\n", rated.Sources())
	if silent := rated.Silent(); len(silent) > 0 {
		u := parts.Unrated(c)
		fmt.Fprintf(out, "WARNING: %d machine types have the default watts, because %s: %s.\n", len(silent), u.Why, u.Do)
	}
	if machines, models := rated.Unknown(); len(machines) > 0 {
		fmt.Fprintf(out, "WARNING: %d machine types have the default watts, because nobody knows their processor, such as %s: set power.machines.\n", len(machines), escape.Name(models[0]))
	}
}

func byProject(readings []usage.Reading, rec usage.Record) map[string]projectNow {
	projects := map[string]projectNow{}
	for _, r := range readings {
		for project, present := range r.Present {
			is := projects[project]
			is.Hosts, is.Cores = max(is.Hosts, present.Hosts), max(is.Cores, present.Cores)
			projects[project] = is
		}
	}
	for i := range rec.Facts {
		f := &rec.Facts[i]
		is := projects[f.Project]
		is.watts += f.Energy.Total().Over(rec.Interval.Length)
		projects[f.Project] = is
	}
	return projects
}

// mostRows is how many projects the first table names.
const mostRows = 20

// firstTable lists the projects with the most power, and the site.
func firstTable(projects map[string]projectNow) table.Table {
	t := table.Table{table.Words("PROJECT"), table.Numbers("MACHINES"), table.Numbers("CORES"), table.Numbers("W NOW")}
	row := func(name string, p projectNow) {
		hosts, cores := "-", "-"
		if p.Hosts > 0 {
			hosts = fmt.Sprint(p.Hosts)
		}
		if p.Cores > 0 {
			cores = fmt.Sprint(p.Cores)
		}
		t.Add(name, hosts, cores, fmt.Sprintf("%.1f", float64(p.watts)))
	}
	names := slices.SortedFunc(maps.Keys(projects), func(a, b string) int {
		return cmp.Or(cmp.Compare(projects[b].watts, projects[a].watts), cmp.Compare(a, b))
	})
	var site, rest projectNow
	for i, name := range names {
		p := projects[name]
		add(&site, p)
		if i < mostRows {
			row(name, p)
		} else {
			add(&rest, p)
		}
	}
	if more := len(names) - mostRows; more > 0 {
		row(fmt.Sprintf("(%d more)", more), rest)
	}
	row("site", site)
	return t
}

func add(to *projectNow, p projectNow) {
	to.Hosts += p.Hosts
	to.Cores += p.Cores
	to.watts += p.watts
}
