// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
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

// hasRefused reports whether the server found a question too large at once, without trying.
func hasRefused(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && f.Status == http.StatusUnprocessableEntity
}

// grid is a row of moments at which a query is evaluated.
type grid struct {
	first, last time.Time
	step        time.Duration
}

// columns is how many moments there are.
func (g grid) columns() int { return int(g.last.Sub(g.first)/g.step) + 1 }

// grid returns the moments of edges, both ends included.
func (t *edges) grid(from, to int) grid {
	length := t.pieces[0].Length
	return grid{t.pieces[0].Start.Add(time.Duration(from) * length), t.pieces[0].Start.Add(time.Duration(to) * length), length}
}

// around returns the edges of the pieces asked for, and one more at either end.
func (t *edges) around() grid {
	from, to := t.asked()
	return t.grid(from-1, to+1)
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
	answer, err := c.Upstream.Do(req)
	return answer, misplaced(c.URL, err)
}

func queryTime(t time.Time) string { return strconv.FormatFloat(seconds(t), 'f', -1, 64) }

// seconds is a time as the API has it, with milliseconds.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func atSeconds(s float64) time.Time { return time.UnixMilli(int64(math.Round(s * 1000))).UTC() }

// askAt sends one instant query.
func (c *Client) askAt(ctx context.Context, at time.Time, query string, labels []string, s sink) error {
	body, err := c.send(ctx, "api/v1/query", url.Values{"query": {query}, "time": {queryTime(at)}, "partial_response": {"false"}})
	if err == nil {
		err = decode(body, labels, s)
		body.Close()
	}
	return c.Upstream.Failed("query "+query, err)
}
