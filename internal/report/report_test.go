// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var october = usage.Period{
	From: time.Date(2026, 9, 30, 23, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
}

func london(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// random is a stretch with so many members, some of them without a price.
func random(r *rand.Rand, members int) Stretch {
	s := Stretch{Period: october, Intervals: Intervals{All: 1490, Settled: 1400, Empty: 40, Missing: 50}, Coverage: map[string]usage.Coverage{}}
	for n := range members {
		m := usage.Tally{
			Name:   fmt.Sprint("p", n),
			CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(r.ExpFloat64() * 1e6), Idle: usage.CPUSeconds(r.ExpFloat64() * 1e6)},
			Energy: usage.ByMode[usage.KWh]{Busy: usage.KWh(r.ExpFloat64()), Idle: usage.KWh(r.ExpFloat64() * 1e-3)},
		}
		if m.Priced = n%3 != 0; m.Priced {
			m.Emissions = usage.ByMode[usage.Grams]{Busy: usage.Grams(r.ExpFloat64() * 100), Idle: usage.Grams(r.ExpFloat64())}
		} else {
			m.Unpriced = m.Energy.Total()
		}
		m.Unattributed, m.Undoubted = m.Energy.Idle, m.Energy.Total()
		s.Members = append(s.Members, m)
		s.Coverage[m.Name] = usage.Coverage{Seen: usage.CPUSeconds(n), Capacity: 2 * usage.CPUSeconds(n)}
	}
	return s
}

func TestEverySumIsThatOfItsRows(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for _, c := range []struct {
		name             string
		members, top     int
		divided          bool
		rows, otherwises int
	}{
		{name: "all members", members: 7, rows: 7},
		{name: "the top three, the others as one", members: 7, top: 3, rows: 3, otherwises: 1},
		{name: "a top of all", members: 7, top: 7, rows: 7},
		{name: "a top of more than there are", members: 7, top: 100, rows: 7},
		{name: "one member", members: 1, top: 1, rows: 1},
		{name: "by day", members: 7, divided: true, rows: 2 * 7},
		{name: "by day and top", members: 7, top: 2, divided: true, rows: 2 * 2, otherwises: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep := &Report{Scope: usage.ScopeProject, Whole: random(r, c.members), Top: c.top, Zone: london(t), Equivalents: true}
			if c.divided {
				rep.By, rep.Parts = ByDay, []Stretch{random(r, c.members), random(r, c.members)}
				rep.Whole.Members = nil
				for n := range c.members {
					rep.Whole.Members = append(rep.Whole.Members, add([]usage.Tally{rep.Parts[0].Members[n], rep.Parts[1].Members[n]}))
					rep.Whole.Members[n].Name = rep.Parts[0].Members[n].Name
				}
			}
			var sum, whole map[string]float64
			count := map[Kind]int{}
			reset := func() { sum = map[string]float64{} }
			reset()
			whole = map[string]float64{}
			for _, row := range rep.rows() {
				count[row.Kind]++
				switch row.Kind {
				case Total, PeriodTotal:
					want := sum
					if c.divided && row.Kind == Total {
						want = whole
					}
					for name, v := range additive(row) {
						if !near(v, want[name]) {
							t.Errorf("%s: %s is %v, its rows have %v", row.Kind, name, v, want[name])
						}
					}
					reset()
				default:
					for name, v := range additive(row) {
						sum[name] += v
						whole[name] += v
					}
				}
			}
			want := map[Kind]int{Member: c.rows, Total: 1}
			if c.otherwises > 0 {
				want[Other] = c.otherwises
			}
			if c.divided {
				want[PeriodTotal] = 2
			}
			if fmt.Sprint(count) != fmt.Sprint(want) {
				t.Errorf("rows are %v, want %v", count, want)
			}
		})
	}
}

// additive are the amounts of a row; what is unknown adds nothing.
func additive(row Row) map[string]float64 {
	all := map[string]float64{
		"busy cpu": row.BusyCPU, "idle cpu": row.IdleCPU, "busy kWh": row.BusyEnergy, "idle kWh": row.IdleEnergy, "kWh": row.Energy,
	}
	for name, v := range map[string]*float64{"busy g": row.BusyEmissions, "idle g": row.IdleEmissions, "g": row.Emissions, "km": row.Equivalents[1]} {
		if v != nil {
			all[name] = *v
		}
	}
	return all
}

