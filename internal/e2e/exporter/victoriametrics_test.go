// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// newVictoriaMetrics is a VictoriaMetrics with what an engine holds of [from, to).
func newVictoriaMetrics(t *testing.T, e *engine.Engine, from, to time.Time, flags ...string) (server string) {
	t.Helper()
	address := built.FreeAddress(t)
	server = "http://" + address
	built.Start(t, exec.Command(built.Program(t, "victoria-metrics"), append(flags,
		"-storageDataPath="+filepath.Join(t.TempDir(), "data"), "-httpListenAddr="+address, "-retentionPeriod=100y", "-memory.allowedBytes=128MiB", "-loggerLevel=WARN")...))
	reachable(t, server+"/health")
	receiver{url: server + "/api/v1/write"}.give(t, e, from, to)
	// What was written can be queried a few seconds later, or at once after this.
	reachable(t, server+"/internal/force_flush")
	return server
}

// reachable waits for a page to be there.
func reachable(t *testing.T, page string) {
	t.Helper()
	eventually(t, waitFor, page+" answers", func() error {
		answer, err := http.Get(page)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("http status %d", answer.StatusCode)
		}
		return nil
	})
}

// example is the section prometheus of a file of examples, with another server in its URL.
func example(t *testing.T, name, server string) (address, section string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := bytes.Cut(text, []byte("\nprometheus:\n"))
	if !found {
		t.Fatalf("%s has no section prometheus", name)
	}
	for line := range strings.Lines(string(text)) {
		if value, is := strings.CutPrefix(line, "  url: "); is {
			u, err := url.Parse(strings.TrimSpace(value))
			if err != nil {
				t.Fatal(err)
			}
			address = server + u.Path
			continue
		}
		section += line
	}
	if address == "" || section == "" {
		t.Fatalf("%s has no url, or nothing else", name)
	}
	return address, strings.TrimSuffix(section, "\n")
}

// tenantByPath is vmselect as the file names it: a tenant by the path, and nothing elsewhere.
func tenantByPath(t *testing.T, path, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(path+"/", http.StripPrefix(path, httputil.NewSingleHostReverseProxy(u)))
	return serve(t, mux).URL
}

func TestTheTruthComesOutOfVictoriaMetrics(t *testing.T) {
	t.Parallel()
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, 12*time.Hour)
	server := newVictoriaMetrics(t, s.engine, s.from, s.to)
	address, section := example(t, "carbon-victoriametrics.yml", tenantByPath(t, "/select/42/prometheus", server))
	where := settings{prometheus: address, section: section, uk: uk.URL}.place(t, over)
	want := truth(s.cloud, over, uk.price)
	p := start(t, where.args()...)
	p.becomesWhole(over)
	p.terminate()
	checkShifted(t, where.store, want, uk.price)
	checkIntervals(t, where.store, over)
}

// Series that end or change their labels without a marker are seen for a whole step by a server
// that looks back so far: a host is not to be counted twice for that, nor after its end.
// -search.maxLookback=5m makes it look back as far as Prometheus.
func TestVictoriaMetricsThatLooksBackFiveMinutes(t *testing.T) {
	t.Parallel()
	checkEndsWithoutMarkers(t, "-search.maxLookback=5m")
}

// As it comes, it looks back a whole step of the query.
func TestVictoriaMetricsThatLooksBackAWholeStep(t *testing.T) {
	t.Parallel()
	checkEndsWithoutMarkers(t)
}

