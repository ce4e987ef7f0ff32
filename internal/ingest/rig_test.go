// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/attribution"
	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/power"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// rig is a spine with everything real around it but the network and the clock:
// a store on disk, the clients of both upstreams, and servers that answer, or
// fail to, in the same process.
type rig struct {
	t     testing.TB
	now   time.Time
	path  string
	store *store.Store
	spine *Spine
	live  *energyLoop // of the spine
	grams *carbonLoop // likewise

	cloud  *simulate.Cloud
	server *prometheus
	grid   *simulate.UKAPI
	hurry  bool // commands do not sleep
}

// start is a Wednesday in summer.
var start = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

func newRig(t testing.TB, change ...func(*Settings)) *rig {
	t.Helper()
	cloud, err := simulate.New(simulate.Config{Seed: 7, Hosts: 3, Start: start.Add(-72 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, now: start.Add(3 * time.Minute), path: filepath.Join(t.TempDir(), "carbon.db"), cloud: cloud}
	r.server = &prometheus{truth: cloud.Truth}
	clock := func() time.Time { return r.now }
	r.grid = simulate.NewUKAPI(7, clock)
	settings := Settings{
		Interval: 30 * time.Minute, Lookback: 24 * time.Hour, SettleAfter: 24 * time.Hour, Lag: 2 * time.Minute,
		Source: &source.Client{
			Upstream: local(r.server), URL: &url.URL{Scheme: "http", Host: "prometheus.test"},
			Query: source.Query{
				Metric:     "node_cpu_seconds_total",
				Labels:     source.Labels{Project: "cloud_project_name", Machine: "machine_name", Host: "instance", User: "user", CPU: "cpu", Mode: "mode"},
				BusyModes:  []string{"user", "nice", "system", "irq", "softirq"},
				IdleModes:  []string{"idle", "iowait"},
				OtherModes: []string{"steal"},
			},
		},
		Grid: Chain{&intensity.UK{Upstream: local(r.grid), URL: "http://grid.test", Now: clock}},
		Attribution: func(d directory.Directory) Attribution {
			return attribution.Rules{GroupBy: attribution.ByProject, Directory: attribution.NewIndex(d)}
		},
		PUE: 1,
		Power: func(context.Context, time.Time) (Power, error) {
			return power.Model{Default: usage.Rating{Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}}}, nil
		},
	}
	for _, c := range change {
		c(&settings)
	}
	r.open(settings)
	t.Cleanup(func() { r.store.Close() })
	return r
}

// open starts the exporter's inside, for the first time or again.
func (r *rig) open(settings Settings) {
	r.t.Helper()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		r.t.Fatal(err)
	}
	s, err := store.Open(context.Background(), r.path, store.Options{Exclusive: true, Interval: settings.Interval, Timezone: london})
	if err != nil {
		r.t.Fatal(err)
	}
	r.store = s
	r.use(New(s, silent{}, quiet, at{func() time.Time { return r.now }}, settings))
}

// use makes a spine the rig's own.
func (r *rig) use(s *Spine) {
	r.spine, r.live, r.grams = s, s.energyLoop(), s.carbonLoop()
	r.live.clock = impatient{r.live.clock}
}

// impatient is a clock whose sleeps end at once, for rounds whose time a test sets.
type impatient struct{ clock.Clock }

func (impatient) Sleep(context.Context, time.Duration, <-chan struct{}) {}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// at is a clock that says what a test wants. It sleeps as the machine's does.
type at struct{ now func() time.Time }

func (a at) Now() time.Time { return a.now() }

func (at) Sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	clock.Real{}.Sleep(ctx, d, wake)
}

func (at) Jitter(d time.Duration) time.Duration { return clock.Real{}.Jitter(d) }

func (at) Run(loops ...func()) { clock.Real{}.Run(loops...) }

// shifted is the clock of a bubble that was just begun, at the time of the rig.
func shifted() at {
	epoch := time.Now()
	return at{func() time.Time { return start.Add(3 * time.Minute).Add(time.Since(epoch)) }}
}

func (r *rig) restart() {
	r.t.Helper()
	settings := r.spine.current()
	if err := r.store.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.open(settings)
	if err := r.store.RetryNow(context.Background()); err != nil { // as the loop begins
		r.t.Fatal(err)
	}
}

// energy and carbon are one round of each loop.
func (r *rig) energy() error { return r.live.round(context.Background()) }

func (r *rig) carbon() error {
	set := r.spine.current()
	r.grams.forget(set)
	var asked []error
	for n, chain := range set.chains() {
		for place := range chain {
			asked = append(asked, r.grams.ask(context.Background(), set, chain, place, n == 0))
		}
	}
	unpriced, err := r.grams.reprice(context.Background(), set)
	r.grams.next(set, unpriced)
	return errors.Join(append(asked, err)...)
}

