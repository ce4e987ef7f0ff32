// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package source queries Prometheus for CPU seconds, and for what is measured beside them. It knows
// PromQL and the HTTP API of Prometheus; it must not know carbon, or what is stored. Start with
// Client.Read and Client.Instruments; query.go and query_*.go have the queries.
package source

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"sync/atomic"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Client reads from one Prometheus, or from another server with its API.
type Client struct {
	Upstream Doer
	URL      *url.URL
	Query    Query
	// MaxSamples is how many samples a server may need for one query of counters; 0: only the server
	// limits them. See budget.go.
	MaxSamples int

	get  atomic.Bool // the server takes no POST
	once atomic.Bool // two servers scrape every host: count each core once

	hosts  memory
	extent extent
}

// maxPoints is Prometheus' own limit of evaluations per query.
const maxPoints = 11000

// Read returns the CPU seconds of every piece of a run of adjacent intervals, in order, and the
// number of rejected samples. It returns all or nothing. A run of several intervals that is too
// large for the server or for our memory, or of which too many hosts need a closer look, is a
// Failure with TooLarge; a single interval that is too large is queried project by project.
func (c *Client) Read(ctx context.Context, run []usage.Interval) (usage.Readings, usage.Rejects, error) {
	if len(run) == 0 {
		return usage.Readings{}, nil, nil
	}
	readings, rejects, err := c.read(ctx, run)
	return readings.With(told), rejects, err
}

func (c *Client) read(ctx context.Context, run []usage.Interval) (usage.Readings, usage.Rejects, error) {
	pieces := c.windows(run)
	if points := len(pieces) + 1 + 2*mostBeside; points > maxPoints {
		return usage.Readings{}, nil, &usage.Failure{Reason: usage.ReasonTooLarge, TooLarge: true, Detail: fmt.Sprintf("%d points in one query, the limit is %d", points, maxPoints)}
	}
	if c.Query.given() {
		return asReadings(c.readGiven(ctx, pieces))
	}
	t, err := c.recognise(ctx, pieces, len(run) == 1)
	if err != nil {
		return usage.Readings{}, nil, err
	}
	if other := c.byFallback(); len(t.names) == 0 && other != nil {
		return asReadings(other.readGiven(ctx, pieces))
	}
	c.hosts.scraped(t)
	open := t.open()
	known := c.hosts.recall(t, open)
	looked, err := c.lookCloser(ctx, t, open)
	if err != nil {
		return usage.Readings{}, nil, err
	}
	c.hosts.keep(t, looked)
	maps.Copy(looked, known)
	if err := c.askHosts(ctx, t); err != nil {
		return usage.Readings{}, nil, err
	}
	t.countRejects(looked)
	if c.Query.Shares == nil || len(t.names) == 0 {
		return t.readings(looked), t.rejects, nil
	}
	readings := t.readings(looked).All() // shares divide all of them at once
	if err := c.shareOut(ctx, t.shared(readings), t.holes(looked), readings); err != nil {
		return usage.Readings{}, nil, err
	}
	return usage.ReadingsOf(readings), t.rejects, nil
}

func asReadings(all []usage.Reading, rejects usage.Rejects, err error) (usage.Readings, usage.Rejects, error) {
	return usage.ReadingsOf(all), rejects, err
}

// askHosts asks what other metrics say of the hosts of a table.
func (c *Client) askHosts(ctx context.Context, t *edges) (err error) {
	if len(c.Query.Info) > 0 && len(t.names) > 0 {
		t.info, err = c.askInfo(ctx, c.Query.Info, t.pieces, []string{c.Query.Labels.Host})
	}
	return err
}

// recognise asks for the edges of pieces in the form that suits the site: with each core once
// where two servers scrape every host, and with sums over all cores where there is nothing else.
func (c *Client) recognise(ctx context.Context, pieces []usage.Interval, alone bool) (*edges, error) {
	q := c.Query
	q.once = c.once.Load()
	t, err := c.edges(ctx, q, pieces, alone)
	if err == nil && len(t.sets) == 0 {
		if q.withSums, err = c.onlySums(ctx, pieces); err == nil && q.withSums {
			t, err = c.edges(ctx, q, pieces, alone)
		}
	}
	if err == nil && !q.once && t.pairs() {
		q.once = true
		t, err = c.edges(ctx, q, pieces, alone)
	}
	if err == nil && len(t.sets) > 0 {
		c.once.Store(q.once && t.copied())
	}
	return t, err
}

// edges asks for what is known at the edges of pieces.
func (c *Client) edges(ctx context.Context, q Query, pieces []usage.Interval, alone bool) (*edges, error) {
	t := newEdges(q, pieces, alone, besideOf(pieces[0].Length))
	err := c.fill(ctx, t, nil)
	if alone && (hasRefused(err) || overBudget(err)) { // who is there hours before need not be known
		t = newEdges(q, pieces, alone, 1)
		err = c.fill(ctx, t, nil)
	}
	if alone && q.project == nil && usage.IsTooLarge(err) {
		t = newEdges(q, pieces, alone, 1)
		err = c.fillByProject(ctx, t)
	}
	if err == nil {
		err = t.usable()
	}
	t.settle()
	if err == nil {
		c.extent.learn(t)
	}
	return t, err
}

