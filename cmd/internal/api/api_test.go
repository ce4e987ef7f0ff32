// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	document "github.com/carbon-exporter/carbon_exporter/docs/api"
	"github.com/carbon-exporter/carbon_exporter/internal/privacy"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const twoDays = "/api/v1/report?from=2026-10-01&to=2026-10-03"

func TestRefusals(t *testing.T) {
	a := newAsked(t)
	for _, c := range []struct {
		name, path string
		status     int
		kind, want string
	}{
		{"an unknown parameter", "/api/v1/report?scop=user", 400, badData, `"scop": is not a parameter of report; it has scope, from, to, month, by, top, equivalents, factors, format, csv-safe`},
		{"one of another page", "/api/v1/budgets?top=1", 400, badData, `"top": is not a parameter of budgets; it has format, csv-safe`},
		{"names", "/api/v1/report?scope=user&names=true", 400, badData, "names: the API shows no names of people; carbontool report can"},
		{"a repeated parameter", "/api/v1/report?by=day&by=day", 400, badData, "by: can be given only once"},
		{"a wrong word", "/api/v1/report?by=hour", 400, badData, `by: must be day, week or month, is "hour"`},
		{"a wrong number", "/api/v1/report?top=few", 400, badData, `top: must be a whole number, is "few"`},
		{"a number too small", "/api/v1/report?top=0", 400, badData, "top: must be at least 1, is 0"},
		{"a wrong switch", "/api/v1/report?equivalents=1", 400, badData, `equivalents: must be true or false, is "1"`},
		{"a wrong time", "/api/v1/report?from=lately", 400, badData, `from: "lately" is not a time such as 2026-10-01, 2026-10-01T10:30, 2026-10-01T10:30:00Z, 2026-10, yesterday or -1h`},
		{"a time that looks like a flag", "/api/v1/report?from=--to", 400, badData, `from: "--to" is not a time such as 2026-10-01, 2026-10-01T10:30, 2026-10-01T10:30:00Z, 2026-10, yesterday or -1h`},
		{"a month and a begin", "/api/v1/report?from=2026-10&month=2026-10", 400, badData, "month cannot be combined with from or to"},
		{"a query that is none", "/api/v1/report?from=%zz", 400, badData, `the query cannot be read: invalid URL escape "%zz"`},
		{"no time", "/api/v1/explain?project=ISIS", 400, badData, "ts: must be given"},
		{"a project that was never seen", "/api/v1/explain?ts=2026-10-01&project=isis", 404, notFound, `project: the store has never seen "isis"; it has "ISIS"`},
		{"a time that is over", "/api/v1/forecast?until=2026-10-03T13:00", 400, badData, "until: must be within the coming 48 hours, is 2026-10-03T13:00:00+01:00"},
		{"a time too far ahead", "/api/v1/forecast?until=2026-10-06", 400, badData, "until: must be within the coming 48 hours, is 2026-10-06T00:00:00+01:00"},
		{"a wrong window", "/api/v1/forecast?window=5m", 400, badData, "window: must be a multiple of 30m, at most 48h, is 5m"},
		{"a state that there is not", "/api/v1/intervals?state=done", 400, badData, `state: must be missing, empty, unpriced, provisional or settled, is "done"`},
		{"too many parts", "/api/v1/report?from=2020&by=day", 422, badData, "by: the range has 2468 days; at most 400 are answered at once: choose a shorter range, or longer parts than a day"},
		{"another page", "/api/v1/usage", 404, notFound, "there is no /api/v1/usage; there are /api/v1/report, /api/v1/explain, /api/v1/forecast, /api/v1/budgets, /api/v1/intervals, /api/v1/openapi.yml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := a.get(c.path)
			var said refusal
			if err := json.Unmarshal([]byte(got.body), &said); err != nil {
				t.Fatalf("%v: %s", err, got.body)
			}
			if want := (refusal{"error", c.kind, c.want}); got.status != c.status || said != want {
				t.Errorf("%d, %+v; want %d, %+v", got.status, said, c.status, want)
			}
			if tag := got.header.Get("ETag"); tag != "" || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("may be kept: %v", got.header)
			}
		})
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		for _, page := range paths() {
			if got := a.do(method, page); got.status != 405 || got.header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %+v", method, page, got)
			}
		}
	}
}

