// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"math/rand"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// instrument gives a record everything that instruments can say: some facts have metered CPU time,
// memory and devices, with and without a known error; some machine types have bounds and processors;
// there are a PUE for each piece, embodied emissions and a zone.
func instrument(r *rand.Rand, rec usage.Record) usage.Record {
	perhaps := func(v float64) *float64 {
		if r.Intn(2) == 0 {
			return nil
		}
		return &v
	}
	for n := range rec.Facts {
		f := &rec.Facts[n]
		b := &usage.Beside{}
		if r.Intn(2) == 0 {
			part := r.Float64()
			b.Metered = usage.Metered{
				CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: f.CPU.Busy * usage.CPUSeconds(part), Idle: f.CPU.Idle * usage.CPUSeconds(part)},
				Energy: usage.BusyIdle[usage.KWh]{Busy: f.Energy.Busy * usage.KWh(part), Idle: f.Energy.Idle * usage.KWh(part)},
				Error:  perhaps(0.03),
			}
		}
		if r.Intn(2) == 0 {
			b.Memory, b.MemoryEnergy = 3600, usage.KWh(r.ExpFloat64())
			f.Energy.Idle += b.MemoryEnergy
		}
		for _, name := range []string{"fpga", "gpu", "nic"} {
			if r.Intn(3) == 0 {
				b.Devices = append(b.Devices, usage.DeviceEnergy{Name: name, Energy: usage.KWh(r.ExpFloat64()), Error: perhaps(0.05)})
			}
		}
		f.Energy.Measured = measuredBy(b.Devices)
		if !b.Equal(nil) {
			f.Beside = b
		}
	}
	rec.Models, rec.Embodied = map[string][]usage.ModelShare{}, map[string]usage.GramsPerCoreHour{}
	for n := range rec.Ratings {
		rating := &rec.Ratings[n]
		rating.Source, rating.Error = "processor", nil
		rating.Low, rating.High = &usage.BusyIdle[usage.Watts]{Busy: 9, Idle: 0.5}, &usage.BusyIdle[usage.Watts]{Busy: 18, Idle: 3}
		rec.Models[rating.Machine] = []usage.ModelShare{{Model: "EPYC 7502", Threads: 64, Share: 0.75}, {Share: 0.25}}
		rec.Embodied[rating.Machine] = usage.GramsPerCoreHour(r.Float64())
	}
	for range rec.Interval.Pieces() {
		rec.PUEs = append(rec.PUEs, 1+r.Float64())
	}
	rec.PUE = rec.PUEs[0]
	rec.Zones = []usage.ZoneFact{{Zone: "hall", Measured: 40, Booked: 33}, {Zone: "lab", Measured: 2, Booked: 3}}
	return rec
}

// everything is a record of an hour with all of it, in the order in which it is read.
func everything(i usage.Interval) usage.Record {
	rec := usage.Record{}
	for seed := int64(1); ; seed++ { // until each key has something beside
		rec = unpriced(i, fact(muonA, i.Start, 0.06, 0.015), fact(muonB, i.Start, 0.01, 0.002), fact(nobody, i.Start, 0, 0.004))
		rec = instrument(rand.New(rand.NewSource(seed)), rec)
		full := true
		for _, f := range rec.Facts {
			full = full && f.Beside != nil && len(f.Beside.Devices) > 0
		}
		if full {
			break
		}
	}
	slices.SortFunc(rec.Ratings, func(a, b usage.Rating) int { return strings.Compare(a.Machine, b.Machine) })
	rec = withPrice(rec, 200, usage.Provisional)
	rec = withHosts(rec, i.Start, "h1:9100")
	h := &rec.Hosts[0]
	h.Energy.Measured = 0.5
	h.Beside = &usage.Beside{
		Metered: usage.Metered{CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 450, Idle: 150}, Energy: usage.BusyIdle[usage.KWh]{Busy: 0.1, Idle: 0.05}},
		Memory:  100, MemoryEnergy: 0.01,
	}
	return rec
}

var instrumentTables = []string{
	"usage_beside", "usage_device", "workspace_beside", "interval_power_bounds", "interval_processor", "interval_pue", "interval_embodied", "interval_zone",
}

func rowsOf(t *testing.T, s *Store, table string) int {
	t.Helper()
	return len(readRows(t, s.reader, "SELECT 1 FROM "+table))
}

