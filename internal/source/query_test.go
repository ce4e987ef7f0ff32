package source

import (
	"compress/gzip"
	"io"
	"net/http"
	"slices"
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
	own.BusyQuery, own.IdleQuery = "busy:increase$__interval", "sum(idle[$__interval] offset $__interval)"
	name := func(s string) *string { return &s }
	half := 30 * time.Minute
	tests := []struct{ name, got, want string }{
		{"busy", q.busy(half, nil), `sum by (` + by + `) (increase(node_cpu_seconds_total{job="node",mode=~"user|nice|system|irq|softirq"}[30m]))`},
		{"idle", q.idle(half, nil), `sum by (` + by + `) (increase(node_cpu_seconds_total{job="node",mode=~"idle|iowait"}[30m]))`},
		{"window of five minutes", q.idle(5*time.Minute, nil), `sum by (` + by + `) (increase(node_cpu_seconds_total{job="node",mode=~"idle|iowait"}[5m]))`},
		{"window of a broken number of seconds", plain.idle(84375*time.Millisecond, nil), `sum by (` + by + `) (increase(node_cpu_seconds_total{mode=~"idle|iowait"}[1m24s375ms]))`},
		{"no matchers", plain.idle(half, nil), `sum by (` + by + `) (increase(node_cpu_seconds_total{mode=~"idle|iowait"}[30m]))`},
		{"matchers with commas to spare", commas.selector("", nil), `node_cpu_seconds_total{job="node",env!="test"}`},
		{"of one project", plain.idle(half, name("ISIS")), `sum by (` + by + `) (increase(node_cpu_seconds_total{mode=~"idle|iowait",cloud_project_name="ISIS"}[30m]))`},
		{"of no project", plain.selector("", name("")), `node_cpu_seconds_total{cloud_project_name=""}`},
		{"of a project with quotes", plain.selector("", name(`a"b'c`)), `node_cpu_seconds_total{cloud_project_name="a\"b'c"}`},
		{"of a project that would end the selector", plain.selector("", name(`"} or vector(1) #`)), `node_cpu_seconds_total{cloud_project_name="\"} or vector(1) #"}`},
		{"of a project with a backslash", plain.selector("", name(`a\b`)), `node_cpu_seconds_total{cloud_project_name="a\\b"}`},
		{"of a project with a line break", plain.selector("", name("a\nb")), `node_cpu_seconds_total{cloud_project_name="a\nb"}`},
		{"of a project like a regular expression", plain.selector("", name(".*")), `node_cpu_seconds_total{cloud_project_name=".*"}`},
		{"of a project with a NUL", plain.selector("", name("a\x00b")), `node_cpu_seconds_total{cloud_project_name="a\x00b"}`},
		{"of a project that is not UTF-8", plain.selector("", name("a\xffb")), `node_cpu_seconds_total{cloud_project_name="a\xffb"}`},
		{"of a project of emoji", plain.selector("", name("⚡")), `node_cpu_seconds_total{cloud_project_name="⚡"}`},
		{"each core once", q.once(q.IdleModes, half, nil), `sum by (` + by + `) (max by (` + by + `, cpu, mode) (increase(node_cpu_seconds_total{job="node",mode=~"idle|iowait"}[30m])))`},
		{"capacity", q.capacity(half, name("ISIS")), `label_replace(count by (` + by + `) (count by (` + by + `, cpu) (count_over_time(node_cpu_seconds_total{job="node",mode="idle",cpu!="",cloud_project_name="ISIS"}[30m]))), "carbon_exporter_part", "cores", "", "")` +
			` or label_replace(max by (` + by + `) (count by (` + by + `, cpu) (node_cpu_seconds_total{job="node",mode="idle",cpu!="",cloud_project_name="ISIS"})), "carbon_exporter_part", "copies", "", "")` +
			` or label_replace(sum by (` + by + `) (max by (` + by + `, cpu, mode) (increase(node_cpu_seconds_total{job="node",mode!~"user|nice|system|irq|softirq|idle|iowait",cpu!="",cloud_project_name="ISIS"}[30m]))), "carbon_exporter_part", "other", "", "")`},
		{"the operator's busy", own.busy(half, nil), "busy:increase30m"},
		{"the operator's idle, $__interval twice", own.idle(half, nil), "sum(idle[30m] offset 30m)"},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, test.got, test.want)
		}
	}
}

func TestQuestionOnTheWire(t *testing.T) {
	tests := []struct {
		name             string
		run              []usage.Interval
		start, end, step string
	}{
		{name: "one half hour is evaluated at its end", run: halfHour, start: "1782909000", end: "1782909000", step: "1800"},
		{name: "two half hours", run: []usage.Interval{halfHour[0], halfHour[0].Next()}, start: "1782909000", end: "1782910800", step: "1800"},
		{name: "an hour is asked for by its halves", run: []usage.Interval{{Start: noon, Length: time.Hour}}, start: "1782909000", end: "1782910800", step: "1800"},
		{name: "a broken number of seconds", run: []usage.Interval{{Start: noon, Length: 84375 * time.Millisecond}}, start: "1782907228.125", end: "1782907284.375", step: "28.125"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer := func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodPost || r.URL.Path != "/prefix/api/v1/query_range" || r.URL.RawQuery != "" ||
					r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.Header.Get("Accept-Encoding") != "gzip" {
					t.Errorf("asks with %s %s %v", r.Method, r.URL, r.Header)
				}
				got := []string{r.PostFormValue("start"), r.PostFormValue("end"), r.PostFormValue("step")}
				if want := []string{test.start, test.end, test.step}; !slices.Equal(got, want) {
					t.Errorf("asks for %q, want %q", got, want)
				}
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				defer z.Close()
				io.WriteString(z, matrix(series("a", "", `[`+test.start+`,"5"],[`+test.end+`,"7"]`)))
			}
			s := &server{busy: answer, idle: answer}
			c := s.client(t)
			c.URL = c.URL.JoinPath("prefix/")
			readings, rejects, err := c.Read(t.Context(), test.run)
			if err != nil || len(rejects) > 0 {
				t.Fatal(rejects, err)
			}
			last := readings[len(readings)-1]
			if want := test.run[len(test.run)-1].End(); !last.Piece.End().Equal(want) || len(last.Samples) != 1 || last.Samples[0].CPU.Idle != 7 {
				t.Errorf("got %+v, want 7 idle seconds until %s", last, want)
			}
			if readings[0].Piece.Start != test.run[0].Start {
				t.Errorf("begins with %s", readings[0].Piece)
			}
		})
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
	if readings, _, err := s.client(t).Read(t.Context(), nil); len(readings) > 0 || err != nil || len(s.asked) > 0 {
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
