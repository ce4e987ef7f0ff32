// Package source queries Prometheus for CPU seconds. It knows PromQL and the HTTP API of
// Prometheus; it must not know power, carbon, or what is stored. Start with Client.Read;
// query.go has every query.
package source

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Doer sends a request and returns the body of a good answer. A bad one is an error with a
// *usage.Failure in its chain.
type Doer interface {
	Do(*http.Request) (io.ReadCloser, error)
	// Failed returns an error that begins with what was attempted. It is safe to show although
	// err may quote the server at any length.
	Failed(what string, err error) error
}

// Client reads from one Prometheus, or from another server with its API.
type Client struct {
	Upstream Doer
	URL      *url.URL
	Query    Query

	get  atomic.Bool // the server takes no POST
	once atomic.Bool // two servers scrape every host: count each core once
	sums atomic.Bool // there are only sums over all cores

	hosts memory
}

// maxPoints is Prometheus' own limit of evaluations per query.
const maxPoints = 11000

// Read returns the CPU seconds of every piece of a run of adjacent intervals, in order, and the
// number of rejected samples. It returns all or nothing. A run of several intervals that is too
// large for the server, or of which too many hosts need a closer look, is a Failure with
// TooLarge; a single interval that is too large is queried project by project.
func (c *Client) Read(ctx context.Context, run []usage.Interval) ([]usage.Reading, usage.Rejects, error) {
	if len(run) == 0 {
		return nil, nil, nil
	}
	pieces := c.windows(run)
	if points := len(pieces) + 1 + 2*mostBeside; points > maxPoints {
		return nil, nil, &usage.Failure{Reason: usage.ReasonTooLarge, TooLarge: true, Detail: fmt.Sprintf("%d points in one query, the limit is %d", points, maxPoints)}
	}
	if c.Query.given() {
		return c.readGiven(ctx, pieces)
	}
	t, err := c.edges(ctx, pieces, len(run) == 1)
	if err == nil && len(t.sets) == 0 && !c.sums.Load() {
		if err = c.onlySums(ctx, pieces); err == nil && c.sums.Load() {
			t, err = c.edges(ctx, pieces, len(run) == 1)
		}
	}
	if err == nil && !c.once.Load() && t.pairs() {
		c.once.Store(true)
		t, err = c.edges(ctx, pieces, len(run) == 1)
	}
	if err != nil {
		return nil, nil, err
	}
	c.hosts.scraped(t)
	open := t.open(c.Query.CoresQuery != "")
	known := c.hosts.recall(t, open)
	looked, err := c.lookCloser(ctx, t, open)
	if err != nil {
		return nil, nil, err
	}
	c.hosts.keep(t, looked)
	maps.Copy(looked, known)
	return t.readings(looked, c.Query.CoresQuery != ""), t.rejects, nil
}

// query is the configuration and what has been found out about the site.
func (c *Client) query() Query {
	q := c.Query
	q.withSums = c.sums.Load()
	return q
}

// edges asks for what is known at the edges of pieces.
func (c *Client) edges(ctx context.Context, pieces []usage.Interval, alone bool) (*edges, error) {
	t := newEdges(pieces, alone, besideOf(pieces[0].Length))
	err := c.fill(ctx, t, nil)
	if alone && hasRefused(err) { // who is there hours before need not be known
		t = newEdges(pieces, alone, 1)
		err = c.fill(ctx, t, nil)
	}
	if alone && c.Query.project == nil && usage.IsTooLarge(err) {
		t = newEdges(pieces, alone, 1)
		err = c.fillByProject(ctx, t)
	}
	if err == nil {
		err = t.usable()
	}
	t.settle()
	return t, err
}

// hasRefused reports whether the server found a question too large at once, without trying.
func hasRefused(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && f.Status == http.StatusUnprocessableEntity
}

// onlySums finds out, where nothing was found, whether the site has nothing but sums over all
// cores.
func (c *Client) onlySums(ctx context.Context, pieces []usage.Interval) error {
	q := c.Query
	q.withSums = true
	t := newEdges(pieces, len(pieces) == 1, 1)
	err := c.ask(ctx, t.grid(0, len(t.pieces)), q.counters(nil), append(q.Labels.list(), q.Labels.Mode), &counterSink{table: t, classOf: q.classOf()})
	c.sums.Store(err == nil && len(t.sets) > 0)
	return err
}