// sumBytes are the sums as they are on disk.
func sumBytes(t *testing.T, s *Store) string {
	t.Helper()
	return fmt.Sprint(readRows(t, s.reader, "SELECT -1, hex(sums), hex(more), more IS NULL FROM usage_total UNION ALL SELECT day, hex(sums), hex(more), more IS NULL FROM usage_day ORDER BY 1"))
}

func TestARecordWithEverythingComesBack(t *testing.T) {
	s := newStore(t)
	rec := everything(at(1))
	active(t, s, epoch, usage.Active{Key: muonA, Host: "h1:9100", Started: epoch})
	commit(t, s, rec)
	got := proof(t, s, at(1)).Record
	for _, part := range []struct {
		name      string
		got, want any
	}{
		{"facts", got.Facts, rec.Facts},
		{"ratings", got.Ratings, rec.Ratings},
		{"models", got.Models, rec.Models},
		{"PUE", []any{got.PUE, got.PUEs}, []any{rec.PUE, rec.PUEs}},
		{"embodied", got.Embodied, rec.Embodied},
		{"zones", got.Zones, rec.Zones},
		{"hosts", got.Hosts, rec.Hosts},
		{"prices", got.Prices, rec.Prices},
	} {
		if !reflect.DeepEqual(part.got, part.want) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", part.name, part.got, part.want)
		}
	}
	for _, table := range instrumentTables {
		if rowsOf(t, s, table) == 0 {
			t.Errorf("%s has no rows", table)
		}
	}
	before := dump(t, s)
	commit(t, s, rec)
	if changed := changedLines(before, dump(t, s)); len(changed) > 0 {
		t.Errorf("doing it again has changed\n%s", strings.Join(changed, "\n"))
	}
	// What was decoded from the store is stored as the same.
	commit(t, s, got)
	if changed := changedLines(before, dump(t, s)); len(changed) > 0 {
		t.Errorf("what was read has changed\n%s", strings.Join(changed, "\n"))
	}
}

func TestARecordWithoutInstrumentsLeavesNothingOfThem(t *testing.T) {
	plain := withHosts(withPrice(threeKeys(at(1)), 200, usage.Provisional), at(1).Start, "h1:9100")
	s, without := newStore(t), newStore(t)
	commit(t, without, withPrice(threeKeys(at(0)), 100, usage.Settled), plain)
	commit(t, s, withPrice(threeKeys(at(0)), 100, usage.Settled), everything(at(1)), plain)
	for _, table := range instrumentTables {
		if n := rowsOf(t, s, table); n != 0 {
			t.Errorf("%s has %d rows left", table, n)
		}
	}
	if got, want := sumBytes(t, s), sumBytes(t, without); got != want {
		t.Errorf("the sums are\n%s\nwant\n%s", got, want)
	}
	if n := len(readRows(t, s.reader, "SELECT 1 FROM usage_total WHERE more IS NULL")); n != 1 {
		t.Error("the sums that few keys have are not NULL again")
	}
}

// A site without instruments pays nothing for them.
func TestASiteWithoutInstrumentsHasNoRowOfThem(t *testing.T) {
	s := newStore(t)
	r := rand.New(rand.NewSource(5))
	for n := range 60 {
		commit(t, s, randomRecord(r, at(n)))
	}
	for _, table := range append(instrumentTables, "processor") {
		if n := rowsOf(t, s, table); n != 0 {
			t.Errorf("%s has %d rows", table, n)
		}
	}
	if n := len(readRows(t, s.reader, "SELECT more FROM usage_total WHERE more IS NOT NULL UNION ALL SELECT more FROM usage_day WHERE more IS NOT NULL")); n > 0 {
		t.Errorf("%d values have sums that no key has", n)
	}
	for _, total := range summary(t, s).Totals {
		if total.Energy.Measured != 0 || total.Embodied != 0 || total.Undoubted != total.Energy.Total() && total.Down == 0 && total.Up != 0 {
			t.Errorf("%+v", total)
		}
	}
}

func TestAnyOrderOfInstrumentedIntervalsGivesTheSame(t *testing.T) {
	var want usage.Summary
	for seed := range int64(4) {
		s := newStore(t)
		r := rand.New(rand.NewSource(9))
		var records []any
		for n := range 30 {
			rec := randomRecord(r, at(n))
			if n%3 != 0 {
				rec = instrument(r, rec)
			}
			records = append(records, rec)
		}
		for range 2 { // the second time, all are replaced by themselves
			rand.New(rand.NewSource(seed)).Shuffle(len(records), func(a, b int) { records[a], records[b] = records[b], records[a] })
			for _, rec := range records {
				if _, err := commitAll(t.Context(), s, rec); err != nil {
					t.Fatal(err)
				}
			}
		}
		got := summary(t, s)
		if seed == 0 {
			want = got
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("order %d gives another summary", seed)
		}
	}
}

