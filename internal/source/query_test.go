// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const by = "cloud_project_name, machine_name, instance, user"

func TestQueries(t *testing.T) {
	q := question()
	plain := question()
	plain.Matchers = ""
	commas := question()
	commas.Matchers = ` job="node",env!="test", `
	own := question()
	own.BusyQuery, own.IdleQuery = "busy:increase$__interval", "sum(idle[$__interval] offset $__interval) / $__interval_seconds"
	own.CoresQuery = "max_over_time(cores[$__interval:])"
	windows := question()
	windows.Matchers, windows.Labels.CPU, windows.Labels.Mode, windows.IdleModes = "", "core", "state", []string{"idle"}
	machine := plain.withMachine(`a"b`)
	name := func(s string) *string { return &s }
	otel := question()
	otel.Metric, otel.Matchers, otel.Labels = "system.cpu.time", `"service.name"="host"`, Labels{Project: "cloud.account.id", Machine: "machine", Host: "host.name", User: "user", CPU: "cpu", Mode: "cpu.mode"}
	domains := busyQuestion()
	domains.Unit = 1e-9
	pods := pods()
	pods.Each, pods.Matchers = []string{"id"}, `container!="",`
	half := 30 * time.Minute
	const every = `cpu!~"(?i:.*total|all)"`
	tests := []struct{ name, got, want string }{
		{"counters", q.counters(nil), `sum by (` + by + `, mode) (node_cpu_seconds_total{job="node",` + every + `})`},
		{"counters of one project", plain.counters(name("ISIS")), `sum by (` + by + `, mode) (node_cpu_seconds_total{` + every + `,cloud_project_name="ISIS"})`},
		{"counters with other labels", windows.counters(nil), `sum by (` + by + `, state) (node_cpu_seconds_total{core!~"(?i:.*total|all)"})`},
		{"counters, each core once", once(q).counters(name("ISIS")), `sum by (` + by + `, mode) (max by (` + by + `, cpu, mode) (node_cpu_seconds_total{job="node",` + every + `,cloud_project_name="ISIS"}))`},
		{"counters of one machine type", machine.counters(nil), `sum by (` + by + `, mode) (node_cpu_seconds_total{` + every + `,machine_name="a\"b"})`},
		{"how far copies are apart", plain.spread(nil), `max by (instance) (max by (instance, cpu, mode) (node_cpu_seconds_total{` + every + `}) - min by (instance, cpu, mode) (node_cpu_seconds_total{` + every + `}))`},
		{"cores", q.cores(half, name("ISIS")), `count by (` + by + `) (count by (` + by + `, cpu) (count_over_time(node_cpu_seconds_total{job="node",` + every + `,mode="idle",cpu!="",cloud_project_name="ISIS"}[30m])))`},
		{"cores with other labels", windows.cores(5*time.Minute, nil), `count by (` + by + `) (count by (` + by + `, core) (count_over_time(node_cpu_seconds_total{core!~"(?i:.*total|all)",state="idle",core!=""}[5m])))`},
		{"cores in a window of a broken number of seconds", plain.cores(84375*time.Millisecond, nil), `count by (` + by + `) (count by (` + by + `, cpu) (count_over_time(node_cpu_seconds_total{` + every + `,mode="idle",cpu!=""}[1m24s375ms])))`},
		{"the operator's cores", own.cores(half, name("ISIS")), "max_over_time(cores[30m:])"},
		{"raw samples", q.raw([]string{"172.16.100.5:9100", "b"}, half), `node_cpu_seconds_total{job="node",` + every + `,instance=~"172\\.16\\.100\\.5:9100|b"}[30m]`},
		{"raw samples of a host with a quote, a bar and a backslash", plain.raw([]string{`a"|\`}, half), `node_cpu_seconds_total{` + every + `,instance=~"a\"\\|\\\\"}[30m]`},
		{"raw samples of what names no host", plain.raw([]string{""}, half), `node_cpu_seconds_total{` + every + `,instance=~""}[30m]`},
		{"all cores together", plain.folded([]string{"a"}, 35*time.Minute, time.Minute), `(sum by (` + by + `, mode) (node_cpu_seconds_total{` + every + `,instance=~"a"}))[35m:1m]`},
		{"which hosts are there", plain.seen([]string{"a", ".*"}), `count by (instance) (node_cpu_seconds_total{cpu!~"(?i:.*total|all)",mode="idle",instance=~"a|\\.\\*"})`},
		{"growth, for a person", plain.growthOf(plain.IdleModes), `sum by (` + by + `) (node_cpu_seconds_total{` + every + `,mode=~"idle|iowait"})`},
		{"boots", q.booted(), `max by (instance) (node_boot_time_seconds{job="node"})`},
		{"steps of a profile", plain.steps([]string{"a"}), `label_replace(sum by (` + by + `) (node_cpu_seconds_total{` + every + `,mode=~"user|nice|system|irq|softirq",instance=~"a"}), "carbon_exporter_part", "busy", "", "")` +
			` or label_replace(sum by (` + by + `) (node_cpu_seconds_total{` + every + `,mode=~"idle|iowait",instance=~"a"}), "carbon_exporter_part", "idle", "", "")`},
		{"dotted names", otel.counters(name("a.b")), `sum by ("cloud.account.id", machine, "host.name", user, "cpu.mode") ({"system.cpu.time","service.name"="host",` + every + `,"cloud.account.id"="a.b"})`},
		{"cores with dotted names", otel.cores(half, nil), `count by ("cloud.account.id", machine, "host.name", user) (count by ("cloud.account.id", machine, "host.name", user, cpu) (count_over_time({"system.cpu.time","service.name"="host",` + every + `,"cpu.mode"="idle",cpu!=""}[30m])))`},
		{"busy time alone", domains.counters(nil), `sum by (` + by + `) (node_cpu_seconds_total{job="node"})`},
		{"when busy time was scraped", domains.times(nil), `max by (instance) (timestamp(node_cpu_seconds_total{job="node"}))`},
		{"what is there more than once", domains.several(nil), `max by (instance) (count by (instance) (node_cpu_seconds_total{job="node"})) > 1`},
		{"what is there one after the other", domains.moved(half, nil), `max by (instance) (count by (instance) (count_over_time(node_cpu_seconds_total{job="node"}[35m]))) > 1`},
		{"growth in nanoseconds, for a person", domains.growthOf(nil), `sum by (` + by + `) (node_cpu_seconds_total{job="node"}) * 1e-09`},
		{"steps of busy time alone", domains.steps([]string{"a"}), `label_replace(sum by (` + by + `) (node_cpu_seconds_total{job="node",instance=~"a"}), "carbon_exporter_part", "busy", "", "")`},
		{"growth of shares", pods.growth(half, lately, ""), `sum by (namespace, pod, node, instance) ((max by (namespace, pod, node, instance, id) (last_over_time(container_cpu_usage_seconds_total{container!=""}[30m])) - max by (namespace, pod, node, instance, id) (last_over_time(container_cpu_usage_seconds_total{container!=""}[11m] offset 30m)) >= 0) or ((max by (namespace, pod, node, instance, id) (last_over_time(container_cpu_usage_seconds_total{container!=""}[30m])) unless (max by (namespace, pod, node, instance, id) (last_over_time(container_cpu_usage_seconds_total{container!=""}[2h] offset 30m)) <= max by (namespace, pod, node, instance, id) (last_over_time(container_cpu_usage_seconds_total{container!=""}[30m])))) and on (node, instance) max by (namespace, pod, node, instance, id) (last_over_time(container_cpu_usage_seconds_total{container!=""}[11m] offset 30m))) or (max by (namespace, pod, node, instance, id) (last_over_time(container_cpu_usage_seconds_total{container!=""}[30m])) - min by (namespace, pod, node, instance, id) (min_over_time(container_cpu_usage_seconds_total{container!=""}[30m]))))`},
		{"what is reserved for shares", pods.reserved(half), "sum by (namespace, pod, node, instance) (sum_over_time((requests\n)[30m:1m])) * 60"},
		{"no matchers", plain.selector("", nil), `node_cpu_seconds_total{}`},
		{"matchers with commas to spare", commas.selector("", nil), `node_cpu_seconds_total{job="node",env!="test"}`},
		{"of no project", plain.selector("", name("")), `node_cpu_seconds_total{cloud_project_name=""}`},
		{"of a project with quotes", plain.selector("", name(`a"b'c`)), `node_cpu_seconds_total{cloud_project_name="a\"b'c"}`},
		{"of a project that would end the selector", plain.selector("", name(`"} or vector(1) #`)), `node_cpu_seconds_total{cloud_project_name="\"} or vector(1) #"}`},
		{"of a project with a backslash", plain.selector("", name(`a\b`)), `node_cpu_seconds_total{cloud_project_name="a\\b"}`},
		{"of a project with a line break", plain.selector("", name("a\nb")), `node_cpu_seconds_total{cloud_project_name="a\nb"}`},
		{"of a project like a regular expression", plain.selector("", name(".*")), `node_cpu_seconds_total{cloud_project_name=".*"}`},
		{"of a project with a NUL", plain.selector("", name("a\x00b")), `node_cpu_seconds_total{cloud_project_name="a\x00b"}`},
		{"of a project that is not UTF-8", plain.selector("", name("a\xffb")), `node_cpu_seconds_total{cloud_project_name="a\xffb"}`},
		{"of a project of emoji", plain.selector("", name("⚡")), `node_cpu_seconds_total{cloud_project_name="⚡"}`},
		{"the operator's busy", own.busy(half), "busy:increase30m"},
		{"the operator's idle, $__interval twice and in seconds", own.idle(half), "sum(idle[30m] offset 30m) / 1800"},
		{"a broken number of seconds", own.idle(28125 * time.Millisecond), "sum(idle[28s125ms] offset 28s125ms) / 28.125"},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, test.got, test.want)
		}
	}
}

func once(q Query) Query {
	q.once = true
	return q
}

func (q Query) withMachine(name string) Query {
	q.machine = &name
	return q
}

// Edges are those of the run, and of one piece more on either side; cores are asked for hours.
func TestQuestionOnTheWire(t *testing.T) {
	tests := []struct {
		name             string
		run              []usage.Interval
		start, end, step string
		// Cores are counted up to the end of each piece, and in more of them.
		coresFrom, coresTo string
	}{
		{name: "one half hour", run: halfHour, start: "1782905400", end: "1782910800", step: "1800", coresFrom: "1782901800", coresTo: "1782916200"},
		{name: "two half hours", run: twoHalfHours, start: "1782905400", end: "1782912600", step: "1800", coresFrom: "1782901800", coresTo: "1782918000"},
		{name: "an hour is asked for by its halves", run: []usage.Interval{{Start: noon, Length: time.Hour}}, start: "1782905400", end: "1782912600", step: "1800", coresFrom: "1782901800", coresTo: "1782918000"},
		{name: "a broken number of seconds", run: []usage.Interval{{Start: noon, Length: 84375 * time.Millisecond}}, start: "1782907171.875", end: "1782907312.5", step: "28.125", coresFrom: "1782906553.125", coresTo: "1782907959.375"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer := func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost || r.URL.Path != "/prefix/api/v1/query_range" || r.URL.RawQuery != "" ||
					r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.Header.Get("Accept-Encoding") != "gzip" {
					t.Errorf("asks with %s %s %v", r.Method, r.URL, r.Header)
				}
				want := []string{test.start, test.end, test.step}
				if kindOf(r.PostFormValue("query")) == ofCores {
					want[0], want[1] = test.coresFrom, test.coresTo
				}
				if got := []string{r.PostFormValue("start"), r.PostFormValue("end"), r.PostFormValue("step")}; !slices.Equal(got, want) {
					t.Errorf("asks for %q, want %q", got, want)
				}
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				defer z.Close()
				io.WriteString(z, matrix())
			}
			s := &server{counters: answer, cores: answer}
			c := s.client(t)
			c.URL = c.URL.JoinPath("prefix/")
			got, rejects, err := c.Read(t.Context(), test.run)
			readings := got.All()
			if err != nil || len(rejects) > 0 || len(s.asked) != 3 { // nothing is found: once more, for what has sums alone
				t.Fatal(rejects, err, s.asked)
			}
			if first, last := readings[0].Piece, readings[len(readings)-1].Piece; first.Start != test.run[0].Start || !last.End().Equal(test.run[len(test.run)-1].End()) {
				t.Errorf("reads from %s until %s", first, last.End())
			}
		})
	}
}

// A closer look is an instant query at the end of the window that it names, which begins as
// much before the interval as the server looks back, and as shows how often the host is scraped.
func TestRawSamplesOnTheWire(t *testing.T) {
	s := &server{fleet: born()}
	s.raw = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/query" || r.PostFormValue("time") != "1782912600" || !strings.HasSuffix(r.PostFormValue("query"), "[1h36m]") {
			t.Errorf("asks %s for %v", r.URL, r.PostForm)
		}
		s.fleet.ServeHTTP(w, r)
	}
	readRun(t, s.client(t), twoHalfHours)
	if s.times(ofRaw) != 1 {
		t.Errorf("asked %q", s.asked)
	}
}

func TestAGivenQueryIsEvaluatedAtTheEndOfEachPiece(t *testing.T) {
	for _, test := range []struct{ name, query, start, end, step string }{
		{"with $__interval", "busy[$__interval]", "1782909000", "1782910800", "1800"},
		{"with a window of its own", "busy:1h", "1782910800", "1782910800", "3600"},
	} {
		s := &server{}
		s.busy = func(w http.ResponseWriter, r *http.Request) {
			if got := []string{r.PostFormValue("start"), r.PostFormValue("end"), r.PostFormValue("step")}; !slices.Equal(got, []string{test.start, test.end, test.step}) {
				t.Errorf("%s: asks for %q", test.name, got)
			}
			io.WriteString(w, matrix())
		}
		c := s.given(t)
		c.Query.BusyQuery = test.query
		readRun(t, c, []usage.Interval{{Start: noon, Length: time.Hour}})
	}
}

func TestOperatorsQueriesAreAllThatIsAsked(t *testing.T) {
	s := &server{idle: status(http.StatusUnprocessableEntity, "")}
	c := s.client(t)
	c.Query.BusyQuery, c.Query.IdleQuery = `busy{mode=~"user|x"}`, "idle"
	if f, _ := failure(t, c, halfHour); !f.TooLarge {
		t.Errorf("got %+v", f)
	}
	if want := []string{`busy{mode=~"user|x"}`, "idle"}; !slices.Equal(s.asked, want) {
		t.Errorf("asked %q, want %q: there is no project to split them by", s.asked, want)
	}
}

func TestNothingIsAskedForNoInterval(t *testing.T) {
	s := &server{}
	if readings, _, err := s.client(t).Read(t.Context(), nil); readings.Len() > 0 || err != nil || len(s.asked) > 0 {
		t.Errorf("got %v, %v after %q", readings, err, s.asked)
	}
}

func TestMorePointsThanPrometheusEvaluatesAreNotAskedFor(t *testing.T) {
	run := []usage.Interval{halfHour[0]}
	for len(run) <= maxPoints {
		run = append(run, run[len(run)-1].Next())
	}
	s := &server{}
	if f, _ := failure(t, s.client(t), run); !f.TooLarge || len(s.asked) > 0 {
		t.Errorf("got %+v after %q", f, s.asked)
	}
}
