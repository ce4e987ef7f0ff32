package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/attribution"
	"github.com/carbon-exporter/carbon_exporter/internal/budget"
	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// A rehearsal is the whole exporter, but for its sockets, living through weeks of a
// simulated cloud in seconds, by a simulated clock. What scrapes would have seen of it
// in that time can be had nowhere else, for nobody scrapes the past. The demo and the tests of the dashboards run this test as a program:
//
//	go test -c -o rehearsal ./cmd/carbon_exporter
//	./rehearsal -test.run '^TestRehearsal$' -rehearse plan.json
var rehearse = flag.String("rehearse", "", "file of the plan that TestRehearsal is to follow")

// plan says what is rehearsed. Internal/e2e/rehearsal writes it as JSON.
type plan struct {
	Config  string          // file
	Store   string          // file
	Scrapes string          // file that pages are written to, see scrapes; empty: nowhere
	Cloud   simulate.Config // what is seen
	History time.Time       // backfilled from here to the first life; zero: nothing is
	Lives   []usage.Period  // when the exporter runs and is scraped
	Every   time.Duration   // between two scrapes
	Faults  []fault
	Surges  []surge
}

// fault is a source that does not answer.
type fault struct {
	usage.Period
	Source string
}

// surge is a time in which no core of a project is ever idle.
type surge struct {
	usage.Period
	Project string
}

// TestRehearsal holds /metrics to itself at each scrape: what it says of the day,
// the month, the year and of budgets is the same usage, and a day begins when it
// does in the exporter's time zone. Without a plan it goes through a night on which
// clocks go back, and one that ends a month.
func TestRehearsal(t *testing.T) {
	if *rehearse != "" {
		text, err := os.ReadFile(*rehearse)
		var p plan
		if err == nil {
			err = json.Unmarshal(text, &p)
		}
		if err != nil {
			t.Fatal(err)
		}
		p.hold(t)
		return
	}
	for name, night := range map[string]time.Time{
		"clocks go back": time.Date(2026, 10, 24, 22, 0, 0, 0, time.UTC),
		"a month ends":   time.Date(2026, 10, 31, 22, 30, 0, 0, time.UTC),
	} {
		t.Run(name, func(t *testing.T) { aNight(t, night).hold(t) })
	}
}

// aNight is a plan of four hours on a small cloud.
func aNight(t *testing.T, from time.Time) plan {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "carbon.yml")
	write(t, path, `
lookback: 3h
prometheus: {url: "http://prometheus.test"}
carbon_intensity: {provider: uk, uk: {url: "http://grid.test"}}
budgets:
  - {name: site-month, scope: ada, period: month, gco2eq: 50000}
  - {name: site-day, scope: ada, period: day, gco2eq: 2000}
`)
	return plan{
		Config: path, Store: filepath.Join(dir, "carbon.db"), Scrapes: os.DevNull, Every: 10 * time.Minute,
		Cloud: simulate.Config{Seed: 3, Hosts: 3, Start: from.AddDate(0, 0, -1)},
		Lives: []usage.Period{{From: from, To: from.Add(4 * time.Hour)}},
	}
}

// hold runs a plan and checks each page of it.
func (p plan) hold(t *testing.T) {
	t.Helper()
	cfg, err := config.Load(p.Config)
	if err != nil {
		t.Fatal(err)
	}
	write, end := scrapes(t, p.Scrapes)
	defer end()
	calendar := &calendar{zone: cfg.Location()}
	midnights := p.run(t, func(at time.Time, body []byte) {
		calendar.check(t, at, sums(t, body))
		write(at, body)
	})
	if calendar.restarts != midnights {
		t.Errorf("the day restarts %d times, want %d", calendar.restarts, midnights)
	}
}

// calendar is what is known of the days so far.
type calendar struct {
	zone     *time.Location
	last     time.Time
	today    float64
	restarts int
}

func (c *calendar) check(t *testing.T, at time.Time, seen map[string]float64) {
	t.Helper()
	if at.Sub(c.last) > time.Hour { // another life
		c.last, c.today = at, 0
	}
	for _, same := range [][2]string{
		{"carbon_day_to_date_emissions_gco2eq", "carbon_budget_used_gco2eq site-day"},
		{"carbon_month_to_date_emissions_gco2eq", "carbon_budget_used_gco2eq site-month"},
	} {
		if used, ok := seen[same[1]]; ok && math.Abs(used-seen[same[0]]) > 1e-9*used {
			t.Errorf("%s: %s is %v, %s is %v", at.In(c.zone), same[0], seen[same[0]], same[1], used)
		}
	}
	for _, what := range []string{"energy_kwh", "emissions_gco2eq"} {
		day, month, year := seen["carbon_day_to_date_"+what], seen["carbon_month_to_date_"+what], seen["carbon_year_to_date_"+what]
		if day > month*(1+1e-9) || month > year*(1+1e-9) {
			t.Errorf("%s: %s of the day is %v, of the month %v, of the year %v", at.In(c.zone), what, day, month, year)
		}
	}
	today := seen["carbon_day_to_date_energy_kwh"]
	if today < c.today*(1-1e-9) { // an interval that is attributed again may lose a last bit
		c.restarts++
		if begin := budget.Day.Period(at, c.zone).From; c.last.After(begin) || at.Before(begin) {
			t.Errorf("the day restarts between %s and %s, from %v to %v", c.last.In(c.zone), at.In(c.zone), c.today, today)
		}
	}
	c.last, c.today = at, today
}