// The settled counters of devices and of embodied emissions never fall, whatever is restated.
func TestSettledCountersOfInstrumentsNeverFall(t *testing.T) {
	s := newStore(t)
	r := rand.New(rand.NewSource(3))
	shown := map[usage.Key]usage.SettledUsage{}
	for step := range 40 {
		rec := withPrice(threeKeys(at(r.Intn(6))), 50+300*r.Float64(), usage.Settled)
		if r.Intn(2) == 0 {
			rec = instrument(r, rec)
		}
		commit(t, s, with(rec, usage.Policy{Restate: true}))
		for _, total := range summary(t, s).Totals {
			was, is := shown[total.Key], settledOf(total)
			if is.Energy.Measured < was.Energy.Measured || is.Emissions.Measured < was.Emissions.Measured || is.Embodied < was.Embodied {
				t.Fatalf("step %d: %v has settled %+v, after %+v", step, total.Key, is, was)
			}
			shown[total.Key] = is
		}
	}
}

func settledOf(t usage.Total) usage.SettledUsage {
	return usage.SettledUsage{Energy: t.SettledEnergy, Emissions: t.SettledEmissions, Embodied: t.SettledEmbodied}
}

func TestPruningKeepsTheSumsOfInstruments(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "carbon.db"), Options{Exclusive: true, Interval: half})
	r := rand.New(rand.NewSource(1))
	for n := range 48 * 12 {
		if n%4 == 0 {
			rec := withPrice(instrument(r, threeKeys(at(n))), 200, usage.Settled)
			commit(t, s, rec)
		}
	}
	before, bytes := summary(t, s), sumBytes(t, s)
	zones := func() (all []usage.ZoneFact) {
		if err := s.View(t.Context(), func(v *View) (err error) { all, err = v.Zones(t.Context()); return err }); err != nil {
			t.Fatal(err)
		}
		return all
	}
	seen := zones()
	pruneAll(t, s, at(48*30).Start, "")
	if after := summary(t, s); !reflect.DeepEqual(after, before) || sumBytes(t, s) != bytes {
		t.Errorf("the summary was\n%+v\nit is\n%+v", before, after)
	}
	if is := zones(); len(is) != 2 || !reflect.DeepEqual(is, seen) {
		t.Errorf("zones are %v, were %v", is, seen)
	}
	for _, table := range []string{"usage_beside", "usage_device"} {
		if n := len(readRows(t, s.reader, "SELECT 1 FROM "+table+" b WHERE NOT EXISTS (SELECT 1 FROM usage_fact f WHERE f.start = b.start AND f.key_id = b.key_id)")); n > 0 || rowsOf(t, s, table) == 0 {
			t.Errorf("%s has %d rows of deleted facts, of %d", table, n, rowsOf(t, s, table))
		}
	}
}

// Usage of a forgotten person becomes unattributed: what both have beside is added up.
func TestForgettingMergesWhatFactsHaveBeside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	s := openStore(t, path, Options{Interval: half})
	i := at(1)
	own := key(nobody.Project, nobody.Machine, "alice", nobody.Group)
	rec := instrument(rand.New(rand.NewSource(2)), withPrice(unpriced(i, fact(own, i.Start, 0.06, 0.015), fact(nobody, i.Start, 0.01, 0.004)), 100, usage.Provisional))
	commit(t, s, rec)
	before := summary(t, s)
	forgetNow(t, s, "alice")
	commit(t, s, rec)
	facts := proof(t, s, i).Facts
	if len(facts) != 1 || facts[0].User != usage.Unattributed || !facts[0].Beside.Equal(usage.BesidesOf(rec.Facts)) {
		t.Errorf("got %+v, want one fact with %+v", facts, usage.BesidesOf(rec.Facts))
	}
	var was, is usage.ByModeSum[usage.KWh]
	for _, total := range before.Totals {
		was.Add(total.Energy)
	}
	for _, total := range summary(t, s).Totals {
		is.Add(total.Energy)
	}
	if !same([]any{float64(was.Total())}, []any{float64(is.Total())}) {
		t.Errorf("the site had %v kWh, it has %v", was.Total(), is.Total())
	}
	if failed := verify(t, path, later); failed != nil {
		t.Errorf("%q", failed)
	}
}

