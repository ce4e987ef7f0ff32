// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/rehearsal"
	"github.com/carbon-exporter/carbon_exporter/internal/rules"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The autumn of the running exporter: project CLF works by its plan, ISIS-Muon does
// so until the evening of 31 October, and from then on no core of it is idle. On
// the way the clocks of London go back, a month ends, grams are restated all the
// time, the exporter is restarted, nobody scrapes it for a while and it cannot reach
// Prometheus for an hour.
const (
	onPlan  = "CLF"
	surging = "ISIS-Muon"
	scrapes = 5 * time.Minute
)

var (
	begin   = utc(10, 10, 0, 0) // of the record
	start   = utc(10, 24, 20, 0)
	restart = utc(10, 28, 9, 7)
	surge   = utc(10, 31, 18, 0)
	end     = utc(11, 1, 18, 0)
	turn    = utc(11, 1, 0, 0) // of the month, in London
)

func utc(month time.Month, day, hour, minute int) time.Time {
	return time.Date(2026, month, day, hour, minute, 0, 0, time.UTC)
}

// autumn is what the budgets of that time are made of.
type autumn struct {
	cloud *simulate.Cloud
	grid  simulate.Grid
}

// kWh is what a project used in a half hour, by the watts of the configuration.
func (a autumn) kWh(project string, half time.Time) float64 {
	var busy, idle float64
	for series, cpu := range a.cloud.Truth(usage.IntervalAt(half, usage.SlotLength)) {
		if series.Project == project {
			busy, idle = busy+float64(cpu.Busy), idle+float64(cpu.Idle)
		}
	}
	if project == surging && !half.Before(surge) {
		busy, idle = busy+idle, 0
	}
	return (12*busy + idle) / 3.6e6
}

// over adds up the half hours from a time to another.
func over(from, to time.Time, of func(half time.Time) float64) (sum float64) {
	for ; from.Before(to); from = from.Add(usage.SlotLength) {
		sum += of(from)
	}
	return sum
}

// most is the most of any stretch of days from the begin of the record to the surge.
func most(days int, of func(half time.Time) float64) (most float64) {
	for from := begin; !from.AddDate(0, 0, days).After(surge); from = from.Add(time.Hour) {
		most = max(most, over(from, from.AddDate(0, 0, days), of))
	}
	return most
}