func TestTheMostEnergyComesFirst(t *testing.T) {
	s := Stretch{Period: october}
	for _, m := range []struct {
		name string
		kwh  usage.KWh
	}{{"b", 2}, {"least", 1}, {"a", 2}, {"most", 3}} {
		s.Members = append(s.Members, tally(func(t *usage.Tally) { t.Name, t.Energy = m.name, usage.ByMode[usage.KWh]{Busy: m.kwh} }))
	}
	rep := &Report{Scope: usage.ScopeProject, Whole: s, Zone: time.UTC}
	var names []string
	for _, row := range rep.rows() {
		names = append(names, row.Name)
	}
	if got := strings.Join(names, " "); got != "most a b least total" {
		t.Errorf("got %s", got)
	}
}

func TestWhatIsNotKnownIsNotNothing(t *testing.T) {
	unpriced := tally(func(t *usage.Tally) { t.Priced, t.Emissions, t.Unpriced = false, usage.ByMode[usage.Grams]{}, 10 })
	idle := tally(func(t *usage.Tally) { *t = usage.Tally{Name: "off", Priced: true} })
	rep := &Report{Scope: usage.ScopeProject, Whole: Stretch{Period: october, Members: []usage.Tally{unpriced, idle}}, Zone: time.UTC}
	rows := rep.rows()
	row := rows[0]
	for name, v := range map[string]*float64{
		"grams": row.Emissions, "busy grams": row.BusyEmissions, "idle grams": row.IdleEmissions, "intensity": row.Intensity,
		"low grams": row.EmissionsLow, "low energy": row.EnergyLow, "coverage": row.Coverage,
	} {
		if v != nil {
			t.Errorf("%s of what has no price is %v", name, *v)
		}
	}
	if row.Unpriced == nil || *row.Unpriced != 1 || row.Provisional == nil || *row.Provisional != 0 {
		t.Errorf("unpriced %v, provisional %v", row.Unpriced, row.Provisional)
	}
	if off := rows[1]; off.Idle != nil || off.Unpriced != nil || off.Intensity != nil || *off.Emissions != 0 {
		t.Errorf("shares of no energy are %v, %v; %v g/kWh", off.Idle, off.Unpriced, off.Intensity)
	}
}