func TestRowsAreBounded(t *testing.T) {
	a := newAsked(t)
	ask := answers.Report{Scope: "user", Format: answers.JSON, MostRows: 3}
	ask.Span.Month, ask.Span.MonthGiven = "2026-10", true
	from, _ := a.server.from()
	_, err := ask.Answer(t.Context(), from)
	if err == nil || err.Error() != "--top: the report has up to 4 rows; at most 3 are answered at once: give --top=N, choose a shorter range, or a longer --by" {
		t.Errorf("got %v", err)
	}
	lines := answers.Intervals{Format: answers.JSON, Most: 1}
	lines.Span.All = true
	if _, err = lines.Answer(t.Context(), from); err == nil || !strings.HasPrefix(err.Error(), "the list has 2 lines; at most 1 ") {
		t.Errorf("got %v", err)
	}
}

func TestATagHoldsUntilTheStoreChanges(t *testing.T) {
	a := newAsked(t)
	for _, path := range []string{
		twoDays, twoDays + "&format=csv", twoDays + "&scope=user&by=day",
		"/api/v1/explain?ts=2026-10-01T10:30&project=ISIS", "/api/v1/forecast", "/api/v1/budgets", "/api/v1/intervals", "/api/v1/intervals?from=2026-10-01&to=2026-10-02",
	} {
		first := a.get(path)
		tag := first.header.Get("ETag")
		if first.status != 200 || len(tag) < 20 || strings.HasPrefix(tag, "W/") || first.header.Get("Cache-Control") != "private, no-cache" {
			t.Fatalf("%s: %+v", path, first)
		}
		if again := a.get(path, "If-None-Match: "+tag); again.status != 304 || again.body != "" || again.header.Get("ETag") != tag {
			t.Errorf("%s, again: %+v", path, again)
		}
		if again := a.get(path, `If-None-Match: "other", W/`+tag); again.status != 304 {
			t.Errorf("%s, one of several: %+v", path, again)
		}
		if other := a.get(path, `If-None-Match: "other"`); other.status != 200 || other.body != first.body || other.header.Get("ETag") != tag {
			t.Errorf("%s, another tag: %+v", path, other)
		}
		// The same numbers, restated.
		i := usage.IntervalAt(time.Date(2026, 10, 1, 9, 30, 0, 0, time.UTC), usage.SlotLength)
		storetest.CommitAs(t, a.store, usage.Policy{Restate: true}, recordOf(i, usage.GramsPerKWh(300+len(path)), map[string]usage.KWh{"alice": 0.012, "bob": 0.006}))
		restated := a.get(path, "If-None-Match: "+tag)
		if restated.status != 200 || restated.header.Get("ETag") == tag {
			t.Errorf("%s, restated: %+v", path, restated.header)
		}
		a.state.Generation++
		if loaded := a.get(path, "If-None-Match: "+restated.header.Get("ETag")); loaded.status != 200 || loaded.body != restated.body {
			t.Errorf("%s, with another configuration: %d", path, loaded.status)
		}
	}
	for _, path := range []string{"/api/v1/report", "/api/v1/report?from=-1h", "/api/v1/intervals?format=table", "/api/v1/report?from=2026-10-03"} {
		if got := a.get(path); got.status != 200 || got.header.Get("ETag") != "" {
			t.Errorf("%s depends on now: %v", path, got.header)
		}
	}
}

// TestUntilATime: the best window of all ends too late. What was to come and has passed is refused,
// even to a client that has the answer.
func TestUntilATime(t *testing.T) {
	a := newAsked(t)
	const path = "/api/v1/forecast?window=1h&until=2026-10-03T15:05"
	a.server.Now = func() time.Time { return now.Add(usage.SlotLength) }
	best := func(path string) (answered, answers.Plan) {
		t.Helper()
		got := a.get(path)
		var plan answers.Plan
		if err := json.Unmarshal([]byte(got.body), &plan); err != nil || got.status != 200 || plan.Best == nil {
			t.Fatalf("%v: %+v", err, got)
		}
		return got, plan
	}
	until := time.Date(2026, 10, 3, 14, 5, 0, 0, time.UTC)
	_, free := best("/api/v1/forecast?window=1h")
	got, bound := best(path)
	if free.Until != nil || !free.Best.To.After(until) || bound.Until == nil || !bound.Until.Equal(until) || bound.Best.To.After(until) || bound.Best.Mean <= free.Best.Mean {
		t.Errorf("the best is %+v, and until %v %+v", free.Best, bound.Until, bound.Best)
	}
	tag := "If-None-Match: " + got.header.Get("ETag")
	if again := a.get(path, tag); again.status != 304 {
		t.Errorf("again: %+v", again)
	}
	a.server.Now = func() time.Time { return until }
	if late := a.get(path, tag); late.status != 400 {
		t.Errorf("when it has passed: %+v", late)
	}
}