func TestInstrumentsAreCountedTheSameInAnotherTimezone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "carbon.db")
	var want usage.Summary
	for n, name := range []string{"UTC", "Asia/Kathmandu", "America/St_Johns"} {
		s := openStore(t, path, Options{Exclusive: true, Interval: half, Timezone: zone(t, name)})
		if n == 0 {
			r := rand.New(rand.NewSource(8))
			for i := range 100 {
				commit(t, s, instrument(r, randomRecord(r, at(i))))
			}
			want = summary(t, s)
		}
		if got := summary(t, s); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: another summary", name)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if failed := verify(t, path, later); failed != nil {
			t.Errorf("%s: %q", name, failed)
		}
	}
}

func TestWhatIsWrongWithInstrumentsIsFound(t *testing.T) {
	for _, c := range []struct {
		name, sql string
		want      []string
	}{
		{"nothing", "SELECT 1", nil},
		{"energy of a device that was changed", "UPDATE usage_device SET kwh = kwh + 1", []string{"scopes: ", "sums: "}},
		{"a device that was lost", "DELETE FROM usage_device", []string{"scopes: ", "sums: "}},
		{"energy of a device below nothing", "UPDATE usage_device SET kwh = -1", []string{"intervals: ", "scopes: ", "sums: "}},
		{"a device of no fact", fmt.Sprintf("INSERT INTO usage_device VALUES (%d, 1, 'tpu', 1, NULL)", at(900).Start.Unix()), []string{"intervals: 1 rows of usage_device belong to no fact"}},
		{"memory of no fact", fmt.Sprintf("INSERT INTO usage_beside VALUES (%d, 1, 0, 0, 0, 0, NULL, 1, 1)", at(900).Start.Unix()), []string{"intervals: 1 rows of usage_beside belong to no fact"}},
		{"an error of a meter that was changed", "UPDATE usage_device SET error = 0.5", []string{"sums: "}},
		{"more memory than idle energy", "UPDATE usage_beside SET memory_kwh = 1000", []string{"intervals: 2025-09-11T00:30:00Z: is provisional and has a fact with less energy", "sums: "}},
		{"bounds that were changed", "UPDATE interval_power_bounds SET busy_high = busy_high + 1", []string{"sums: "}},
		{"embodied emissions that were changed", "UPDATE interval_embodied SET gco2eq_per_core_hour = 9", []string{"sums: "}},
		{"sums that were lost", "UPDATE usage_total SET more = NULL", []string{"sums: the days do not add up to the all-time sums for "}},
		{"sums of a day that were lost", "UPDATE usage_day SET more = NULL", []string{"sums: "}},
		{"measured energy of a member that was changed", "UPDATE fact_usage SET measured_kwh = measured_kwh + 1 WHERE scope = 'project'", []string{"scopes: "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "carbon.db")
			s := openStore(t, path, Options{Interval: half})
			commit(t, s, withPrice(threeKeys(at(0)), 100, usage.Settled), everything(at(1)))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := database(t, path, c.sql).Close(); err != nil {
				t.Fatal(err)
			}
			got := verify(t, path, later)
			if len(got) != len(c.want) {
				t.Fatalf("got  %q\nwant %q", got, c.want)
			}
			for n, want := range c.want {
				if !strings.HasPrefix(got[n], want) {
					t.Errorf("got %q, want %q", got[n], want)
				}
			}
		})
	}
}

func TestFactsThatDoNotAddUpAreRefused(t *testing.T) {
	s := newStore(t)
	for name, change := range map[string]func(*usage.Fact){
		"measured energy without devices": func(f *usage.Fact) { f.Energy.Measured = 1 },
		"devices without measured energy": func(f *usage.Fact) { f.Beside = &usage.Beside{Devices: []usage.DeviceEnergy{{Name: "gpu", Energy: 1}}} },
		"a device twice": func(f *usage.Fact) {
			f.Energy.Measured, f.Beside = 2, &usage.Beside{Devices: []usage.DeviceEnergy{{Name: "gpu", Energy: 1}, {Name: "gpu", Energy: 1}}}
		},
	} {
		rec := threeKeys(at(0))
		change(&rec.Facts[0])
		if err := commitOne(t.Context(), s, rec); err == nil {
			t.Errorf("%s: stored", name)
		}
	}
}