func checkEndsWithoutMarkers(t *testing.T, flags ...string) {
	t.Helper()
	e, uk := newEngine(t), newGrid(t)
	over := spanOf(30*time.Minute, 2*time.Hour)
	begin, second := over.first.Add(-5*time.Minute), over.first.Add(usage.SlotLength)
	end := over.end.Add(time.Hour)
	shares := map[string]float64{"user": 0.25, "idle": 0.75}
	record := func(name, pod string, from, to time.Time) {
		l := map[string]string{"job": "node", "cloud_project_name": name, "machine_name": "Muon", "instance": name, "pod": pod}
		steadily(t, e, l, shares, from, to, over.first)
	}
	record("stays", "a", begin, end)
	record("changes early", "a", begin, second.Add(12*time.Minute))
	record("changes early", "b", second.Add(12*time.Minute), end)
	record("changes late", "a", begin, second.Add(25*time.Minute))
	record("changes late", "b", second.Add(25*time.Minute), end)
	record("ends", "a", begin, second.Add(10*time.Minute))

	where := settings{prometheus: newVictoriaMetrics(t, e, begin, end, flags...), uk: uk.URL}.place(t, over)
	p := start(t, where.args()...)
	p.becomesWhole(over)
	p.terminate()
	rows := scopesOf(t, where.store)["project"]
	for n, interval := range over.intervals() {
		for name, truth := range map[string]float64{"stays": 1800, "changes early": 1800, "changes late": 1800, "ends": []float64{1800, 600, 0, 0}[n]} {
			got, booked := rows[row{interval.Start.Format(time.RFC3339), name}]
			if !booked && name != "stays" {
				continue // refused, or gone
			}
			seconds := got[0].Float64 + got[1].Float64
			// A scrape interval to or from its neighbour, and one lost where the labels change.
			if seconds > truth+scrapeInterval.Seconds() || seconds < truth-2*scrapeInterval.Seconds() {
				t.Errorf("%s has %v CPU seconds in half hour %d, truth %v", name, seconds, n, truth)
			}
			if seconds > 0 && !near(got[0].Float64/seconds, shares["user"], 1e-6) {
				t.Errorf("%s is busy for %v of %v seconds in half hour %d", name, got[0].Float64, seconds, n)
			}
		}
	}
}

// steadily records one core that is scraped once a minute in [from, to), and has counted since
// some time.
func steadily(t *testing.T, e *engine.Engine, labels map[string]string, shares map[string]float64, from, to, since time.Time) {
	t.Helper()
	for mode, share := range shares {
		l := map[string]string{"__name__": "node_cpu_seconds_total", "cpu": "0", "mode": mode}
		maps.Copy(l, labels)
		var samples []engine.Sample
		for at := from.Add(20 * time.Second); at.Before(to); at = at.Add(time.Minute) {
			samples = append(samples, engine.At(at, 1e5+share*at.Sub(since).Seconds()))
		}
		if err := e.Append(background, engine.NewSeries(l), samples...); err != nil {
			t.Fatal(err)
		}
	}
}

