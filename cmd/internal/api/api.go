// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package api answers the questions of carbontool over HTTP, read-only: parse the parameters, ask
// cmd/internal/answers, write. It bounds what a request may cost, and shows users as /metrics does. It
// must not know how an answer is made. Start with Server.Handler.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	document "github.com/carbon-exporter/carbon_exporter/docs/api"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/door"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// Prefix is the path under which everything is.
const Prefix = "/api/v1/"

const (
	// AtOnce is how many requests are answered at a time.
	AtOnce = 4
	// longest is how long an answer may take. The web server's own limit is longer.
	longest = 20 * time.Second

	mostParts = 400    // days, weeks or months of a report
	mostRows  = 10_000 // rows of a report, lines of a list of intervals
)

// limits leave scrapes alone: few requests at a time, and a short wait.
var limits = door.Limits{
	Places: AtOnce, PerClient: AtOnce, Waiting: 32, Wait: 5 * time.Second,
	Stall: 100 * time.Millisecond, Grace: 5 * time.Second, BytesPerSecond: 256 << 10,
}

// State is what answers depend on beside the store and the time.
type State struct {
	Config *config.Config
	Grids  parts.Grids
	Users  answers.Users // nil: by id, all of them
	// Generation is another one after each change of the state.
	Generation int64
}

// Server answers requests. Its fields do not change.
type Server struct {
	Store *store.Apart
	State func() State
	Now   func() time.Time
	Log   *slog.Logger

	limits  door.Limits   // zero: limits
	longest time.Duration // 0: longest
}

// Off answers every request while the API is off.
func Off(w http.ResponseWriter, _ *http.Request) {
	refuse(w, http.StatusNotFound, notFound, "the API is off; start carbon_exporter with --web.enable-api")
}

// Handler answers the requests under Prefix.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	instance := newInstance()
	for _, of := range endpoints() {
		mux.Handle(Prefix+of.name, reads(func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, of, instance) }))
	}
	mux.Handle(Prefix+"openapi.yml", reads(openAPI))
	mux.HandleFunc(Prefix, func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, notFound, "there is no "+r.URL.Path+"; there are "+strings.Join(paths(), ", "))
	})
	at := s.limits
	if at == (door.Limits{}) {
		at = limits
	}
	return door.New(at).HandlerOr(mux, func(w http.ResponseWriter) {
		refuse(w, http.StatusServiceUnavailable, unavailable, "too many requests at once; try again in a second")
	})
}

// paths lists what can be requested.
func paths() (all []string) {
	for _, of := range endpoints() {
		all = append(all, Prefix+of.name)
	}
	return append(all, Prefix+"openapi.yml")
}

// reads refuses every method that could change something.
func reads(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, badData, "the API only reads: use GET or HEAD")
			return
		}
		next(w, r)
	})
}

// from is what answers are made from, now.
func (s *Server) from() (answers.From, State) {
	is := s.State()
	return answers.From{
		Config: is.Config, Store: s.Store.Store, Now: s.Now(), Users: is.Users,
		Grids: func() (parts.Grids, error) { return is.Grids, nil },
	}, is
}

func (s *Server) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.longest > 0 {
		return context.WithTimeout(ctx, s.longest)
	}
	return context.WithTimeout(ctx, longest)
}

func openAPI(w http.ResponseWriter, r *http.Request) {
	tag := newTag(string(document.OpenAPI))
	page{contentType: "application/yaml", tag: tag, body: document.OpenAPI}.write(w, r)
}