func (r *rig) both() {
	r.t.Helper()
	if err := errors.Join(r.energy(), r.carbon()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) summary() usage.Summary {
	r.t.Helper()
	sum, err := r.store.Summary(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	return sum
}

func (r *rig) states() map[usage.State]int { return r.summary().States }

// proof is everything the store has of an interval.
func (r *rig) proof(i usage.Interval) usage.Proof {
	r.t.Helper()
	p, err := r.store.Proof(context.Background(), i)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// want compares the states that are not empty-handed.
func (r *rig) want(want map[usage.State]int) {
	r.t.Helper()
	for state, n := range r.states() {
		if n != want[state] {
			r.t.Errorf("%d intervals are %s, want %d", n, state, want[state])
		}
	}
}

// truth is the energy and, at final actuals, the emissions of the site in [from, to).
func (r *rig) truth(from, to time.Time) (usage.KWh, usage.Grams) {
	var kwh usage.KWh
	var grams usage.Grams
	for at := from; at.Before(to); at = at.Add(usage.SlotLength) {
		var slot usage.KWh
		for _, cpu := range r.cloud.Truth(usage.Interval{Start: at, Length: usage.SlotLength}) {
			slot += usage.KWh((12*float64(cpu.Busy) + float64(cpu.Idle)) / 3_600_000)
		}
		kwh += slot
		grams += usage.Grams(float64(slot) * float64(simulate.Grid{Seed: 7}.Actual(at)))
	}
	return kwh, grams
}

func (r *rig) site() (kwh, settledKWh usage.KWh, grams usage.Grams) {
	for _, total := range r.summary().Totals {
		kwh += total.Energy.Total()
		settledKWh += total.SettledEnergy.Total()
		grams += total.Emissions.Total()
	}
	return kwh, settledKWh, grams
}

// dump is every fact and total in the store, to the last bit.
func (r *rig) dump() string {
	r.t.Helper()
	db, err := sql.Open("sqlite", r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	var out strings.Builder
	for _, query := range []string{
		"SELECT * FROM v_usage ORDER BY 1, 2, 3, 4, 5",
		`SELECT ts, scope, p.cloud_project_name, m.machine_name, f.user_id, busy_cpu_seconds_total, idle_cpu_seconds_total,
			busy_kwh, idle_kwh, busy_gCo2eq, idle_gCo2eq, intensity_gCo2eq_kwh FROM fact_usage f
			LEFT JOIN dim_project p USING (project_id) LEFT JOIN dim_machine m USING (machine_id) ORDER BY 1, 2, 3, 4, 5`,
		"SELECT start, state, kwh, pue, asked_id IS NULL FROM usage_interval ORDER BY start",
		"SELECT l.start, p.cloud_project_name, l.project, l.machine, l.host, l.user FROM interval_labels l JOIN dim_project p USING (project_id) ORDER BY 1, 2",
		"SELECT h.start, p.cloud_project_name, h.hosts, h.cores FROM interval_hosts h JOIN dim_project p USING (project_id) ORDER BY 1, 2",
		`SELECT d.start, p.cloud_project_name, d.host, d.machine, d.cores, d.state, d.reason, d.detail
			FROM interval_doubt d JOIN dim_project p USING (project_id) ORDER BY 1, 2, 3, 4`,
		"SELECT start, final, doubts, unlisted, growth FROM usage_interval ORDER BY start",
		"SELECT c.start, p.cloud_project_name, seen_cpu_seconds, capacity_cpu_seconds FROM interval_coverage c JOIN dim_project p USING (project_id) ORDER BY 1, 2",
		"SELECT w.start, m.machine_name, busy_watts, idle_watts, source, error FROM interval_power w JOIN dim_machine m USING (machine_id) ORDER BY 1, 2",
		"SELECT start, gco2eq_per_kwh, kind, provider, grid, slot_start FROM interval_price ORDER BY start",
		`SELECT start, p.cloud_project_name, m.machine_name, user_id, metered_busy_cpu_seconds, metered_idle_cpu_seconds, metered_busy_kwh,
			metered_idle_kwh, metered_error, memory_gib_seconds, memory_kwh FROM usage_beside JOIN usage_key USING (key_id)
			JOIN dim_project p USING (project_id) JOIN dim_machine m USING (machine_id) ORDER BY 1, 2, 3, 4`,
		`SELECT start, p.cloud_project_name, m.machine_name, user_id, device, kwh, error FROM usage_device JOIN usage_key USING (key_id)
			JOIN dim_project p USING (project_id) JOIN dim_machine m USING (machine_id) ORDER BY 1, 2, 3, 4, 5`,
		"SELECT start, m.machine_name, busy_low, idle_low, busy_high, idle_high FROM interval_power_bounds JOIN dim_machine m USING (machine_id) ORDER BY 1, 2",
		`SELECT start, m.machine_name, model, threads, share FROM interval_processor JOIN dim_machine m USING (machine_id)
			JOIN processor USING (processor_id) ORDER BY 1, 2, 3, 4`,
		"SELECT start, pue FROM interval_pue ORDER BY 1",
		"SELECT start, m.machine_name, gco2eq_per_core_hour FROM interval_embodied JOIN dim_machine m USING (machine_id) ORDER BY 1, 2",
		"SELECT start, zone, measured_kwh, booked_kwh FROM interval_zone ORDER BY 1, 2",
	} {
		rows, err := db.Query(query)
		if err != nil {
			r.t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			r.t.Fatal(err)
		}
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				r.t.Fatal(err)
			}
			fmt.Fprintln(&out, values...)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, total := range r.summary().Totals {
		fmt.Fprintf(&out, "%v %v %v %v %v\n", total.Key, total.Last, total.CPU, total.Energy, total.Emissions)
	}
	r.dumpDays(&out)
	return out.String()
}

// counters are the settled counters, which a restatement lets stand where it has
// left less.
func (r *rig) counters() map[usage.Key][4]float64 {
	all := map[usage.Key][4]float64{}
	for _, t := range r.summary().Totals {
		all[t.Key] = [4]float64{
			float64(t.SettledEnergy.Busy), float64(t.SettledEnergy.Idle), float64(t.SettledEmissions.Busy), float64(t.SettledEmissions.Idle),
		}
	}
	return all
}

// dumpDays is the sums of every local day, as they are kept and not as they would
// be added up now.
func (r *rig) dumpDays(out io.Writer) {
	r.t.Helper()
	span, ok, err := r.store.Span(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	if !ok {
		return
	}
	var days []usage.Period
	y, m, d := span.From.In(r.store.Timezone()).Date()
	for from := time.Date(y, m, d, 0, 0, 0, 0, r.store.Timezone()); from.Before(span.To); from = from.AddDate(0, 0, 1) {
		days = append(days, usage.Period{From: from, To: from.AddDate(0, 0, 1)})
	}
	accounts, err := r.store.Accounts(context.Background(), days...)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, account := range accounts {
		for _, total := range account.Keys() {
			fmt.Fprintf(out, "%s %v %v %v %v %v %v\n", account.From.Format(time.DateOnly), total.Key, total.CPU, total.Energy, total.Emissions,
				total.SettledEnergy, total.SettledEmissions)
		}
		for _, tally := range account.By(usage.ScopeAda) {
			fmt.Fprintf(out, "%s %+v\n", account.From.Format(time.DateOnly), tally)
		}
	}
}

type sums struct{ kwh, grams float64 }

// scope adds the rows of a scope up by interval.
func (r *rig) scope(scope string) map[string]sums {
	r.t.Helper()
	db, err := sql.Open("sqlite", r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT ts, sum(busy_kwh + idle_kwh), sum(busy_gCo2eq + idle_gCo2eq) FROM fact_usage WHERE scope = ? GROUP BY ts", scope)
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	byTime := map[string]sums{}
	for rows.Next() {
		var ts string
		var s sums
		if err := rows.Scan(&ts, &s.kwh, &s.grams); err != nil {
			r.t.Fatal(err)
		}
		byTime[ts] = s
	}
	if err := rows.Err(); err != nil {
		r.t.Fatal(err)
	}
	return byTime
}

// firstDifference shows where two dumps part.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			return fmt.Sprintf("line %d of %d\n got %s\nwant %s", i, len(g), g[i], strings.Join(w[min(i, len(w)):min(i+1, len(w))], ""))
		}
	}
	return fmt.Sprintf("%d lines of %d are missing", len(w)-len(g), len(w))
}

// local answers requests in the process.
func local(h http.Handler) *upstream.Client {
	return &upstream.Client{HTTP: &http.Client{Transport: inProcess{h}}, UserAgent: "test", Timeout: time.Minute, MaxBytes: 1 << 30}
}

type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, req)
	return w.Result(), nil
}

// silent is a witness who tells nobody.
type silent struct{}

func (silent) Requested(string, time.Duration, error)   {}
func (silent) Rejected(usage.Rejects)                   {}
func (silent) Wrote(error)                              {}
func (silent) Changed(context.Context)                  {}
func (silent) Rested(context.Context)                   {}
func (silent) Grid(usage.GridNow)                       {}
func (silent) ForecastErrors([]usage.ForecastError)     {}
func (silent) Directory(time.Time)                      {}
func (silent) RejectedRecords([]directory.RecordReject) {}
func (silent) RollupsPending(int)                       {}
func (silent) LakePublished(usage.LakeState)            {}
func (silent) Notice(usage.Topic, string)               {}
