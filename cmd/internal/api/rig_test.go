// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/privacy"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// now is when the tests ask.
var now = time.Date(2026, 10, 3, 12, 10, 0, 0, time.UTC)

const configuration = `timezone: Europe/London
carbon_intensity:
  sources: [{uk: {}}]
  also: [{name: lifecycle, basis: {signal: average, emissions: lifecycle, electricity: consumption}, sources: [{static: {gco2eq_per_kwh: 130, grid: FR}}]}]
budgets:
  - {name: neutrons, scope: project, target: ISIS, period: month, kwh: 10}
  - {name: alice, scope: user, target: alice, period: week, kgco2eq: 5}
  - {name: site, scope: site, period: year, kwh: 100}
`

// asked is a server with two days of usage, and what a test may change.
type asked struct {
	t      testing.TB
	server *Server
	store  *store.Store
	state  State
	web    *httptest.Server
}

func newAsked(t testing.TB) *asked {
	t.Helper()
	cfg, err := config.Parse("carbon.yml", []byte(configuration))
	if err != nil {
		t.Fatal(err)
	}
	grids, err := parts.NewGrids(cfg, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "carbon.db"), store.Options{Exclusive: true, Interval: usage.SlotLength, Timezone: cfg.Location()})
	if err != nil {
		t.Fatal(err)
	}
	apart, err := s.Apart(t.Context(), AtOnce)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := apart.Close(); err != nil {
			t.Error(err)
		}
		s.Close()
	})
	a := &asked{t: t, store: s, state: State{Config: cfg, Grids: grids}}
	a.server = &Server{Store: apart, State: func() State { return a.state }, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	a.fill()
	a.serve()
	return a
}

// serve begins to serve.
func (a *asked) serve() {
	a.web = httptest.NewServer(a.server.Handler())
	a.t.Cleanup(a.web.Close)
}

func (a *asked) fill() {
	first := usage.IntervalAt(time.Date(2026, 9, 30, 23, 0, 0, 0, time.UTC), usage.SlotLength)
	var records []usage.Record
	i := first
	for range 96 {
		records = append(records, recordOf(i, 200, map[string]usage.KWh{"alice": 0.012, "bob": 0.006, usage.Unattributed: 0.001}))
		i = i.Next()
	}
	storetest.Commit(a.t, a.store, records...)
	if _, err := a.store.Schedule(a.t.Context(), first, i.End()); err != nil { // one is missing
		a.t.Fatal(err)
	}
	var slots []usage.Slot
	for n := range 96 {
		at := usage.SlotAt(now).Add(time.Duration(n) * usage.SlotLength)
		slots = append(slots, usage.Slot{
			From: at, Forecast: new(usage.GramsPerKWh(100 + (n*37)%90)), Index: "moderate", Provider: "uk", Grid: "GB", FetchedAt: now.Add(-5 * time.Minute),
		})
	}
	if _, err := a.store.SaveSlots(a.t.Context(), slots); err != nil {
		a.t.Fatal(err)
	}
}

// recordOf is an interval in which users of a project had so much busy energy.
func recordOf(i usage.Interval, price usage.GramsPerKWh, used map[string]usage.KWh) usage.Record {
	rec := usage.Record{
		Interval: i, State: usage.Settled, PUE: 1, FetchedAt: i.End().Add(2 * time.Minute), Coverage: map[string]usage.Coverage{"ISIS": {Seen: 3000, Capacity: 4000}},
		Queries: usage.Queries{Busy: "busy", Idle: "idle"},
		Ratings: []usage.Rating{{Machine: "Muon", Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}, Source: "default"}},
		Prices: []usage.PiecePrice{{Start: i.Start, Price: usage.Price{
			Intensity: price, Kind: usage.Actual, Provider: "uk", Grid: "GB", SlotFrom: i.Start, FetchedAt: i.End().Add(time.Hour),
		}}},
	}
	for user, kwh := range used {
		rec.Facts = append(rec.Facts, usage.Fact{
			Key: usage.Key{Project: "ISIS", Machine: "Muon", User: user, Group: "Muons"}, Start: i.Start,
			Energy: usage.ByMode[usage.KWh]{Busy: kwh}, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(kwh * 300_000)},
		})
	}
	return rec
}

// show shows users as labels say, of whom some are named.
func (a *asked) show(labels privacy.Labels, named ...string) {
	of := map[string]bool{}
	for _, n := range named {
		of[n] = true
	}
	if labels.Mode == privacy.Pseudonym && labels.MaxUsers == 0 {
		of = nil
	}
	a.state.Users = func(id string) (string, bool) {
		label := labels.Shown(id, of)
		return label, label != privacy.Other
	}
	a.state.Generation++
}

// answered is an answer.
type answered struct {
	status int
	header http.Header
	body   string
}

func (a *asked) get(path string, headers ...string) answered {
	return a.do(http.MethodGet, path, headers...)
}

func (a *asked) do(method, path string, headers ...string) answered {
	a.t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	a.web.Config.Handler.ServeHTTP(w, r)
	return answered{w.Code, w.Header(), w.Body.String()}
}
