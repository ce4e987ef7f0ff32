// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var now = time.Date(2026, 11, 25, 10, 20, 0, 0, time.UTC)

// november is a budget of a month that has used a half, up to ten minutes ago.
func november(change func(*Budget)) *Budget {
	b := &Budget{
		Name: "isis", Unit: "gCO2eq", Limit: 500000, Used: new(250000.0), Projected: new(0.8), Interval: 30 * time.Minute,
		Period: usage.Period{From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)},
		Newest: now.Add(-20 * time.Minute),
	}
	change(b)
	return b
}

// grid has these forecasts from the current slot on, of which a negative one stands for none.
func grid(fetched time.Duration, values ...float64) *Grid {
	var slots []usage.Slot
	for n, v := range values {
		if v >= 0 {
			slots = append(slots, usage.Slot{From: usage.SlotAt(now).Add(time.Duration(n) * usage.SlotLength), Forecast: new(usage.GramsPerKWh(v))})
		}
	}
	return &Grid{Name: "GB", Outlook: usage.OutlookAt(slots, now), FetchedAt: now.Add(-fetched)}
}

func TestDecide(t *testing.T) {
	usual := Rules{At: 1, For: time.Hour, Saves: 0.1}
	rules := func(change func(*Rules)) Rules { r := usual; change(&r); return r }
	six := rules(func(r *Rules) { r.Within = 6 * time.Hour })
	short := rules(func(r *Rules) { r.Within, r.For = 6*time.Hour, usage.SlotLength })
	projecting := rules(func(r *Rules) { r.Projected = 1.2 })
	for _, c := range []struct {
		name    string
		rules   Rules
		facts   Facts
		verdict Verdict
		reason  string   // it has this
		doubts  []string // each has this
	}{
		{"nothing is known and nothing was asked", usual, Facts{}, Go, "nothing holds", nil},
		{"half is used", usual, Facts{Budget: november(func(*Budget) {})}, Go, "nothing holds", nil},
		{
			"all is used", usual,
			Facts{Budget: november(func(b *Budget) { b.Used = new(500000.0) })},
			Denied,
			"budget isis is used up to 100 %, and work begins below 100 %: 500000 of 500000 gCO2eq, until 2026-12-01T00:00:00Z", nil,
		},
		{"a gram is left", usual, Facts{Budget: november(func(b *Budget) { b.Used = new(499999.0) })}, Go, "nothing holds", nil},
		{"a lower threshold", rules(func(r *Rules) { r.At = 0.5 }), Facts{Budget: november(func(*Budget) {})}, Denied, "used up to 50 %, and work begins below 50 %", nil},
		{"all is used, and more is missing", usual, Facts{Budget: november(func(b *Budget) { b.Used, b.Unknown = new(6e5), time.Hour })}, Denied, "used up to 120 %", nil},
		{
			"half is used, and some is missing", usual,
			Facts{Budget: november(func(b *Budget) { b.Unknown = 26 * time.Hour })},
			Go, "nothing holds",
			[]string{"1d2h of the period is missing from what budget isis has used, so more may be used than 50 %"},
		},
		{"what is used is not known", usual, Facts{Budget: november(func(b *Budget) { b.Used = nil })}, Go, "nothing holds", []string{"what budget isis has used is not known"}},
		{
			"stale, and all was used", usual,
			Facts{Budget: november(func(b *Budget) { b.Used, b.Newest = new(6e5), now.Add(-121*time.Minute) })},
			Go, "nothing holds",
			[]string{"the data is stale: the newest interval ended at 2026-11-25T08:19:00Z, 2h1m ago"},
		},
		{"as old as can be relied on", usual, Facts{Budget: november(func(b *Budget) { b.Used, b.Newest = new(6e5), now.Add(-120*time.Minute) })}, Denied, "120 %", nil},
		{"hourly intervals are older", usual, Facts{Budget: november(func(b *Budget) { b.Used, b.Newest, b.Interval = new(6e5), now.Add(-121*time.Minute), time.Hour })}, Denied, "120 %", nil},
		{"nothing was ever stored", usual, Facts{Budget: november(func(b *Budget) { b.Newest = time.Time{} })}, Go, "nothing holds", []string{"the data is stale"}},
		{"a clock is wrong", usual, Facts{Budget: november(func(b *Budget) { b.Used, b.Newest = new(6e5), now.Add(time.Hour) })}, Go, "nothing holds", []string{"in the future"}},
		{"before its time", usual, Facts{Budget: november(func(b *Budget) { b.Used, b.Period.From = nil, now.Add(1) })}, Go, "nothing holds", []string{"not in force: it is from 2026-11-25T10:20:00Z to"}},
		{"after its time", usual, Facts{Budget: november(func(b *Budget) { b.Used, b.Period.To = nil, now })}, Go, "nothing holds", []string{"not in force"}},
		{"a projection that does not count", usual, Facts{Budget: november(func(b *Budget) { b.Projected = new(3.0) })}, Go, "nothing holds", nil},
		{
			"a projection that counts", projecting,
			Facts{Budget: november(func(b *Budget) { b.Projected = new(1.2) })},
			Denied,
			"projected to end at 120 % of its limit on 2026-12-01T00:00:00Z, and work begins below 120 %", nil,
		},
		{"a projection below it", projecting, Facts{Budget: november(func(b *Budget) { b.Projected = new(1.19) })}, Go, "nothing holds", nil},
		{"no projection yet", projecting, Facts{Budget: november(func(b *Budget) { b.Projected = nil })}, Go, "nothing holds", []string{"that takes 7 days of data"}},
		{
			"a later hour is better", six,
			Facts{Grid: grid(0, 100, 100, 100, 50, 50)},
			Deferred,
			"2026-11-25T11:30:00Z is a better time to begin: the mean is 50 gCO2eq/kWh then and 100 now, 50 % less", nil,
		},
		{"no later hour was asked for", usual, Facts{Grid: grid(0, 100, 100, 100, 50, 50)}, Go, "nothing holds", nil},
		{"the first of equally good hours", six, Facts{Grid: grid(0, 100, 100, 50, 50, 50, 50)}, Deferred, "2026-11-25T11:00:00Z", nil},
		{"now is as good", six, Facts{Grid: grid(0, 50, 50, 100, 50, 50)}, Go, "nothing holds", nil},
		{"it saves just too little", six, Facts{Grid: grid(0, 100, 100, 90, 90)}, Go, "nothing holds", nil},
		{"it saves just enough", six, Facts{Grid: grid(0, 100, 100, 89, 90)}, Deferred, "10.5 % less", nil},
		{"it is too late", short, Facts{Grid: grid(0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0)}, Go, "nothing holds", nil},
		{"it is the last that is not too late", short, Facts{Grid: grid(0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0)}, Deferred, "2026-11-25T16:00:00Z", nil},
		{"nothing to save", six, Facts{Grid: grid(0, 0, 0, 0, 0)}, Go, "nothing holds", nil},
		{"no forecast of now", six, Facts{Grid: grid(0, 100, -1, 50, 50)}, Go, "nothing holds", []string{"the forecast of GB does not cover 1h from now on"}},
		{"a later hour without a forecast", six, Facts{Grid: grid(0, 100, 100, -1, 10, 50, 50)}, Deferred, "2026-11-25T11:30:00Z", nil},
		{"an old forecast", six, Facts{Grid: grid(61*time.Minute, 100, 100, 10, 10)}, Go, "nothing holds", []string{"the forecast of GB is old: it was fetched at 2026-11-25T09:19:00Z, 1h1m ago"}},
		{"denied at any hour", six, Facts{Budget: november(func(b *Budget) { b.Used = new(6e5) }), Grid: grid(0, 100, 100, 10, 10)}, Denied, "120 %", nil},
		{"a budget that is not known does not hide the grid", six, Facts{Doubts: []string{"no store"}, Grid: grid(0, 100, 100, 10, 10)}, Deferred, "11:00", []string{"no store"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.facts.Now = now
			d := Decide(c.rules, c.facts)
			if d.Verdict != c.verdict || !strings.Contains(d.Reason, c.reason) {
				t.Errorf("%s, %q; want %s, %q", d.Verdict, d.Reason, c.verdict, c.reason)
			}
			if !slices.EqualFunc(d.Doubts, c.doubts, strings.Contains) {
				t.Errorf("doubts %q, want %q", d.Doubts, c.doubts)
			}
		})
	}
}

