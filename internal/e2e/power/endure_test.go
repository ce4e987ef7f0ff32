// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package power_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// told are all numbers of a store, by name.
var told = []string{
	"SELECT * FROM v_usage ORDER BY 1, 2, 3, 4, 5",
	"SELECT * FROM v_ada_timeseries ORDER BY ts",
	"SELECT * FROM v_project_timeseries ORDER BY ts, cloud_project_name",
	"SELECT * FROM v_machine_timeseries ORDER BY ts, machine_name",
	"SELECT * FROM v_user_timeseries ORDER BY ts, user_id",
	"SELECT * FROM interval_pue ORDER BY start",
	"SELECT * FROM interval_zone ORDER BY start, zone",
	"SELECT start, machine_name, w.* FROM (SELECT start, machine_id AS m, busy_watts, idle_watts, source, error FROM interval_power) w JOIN dim_machine ON machine_id = m ORDER BY 1, 2",
	`SELECT b.*, machine_name, user_id FROM (SELECT start, key_id AS k, metered_busy_cpu_seconds, metered_idle_cpu_seconds, metered_busy_kwh, metered_idle_kwh,
		metered_error, memory_gib_seconds, memory_kwh FROM usage_beside) b JOIN usage_key ON key_id = k JOIN dim_machine USING (machine_id) ORDER BY start, machine_name, user_id`,
	"SELECT start, device, kwh, error, machine_name, user_id FROM usage_device JOIN usage_key USING (key_id) JOIN dim_machine USING (machine_id) ORDER BY 1, 2, 5, 6",
}

// alike wants two stores to have the same numbers, to the last bit.
func alike(t *testing.T, one, other place) {
	t.Helper()
	for _, query := range told {
		a, b := one.rows(t, query), other.rows(t, query)
		if len(a) != len(b) || len(a) == 0 {
			t.Errorf("%s: %d rows and %d", query, len(a), len(b))
			continue
		}
		for i := range a {
			// The number of a key is that of the store.
			if x, y := withoutKey(a[i], query), withoutKey(b[i], query); x != y {
				t.Errorf("%s: %s and %s", query, x, y)
				break
			}
		}
	}
}

func withoutKey(row, query string) string {
	cells := strings.Split(row, " | ")
	if strings.Contains(query, " AS k,") || strings.Contains(query, " AS m,") {
		cells = slices.Delete(cells, 1, 2)
	}
	return strings.Join(cells, " | ")
}

// notLess wants no counter of settled energy to have fallen.
func notLess(t *testing.T, before, after scrape) {
	t.Helper()
	for _, family := range []string{"carbon_settled_energy_kwh_total", "carbon_settled_emissions_gco2eq_total"} {
		was, is := before.by(family, "project", "machine", "user", "mode"), after.by(family, "project", "machine", "user", "mode")
		if len(was) == 0 {
			t.Errorf("%s is not there", family)
		}
		for k, v := range was {
			if is[k] < v {
				t.Errorf("%s of %s was %v and is %v", family, k, v, is[k])
			}
		}
	}
}

// outage has an exporter killed before and within two hours without Prometheus. In the end it has
// what the other one has.
func (m *metered) outage(t *testing.T, other place) {
	away := m.again()
	early := *m
	early.over.lag += 2 * time.Hour
	where := early.place(t, away, meteredPower)
	e := where.start(t)
	before := e.settled(intervalsThere - 4)
	e.End(os.Kill)

	away.Before(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		http.Error(w, "out of order", http.StatusServiceUnavailable)
	})
	write(t, where.config, m.over.config(away, directory+meteredPower))
	e = where.start(t)
	var meanwhile scrape
	eventually(t, "two hours are missing", func() error {
		meanwhile = e.scrape()
		if states := meanwhile.by("carbon_intervals", "state"); states["missing"] != 4 || states["settled"] != intervalsThere-4 {
			return fmt.Errorf("intervals by state: %v", states)
		}
		return nil
	})
	notLess(t, before, meanwhile)
	e.End(os.Kill)

	away.Before(nil)
	e = where.start(t)
	after := e.settled(intervalsThere)
	notLess(t, meanwhile, after)
	if code := e.End(os.Interrupt); code != 0 {
		t.Errorf("the exporter ends with %d", code)
	}
	alike(t, where, other)
	where.tool(t, "check", "store")
}

// backfilled fills a second store from the beginning, and computes it again with other watts of
// memory and another PUE.
func (m *metered) backfilled(t *testing.T, other place) {
	where := m.place(t, m.again(), meteredPower)
	where.tool(t, m.over.backfill()...)
	alike(t, where, other)
	power := strings.NewReplacer("pue: {query: facility_pue, otherwise: 1.5}", "pue: 1.25", "per_gib: 0.4", "per_gib: 0.8").Replace(meteredPower)
	write(t, where.config, m.over.config(m.site, directory+power))
	recost := append([]string{"recost", "--restate"}, m.over.backfill()[1:]...)
	dry := where.tool(t, append(recost, "--dry-run")...)
	alike(t, where, other)
	changed := *m
	changed.flat, changed.held = 1.25, 0.8
	m.checkChange(t, dry, &changed)
	where.tool(t, recost...)
	changed.checkStore(t, where, m.over.intervals())
	where.tool(t, "check", "store")
}