// Present returns, for each of a run of adjacent intervals, the hosts and cores by project that
// the server has. It costs a tenth of Read.
func (c *Client) Present(ctx context.Context, run []usage.Interval) ([]map[string]usage.Presence, error) {
	if len(run) == 0 || c.Query.given() {
		return make([]map[string]usage.Presence, len(run)), nil
	}
	pieces := c.windows(run)
	t := newEdges(pieces, len(run) == 1, 0)
	from, to := t.asked()
	if err := c.ask(ctx, t.grid(from+1, to), c.query().cores(pieces[0].Length, nil), c.Query.Labels.list(), &coreSink{table: t, given: c.Query.CoresQuery != ""}); err != nil {
		return nil, err
	}
	t.settle()
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

// UsageQueries returns the queries by which a person can follow the CPU seconds of an interval:
// the growth of both counters between its edges or, of queries of the operator, their value at
// its end.
func (c *Client) UsageQueries(i usage.Interval) usage.Queries {
	if !c.Query.given() {
		return usage.Queries{Busy: c.query().growthOf(c.Query.BusyModes), Idle: c.query().growthOf(c.Query.IdleModes), Growth: true}
	}
	window := c.windows([]usage.Interval{i})[0].Length
	return usage.Queries{Busy: c.Query.busy(window), Idle: c.Query.idle(window)}
}

// Queries returns all queries that Read sends for an interval in the usual case.
func (c *Client) Queries(i usage.Interval) []string {
	window := c.windows([]usage.Interval{i})[0].Length
	var all []string
	switch {
	case !c.Query.given():
		return []string{c.query().counters(nil), c.query().cores(window, nil), c.query().times(nil)}
	case c.Query.IdleQuery != "":
		all = []string{c.Query.busy(window), c.Query.idle(window)}
	default:
		all = []string{c.Query.busy(window)}
	}
	if c.Query.CoresQuery != "" {
		all = append(all, c.query().cores(window, nil))
	}
	return all
}

// OfProject returns a client for one project. Queries written by the operator cannot be
// restricted: see Query.given.
func (c *Client) OfProject(project string) *Client {
	only := c.copy()
	only.Query.project = &project
	return only
}

func (c *Client) copy() *Client {
	other := &Client{Upstream: c.Upstream, URL: c.URL, Query: c.Query}
	other.get.Store(c.get.Load())
	other.once.Store(c.once.Load())
	other.sums.Store(c.sums.Load())
	return other
}

// fill sends the queries of one project, or of all.
func (c *Client) fill(ctx context.Context, t *edges, project *string) error {
	q := c.query()
	labels := append(q.Labels.list(), q.Labels.Mode)
	from, to := t.asked()
	all := t.grid(from-1, to+1)
	counters := q.counters(project)
	if c.once.Load() {
		counters = q.countersOnce(project)
	}
	if err := c.ask(ctx, all, counters, labels, &counterSink{table: t, classOf: q.classOf()}); err != nil {
		return err
	}
	if err := c.ask(ctx, t.grid(1, len(t.pieces)), q.cores(t.pieces[0].Length, project), q.Labels.list(), &coreSink{table: t, given: q.CoresQuery != ""}); err != nil {
		return err
	}
	if len(t.sets) == 0 {
		return nil
	}
	if err := c.ask(ctx, all, q.times(project), []string{q.Labels.Host}, &timeSink{table: t}); err != nil && !usage.IsPermanent(err) {
		return err // a server that does not know when samples were scraped leaves more to the law
	}
	if c.once.Load() {
		return c.ask(ctx, all, q.spread(project), []string{q.Labels.Host}, &spreadSink{table: t})
	}
	return nil
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
			return c.Upstream.Failed("project "+strconv.Quote(p), err)
		}
	}
	return nil
}

// grid is a row of moments at which a query is evaluated.
type grid struct {
	first, last time.Time
	step        time.Duration
}

// grid returns the moments of edges, both ends included.
func (t *edges) grid(from, to int) grid {
	length := t.pieces[0].Length
	return grid{t.pieces[0].Start.Add(time.Duration(from) * length), t.pieces[0].Start.Add(time.Duration(to) * length), length}
}

// endsOf returns the ends of pieces.
func endsOf(pieces []usage.Interval) grid {
	return grid{pieces[0].End(), pieces[len(pieces)-1].End(), pieces[0].Length}
}

// ask sends one query_range. VictoriaMetrics would look back for a sample as far as a step, so
// that a host that is gone would stay; and would answer from a cache that does not know of the
// limit, nor of late samples. Thanos would leave out stores that are away, and take means of
// counters from downsampled blocks. Other servers ignore these parameters.
func (c *Client) ask(ctx context.Context, g grid, query string, labels []string, s sink) error {
	form := url.Values{
		"query": {query},
		"start": {queryTime(g.first)},
		"end":   {queryTime(g.last)},
		"step":  {strconv.FormatFloat(g.step.Seconds(), 'f', -1, 64)},

		"max_lookback":          {"5m"},
		"nocache":               {"1"},
		"partial_response":      {"false"},
		"max_source_resolution": {"0s"},
	}
	body, err := c.send(ctx, "api/v1/query_range", form)
	if err == nil {
		err = decode(body, labels, s)
		body.Close()
	}
	return c.Upstream.Failed("query "+query, err)
}

// send asks by POST, since queries may be longer than an address. Proxies that only let
// reads pass refuse that: if GET is answered then, it is GET from then on.
func (c *Client) send(ctx context.Context, path string, form url.Values) (io.ReadCloser, error) {
	if !c.get.Load() {
		body, err := c.sendBy(ctx, http.MethodPost, path, form)
		if !mayWantGET(err) {
			return body, err
		}
		read, failed := c.sendBy(ctx, http.MethodGet, path, form)
		if failed != nil {
			return nil, err // the first says more
		}
		c.get.Store(true)
		return read, nil
	}
	return c.sendBy(ctx, http.MethodGet, path, form)
}

func mayWantGET(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && (f.Status == http.StatusMethodNotAllowed || f.Status == http.StatusForbidden || f.Status == http.StatusNotImplemented)
}

func (c *Client) sendBy(ctx context.Context, method, path string, form url.Values) (io.ReadCloser, error) {
	u, body := c.URL.JoinPath(path), io.Reader(nil)
	if method == http.MethodGet {
		u.RawQuery = form.Encode()
	} else {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return c.Upstream.Do(req)
}

func queryTime(t time.Time) string { return strconv.FormatFloat(seconds(t), 'f', -1, 64) }

// seconds is a time as the API has it, with milliseconds.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func atSeconds(s float64) time.Time { return time.UnixMilli(int64(math.Round(s * 1000))).UTC() }
