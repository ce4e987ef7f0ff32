package main

import (
	"context"
	"encoding/json"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
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

// truthful answers like a Prometheus that had scraped a cloud: with the truth about it, by the
// same labels.
type truthful struct {
	cloud  *simulate.Cloud
	surges []surge
}

func (p *truthful) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	result := []any{}
	switch query := r.FormValue("query"); {
	case strings.Contains(query, `"cores"`):
		result = p.cores(r)
	case strings.HasPrefix(query, "sum by") && strings.Contains(query, "increase("):
		result = p.increases(r, strings.Contains(query, "idle"))
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]any{"resultType": "matrix", "result": result}})
}

// increases answers for CPU seconds of one kind: at each step, the value for the time before
// it.
func (p *truthful) increases(r *http.Request, idle bool) []any {
	rows := matrix{}
	steps(r, func(i usage.Interval) {
		for series, cpu := range p.cloud.Truth(i) {
			if p.surging(series.Project, i.Start) {
				cpu.Busy, cpu.Idle = cpu.Busy+cpu.Idle, 0
			}
			spent := cpu.Busy
			if idle {
				spent = cpu.Idle
			}
			rows.add(series, i.End(), float64(spent))
		}
	})
	return rows.result("")
}

func (p *truthful) surging(project string, at time.Time) bool {
	return slices.ContainsFunc(p.surges, func(s surge) bool {
		return s.Project == project && !at.Before(s.From) && at.Before(s.To)
	})
}

// cores answers how many cores each host had. The other parts of that query, copies and other
// modes, are empty.
func (p *truthful) cores(r *http.Request) []any {
	rows := matrix{}
	steps(r, func(i usage.Interval) {
		seen := map[usage.Series]bool{} // two hosts without a user, one after the other, are one series
		for _, h := range p.cloud.Hosts() {
			if s := h.Series(); h.Begin.Before(i.End()) && h.End.After(i.Start) && !seen[s] {
				seen[s] = true
				rows.add(s, i.End(), float64(h.Cores))
			}
		}
	})
	return rows.result("cores")
}

// steps calls f with the time before each step of the query.
func steps(r *http.Request, f func(usage.Interval)) {
	number := func(name string) int64 { v, _ := strconv.ParseFloat(r.FormValue(name), 64); return int64(v) }
	step := time.Duration(number("step")) * time.Second
	for at := number("start"); at <= number("end"); at += int64(step.Seconds()) {
		f(usage.Interval{Start: time.Unix(at, 0).UTC().Add(-step), Length: step})
	}
}

type matrix map[usage.Series][][2]any

func (m matrix) add(s usage.Series, at time.Time, v float64) {
	m[s] = append(m[s], [2]any{at.Unix(), strconv.FormatFloat(v, 'g', -1, 64)})
}

func (m matrix) result(part string) (list []any) {
	for s, values := range m {
		labels := map[string]string{"cloud_project_name": s.Project, "machine_name": s.Machine, "instance": s.Host, "user": s.User}
		if part != "" {
			labels["carbon_exporter_part"] = part
		}
		list = append(list, map[string]any{"values": values, "metric": labels})
	}
	return list
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
