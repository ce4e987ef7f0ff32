// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/collector"
	"github.com/carbon-exporter/carbon_exporter/internal/privacy"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// steady stores intervals of half an hour in [from, to), in which project IDAaaS of
// the group ISIS uses 0.1 kWh and CLF 0.3 kWh, all at 100 g/kWh: 10 g and 30 g.
func steady(t *testing.T, d *daemon, from, to time.Time) {
	t.Helper()
	var recs []usage.Record
	for i := usage.IntervalAt(from, usage.SlotLength); i.Start.Before(to); i = i.Next() {
		rec := usage.Record{
			Interval: i, State: usage.Provisional, PUE: 1, FetchedAt: i.End(),
			Prices: []usage.PiecePrice{{Start: i.Start, Price: usage.Price{
				Intensity: 100, Kind: usage.Actual, Provider: "uk", Grid: "GB", SlotFrom: i.Start, FetchedAt: i.End(),
			}}},
			Ratings: []usage.Rating{{Machine: "Laser", Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}, Source: "default"}},
		}
		for project, kwh := range map[string]usage.KWh{"IDAaaS": 0.1, "CLF": 0.3} {
			group := map[string]string{"IDAaaS": "ISIS", "CLF": "CLF"}[project]
			rec.Facts = append(rec.Facts, usage.Fact{
				Key: usage.Key{Project: project, Machine: "Laser", User: "1042", Group: group}, Start: i.Start,
				CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: 30000},
				Energy: usage.ByMode[usage.KWh]{Busy: kwh},
			})
		}
		recs = append(recs, rec)
	}
	storetest.Commit(t, d.store, recs...)
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// at reads what was used and how budgets stand at a time.
func (d *daemon) at(t *testing.T, now time.Time) (collector.ToDate, map[string]collector.Budget) {
	t.Helper()
	cfg, labels := d.current()
	var all spent
	if err := d.store.View(t.Context(), func(v *store.View) error {
		summary, err := v.Summary(t.Context())
		if err != nil {
			return err
		}
		all, err = periods(t.Context(), v, cfg, labels, summary, privacy.View{Summary: summary}, now)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	byName := map[string]collector.Budget{}
	for _, b := range all.budgets {
		byName[b.Name] = b
	}
	return all.toDate, byName
}

func kwh(totals []usage.KeyUsage) (sum float64) {
	for _, t := range totals {
		sum += float64(t.Energy.Total())
	}
	return sum
}

func close9(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), math.Abs(b)) }

func TestToDateOverMonthEndsAndClockChanges(t *testing.T) {
	d, _ := prepared(t, "--config.file="+configFile(t, "timezone: Europe/London\n"))
	steady(t, d, moment(t, "2026-03-27T00:00:00Z"), moment(t, "2026-04-02T06:00:00Z"))
	for _, c := range []struct {
		name, now        string
		day, month, year float64 // intervals
	}{
		{"all is behind now", "2026-04-02T06:05:00Z", 14, 62, 300}, // from 23:00Z, from 31 March 23:00Z, from 27 March
		{"just after midnight nothing is used yet", "2026-04-02T23:01:00Z", 0, 62, 300},
		{"the next month begins with nothing", "2026-04-30T23:00:00Z", 0, 0, 300},
		{"a year later there is nothing", "2027-01-01T00:00:00Z", 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			toDate, _ := d.at(t, moment(t, c.now))
			for _, p := range []struct {
				name      string
				got       []usage.KeyUsage
				intervals float64
			}{{"day", toDate.Day, c.day}, {"month", toDate.Month, c.month}, {"year", toDate.Year, c.year}} {
				if got := kwh(p.got); !close9(got, 0.4*p.intervals) {
					t.Errorf("%s: %v kWh, want %v", p.name, got, 0.4*p.intervals)
				}
			}
		})
	}
}

func TestADayOfTheClockChange(t *testing.T) {
	for _, c := range []struct {
		name, from, to, now string
		intervals           float64
	}{
		{"46 half hours in spring", "2026-03-28T00:00:00Z", "2026-03-29T23:00:00Z", "2026-03-29T22:59:59Z", 46},
		{"50 in autumn", "2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z", "2026-10-25T23:59:59Z", 50},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := prepared(t, "--config.file="+configFile(t, ""))
			steady(t, d, moment(t, c.from), moment(t, c.to))
			toDate, _ := d.at(t, moment(t, c.now))
			if got := kwh(toDate.Day); !close9(got, 0.4*c.intervals) {
				t.Errorf("%v kWh, want %v", got, 0.4*c.intervals)
			}
		})
	}
}

const someBudgets = `budgets:
- {name: isis, scope: group, target: ISIS, period: month, gco2eq: 20000}
- {name: site, scope: ada, period: week, kwh: 100}
- {name: march, scope: project, target: CLF, from: 2026-03-20, to: 2026-04-01, kwh: 50}
- {name: nobody, scope: user, target: "977", period: day, gco2eq: 10}
`