func TestShares(t *testing.T) {
	of := tally(func(t *usage.Tally) {
		t.Unpriced, t.Provisional, t.Forecast, t.Unattributed, t.Undoubted = 2, 3, 1, 4, 5
	})
	rep := &Report{Scope: usage.ScopeProject, Zone: time.UTC, Whole: Stretch{
		Period: october, Members: []usage.Tally{of}, Coverage: map[string]usage.Coverage{"ISIS": {Seen: 900, Capacity: 1000}, "other": {Seen: 1, Capacity: 1}},
	}}
	row := rep.rows()[0]
	for _, c := range []struct {
		name string
		got  *float64
		want float64
	}{
		{"idle", row.Idle, 0.2},
		{"unpriced", row.Unpriced, 0.2},
		{"provisional", row.Provisional, 0.3},
		{"forecast", row.Forecast, 0.1},
		{"unattributed", row.Unattributed, 0.4},
		{"error unknown", row.Unbounded, 0.5},
		{"intensity, of the priced 8 kWh", row.Intensity, 125},
		{"coverage", row.Coverage, 0.9},
	} {
		if c.got == nil || !near(*c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
}

func TestCoverageIsOfProjectsAndTheSite(t *testing.T) {
	s := Stretch{
		Period: october, Members: []usage.Tally{tally(nil), tally(func(t *usage.Tally) { t.Name = "CLF" })},
		Coverage: map[string]usage.Coverage{"ISIS": {Seen: 100, Capacity: 100}, "CLF": {Seen: 50, Capacity: 100}, "gone": {Seen: 0, Capacity: 50}},
	}
	for _, c := range []struct {
		scope usage.Scope
		top   int
		total float64 // 0: unknown
	}{
		{usage.ScopeProject, 0, 0.75},
		{usage.ScopeProject, 1, 0.75},
		{usage.ScopeAda, 0, 0.6},
		{usage.ScopeUser, 0, 0},
	} {
		rep := &Report{Scope: c.scope, Whole: s, Top: c.top, Zone: time.UTC}
		rows := rep.rows()
		switch total := rows[len(rows)-1].Coverage; {
		case c.total == 0 && total != nil, c.total != 0 && (total == nil || !near(*total, c.total)):
			t.Errorf("%s: %v, want %v", c.scope, total, c.total)
		}
	}
}

// The same store gives the same report to the last digit: projects have no order of their own.
func TestCoverageDoesNotDependOnAnOrder(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	stretch := Stretch{Period: october, Coverage: map[string]usage.Coverage{}}
	for n := range 20 {
		capacity := 1e6 * random.Float64()
		stretch.Coverage[fmt.Sprint("project ", n)] = usage.Coverage{Seen: usage.CPUSeconds(capacity * random.Float64()), Capacity: usage.CPUSeconds(capacity)}
	}
	r := &Report{Scope: usage.ScopeAda}
	first := r.seen(stretch)
	for range 100 {
		if again := r.seen(stretch); *again != *first {
			t.Fatalf("coverage is %v, and then %v", *first, *again)
		}
	}
}

func TestNothingHasNoRows(t *testing.T) {
	rep := &Report{Scope: usage.ScopeProject, Whole: Stretch{Period: october, Intervals: Intervals{All: 3, Missing: 3}}, Zone: london(t), By: ByDay}
	var table, comma, object bytes.Buffer
	for _, err := range []error{rep.WriteTable(&table), rep.WriteCSV(&comma, escape.Cell), rep.WriteJSON(&object)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := "Usage by project, 2026-10-01 00:00 to 2026-11-01 00:00, Europe/London\n" +
		"0 of 3 intervals collected: 0 settled, 0 provisional, 0 unpriced, 0 empty; 3 missing\n"
	if table.String() != want {
		t.Errorf("table %q", table.String())
	}
	if strings.Count(comma.String(), "\n") != 1 || !strings.HasPrefix(comma.String(), "row,period_start,period_end,scope,name,") {
		t.Errorf("csv %q", comma.String())
	}
	var d struct {
		Rows  []any
		Total any
	}
	if err := json.Unmarshal(object.Bytes(), &d); err != nil || d.Rows == nil || len(d.Rows) != 0 || d.Total != nil {
		t.Errorf("json %s, %v", object.String(), err)
	}
}

// TestCSVAndJSONSayTheSame holds both to the same names and the same numbers.
func TestCSVAndJSONSayTheSame(t *testing.T) {
	for _, c := range []struct {
		name        string
		names       map[string]string
		equivalents bool
	}{
		{"plain", nil, false},
		{"with all there is", map[string]string{"p1": "Ada, \"the\" Countess"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep := &Report{Scope: usage.ScopeUser, Whole: random(rand.New(rand.NewSource(2)), 4), Zone: london(t), Names: c.names, Equivalents: c.equivalents, Top: 3}
			var comma, object bytes.Buffer
			if err := rep.WriteCSV(&comma, escape.Cell); err != nil {
				t.Fatal(err)
			}
			if err := rep.WriteJSON(&object); err != nil {
				t.Fatal(err)
			}
			lines, err := csv.NewReader(&comma).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			var d struct {
				Rows  []map[string]any
				Total map[string]any
			}
			if err := json.Unmarshal(object.Bytes(), &d); err != nil {
				t.Fatal(err)
			}
			all := slices.Concat(d.Rows, []map[string]any{d.Total})
			if len(lines) != 1+len(all) {
				t.Fatalf("%d lines for %d rows", len(lines), len(all))
			}
			for n, row := range all {
				if e, ok := row["equivalents"].(map[string]any); ok {
					for name, v := range e {
						row["equivalent_"+name] = v
					}
					delete(row, "equivalents")
				}
				if len(row) != len(lines[0]) {
					t.Errorf("json has %d fields, csv %d", len(row), len(lines[0]))
				}
				for i, name := range lines[0] {
					v, ok := row[name]
					if !ok {
						t.Errorf("json has no %s", name)
					}
					if got, want := lines[n+1][i], written(v); got != want {
						t.Errorf("%s: csv %q, json %q", name, got, want)
					}
				}
			}
			if named := slices.Contains(lines[0], "display_name"); named != (c.names != nil) {
				t.Errorf("display_name: %v", named)
			}
		})
	}
}

func written(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}
