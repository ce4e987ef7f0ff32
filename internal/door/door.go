// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package door keeps an HTTP server available to well-behaved clients: it bounds how many
// requests are answered and how many connections are open at once, and drops the slowest
// readers first. It identifies clients only by their address; it must not know what is served.
// Start with Door.Handler.
package door

import (
	"net/http"
	"time"
)

// Limits are the limits of a Door. Every field must be above 0.
type Limits struct {
	Places    int // requests answered at once
	PerClient int // of them per client
	Waiting   int // requests that may wait for a place; more get a 503

	// Wait is how long a request waits for a place before it gets a 503.
	Wait time.Duration
	// Stall is how long a client may read nothing of its answer while others wait. After that
	// it loses its place to them, the longest stall first.
	Stall time.Duration
	// Grace is how long a client may take for any answer; BytesPerSecond is the least rate at
	// which it must read larger ones. Slower clients are cut off, whether anybody waits or not.
	Grace          time.Duration
	BytesPerSecond int
}

// Door admits a bounded number of requests. A client without a request inside goes before one
// that has some; a client is an IPv4 address or an IPv6 /64. All clients behind a proxy count
// as one, so the limit per client is large, and within it a stalled client makes room for
// others.
type Door struct {
	limits Limits
	places places
}

// New returns a Door with these limits.
func New(l Limits) *Door {
	return &Door{limits: l, places: newPlaces(l)}
}

// Handler guards a handler. Beyond the limits it answers 503 with Retry-After.
func (d *Door) Handler(next http.Handler) http.Handler {
	return d.HandlerOr(next, func(w http.ResponseWriter) {
		http.Error(w, "Too many requests at once, try again in a second.", http.StatusServiceUnavailable)
	})
}

// HandlerOr is Handler with another answer beyond the limits, to which Retry-After is added.
func (d *Door) HandlerOr(next http.Handler, full func(http.ResponseWriter)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := d.places.enter(r.Context(), clientOf(r.RemoteAddr))
		if v == nil {
			w.Header().Set("Retry-After", "1")
			full(w)
			return
		}
		defer d.places.leave(v)
		next.ServeHTTP(&pacedWriter{
			ResponseWriter: w, control: http.NewResponseController(w), visit: v, limits: d.limits,
		}, r)
	})
}

// NoBody is for a server whose handlers read no request bodies. A client that announces a body
// and does not send it would delay its answer, because net/http first reads the rest of a body
// unless the connection ends with the answer.
func NoBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 && r.ProtoMajor == 1 {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
