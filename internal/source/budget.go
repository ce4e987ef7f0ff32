// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// A server holds every sample of a query in memory: a sample for each series that is selected and
// each moment that is asked for, before anything is added up. Client.MaxSamples bounds that. What
// would be more is not sent: a run of intervals becomes shorter, a single interval is asked for
// project by project, and a project that is too much alone fails with words that say what to do.

// extent is how many counters the server has, by project, as they were seen last.
type extent struct {
	mu     sync.Mutex
	series map[string]int // by project, as it is spelled; nil: not known yet
	total  int
	modes  int // series of each core
	hosts  int

	counters, sets int // rows of an answer, and label sets in it

	doubted bool // whether it kept an interval from being read: it is counted again, as it may be less now
}

// errOverBudget is in the chain of what was not asked.
var errOverBudget = errors.New("that is more than prometheus.max_samples_per_query; " +
	"divide the site among several exporters, or have a recording rule add up the cores of each host: see docs/shards.md and docs/upstreams.md")

// learn takes what a table has.
func (e *extent) learn(t *edges) {
	if len(t.sets) == 0 {
		return
	}
	modes, cores := max(len(t.modes), 1), map[string]int{}
	for _, s := range t.sets {
		n := 1 // a series of all cores
		for _, counted := range s.cores {
			if t.query.Labels.CPU != "" && !t.query.withSums && t.query.CoresQuery == "" && counted > float64(n) && counted <= maxCores { // or NaN
				n = int(counted)
			}
		}
		cores[s.series.Project] += n
	}
	if t.query.once { // there are two of each
		modes *= 2
	}
	e.set(cores, modes, len(t.hosts))
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counters, e.sets = t.counts, len(t.sets)
}

// doubt has it counted again before the next question.
func (e *extent) doubt() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.doubted = true
}

func (e *extent) isDoubted() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.doubted
}

// guess is used until an answer is there: a host is a label set with a counter for each mode.
func (e *extent) guess(hosts, modes int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.counters == 0 {
		e.counters, e.sets = hosts*max(modes, 1), hosts
	}
}

// rows is how many counters an answer had, of how many label sets.
func (e *extent) rows() (counters, sets int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.counters, e.sets
}

// set takes the number of cores, or of series of one mode, by project.
func (e *extent) set(cores map[string]int, modes, hosts int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.series, e.total, e.modes, e.hosts, e.doubted = map[string]int{}, 0, modes, hosts, false
	for project, n := range cores {
		e.series[project] = n * modes
		e.total += n * modes
	}
}

// of is the number of series of a project, or of all, and how many of them are of one mode.
func (e *extent) of(project *string) (series, cores int, known bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	series = e.total
	if project != nil {
		series = e.series[usage.HostLabel(*project)]
	}
	return series, series / max(e.modes, 1), e.series != nil
}

// hostsSeen is how many hosts there are; 0: not known.
func (e *extent) hostsSeen() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hosts
}

// perHost is how many series a host has, on average.
func (e *extent) perHost() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return max(e.total/max(e.hosts, 1), 1)
}

// from takes what another has learned.
func (e *extent) from(other *extent) {
	other.mu.Lock()
	series, total, modes, hosts := maps.Clone(other.series), other.total, other.modes, other.hosts
	other.mu.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.series, e.total, e.modes, e.hosts, e.doubted = series, total, modes, hosts, false
}

// afford refuses questions about a table that would need too many samples at once. What the
// server has is counted if it is not known yet, which is one sample of each core.
func (c *Client) afford(ctx context.Context, t *edges, project *string) error {
	if c.MaxSamples <= 0 {
		return nil
	}
	if c.extent.isDoubted() {
		c.extent.from(&extent{})
	}
	series, cores, known := c.extent.of(project)
	if !known {
		if err := c.count(ctx, t); err != nil {
			return err
		}
		series, cores, _ = c.extent.of(project)
	}
	moments := t.around().columns()
	if n := t.grid(1, len(t.pieces)).columns(); cores*n > series*moments { // of counters without modes
		series, moments = cores, n
	}
	return c.within(series, moments, project)
}

// within refuses what is more than may be asked for at once.
func (c *Client) within(series, moments int, project *string) error {
	if c.MaxSamples <= 0 || series*moments <= c.MaxSamples {
		return nil
	}
	whose := "all projects"
	if project != nil {
		whose = fmt.Sprintf("project %q", *project)
	}
	return &usage.Failure{
		Reason: usage.ReasonLimit, TooLarge: true, Err: errOverBudget,
		Detail: fmt.Sprintf("%d series of %s at %d moments are %d samples in one query, of %d that it may have", series, whose, moments, series*moments, c.MaxSamples),
	}
}

// count asks how many cores there are at the end of a table, and which modes. A server that cannot
// say it may answer what matters, and has limits of its own.
func (c *Client) count(ctx context.Context, t *edges) error {
	q := t.query
	_, to := t.asked()
	at := t.pieces[to-1].End()
	one := q.selector(q.everyCore(q.oneMode()), nil)
	by, err := c.numbers(ctx, at, fmt.Sprintf("count by (%s) (%s)", listed(q.Labels.Project), one), q.Labels.Project)
	switch {
	case usage.IsOutage(err) || ctx.Err() != nil:
		return err
	case err != nil || len(by) == 0:
		return nil
	}
	modes := 1
	if q.Labels.Mode != "" {
		names, err := c.valuesOf(ctx, q.Labels.Mode, q.selector(q.everyCore(), nil), usage.Period{From: at.Add(-time.Hour), To: at})
		if modes = len(names); err != nil || modes == 0 {
			modes = len(q.BusyModes) + len(q.IdleModes) + len(q.OtherModes)
		}
	}
	c.extent.set(by, modes, 0)
	return nil
}

// overBudget reports whether a question was not sent, because it is too large.
func overBudget(err error) bool { return errors.Is(err, errOverBudget) }

// usualScrape is how often hosts are scraped, at the most.
const usualScrape = 15 * time.Second

// looksAtOnce is how many pieces of hosts a closer look may ask for in one query.
func (c *Client) looksAtOnce(most int, piece time.Duration) int {
	if c.MaxSamples <= 0 {
		return most
	}
	each := c.extent.perHost() * max(int(piece/usualScrape), 1)
	return max(min(most, c.MaxSamples/each), 1)
}
