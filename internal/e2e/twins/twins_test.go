// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package twins_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
)

// history is how much the twins catch up with. A day of it is not settled at the end: its carbon
// intensity may still be revised.
const history = 40 * time.Hour

// Two programs with one configuration: whatever happens to either, they end in the same numbers.
func TestTwinsEndInTheSameNumbers(t *testing.T) {
	t.Parallel()
	over := spanOf(history)
	all := int(history / (30 * time.Minute))
	prometheus := newSite(t, over).Handler()
	now := time.Now().UTC()
	uk := simulate.NewUKAPI(11, func() time.Time { return now })
	early := simulate.NewUKAPI(11, func() time.Time { return now.Add(-10 * time.Minute) })
	early.SetFault(simulate.NoActuals)

	pair := func(name string) (w *twin, toPrometheus, toCarbon *door) {
		toPrometheus, toCarbon = newDoor(t, prometheus), newDoor(t, uk)
		return newTwin(t, name, func(more string) string {
			return configuration(over, toPrometheus.URL, toCarbon.URL) + more
		}), toPrometheus, toCarbon
	}
	a, aPrometheus, aCarbon := pair("a")
	b, bPrometheus, bCarbon := pair("b")

	// a sees forecasts alone for a while, does not get at the carbon API, then not at Prometheus, and
	// is killed again and again.
	aCarbon.lets(nothing)
	a.configure("\nsettle_after: 240h\n")
	a.start()
	a.says(fmt.Sprintf(`carbon_intervals{state="unpriced"} %d`, all))
	aCarbon.open = early
	aCarbon.lets(everything)
	a.says(fmt.Sprintf(`carbon_intervals{state="provisional"} %d`, all))
	a.kill()
	a.configure("\nsettle_after: 24h\n")
	aCarbon.open = uk
	aPrometheus.lets(nothing)
	for n := range 3 {
		a.launch("127.0.0.1:0")
		<-time.After(time.Duration(60+90*n) * time.Millisecond)
		a.kill()
	}
	a.start()

	// b starts later, misses every forecast, is given a few hours of usage at a time, and is killed
	// while it catches up.
	b.configure("\nsettle_after: 24h\n")
	bCarbon.lets(func(r *http.Request) int {
		if strings.HasSuffix(r.URL.Path, "/fw48h") || strings.HasSuffix(r.URL.Path, "/fw24h") {
			return http.StatusServiceUnavailable
		}
		return 0
	})
	bPrometheus.lets(nothing)
	b.start()
	b.says(`carbon_exporter_source_up{source="prometheus"} 0`)
	bPrometheus.lets(fewAtOnce)
	for n := range 4 {
		before := b.count("SELECT count(*) FROM usage_interval WHERE fetched_at IS NOT NULL")
		eventually(t, waitFor, "b has caught up with more", func() error {
			if after := b.count("SELECT count(*) FROM usage_interval WHERE fetched_at IS NOT NULL"); after < min(before+8, all) {
				return fmt.Errorf("it has %d of %d", after, all)
			}
			return nil
		})
		b.kill()
		if n == 2 {
			bPrometheus.lets(nothing)
		}
		b.start()
		bPrometheus.lets(fewAtOnce)
	}

	aPrometheus.lets(everything)
	whole := []string{`carbon_intervals{state="missing"} 0`, `carbon_intervals{state="unpriced"} 0`}
	a.says(whole...)
	b.says(whole...)
	bCarbon.lets(everything)

	// c joins with a copy of the store of a.
	c, _, _ := pair("c")
	c.configure("\nsettle_after: 24h\n")
	a.tool("backup", filepath.Join(filepath.Dir(c.config), "copy.db"))
	c.store = filepath.Join(filepath.Dir(c.config), "copy.db")
	c.start()
	c.says(whole...)

	const least = 24
	for _, w := range []*twin{a, b, c} {
		if n := w.count("SELECT count(*) FROM usage_interval WHERE state = 'settled'"); n < least {
			t.Errorf("%s has settled %d intervals, want %d", w.name, n, least)
		}
		if n := w.count("SELECT count(*) FROM interval_doubt JOIN usage_interval USING (start) WHERE usage_interval.state = 'settled'"); n == 0 {
			t.Errorf("%s has no settled interval with a host in doubt: the site is too easy", w.name)
		}
	}
	if n := a.count("SELECT count(*) FROM interval_change WHERE why = 'actual'"); n == 0 {
		t.Error("no price of a was a forecast before")
	}
	want := a.numbers()
	for _, w := range []*twin{b, c} {
		same(t, "settled intervals of "+w.name+" and a", w.numbers(), want)
		eventually(t, waitFor, "what "+w.name+" shows is what a shows", func() error {
			if got, want := w.shown(), a.shown(); got != want {
				return fmt.Errorf("%s", firstOf(got, want))
			}
			return nil
		})
		for _, scope := range []string{"site", "project", "machine", "user", "group"} {
			report := []string{"report", "--scope=" + scope, "--format=json", "--from=" + over.first.Format(time.RFC3339), "--to=" + over.end.Format(time.RFC3339)}
			same(t, "report of "+w.name+" and a", w.tool(report...), a.tool(report...))
		}
	}
}

// fewAtOnce lets through queries over few half hours, as a small server does.
func fewAtOnce(r *http.Request) int {
	if r.Method == http.MethodPost {
		// The body is read once: the door hands the parsed form on.
		if err := r.ParseForm(); err != nil {
			return http.StatusBadRequest
		}
	}
	from, _ := strconv.ParseFloat(r.FormValue("start"), 64)
	to, _ := strconv.ParseFloat(r.FormValue("end"), 64)
	step, _ := strconv.ParseFloat(r.FormValue("step"), 64)
	if step >= 1800 && strings.HasPrefix(r.FormValue("query"), "sum by") && (to-from)/step > 4+10 {
		return http.StatusUnprocessableEntity
	}
	return 0
}

// configuration is what twins have in common.
func configuration(over span, prometheus, uk string) string {
	return fmt.Sprintf(`
lookback: %ds
prometheus: {url: %q, lag: %ds}
power: {busy_watts: 12, idle_watts: 1, pue: 1.2, machines: {Muon: {busy_watts: 9.5, idle_watts: 1.25}}}
carbon_intensity: {provider: uk, uk: {url: %q}}
budgets:
- {name: site-of-now, scope: site, from: %s, to: %s, kwh: 0.001}
`, int(over.lookback.Seconds()), prometheus, int(over.lag.Seconds()), uk,
		over.first.AddDate(0, 0, -1).Format(time.DateOnly), over.end.AddDate(0, 0, 30).Format(time.DateOnly))
}

// firstOf is the first line in which two texts differ.
func firstOf(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return g[i] + "\n" + w[i]
		}
	}
	return fmt.Sprintf("%d lines and %d", len(g), len(w))
}
