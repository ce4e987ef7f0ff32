// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate/scraped"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// near returns a client of a server in this process that takes about so many seconds to answer.
func (r *rehearsal) near(server http.Handler, seconds float64) *upstream.Client {
	return &upstream.Client{
		HTTP:      &http.Client{Transport: &inProcess{clock: r.clock, server: server, seconds: seconds, draw: rand.New(rand.NewSource(1))}},
		UserAgent: "rehearsal", Timeout: time.Minute, MaxBytes: 1 << 30,
	}
}

type inProcess struct {
	clock   clock.Clock
	server  http.Handler
	seconds float64
	draw    *rand.Rand
}

func (p *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	p.clock.Sleep(r.Context(), time.Duration(p.seconds*(0.5+p.draw.ExpFloat64())*float64(time.Second)), nil)
	w := httptest.NewRecorder()
	p.server.ServeHTTP(w, r)
	return w.Result(), nil
}

// failing wraps a server so that it fails when the plan says so.
func (r *rehearsal) failing(name string, server http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		for _, f := range r.Faults {
			if now := r.clock.Now(); f.Source == name && !now.Before(f.From) && now.Before(f.To) {
				http.Error(w, "out of order", http.StatusServiceUnavailable)
				return
			}
		}
		server.ServeHTTP(w, req)
	})
}

// prometheus is a server that has scraped the cloud until now.
func (r *rehearsal) prometheus() *scraped.Server {
	s := &scraped.Server{Now: r.clock.Now}
	for _, h := range r.cloud.Hosts() {
		var surges []usage.Period
		for _, one := range r.Surges {
			if one.Project == h.Project {
				surges = append(surges, one.Period)
			}
		}
		s.Hosts = append(s.Hosts, &scraped.Host{
			Series: h.Series(), Cores: h.Cores, Modes: modes, Begin: h.Begin, End: h.End, Counter: counter(h, surges),
		})
	}
	return s
}

// modes are the modes of a core, in the order of simulate.CPUModes.
var modes = func() (names []string) {
	for _, m := range simulate.CPUModes() {
		names = append(names, m.String())
	}
	return names
}()

// counter returns the counters of a host, of which no core is idle during surges: it is busy
// for its user instead.
func counter(h *simulate.Host, surges []usage.Period) func(core int, mode string, at time.Time) float64 {
	last := h.End.Add(-time.Millisecond)
	return func(core int, mode string, at time.Time) float64 {
		of := func(mode simulate.CPUMode, at time.Time) float64 {
			v, _ := h.Counter(core, mode, usage.Earlier(at, last))
			return v
		}
		kind := simulate.CPUMode(slices.Index(modes, mode))
		v := of(kind, at)
		for _, s := range surges {
			from, to := usage.Later(s.From, h.Begin), usage.Earlier(s.To, at)
			if !from.Before(to) {
				continue
			}
			switch kind {
			case simulate.User:
				for _, idle := range []simulate.CPUMode{simulate.Idle, simulate.IOWait} {
					v += of(idle, to) - of(idle, from)
				}
			case simulate.Idle, simulate.IOWait:
				v -= of(kind, to) - of(kind, from)
			}
		}
		return v
	}
}

// census reads the records of a simulated operator at a time: the same result as the package
// mongo would give, without a MongoDB. Bad ones are refused.
func census(c *simulate.Cloud, at time.Time) (directory.Census, []directory.RecordReject) {
	records := c.Records(at)
	all := directory.Census{Groups: map[string][]string{}, Refused: map[string]bool{}}
	known := map[string]bool{}
	for _, d := range records["users"] {
		id, ok := d["platform_name"].(string)
		if name, _ := d["name"].(string); ok && !known[id] {
			known[id] = true
			all.People = append(all.People, directory.Person{ID: id, Name: name})
		}
	}
	for _, d := range records["groups"] {
		name, _ := d["name"].(string)
		members, _ := d["members"].([]any)
		for _, m := range members {
			if who, ok := m.(simulate.Document); ok {
				m = who["platform_name"]
			}
			if id, ok := m.(string); ok {
				all.Groups[name] = append(all.Groups[name], id)
			}
		}
	}
	for _, d := range records["hosts"] {
		p := directory.Placement{}
		p.Host, _ = d["hostname"].(string)
		p.Project, _ = d["cloud_project_name"].(string)
		p.Machine, _ = d["machine_name"].(string)
		all.Hosts = append(all.Hosts, p)
	}
	refused := 0
	for _, d := range records["workspaces"] {
		w := directory.Workspace{}
		w.Document, _ = d["_id"].(string)
		host, named := d["hostname"].(string)
		w.Host = directory.HostName(host)
		created, made := d["created_time"].(time.Time)
		w.Created = created
		w.Acquired, _ = d["acquired_time"].(time.Time)
		w.Deleted, _ = d["deleted_time"].(time.Time)
		owner, isName := d["owner"].(string)
		if known[owner] {
			w.Owner = owner
		}
		if !named || !made || !isName && d["owner"] != nil || !w.Deleted.IsZero() && w.Deleted.Before(w.Created) {
			all.Refused[w.Document] = true
			refused++
			continue
		}
		all.Workspaces = append(all.Workspaces, w)
	}
	return all, []directory.RecordReject{{Collection: "workspaces", Reason: "bad_type", Count: refused}}
}

// mailbag is a usage writer that discards its usage.
type mailbag struct{ clock clock.Clock }

func (mailbag) Name() string                  { return "mailbag" }
func (mailbag) Prepare(context.Context) error { return nil }
func (m mailbag) Write(ctx context.Context, _ []usage.Rollup) error {
	m.clock.Sleep(ctx, 200*time.Millisecond, nil)
	return nil
}