// checkChange reads what a recost would change: a line for each project and one for the site.
func (m *metered) checkChange(t *testing.T, said string, changed *metered) {
	t.Helper()
	sums := func(m *metered) map[string]float64 {
		all := map[string]float64{}
		for _, i := range m.over.intervals() {
			for k, v := range m.truth(i) {
				all[k.project] += v
				all["site"] += v
			}
		}
		return all
	}
	before, after, found := sums(m), sums(changed), 0
	for line := range strings.Lines(said) {
		cells := strings.Fields(line)
		if len(cells) < 4 || before[cells[0]] == 0 {
			continue
		}
		found++
		var was, is float64
		if _, err := fmt.Sscan(cells[1]+" "+cells[2], &was, &is); err != nil || !near(was, before[cells[0]], 2e-3) || !near(is, after[cells[0]], 2e-3) {
			t.Errorf("%q: the truth is %v before and %v after, %v", line, before[cells[0]], after[cells[0]], err)
		}
	}
	if found != len(before) {
		t.Errorf("a dry run says:\n%s", said)
	}
}

// otherIntervals cut the same time otherwise, into pieces that are never longer than a half hour.
func (m *metered) otherIntervals(t *testing.T) {
	hour := m.over.first.Truncate(time.Hour).Add(time.Hour)
	for _, c := range []struct {
		name     string
		interval time.Duration
		from, to time.Time
	}{
		{"hours", time.Hour, hour, hour.Add(4 * time.Hour)},
		{"five minutes each, in the half hour with the hole", 5 * time.Minute, m.hole, m.hole.Add(halfHour)},
	} {
		t.Run(c.name, func(t *testing.T) {
			cut := *m
			cut.over.interval, cut.over.first, cut.over.end = c.interval, c.from, c.to
			where := cut.place(t, m.site, meteredPower)
			where.tool(t, cut.over.backfill()...)
			var pieces []usage.Interval
			for _, i := range cut.over.intervals() {
				pieces = append(pieces, i.Pieces()...)
			}
			m.checkStore(t, where, pieces)
			where.tool(t, "check", "store")
		})
	}
}

// explained wants each factor of a number with where it is from.
func (m *metered) explained(t *testing.T, where place) {
	at := "--ts=" + m.hole.Add(time.Minute).Format(time.RFC3339)
	for project, says := range map[string][]string{
		"ISIS": {
			"machine type Muon: 9 W busy and 2 W idle per core; source: config", "PUE 1.22; source: power.pue.query",
			"metered: hosts whose power was measured; error of the meters 2.0 %", "metered in another 2400 s", "kWh of memory",
			"measured: device gpu, 0.0549 kWh; x 100 = 5.48", "error of the meters 5.0 %", "bob: had host 10.1.0.2 since",
		},
		"AI":  {"machine type Gpu: 4 W busy and 1 W idle per core; source: config", "memory: 115200 GiB s", "measured: device gpu, 0.2562 kWh"},
		"CLF": {"machine type Laser: 12 W busy", "error of the meters unknown"},
	} {
		said := where.tool(t, "explain", at, "--project="+project)
		for _, words := range says {
			if !strings.Contains(said, words) {
				t.Errorf("%s: it does not say %q:\n%s", project, words, said)
			}
		}
	}
}

// forgotten exports a copy of a store, and forgets in it two users of metered hosts and devices.
// Every sum stays.
func (m *metered) forgotten(t *testing.T, other place) {
	where := place{config: other.config, store: filepath.Join(t.TempDir(), "copy.db")}
	other.tool(t, "backup", where.store)
	sum := func() map[string]float64 {
		all := map[string]float64{}
		rows, err := csv.NewReader(strings.NewReader(where.tool(t, append([]string{"export", "csv"}, m.over.backfill()[1:]...)...))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			for i, name := range rows[0] {
				if v, err := strconv.ParseFloat(row[i], 64); err == nil && (strings.HasSuffix(name, "_kwh") || strings.HasSuffix(name, "_gco2eq")) {
					all[name] += v
				}
			}
		}
		return all
	}
	before := sum()
	same(t, "exported energy", map[string]float64{"kWh": before["busy_kwh"] + before["idle_kwh"] + before["measured_kwh"]},
		where.numbers(t, "SELECT 'kWh', sum(busy_kwh + idle_kwh + measured_kwh) FROM v_ada_timeseries"), exact)
	for _, user := range []string{"gil", "bob"} {
		where.tool(t, "forget-user", user, "--yes")
		if rows := where.rows(t, "SELECT * FROM dim_user WHERE user_id = '"+user+"'"); len(rows) > 0 {
			t.Errorf("the store has %q", rows)
		}
	}
	same(t, "exported sum", sum(), before, exact)
	where.tool(t, "check", "store")
}
