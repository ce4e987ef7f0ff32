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
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/power"
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
	model, err := parts.Power(ctx, c.Power, noAverages{}, now)
	if err != nil {
		return err
	}
	source, err := parts.Source(c.Prometheus)
	if err != nil {
		return err
	}
	for _, recent := range recently(now, scrape) {
		readings, _, err := source.Read(ctx, []usage.Interval{recent})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			fmt.Fprintf(s.err, "WARNING: reading the last minutes failed: %s.\n", escape.Line(err.Error()))
			return nil
		}
		if projects := byProject(readings, model); len(projects) > 0 {
			warnOfDoubts(s.err, readings)
			fmt.Fprintf(s.err, "\nFrom %s to %s:\n", recent.Start.Format("15:04"), recent.End().Format("15:04 UTC"))
			return firstTable(projects).Write(s.err, "  ")
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

func byProject(readings []usage.Reading, model power.Model) map[string]projectNow {
	projects := map[string]projectNow{}
	for _, r := range readings {
		for project, present := range r.Present {
			is := projects[project]
			is.Hosts, is.Cores = max(is.Hosts, present.Hosts), max(is.Cores, present.Cores)
			projects[project] = is
		}
		for _, sample := range r.Samples {
			is := projects[sample.Project]
			is.watts += model.Energy(model.Rating(sample.Machine, nil), sample.CPU).Total().Over(r.Piece.Length)
			projects[sample.Project] = is
		}
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
