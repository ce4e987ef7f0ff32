// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package upstream talks to servers that are not ours. It knows deadlines, limits, compression,
// redirects, what an HTTP failure means to the caller and which text must not be shown; it must
// not know the request's purpose or the answer's content. Start with Client.Do and Scrubber.
package upstream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Client sends requests to one server. All fields but Scrubber must be set: without a deadline
// and a limit, a server in trouble would get us into trouble.
type Client struct {
	HTTP      *http.Client  // see NewHTTPClient
	UserAgent string        // names the program and its version
	Timeout   time.Duration // of one exchange, from dialling to the last byte of the answer
	MaxBytes  int64         // of one answer, decoded
	Patience  time.Duration // the longest that a Retry-After may make us wait; 0: usage.MaxRetryAfter
	Scrubber  *Scrubber     // for all text from the server; nil: knows only the credentials in requests
	Turns     *Turns        // shared with the other clients of the server; nil: it is asked at once

	own Scrubber
}

func (c *Client) scrubber() *Scrubber {
	if c.Scrubber != nil {
		return c.Scrubber
	}
	return &c.own
}

// Failed returns an error that says what was attempted and is safe to show: see Scrubber.
// Callers pass every error through it that may quote the server.
func (c *Client) Failed(what string, err error) error { return c.scrubber().Failed(what, err) }

// Text returns text from the server, made safe to show and store: see Scrubber.
func (c *Client) Text(text string) string { return c.scrubber().Text(text) }

// Do sends the request and returns the decoded body of a 2xx answer. Anything else is a
// *usage.Failure, returned here or by the body's Read; but if the request's own context ended,
// it is that context's error, because then the server is not at fault. The caller must close
// the body, which ends the exchange.
func (c *Client) Do(req *http.Request) (io.ReadCloser, error) {
	if c.Timeout <= 0 || c.MaxBytes <= 0 {
		return nil, errors.New("upstream client: timeout and byte limit must be positive")
	}
	end, err := c.Turns.take(req.Context(), req.URL.Host)
	if err != nil {
		return nil, err
	}
	ctx, timeout := context.WithTimeout(req.Context(), c.Timeout) // waiting is not the server's fault
	cancel := func() { timeout(); end() }
	e := &exchange{caller: req.Context(), ctx: ctx, timeout: c.Timeout, patience: cmp.Or(c.Patience, usage.MaxRetryAfter), url: req.URL}
	body, err := c.do(e, req)
	if err != nil {
		cancel()
		return nil, c.scrubber().Error(err)
	}
	return &answer{
		body: &limited{r: body, left: c.MaxBytes, max: c.MaxBytes}, scrubber: c.scrubber(), raw: e.raw, cancel: cancel,
	}, nil
}

func (c *Client) do(e *exchange, req *http.Request) (io.Reader, error) {
	c.scrubber().readFiles() // the secrets that are sent must be known before an answer comes
	req = req.Clone(httptrace.WithClientTrace(e.ctx, c.scrubber().trace()))
	req.Header.Set("User-Agent", c.UserAgent)
	// Set by hand, because the transports of prometheus/common neither request compression nor
	// undo it.
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return nil, e.failure(err)
	}
	e.raw = resp.Body
	body, err := decoded(resp.Header.Get("Content-Encoding"), &transportReader{e: e, r: resp.Body})
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		if err != nil { // the status is enough
			body = http.NoBody
		}
		return nil, e.refused(resp, body)
	}
	if err == nil {
		body, err = notAPage(req.Header.Get("Accept"), resp.Header.Get("Content-Type"), body)
	}
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	return body, nil
}

// exchange is one request with its answer.
type exchange struct {
	caller  context.Context // the request's own
	ctx     context.Context // caller's, with our deadline
	timeout time.Duration
	// patience is the longest that is waited because the server asked for it.
	patience time.Duration
	url      *url.URL
	raw      io.Closer
}

// failure turns an error of the transport into a Failure.
func (e *exchange) failure(err error) error {
	if e.caller.Err() != nil {
		return e.caller.Err()
	}
	if e.ctx.Err() == context.DeadlineExceeded {
		return &usage.Failure{
			Reason:   usage.ReasonTimeout,
			Detail:   fmt.Sprintf("no complete answer within %s", e.timeout),
			Cause:    fmt.Sprintf("%s gave no complete answer within %s", e.url.Host, e.timeout),
			TooLarge: true, // a smaller query may be answered in time
		}
	}
	if f, ok := errors.AsType[*usage.Failure](err); ok {
		return f
	}
	if f := noToken(err); f != nil {
		return f
	}
	if words := protocolError(err); words != "" {
		return &usage.Failure{Reason: usage.ReasonMalformed, Detail: words, Cause: causeOfConnection(e.url, err)}
	}
	return &usage.Failure{Reason: usage.ReasonConnection, Cause: causeOfConnection(e.url, err), Err: err}
}
