// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package survey asks a server with the API of Prometheus about itself: what it is, how long it
// keeps data, what it allows in one query, how its clock runs, and which CPU time of which exporters
// it has. It must not know what the data is used for, nor judge what it finds: what a server does
// not tell is not known, and no error. Start with Asker.Ask and Asker.Facts.
package survey

import (
	"io"
	"net/http"
	"net/url"
	"time"
)

// Doer sends a request and returns the body of a good answer. A bad one is an error with a
// *usage.Failure in its chain.
type Doer interface {
	Do(*http.Request) (io.ReadCloser, error)
	// Failed returns an error that begins with what was attempted. It is safe to show although
	// err may quote the server at any length.
	Failed(what string, err error) error
	// Text returns text of the server, made safe to show and store.
	Text(text string) string
}

// Asker asks one server. All exported fields must be set.
type Asker struct {
	Upstream Doer
	URL      *url.URL
	Now      func() time.Time

	patience time.Duration // for one answer; 0: usualPatience
}

// Kind is what program a server is.
type Kind string

// The kinds that are recognised. A server that gives itself another name has that name as its
// kind.
const (
	Unknown         Kind = ""
	Prometheus      Kind = "Prometheus"
	Thanos          Kind = "Thanos"
	VictoriaMetrics Kind = "VictoriaMetrics"
	Mimir           Kind = "Grafana Mimir"
	Cortex          Kind = "Cortex"
)

// Server is what a server says of itself. A zero value or nil is "not known".
type Server struct {
	Kind    Kind
	Version string
	// Retention is how long it keeps data, in time; RetentionText is how it says so, which may
	// be a size.
	Retention     time.Duration
	RetentionText string
	// The limits of one query.
	MaxSamples   int64
	QueryTimeout time.Duration
	// Lookback is how old the newest sample of a series may be for the series to be there.
	Lookback time.Duration
	// Skew is its clock less ours, and is right to SkewWithin.
	Skew       *time.Duration
	SkewWithin time.Duration
	// Targets is how many targets it scrapes, or has scrapes of, and how many of them answer.
	Targets *Targets
	// Took is how long it took to answer the smallest question.
	Took time.Duration
}

// Targets counts targets.
type Targets struct{ All, Up int }

// String is the kind and version, as far as they are known.
func (s Server) String() string {
	kind := string(s.Kind)
	if s.Kind == Unknown {
		kind = "a server with Prometheus' API"
	}
	if s.Version == "" {
		return kind
	}
	return kind + " " + s.Version
}