func TestBudgetsStandAsTheMathematicsSays(t *testing.T) {
	d, _ := prepared(t, "--config.file="+configFile(t, someBudgets))
	steady(t, d, moment(t, "2026-03-20T00:00:00Z"), moment(t, "2026-03-30T12:00:00Z"))
	_, budgets := d.at(t, moment(t, "2026-03-30T12:05:00Z"))

	// London's March has 743 hours; ISIS uses 20 g an hour.
	isis := budgets["isis"]
	plan := 20000.0 / 743
	want := map[string]float64{"2h": 20 / plan, "1d": 20 / plan, "7d": 20 / plan}
	for window, ratio := range want {
		if got, ok := isis.Burn[window]; !ok || !close9(got, ratio) {
			t.Errorf("burn of %s is %v, want %v", window, got, ratio)
		}
	}
	if isis.Used == nil || !close9(*isis.Used, 252*20) {
		t.Errorf("used %v, want %v", isis.Used, 252*20)
	}
	rest := moment(t, "2026-03-31T23:00:00Z").Sub(moment(t, "2026-03-30T12:00:00Z")).Hours()
	if isis.Projected == nil || !close9(*isis.Projected, (252*20+20*rest)/20000) {
		t.Errorf("projected %v, want %v", isis.Projected, (252*20+20*rest)/20000)
	}

	// The week begins on Monday 30 March, 23:00Z the day before: 13 hours of 0.8 kWh.
	if site := budgets["site"]; site.Used == nil || !close9(*site.Used, 13*0.8) || !site.InKWh || site.Target != "" {
		t.Errorf("the site: %+v", site)
	}
	if march := budgets["march"]; march.Used == nil || !close9(*march.Used, 252*0.6) ||
		!march.Period.To.Equal(moment(t, "2026-03-31T23:00:00Z")) {
		t.Errorf("from and to: %+v", march)
	}
	if nobody := budgets["nobody"]; nobody.Used != nil || len(nobody.Burn) > 0 || nobody.Projected != nil || nobody.Limit != 10 {
		t.Errorf("of whom nobody has heard: %+v", nobody)
	}

	// What is used adds up with the sums that reports are made of.
	accounts, err := d.store.Accounts(t.Context(), usage.Period{From: moment(t, "2026-03-01T00:00:00Z"), To: moment(t, "2026-03-30T12:00:00Z")})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range accounts[0].By(usage.ScopeGroup) {
		if g.Name == "ISIS" && float64(g.Emissions.Total()) != *isis.Used {
			t.Errorf("a report says %v, the budget %v", g.Emissions.Total(), *isis.Used)
		}
	}
}

// Grams of what has no price are in no metric, neither of the day nor of a budget.
func TestABudgetInGramsOfWhatHasNoPrice(t *testing.T) {
	d, _ := prepared(t, "--config.file="+configFile(t, someBudgets))
	start := moment(t, "2026-03-30T08:00:00Z")
	rec := usage.Record{
		Interval: usage.IntervalAt(start, usage.SlotLength), State: usage.Unpriced, PUE: 1, FetchedAt: start.Add(time.Hour),
		Ratings: []usage.Rating{{Machine: "Laser", Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}, Source: "default"}},
		Facts: []usage.Fact{{
			Key: usage.Key{Project: "IDAaaS", Machine: "Laser", User: "1042", Group: "ISIS"}, Start: start,
			CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 30000}, Energy: usage.ByMode[usage.KWh]{Busy: 0.1},
		}},
	}
	storetest.Commit(t, d.store, rec)
	_, budgets := d.at(t, start.Add(time.Hour))
	if isis := budgets["isis"]; isis.Used != nil || isis.Limit != 20000 {
		t.Errorf("in grams: %+v", isis)
	}
	if site := budgets["site"]; site.Used == nil || !close9(*site.Used, 0.1) {
		t.Errorf("in kWh: %+v", site)
	}
}

func TestABurnRatioIsAbsentWhileTheStoreDoesNotHoldTheWindow(t *testing.T) {
	d, _ := prepared(t, "--config.file="+configFile(t, someBudgets))
	steady(t, d, moment(t, "2026-03-29T00:00:00Z"), moment(t, "2026-03-30T12:00:00Z"))
	_, budgets := d.at(t, moment(t, "2026-03-30T12:05:00Z"))
	isis := budgets["isis"]
	if _, ok := isis.Burn["1d"]; !ok || isis.Used == nil {
		t.Errorf("a day is held: %+v", isis)
	}
	if _, ok := isis.Burn["7d"]; ok || isis.Projected != nil {
		t.Errorf("a week is not: %+v", isis)
	}
}

func TestBudgetsAreOnMetrics(t *testing.T) {
	p := start(t, storage(t), "--config.file="+configFile(t, someBudgets))
	if got := metric(t, p.url, "carbon_budget_limit_gco2eq"); got != "20000" {
		t.Errorf("the limit is %s", got)
	}
	if got := metric(t, p.url, "carbon_budget_used_gco2eq"); got != "absent" {
		t.Errorf("used of an empty store is %s", got)
	}
	eventually(t, "a warning of what nobody has heard of", func() bool {
		return strings.Count(p.stderr.String(), "Budget has a target without any usage so far") == 3 // but for the site
	})
	if strings.Contains(p.stderr.String(), "977") {
		t.Error("the log names a user")
	}
}