// onlySums finds out, where nothing was found, whether the site has nothing but sums over all
// cores.
func (c *Client) onlySums(ctx context.Context, pieces []usage.Interval) (bool, error) {
	q := c.Query
	q.withSums = true
	t := newEdges(q, pieces, len(pieces) == 1, 1)
	err := c.askCounters(ctx, t, nil)
	return len(t.sets) > 0, err
}

// Present returns, for each of a run of adjacent intervals, the hosts and cores by project that
// the server has. It costs a tenth of Read.
func (c *Client) Present(ctx context.Context, run []usage.Interval) ([]map[string]usage.Presence, error) {
	if len(run) == 0 || c.Query.given() {
		return make([]map[string]usage.Presence, len(run)), nil
	}
	pieces := c.windows(run)
	t := newEdges(c.Query, pieces, len(run) == 1, 0)
	if _, cores, known := c.extent.of(nil); known {
		if err := c.within(cores, len(pieces), nil); err != nil {
			return nil, err
		}
	}
	if err := c.askCores(ctx, t, nil); err != nil {
		return nil, err
	}
	t.settle()
	if err := c.askHosts(ctx, t); err != nil {
		return nil, err
	}
	from, _ := t.asked()
	each := len(pieces) / len(run)
	all := make([]map[string]usage.Presence, len(run))
	for i := range all {
		all[i] = map[string]usage.Presence{}
		for j := range each {
			for project, p := range t.present(from + i*each + j) {
				all[i][project] = usage.Presence{Hosts: max(all[i][project].Hosts, p.Hosts), Cores: max(all[i][project].Cores, p.Cores)}
			}
		}
	}
	return all, nil
}

// OfProject returns a client for one project. Queries written by the operator cannot be
// restricted: see Query.given.
func (c *Client) OfProject(project string) *Client {
	only := c.copy()
	only.extent.from(&extent{}) // it has less than all
	only.Query.project = &project
	return only
}

func (c *Client) copy() *Client {
	other := &Client{Upstream: c.Upstream, URL: c.URL, Query: c.Query, MaxSamples: c.MaxSamples}
	other.extent.from(&c.extent)
	other.get.Store(c.get.Load())
	other.once.Store(c.once.Load())
	return other
}

// fill sends the queries of one project, or of all.
func (c *Client) fill(ctx context.Context, t *edges, project *string) error {
	if err := c.afford(ctx, t, project); err != nil {
		return err
	}
	if err := c.askCounters(ctx, t, project); err != nil {
		return err
	}
	if err := c.askCores(ctx, t, project); err != nil || len(t.sets) == 0 {
		return err
	}
	q := t.query
	if err := c.ask(ctx, t.around(), q.times(project), []string{q.Labels.Host}, &timeSink{table: t}); err != nil && !usage.IsPermanent(err) {
		return err // a server that does not know when samples were scraped leaves more to the law
	}
	if q.once {
		return c.ask(ctx, t.around(), q.spread(project), []string{q.Labels.Host}, &spreadSink{table: t})
	}
	if t.someWithoutIdle() {
		at := &severalSink{table: t, into: func(h *hostSets) *[]bool { return &h.several }}
		if err := c.ask(ctx, t.around(), q.several(project), []string{q.Labels.Host}, at); err != nil {
			return err
		}
		within := &severalSink{table: t, into: func(h *hostSets) *[]bool { return &h.moved }}
		return c.ask(ctx, t.around(), q.moved(t.pieces[0].Length, project), []string{q.Labels.Host}, within)
	}
	return nil
}

func (c *Client) askCounters(ctx context.Context, t *edges, project *string) error {
	labels := append(t.query.Labels.list(), t.query.Labels.Mode)
	return c.ask(ctx, t.around(), t.query.counters(project), labels, &counterSink{table: t, classOf: t.query.classOf(), unit: t.query.unit()})
}

// askCores asks how many cores were there in each piece.
func (c *Client) askCores(ctx context.Context, t *edges, project *string) error {
	s := &coreSink{table: t, given: t.query.CoresQuery != ""}
	return c.ask(ctx, t.grid(1, len(t.pieces)), t.query.cores(t.pieces[0].Length, project), t.query.Labels.list(), s)
}

// fillByProject queries one project after the other.
func (c *Client) fillByProject(ctx context.Context, t *edges) error {
	from, to := t.asked()
	projects, err := c.Projects(ctx, usage.Period{From: t.pieces[from].Start, To: t.pieces[to-1].End()})
	if err != nil {
		return err
	}
	for _, p := range append(projects, "") { // "" selects series without the label
		if err := c.fill(ctx, t, &p); err != nil {
			if overBudget(err) {
				c.extent.doubt()
			}
			return c.Upstream.Failed("project "+strconv.Quote(p), err)
		}
	}
	return nil
}