func TestAlertsOfARunningExporter(t *testing.T) {
	const seed, month = 6, 745.0 / (7 * 24) // the weeks of an October with its 745 hours
	cloud, err := simulate.New(simulate.Config{Seed: seed, Hosts: 5, Start: begin})
	if err != nil {
		t.Fatal(err)
	}
	a := autumn{cloud, simulate.Grid{Seed: seed}}
	energy := func(project string) func(time.Time) float64 {
		known := map[time.Time]float64{}
		return func(half time.Time) float64 {
			if _, ok := known[half]; !ok {
				known[half] = a.kWh(project, half)
			}
			return known[half]
		}
	}
	steady, step := energy(onPlan), energy(surging)
	grams := func(half time.Time) float64 { return steady(half) * float64(a.grid.Actual(half)) }

	// The limits are what the busiest day and week before the surge come to. Those of days
	// leave room for what a night's work looks like in the morning, and those of grams
	// for forecasts that are off.
	limit := month * most(7, step)
	dir := t.TempDir()
	configuration := filepath.Join(dir, "carbon.yml")
	text := fmt.Sprintf(`
prometheus: {url: "http://prometheus.test"}
carbon_intensity: {provider: uk, uk: {url: "http://grid.test"}}
power: {busy_watts: 12, idle_watts: 1}
budgets:
  - {name: plan-month, scope: project, target: %[1]s, period: month, gco2eq: %[3]v}
  - {name: plan-week, scope: project, target: %[1]s, period: week, kwh: %[4]v}
  - {name: plan-day, scope: project, target: %[1]s, period: day, gco2eq: %[5]v}
  - {name: step, scope: project, target: %[2]s, period: month, kwh: %[6]v}
`, onPlan, surging, month*most(7, grams), 1.02*most(7, steady), 1.2*most(1, grams), limit)
	if err := os.WriteFile(configuration, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := lived(t, rehearsal.Rehearsal{
		Dir: filepath.Join(dir, "lived"), Config: configuration,
		Cloud:   simulate.Config{Seed: seed, Hosts: 5, Start: begin},
		History: begin, Lives: []usage.Period{{From: start, To: restart}, {From: restart.Add(5 * time.Minute), To: end}},
		Every:  scrapes,
		Faults: []rehearsal.Fault{{Period: usage.Period{From: utc(10, 26, 15, 10), To: utc(10, 26, 16, 20)}, Source: usage.SourcePrometheus}},
		Surges: []rehearsal.Surge{{Period: usage.Period{From: surge, To: end}, Project: surging}},
		Unseen: []usage.Period{{From: utc(10, 30, 10, 2), To: utc(10, 30, 13, 8)}},
	})

	t.Run("on plan nothing fires", func(t *testing.T) {
		p.none(t, `ALERTS{alertstate="firing", budget=~"plan-.+"}`, start, end)
		p.none(t, `ALERTS{alertstate="firing", budget="step"}`, start, surge)
		// The exporter was absent for three hours, and hosts of so small a cloud do take
		// the last series of a kind with them. Nobody has said what these machines draw.
		p.none(t, `ALERTS{alertstate="firing", topic!="budget", alertname!~"CarbonExporterAbsent|CarbonLabelDrift|CarbonPowerByDefault"}`, start, end)
	})
	t.Run("watts that nobody knows are said after a day", func(t *testing.T) {
		fires := p.series(t, `ALERTS{alertname="CarbonPowerByDefault", alertstate="firing"}`, start, end)
		if len(fires) != 1 {
			t.Fatalf("fires: %v", fires)
		}
		if at := fires[0].at[0]; at.Sub(start) < 24*time.Hour || at.Sub(start) > 24*time.Hour+2*scrapes {
			t.Errorf("fires first at %s; the exporter starts at %s", at, start)
		}
		if all := p.series(t, `ALERTS_FOR_STATE{alertname="CarbonPowerByDefault"}`, start, end); len(all) != 1 {
			t.Errorf("one exporter has one such alert, not %d", len(all))
		}
	})
	t.Run("grams were restated downward, and the exporter was away", func(t *testing.T) {
		for query, at := range map[string]time.Time{
			`resets(carbon_budget_used_gco2eq{budget="plan-month"}[6d]) > 0`: turn.Add(-time.Hour),
			`count_over_time((up == 0)[6d:5m]) > 30`:                         turn.Add(-time.Hour),
		} {
			if got := p.series(t, query, at, at); len(got) != 1 {
				t.Errorf("%s: %v", query, got)
			}
		}
	})
	t.Run("burn ratios are those of the mathematics", func(t *testing.T) {
		for name, window := range map[string]time.Duration{"2h": 2 * time.Hour, "1d": 24 * time.Hour, "7d": 7 * 24 * time.Hour} {
			p.holds(t, fmt.Sprintf(`carbon_budget_burn_ratio{budget="step", window=%q}`, name), func(at, newest time.Time) float64 {
				return over(newest.Add(-window), newest, step) / window.Hours() / (limit / period(at).hours())
			})
		}
		p.holds(t, `carbon_budget_used_kwh{budget="step"}`, func(at, newest time.Time) float64 {
			return over(period(at).From, newest, step)
		})
		p.holds(t, `carbon_budget_projected_ratio{budget="step"}`, func(at, newest time.Time) float64 {
			from := newest
			if from.Before(period(at).From) {
				from = period(at).From
			}
			rate := over(newest.AddDate(0, 0, -7), newest, step) / (7 * 24)
			return (over(period(at).From, newest, step) + rate*period(at).To.Sub(from).Hours()) / limit
		})
		p.holds(t, `carbon_budget_period_end_timestamp_seconds{budget="step"}`, func(at, _ time.Time) float64 {
			return float64(period(at).To.Unix())
		})
	})
	t.Run("a step fires when the mathematics says", func(t *testing.T) {
		ratio := func(newest time.Time, window time.Duration) float64 {
			return over(newest.Add(-window), newest, step) / window.Hours() / (limit / period(newest).hours())
		}
		crosses := surge
		for ; ratio(crosses, 24*time.Hour) <= 3 || ratio(crosses, 2*time.Hour) <= 3; crosses = crosses.Add(usage.SlotLength) {
			if crosses.After(end) {
				t.Fatal("it never does")
			}
		}
		const lag, wait = 2 * time.Minute, 15 * time.Minute
		fires := p.series(t, `ALERTS{alertname="CarbonBudgetBurnFast", alertstate="firing", budget="step"}`, start, end)
		if len(fires) != 1 {
			t.Fatalf("fires: %v", fires)
		}
		at, earliest := fires[0].at[0], crosses.Add(lag+wait)
		if at.Before(earliest) || at.Sub(earliest) > scrapes+time.Minute {
			t.Errorf("fires at %s; the ratio crosses 3 with the half hour that ends at %s", at, crosses)
		}
		t.Logf("the step is at %s, the ratio crosses 3 at %s, the alert fires at %s", surge, crosses, at)
	})
}

// prometheus is one that has scraped a rehearsed exporter.
type prometheus struct{ url string }

func lived(t *testing.T, r rehearsal.Rehearsal) prometheus {
	t.Helper()
	r.Bin = filepath.Dir(built.Program(t, "rehearsal"))
	generated, err := rules.Files(rules.Links{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range generated {
		path := filepath.Join(t.TempDir(), f.Name)
		if err := os.WriteFile(path, []byte(f.Text), 0o600); err != nil {
			t.Fatal(err)
		}
		r.Rules = append(r.Rules, path)
	}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, url := enginetest.Serve(t, engine.Options{Dir: r.Prometheus(), WAL: true, Blocks: 24 * time.Hour})
	return prometheus{url}
}

// series is one of an answer.
type series struct {
	labels map[string]string
	at     []time.Time
	values []float64
}

// series asks at each scrape of a time.
func (p prometheus) series(t *testing.T, query string, from, to time.Time) (list []series) {
	t.Helper()
	seconds := func(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
	from = usage.FloorEpoch(from.Add(scrapes-1), scrapes)
	response, err := http.Get(p.url + "/api/v1/query_range?" + url.Values{
		"query": {query}, "start": {seconds(from)}, "end": {seconds(to)}, "step": {strconv.Itoa(int(scrapes.Seconds()))},
	}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil || body.Status != "success" {
		t.Fatalf("%s: %v %s", query, err, body.Error)
	}
	for _, r := range body.Data.Result {
		s := series{labels: r.Metric}
		for _, v := range r.Values {
			value, err := strconv.ParseFloat(v[1].(string), 64)
			if err != nil {
				t.Fatal(err)
			}
			s.at, s.values = append(s.at, time.Unix(int64(v[0].(float64)), 0).UTC()), append(s.values, value)
		}
		list = append(list, s)
	}
	return list
}

// none wants no answer at any scrape.
func (p prometheus) none(t *testing.T, query string, from, to time.Time) {
	t.Helper()
	for _, s := range p.series(t, query, from, to) {
		t.Errorf("%s: %v from %s to %s", query, s.labels, s.at[0], s.at[len(s.at)-1])
	}
}

// holds wants the one series of a metric to be what the mathematics says at each
// scrape, by the end of the newest complete interval then.
func (p prometheus) holds(t *testing.T, metric string, want func(at, newest time.Time) float64) {
	t.Helper()
	newest := map[time.Time]time.Time{}
	for _, s := range p.series(t, "carbon_last_complete_interval_timestamp_seconds", start, end) {
		for n, at := range s.at {
			newest[at] = time.Unix(int64(s.values[n]), 0).UTC()
		}
	}
	list := p.series(t, metric, start, end)
	if len(list) != 1 || len(list[0].at) < 2000 {
		t.Errorf("%s: %d series", metric, len(list))
		return
	}
	wrong := 0
	for n, at := range list[0].at {
		got, want := list[0].values[n], want(at, newest[at])
		if wrong < 3 && math.Abs(got-want) > 1e-6*math.Abs(want) {
			t.Errorf("%s at %s is %v, want %v by %s", metric, at, got, want, newest[at])
			wrong++
		}
	}
}

// month is one of London's.
type month struct{ usage.Period }

func (m month) hours() float64 { return m.To.Sub(m.From).Hours() }

// period is the month that holds a time: October begins in summer time.
func period(at time.Time) month {
	if at.Before(turn) {
		return month{usage.Period{From: utc(9, 30, 23, 0), To: turn}}
	}
	return month{usage.Period{From: turn, To: utc(12, 1, 0, 0)}}
}