// What waited for its time goes when it has come, if the forecast was right: else it would wait for ever.
func TestWhatHasWaitedGoes(t *testing.T) {
	r := Rules{At: 1, For: time.Hour, Saves: 0.1, Within: 6 * time.Hour}
	values := []float64{90, 80, 70, 60, 20, 20, 90, 5, 5, 80, 1, 30, 40, 50, 60, 70, 80, 90, 20, 20, 2, 2}
	var slots []usage.Slot
	for n, v := range values {
		slots = append(slots, usage.Slot{From: usage.SlotAt(now).Add(time.Duration(n) * usage.SlotLength), Forecast: new(usage.GramsPerKWh(v))})
	}
	waited := 0
	for n := range 8 {
		at := now.Add(time.Duration(n) * usage.SlotLength)
		f := func(at time.Time) Facts {
			return Facts{Now: at, Grid: &Grid{Outlook: usage.OutlookAt(slots, at), FetchedAt: at}}
		}
		first := Decide(r, f(at))
		if first.Verdict != Deferred {
			continue
		}
		waited++
		if then := Decide(r, f(first.Best.From)); then.Verdict == Deferred && then.Best.From.Sub(at) <= r.Within {
			t.Errorf("at %s wait for %s, and then for %s", at, first.Best.From, then.Best.From)
		}
	}
	if waited < 6 {
		t.Errorf("waited %d times", waited)
	}
}

// More usage never opens the gate, and whatever is not known never closes it.
func TestMoreUsageNeverOpens(t *testing.T) {
	r, shut := Rules{At: 0.9, For: time.Hour}, false
	for used := 0.0; used < 600000; used += 9999 {
		d := Decide(r, Facts{Now: now, Budget: november(func(b *Budget) { b.Used = &used })})
		if shut && d.Verdict == Go {
			t.Errorf("open again at %v", used)
		}
		shut = shut || d.Verdict == Denied
		for name, forget := range map[string]func(*Budget){
			"used": func(b *Budget) { b.Used = nil }, "newest": func(b *Budget) { b.Newest = time.Time{} },
		} {
			d := Decide(r, Facts{Now: now, Budget: november(func(b *Budget) { b.Used = &used; forget(b) })})
			if d.Verdict != Go || len(d.Doubts) != 1 {
				t.Errorf("without %s: %+v", name, d)
			}
		}
	}
	if !shut {
		t.Error("never shut")
	}
}
