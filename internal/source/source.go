// Package source queries Prometheus for CPU seconds. It knows PromQL and the HTTP API of
// Prometheus; it must not know power, carbon, or what is stored. Start with Client.Read;
// query.go has every query.
package source

import (
	"context"
	"errors"
	"fmt"
	"io"
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

	get atomic.Bool // the server takes no POST
}

// maxPoints is Prometheus' own limit of evaluations per query.
const maxPoints = 11000

// Read returns the CPU seconds of every piece of a run of adjacent intervals, in order, and the
// number of rejected samples. It returns all or nothing. A run of several intervals that is too
// large for the server is a Failure with TooLarge; a single interval that is too large is
// queried project by project.
func (c *Client) Read(ctx context.Context, run []usage.Interval) ([]usage.Reading, usage.Rejects, error) {
	if len(run) == 0 {
		return nil, nil, nil
	}
	pieces := c.windows(run)
	if len(pieces) > maxPoints {
		return nil, nil, &usage.Failure{Reason: usage.ReasonTooLarge, TooLarge: true, Detail: fmt.Sprintf("%d points in one query, the limit is %d", len(pieces), maxPoints)}
	}
	t := newTable(pieces)
	t.alone = len(run) == 1
	err := c.fill(ctx, t, nil)
	if t.alone && !c.Query.given() && c.Query.project == nil && usage.IsTooLarge(err) {
		t = newTable(pieces)
		t.alone = true
		err = c.fillByProject(ctx, t)
	}
	if err == nil {
		err = t.usable()
	}
	if err != nil {
		return nil, nil, err
	}
	readings := t.readings()
	if err := t.halves(readings); err != nil {
		return nil, nil, err
	}
	if c.Query.fixed() {
		readings = spread(readings)
	}
	return readings, t.rejects, nil
}

// UsageQueries returns the queries that Read sends for the CPU seconds of an interval, with
// their window in place.
func (c *Client) UsageQueries(i usage.Interval) usage.Queries {
	window := c.windows([]usage.Interval{i})[0].Length
	return usage.Queries{Busy: c.Query.busy(window, nil), Idle: c.Query.idle(window, nil)}
}

// Queries returns all queries that Read sends for an interval in the usual case.
func (c *Client) Queries(i usage.Interval) []string {
	asked := c.UsageQueries(i)
	all := []string{asked.Busy, asked.Idle}
	if c.Query.given() {
		return all
	}
	return append(all, c.Query.capacity(c.windows([]usage.Interval{i})[0].Length, nil))
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
	return other
}

// fill sends the queries of one project, or of all.
func (c *Client) fill(ctx context.Context, t *table, project *string) error {
	window := t.step
	labels := c.Query.Labels.list()
	if err := c.ask(ctx, t, c.Query.busy(window, project), labels, t.into(busy)); err != nil {
		return err
	}
	if err := c.ask(ctx, t, c.Query.idle(window, project), labels, t.into(idle)); err != nil {
		return err
	}
	if c.Query.given() {
		return nil // a recording rule has no cores to count
	}
	err := c.ask(ctx, t, c.Query.capacity(window, project), append(labels, partLabel), t.intoCapacity())
	switch {
	case err != nil && isRefused(err, t.alone):
		return nil // go on without cores
	case err != nil:
		return err
	case t.doubled():
		return c.fillOnce(ctx, t, project)
	}
	return nil
}

// isRefused reports whether querying cores is useless: the server never answers it, or it is
// too large even for one interval.
func isRefused(err error, alone bool) bool {
	var f *usage.Failure
	return errors.As(err, &f) && (f.Permanent || alone && f.Status == http.StatusUnprocessableEntity)
}

// fillOnce queries again with every core counted once, after two series of the same core were
// added up.
func (c *Client) fillOnce(ctx context.Context, t *table, project *string) error {
	labels := c.Query.Labels.list()
	again := newTable(t.pieces)
	if err := c.ask(ctx, again, c.Query.once(c.Query.BusyModes, t.step, project), labels, again.into(busy)); err != nil {
		return err
	}
	if err := c.ask(ctx, again, c.Query.once(c.Query.IdleModes, t.step, project), labels, again.into(idle)); err != nil {
		return err
	}
	t.replace(again)
	return nil
}

// fillByProject queries one project after the other.
func (c *Client) fillByProject(ctx context.Context, t *table) error {
	projects, err := c.projects(ctx, t)
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

// ask sends one query_range, evaluated at the end of each piece.
func (c *Client) ask(ctx context.Context, t *table, query string, labels []string, s sink) error {
	form := url.Values{
		"query": {query},
		"start": {queryTime(t.pieces[0].End())},
		"end":   {queryTime(t.pieces[len(t.pieces)-1].End())},
		"step":  {strconv.FormatFloat(t.step.Seconds(), 'f', -1, 64)},
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

func queryTime(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
}