// scrapes writes pages to a file, each behind a line that says when it was scraped
// and how long it is: milliseconds since the epoch and bytes.
func scrapes(t *testing.T, path string) (page func(time.Time, []byte), end func()) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriterSize(file, 1<<20)
	return func(at time.Time, body []byte) {
			fmt.Fprintf(out, "%d %d\n", at.UnixMilli(), len(body))
			out.Write(body) //nolint:errcheck // Flush says it
		}, func() {
			if err := errors.Join(out.Flush(), file.Close()); err != nil {
				t.Error(err)
			}
		}
}

// run lives all lives of a plan and says over how many midnights. Page gets what
// each scrape would have seen.
func (p plan) run(t *testing.T, page func(time.Time, []byte)) (midnights int) {
	t.Helper()
	cloud, err := simulate.New(p.Cloud)
	if err != nil {
		t.Fatal(err)
	}
	c := clock.NewSimulated(p.Lives[0].From)
	for n, life := range p.Lives {
		c.Sleep(t.Context(), life.From.Sub(c.Now()), nil)
		d := p.born(t, cloud, c)
		if n == 0 && !p.History.IsZero() {
			history := ingest.Range{Period: usage.Period{From: p.History, To: usage.SlotAt(life.From).Add(-time.Hour)}}
			worker := &ingest.Worker{Store: d.store, Observer: d, Clock: c, Log: d.log, Settings: d.parts.Settings}
			if done, err := worker.Backfill(t.Context(), history); err != nil || len(done.Failed) > 0 {
				t.Fatalf("history: %v, %+v", err, done)
			}
		}
		p.live(t, d, life.To, page)
		cfg, _ := d.current()
		life.To = life.To.Add(1) // a scrape at midnight is one of the new day
		midnights += len(budget.Split(life, budget.Day, cfg.Location())) - 1
	}
	return midnights
}

// born is an exporter whose upstreams are in this process: their answers take
// simulated time.
func (p plan) born(t *testing.T, cloud *simulate.Cloud, c clock.Clock) *daemon {
	t.Helper()
	f, err := parse([]string{"--config.file=" + p.Config, "--storage.path=" + p.Store, "--collector.workspace"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	cfg, _, err := load(f)
	if err != nil {
		t.Fatal(err)
	}
	cfg.MongoDB = nil
	keeper, err := store.Open(t.Context(), f.storagePath, store.Options{Exclusive: true, Interval: time.Duration(cfg.Interval), Timezone: cfg.Location()})
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDaemon(t.Context(), f, cfg, keeper, slog.New(slog.DiscardHandler), c)
	if err != nil {
		t.Fatal(err)
	}
	d.spine.WakeEvery = time.Hour // this clock does not jump
	made := d.parts
	made.Settings.Source.(*source.Client).Upstream = near(c, p.out(c, usage.SourcePrometheus, &truthful{cloud: cloud, surges: p.Surges}), 0.4)
	made.Settings.Grid.(*intensity.UK).Upstream = near(c, p.out(c, usage.SourceCarbonIntensity, simulate.NewUKAPI(p.Cloud.Seed, c.Now)), 0.2)
	if p.Cloud.Directory {
		made.Settings.Directory = &ingest.Directory{
			Census: func(ctx context.Context) (directory.Census, []directory.RecordReject, error) {
				c.Sleep(ctx, 300*time.Millisecond, nil)
				all, rejects := census(cloud, c.Now())
				return all, rejects, nil
			},
			Learn: attribution.Learn, Every: 10 * time.Minute, Homes: cfg.Attribution.GroupBy == config.GroupByDirectory,
		}
		made.Settings.UsageWriter = mailbag{c}
	}
	d.use(cfg, made)
	d.spine.Reload(made.Settings)
	return d
}

// live runs an exporter until a time and scrapes it.
func (p plan) live(t *testing.T, d *daemon, until time.Time, page func(time.Time, []byte)) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	d.clock.Run(func() { d.work(ctx) }, func() {
		defer stop()
		for at := usage.FloorEpoch(d.clock.Now(), p.Every).Add(p.Every); !at.After(until); at = at.Add(p.Every) {
			d.clock.Sleep(ctx, at.Sub(d.clock.Now()), nil)
			d.clock.Sleep(ctx, 0, nil) // until all have done what there is to do now
			w := httptest.NewRecorder()
			d.exposition.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
			if w.Code != 200 {
				t.Errorf("%s: status %d: %s", at, w.Code, w.Body)
				return
			}
			page(at, w.Body.Bytes())
		}
	})
	if err := errors.Join(d.parts.Close(), d.store.Close()); err != nil {
		t.Fatal(err)
	}
}