func TestGzipAndHead(t *testing.T) {
	a := newAsked(t)
	plain := a.get(twoDays)
	zipped := a.get(twoDays, "Accept-Encoding: br, gzip;q=0.8")
	z, err := gzip.NewReader(strings.NewReader(zipped.body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil || string(text) != plain.body || zipped.header.Get("Content-Encoding") != "gzip" || zipped.header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("%v: %v", err, zipped.header)
	}
	if tag := zipped.header.Get("ETag"); tag == plain.header.Get("ETag") || a.get(twoDays, "If-None-Match: "+tag, "Accept-Encoding: gzip").status != 304 {
		t.Errorf("the tag of other bytes is %s", tag)
	}
	if refused := a.get(twoDays, "Accept-Encoding: gzip;q=0"); refused.body != plain.body {
		t.Error("gzip for a client that cannot read it")
	}
	head := a.do(http.MethodHead, twoDays)
	if head.status != 200 || head.body != "" || head.header.Get("ETag") != plain.header.Get("ETag") || head.header.Get("Content-Length") != plain.header.Get("Content-Length") {
		t.Errorf("%+v, want the headers %v", head, plain.header)
	}
}

// members are the names of rows, and the total.
func (a *asked) members(path string) (names []string, total float64) {
	a.t.Helper()
	got := a.get(path)
	var doc struct {
		Rows  []struct{ Name, Row string }
		Total struct {
			Energy float64 `json:"energy_kwh"`
		}
	}
	if err := json.Unmarshal([]byte(got.body), &doc); err != nil || got.status != 200 {
		a.t.Fatalf("%v: %d %s", err, got.status, got.body)
	}
	for _, row := range doc.Rows {
		names = append(names, row.Row+" "+row.Name)
	}
	return names, doc.Total.Energy
}

func TestUsersAreShownAsOnMetrics(t *testing.T) {
	a := newAsked(t)
	const users, explained = twoDays + "&scope=user", "/api/v1/explain?ts=2026-10-01T10:30&project=ISIS"
	pseudonym := privacy.Labels{Mode: privacy.Pseudonym, Key: []byte("0123456789abcdef")}
	alias := func(id string) string { return pseudonym.Shown(id, nil) }
	_, whole := a.members(users)
	for _, c := range []struct {
		name   string
		labels privacy.Labels
		named  []string
		want   []string
		known  string // who can be asked for
		hidden []string
	}{
		{"by id", privacy.Labels{Mode: privacy.ID}, []string{"alice", "bob"}, []string{"member alice", "member bob", "member unattributed"}, "bob", nil},
		{"nobody", privacy.Labels{Mode: privacy.None}, nil, []string{"member unattributed", "other other"}, "other", []string{"alice", "bob"}},
		{"by pseudonym", pseudonym, nil, []string{"member " + alias("alice"), "member " + alias("bob"), "member unattributed"}, alias("bob"), []string{"alice", "bob"}},
		{"those with the most", privacy.Labels{Mode: privacy.ID, MaxUsers: 1}, []string{"alice"}, []string{"member alice", "member unattributed", "other other"}, "other", []string{"bob"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a.show(c.labels, c.named...)
			names, total := a.members(users)
			if !slices.Equal(names, c.want) || total != whole {
				t.Errorf("%q of %v kWh, want %q of %v", names, total, c.want, whole)
			}
			got := a.get(explained + "&user=" + c.known)
			if got.status != 200 || !strings.Contains(got.body, `"user": "`+c.known+`"`) {
				t.Errorf("%d %s", got.status, got.body)
			}
			for _, id := range c.hidden {
				if got := a.get(explained + "&user=" + id); got.status != 404 {
					t.Errorf("%s can be asked for: %d", id, got.status)
				}
				for _, path := range []string{
					users, users + "&format=csv&by=day", users + "&format=table", users + "&top=1", explained, explained + "&format=text", explained + "&machine=Muon&user=" + c.known,
					"/api/v1/intervals", "/api/v1/intervals?format=table", "/api/v1/budgets", "/api/v1/forecast",
				} {
					got := a.get(path)
					if got.status != 200 || strings.Contains(strings.ReplaceAll(got.body, `"name": "alice"`, ""), id) {
						t.Errorf("%s shows %s: %d\n%s", path, id, got.status, got.body)
					}
				}
			}
		})
	}
}

// TestWhatIsAddedUpIsExplained: the others together are one usage, whose factors multiply.
func TestWhatIsAddedUpIsExplained(t *testing.T) {
	a := newAsked(t)
	total := func() (e answers.ExplainAnswer) {
		t.Helper()
		got := a.get("/api/v1/explain?ts=2026-10-01T10:30&project=ISIS")
		if err := json.Unmarshal([]byte(got.body), &e); err != nil {
			t.Fatalf("%v: %s", err, got.body)
		}
		return e
	}
	before := total()
	a.show(privacy.Labels{Mode: privacy.None})
	after := total()
	if len(before.Usage) != 3 || len(after.Usage) != 2 || len(after.Owners) != 0 || math.Abs(*before.Total.Emissions-*after.Total.Emissions) > 1e-12 || len(after.Remarks) != len(before.Remarks) {
		t.Errorf("before %+v %+v\nafter %+v %+v", *before.Explanation, *before.Total.Emissions, *after.Explanation, *after.Total.Emissions)
	}
}

// TestTheDescriptionHasEachParameter, and no other.
func TestTheDescriptionHasEachParameter(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]struct {
			Parameters []struct {
				Ref string `yaml:"$ref"`
			}
			Responses map[string]any
		}
		Components struct {
			Parameters map[string]struct {
				Name     string
				Required bool
				Schema   struct {
					Enum    []string
					Items   struct{ Enum []string }
					Default string
				}
			}
		}
	}
	if err := yaml.Unmarshal(document.OpenAPI, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Paths) != len(paths()) {
		t.Errorf("describes %d paths; there are %v", len(doc.Paths), paths())
	}
	used := 0
	for _, of := range endpoints() {
		for _, method := range []string{"get", "head"} {
			described := map[string]bool{}
			for _, p := range doc.Paths[Prefix+of.name][method].Parameters {
				is := doc.Components.Parameters[strings.TrimPrefix(p.Ref, "#/components/parameters/")]
				described[is.Name] = true
				q := of.ask()
				i := slices.IndexFunc(q.parameters, func(p parameter) bool { return p.name == is.Name })
				if i < 0 {
					t.Errorf("%s has no %q", of.name, is.Name)
					continue
				}
				has := q.parameters[i]
				enum := slices.Concat(is.Schema.Enum, is.Schema.Items.Enum)
				if slices.Sort(enum); !slices.Equal(enum, slices.Sorted(slices.Values(has.values))) || is.Required != has.required || has.repeats != (is.Schema.Items.Enum != nil) {
					t.Errorf("%s: %s is described as %+v, and is %+v", of.name, is.Name, is, has)
				}
				if is.Name == "format" && is.Schema.Default != q.format() {
					t.Errorf("%s: the format is %s by default", of.name, q.format())
				}
			}
			if all := of.ask().parameters; len(described) != len(all) {
				t.Errorf("%s %s: %d of %d parameters are described", method, of.name, len(described), len(all))
			}
			used = len(doc.Components.Parameters)
		}
	}
	n := 0
	for _, of := range endpoints() {
		n += len(of.ask().parameters)
	}
	if n != used {
		t.Errorf("%d parameters are described, there are %d", used, n)
	}
}

func TestTheAPIThatIsOff(t *testing.T) {
	a := newAsked(t)
	a.web.Config.Handler = http.HandlerFunc(Off)
	got := a.get("/api/v1/report")
	if got.status != 404 || !strings.Contains(got.body, `"errorType":"not_found","error":"the API is off; start carbon_exporter with --web.enable-api"`) {
		t.Errorf("%+v", got)
	}
}