// These answers are what the exporter must know of VictoriaMetrics, and where it differs from
// Prometheus.
func TestWhatVictoriaMetricsAnswers(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	from := usage.SlotAt(time.Now().Add(-6 * time.Hour))
	minute := func(n float64) time.Time { return from.Add(time.Duration(n * float64(time.Minute))) }
	series := func(name string, first, last int, more ...engine.Sample) {
		samples := []engine.Sample{}
		for m := first; m < last; m++ {
			samples = append(samples, engine.At(minute(float64(m)+0.5), float64(m)))
		}
		if err := e.Append(background, engine.NewSeries(map[string]string{"__name__": "c", "instance": name}), append(samples, more...)...); err != nil {
			t.Fatal(err)
		}
	}
	series("whole", 0, 120)
	series("ends", 0, 40)
	series("marked", 0, 40, engine.At(minute(40.5), engine.Stale()))
	server := newVictoriaMetrics(t, e, from, minute(120))

	unix := func(at time.Time) string { return strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', -1, 64) }
	points := func(path, query string, more ...string) map[string][]string {
		form := url.Values{"query": {query}}
		for i := 0; i < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		text := ask(t, server, path, form)
		var body struct {
			Status string
			Data   struct {
				ResultType string
				Result     []struct {
					Metric map[string]string
					Values [][2]any
				}
			}
		}
		if err := json.Unmarshal([]byte(text), &body); err != nil || body.Status != "success" || body.Data.ResultType != "matrix" {
			t.Fatalf("%s %v: %v: %s", path, form, err, text)
		}
		all := map[string][]string{}
		for _, r := range body.Data.Result {
			name := r.Metric["instance"]
			for _, v := range r.Values {
				at := time.UnixMilli(int64(v[0].(float64)*1000 + 0.5)).Sub(from).Minutes()
				all[name] = append(all[name], fmt.Sprintf("%v:%v", at, v[1]))
			}
		}
		return all
	}
	edges := []string{"start", unix(from), "end", unix(minute(90)), "step", "1800"}
	short := append([]string{"max_lookback", "5m", "nocache", "1"}, edges...)
	raw := []string{"time", unix(minute(42.5))}
	for _, tc := range []struct {
		name, path, query string
		more              []string
		want              map[string][]string
	}{
		{"a selector looks back a whole step", "/api/v1/query_range", "c", append([]string{"nocache", "1"}, edges...), map[string][]string{
			"whole": {"30:29", "60:59", "90:89"}, "ends": {"30:29", "60:39"}, "marked": {"30:29"},
		}},
		{"max_lookback shortens that", "/api/v1/query_range", "c", short, map[string][]string{
			"whole": {"30:29", "60:59", "90:89"}, "ends": {"30:29"}, "marked": {"30:29"},
		}},
		{"raw samples, open to the left, with the marker", "/api/v1/query", "c[4m]", raw, map[string][]string{
			"whole": {"39.5:39", "40.5:40", "41.5:41", "42.5:42"}, "ends": {"39.5:39"}, "marked": {"39.5:39", "40.5:NaN"},
		}},
		{"a subquery, closed at both ends", "/api/v1/query", `(sum by (instance) (c{instance="whole"}))[2m:1m]`, []string{"time", unix(minute(42))}, map[string][]string{
			"whole": {"40:39", "41:40", "42:41"},
		}},
		{"increase, from the last sample before the window", "/api/v1/query_range", "increase(c[30m])", append([]string{"nocache", "1"}, edges...), map[string][]string{
			"whole": {"30:29", "60:30", "90:30"}, "ends": {"30:29", "60:10"}, "marked": {"30:29", "60:10"},
		}},
		{"a window, open to the left", "/api/v1/query_range", `count_over_time(c{instance="whole"}[1m])`, []string{"start", unix(minute(30.5)), "end", unix(minute(30.5)), "step", "60"}, map[string][]string{
			"whole": {"30.5:1"},
		}},
	} {
		if got := points(tc.path, tc.query, tc.more...); fmt.Sprint(got) != fmt.Sprint(tc.want) {
			t.Errorf("%s: %s is %v, want %v", tc.name, tc.query, got, tc.want)
		}
	}

	// The cache gives the answer to one look-back to another. It is emptied some seconds after
	// old samples have come in, which may be between the two questions.
	asked := 0
	eventually(t, waitFor, "the cache forgets the look-back", func() error {
		asked++
		query := fmt.Sprintf(`max by (instance) (c{instance!="%d"})`, asked)
		before := points("/api/v1/query_range", query, edges...)
		cached := points("/api/v1/query_range", query, append([]string{"max_lookback", "5m"}, edges...)...)
		if fresh := points("/api/v1/query_range", query, short...); fmt.Sprint(cached) != fmt.Sprint(before) || fmt.Sprint(cached) == fmt.Sprint(fresh) {
			return fmt.Errorf("a step's look-back is %v, then five minutes' %v, and %v without the cache", before, cached, fresh)
		}
		return nil
	})

	// Fifty points and more are moved to multiples of the step, unless the cache is not used.
	off := []string{"start", unix(from.Add(7 * time.Second)), "end", unix(from.Add(7*time.Second + 49*time.Minute)), "step", "60"}
	first := func(more ...string) string {
		return points("/api/v1/query_range", "vector(1)", append(more, off...)...)[""][0]
	}
	if moved, kept := first(), first("nocache", "1"); moved != "0:1" || kept == moved {
		t.Errorf("the first of 50 points is at %s, without the cache at %s", moved, kept)
	}
}
