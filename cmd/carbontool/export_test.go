// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var noon = time.Date(2026, 1, 3, 12, 0, 0, 0, time.UTC)

func slotAt(n int) usage.Interval {
	return usage.Interval{Start: noon.Add(time.Duration(n) * usage.SlotLength), Length: usage.SlotLength}
}

// used is what somebody used in an interval: round numbers of the user's letter.
func used(i usage.Interval, project, user string, kwh float64) usage.Fact {
	return usage.Fact{
		Key: usage.Key{Project: project, Machine: "Muon", User: user, Group: "g"}, Start: i.Start,
		CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(100 * kwh), Idle: usage.CPUSeconds(400 * kwh)},
		Energy: usage.ByMode[usage.KWh]{Busy: usage.KWh(kwh), Idle: usage.KWh(kwh / 4)},
	}
}

// interval is a record at a price; of 0 it is unpriced.
func interval(i usage.Interval, price float64, facts ...usage.Fact) usage.Record {
	rec := usage.Record{Interval: i, State: usage.Unpriced, PUE: 1.5, FetchedAt: i.End(), Facts: facts}
	rec.Coverage = map[string]usage.Coverage{"ISIS": {Seen: 3, Capacity: 4}}
	rec.Ratings = []usage.Rating{{Machine: "Muon", Watts: usage.BusyIdle[usage.Watts]{Busy: 9.5, Idle: 1.25}, Source: "config"}}
	if price > 0 {
		rec.State = usage.Settled
		for _, piece := range i.Pieces() {
			rec.Prices = append(rec.Prices, usage.PiecePrice{Start: piece.Start, Price: usage.Price{
				Intensity: usage.GramsPerKWh(price), Kind: usage.Actual, Basis: usage.BasisOf("average direct"), Provider: "uk", Grid: "GB", SlotFrom: usage.SlotAt(piece.Start), FetchedAt: i.End(),
			}})
		}
	}
	return rec
}

// exportedFrom is a store with records, and the path of it and of a configuration.
func exportedFrom(t *testing.T, yaml string, recs ...usage.Record) (args []string, s *store.Store) {
	t.Helper()
	dir := t.TempDir()
	path, config := filepath.Join(dir, "carbon.db"), filepath.Join(dir, "carbon.yml")
	length := usage.SlotLength
	if len(recs) > 0 {
		length = recs[0].Interval.Length
	}
	yaml += fmt.Sprintf("interval: %v\ntimezone: UTC\ncarbon_intensity: {provider: static, static: {gco2eq_per_kwh: 210.89, grid: GB}}\n", model.Duration(length))
	if err := os.WriteFile(config, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), path, store.Options{Exclusive: true, Interval: length, Timezone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	storetest.Commit(t, s, recs...)
	return []string{"--storage.path=" + path, "--config.file=" + config}, s
}

// threeHours are an interval of alice's before the range, one that is unpriced with
// a newcomer, one that is missing, and one of bob's alone.
func threeHours(t *testing.T) (args []string, s *store.Store) {
	t.Helper()
	args, s = exportedFrom(t, "",
		interval(slotAt(0), 200, used(slotAt(0), "ISIS", "alice", 1)),
		interval(slotAt(1), 0, used(slotAt(1), "ISIS", "alice", 2), used(slotAt(1), "ISIS", "bob", 4)),
		interval(slotAt(3), 100, used(slotAt(3), "ISIS", "bob", 8)))
	forecast, actual := usage.GramsPerKWh(190), usage.GramsPerKWh(100)
	if _, err := s.SaveSlots(t.Context(), []usage.Slot{
		{From: slotAt(1).Start, Forecast: &forecast, Provider: "uk", Grid: "GB", FetchedAt: slotAt(1).Start},
		{From: slotAt(3).Start, Forecast: &forecast, Actual: &actual, Provider: "uk", Grid: "GB", FetchedAt: slotAt(4).Start},
	}); err != nil {
		t.Fatal(err)
	}
	return args, s
}

func TestExportOpenMetrics(t *testing.T) {
	args, _ := threeHours(t)
	// 1767443400 is 12:30, 1767447000 13:30, 1767448800 14:00.
	called{stdout: `# TYPE carbon_cpu_seconds gauge
# UNIT carbon_cpu_seconds seconds
# HELP carbon_cpu_seconds CPU seconds since the first stored interval, busy and idle.
carbon_cpu_seconds{project="ISIS",machine="Muon",user="alice",group="g",mode="busy"} 100 1767443400
carbon_cpu_seconds{project="ISIS",machine="Muon",user="alice",group="g",mode="busy"} 300 1767445200
carbon_cpu_seconds{project="ISIS",machine="Muon",user="alice",group="g",mode="busy"} 300 1767448800
carbon_cpu_seconds{project="ISIS",machine="Muon",user="alice",group="g",mode="idle"} 400 1767443400
carbon_cpu_seconds{project="ISIS",machine="Muon",user="alice",group="g",mode="idle"} 1200 1767445200
carbon_cpu_seconds{project="ISIS",machine="Muon",user="alice",group="g",mode="idle"} 1200 1767448800
carbon_cpu_seconds{project="ISIS",machine="Muon",user="bob",group="g",mode="busy"} 400 1767445200
carbon_cpu_seconds{project="ISIS",machine="Muon",user="bob",group="g",mode="busy"} 1200 1767448800
carbon_cpu_seconds{project="ISIS",machine="Muon",user="bob",group="g",mode="idle"} 1600 1767445200
carbon_cpu_seconds{project="ISIS",machine="Muon",user="bob",group="g",mode="idle"} 4800 1767448800
# TYPE carbon_energy_kwh gauge
# UNIT carbon_energy_kwh kwh
# HELP carbon_energy_kwh Energy since the first stored interval.
carbon_energy_kwh{project="ISIS",machine="Muon",user="alice",group="g",mode="busy"} 1 1767443400
carbon_energy_kwh{project="ISIS",machine="Muon",user="alice",group="g",mode="busy"} 3 1767445200
carbon_energy_kwh{project="ISIS",machine="Muon",user="alice",group="g",mode="busy"} 3 1767448800
carbon_energy_kwh{project="ISIS",machine="Muon",user="alice",group="g",mode="idle"} 0.25 1767443400
carbon_energy_kwh{project="ISIS",machine="Muon",user="alice",group="g",mode="idle"} 0.75 1767445200
carbon_energy_kwh{project="ISIS",machine="Muon",user="alice",group="g",mode="idle"} 0.75 1767448800
carbon_energy_kwh{project="ISIS",machine="Muon",user="bob",group="g",mode="busy"} 4 1767445200
carbon_energy_kwh{project="ISIS",machine="Muon",user="bob",group="g",mode="busy"} 12 1767448800
carbon_energy_kwh{project="ISIS",machine="Muon",user="bob",group="g",mode="idle"} 1 1767445200
carbon_energy_kwh{project="ISIS",machine="Muon",user="bob",group="g",mode="idle"} 3 1767448800
# TYPE carbon_emissions_gco2eq gauge
# UNIT carbon_emissions_gco2eq gco2eq
# HELP carbon_emissions_gco2eq Emissions of all priced intervals.
carbon_emissions_gco2eq{project="ISIS",machine="Muon",user="alice",group="g",mode="busy"} 200 1767443400
carbon_emissions_gco2eq{project="ISIS",machine="Muon",user="alice",group="g",mode="busy"} 200 1767445200
carbon_emissions_gco2eq{project="ISIS",machine="Muon",user="alice",group="g",mode="busy"} 200 1767448800
carbon_emissions_gco2eq{project="ISIS",machine="Muon",user="alice",group="g",mode="idle"} 50 1767443400
carbon_emissions_gco2eq{project="ISIS",machine="Muon",user="alice",group="g",mode="idle"} 50 1767445200
carbon_emissions_gco2eq{project="ISIS",machine="Muon",user="alice",group="g",mode="idle"} 50 1767448800
carbon_emissions_gco2eq{project="ISIS",machine="Muon",user="bob",group="g",mode="busy"} 800 1767448800
carbon_emissions_gco2eq{project="ISIS",machine="Muon",user="bob",group="g",mode="idle"} 200 1767448800
# TYPE carbon_power_watts gauge
# UNIT carbon_power_watts watts
# HELP carbon_power_watts Mean power over the interval, including PUE.
carbon_power_watts{project="ISIS",machine="Muon",user="alice",group="g",mode="busy"} 4000 1767445200
carbon_power_watts{project="ISIS",machine="Muon",user="alice",group="g",mode="idle"} 1000 1767445200
carbon_power_watts{project="ISIS",machine="Muon",user="bob",group="g",mode="busy"} 8000 1767445200
carbon_power_watts{project="ISIS",machine="Muon",user="bob",group="g",mode="busy"} 16000 1767448800
carbon_power_watts{project="ISIS",machine="Muon",user="bob",group="g",mode="idle"} 2000 1767445200
carbon_power_watts{project="ISIS",machine="Muon",user="bob",group="g",mode="idle"} 4000 1767448800
# TYPE carbon_emission_rate_gco2eq_per_hour gauge
# HELP carbon_emission_rate_gco2eq_per_hour Mean emission rate over the interval.
carbon_emission_rate_gco2eq_per_hour{project="ISIS",machine="Muon",user="bob",group="g",mode="busy"} 1600 1767448800
carbon_emission_rate_gco2eq_per_hour{project="ISIS",machine="Muon",user="bob",group="g",mode="idle"} 400 1767448800
# TYPE carbon_coverage_ratio gauge
# UNIT carbon_coverage_ratio ratio
# HELP carbon_coverage_ratio CPU seconds of all modes seen in the interval, divided by cores x interval length.
carbon_coverage_ratio{project="ISIS"} 0.75 1767445200
carbon_coverage_ratio{project="ISIS"} 0.75 1767448800
# TYPE carbon_machine_power_watts gauge
# UNIT carbon_machine_power_watts watts
# HELP carbon_machine_power_watts Average power per core, without PUE.
carbon_machine_power_watts{machine="Muon",mode="busy",source="config"} 9.5 1767445200
carbon_machine_power_watts{machine="Muon",mode="busy",source="config"} 9.5 1767448800
carbon_machine_power_watts{machine="Muon",mode="idle",source="config"} 1.25 1767445200
carbon_machine_power_watts{machine="Muon",mode="idle",source="config"} 1.25 1767448800
# TYPE carbon_pue_ratio gauge
# UNIT carbon_pue_ratio ratio
# HELP carbon_pue_ratio Power usage effectiveness.
carbon_pue_ratio 1.5 1767445200
carbon_pue_ratio 1.5 1767448800
# TYPE carbon_intensity_gco2eq_per_kwh gauge
# HELP carbon_intensity_gco2eq_per_kwh Carbon intensity of the grid: the forecast at the start of a slot, the actual at its end.
carbon_intensity_gco2eq_per_kwh{grid="GB",provider="uk",kind="actual"} 100 1767448800
carbon_intensity_gco2eq_per_kwh{grid="GB",provider="uk",kind="forecast"} 190 1767443400
carbon_intensity_gco2eq_per_kwh{grid="GB",provider="uk",kind="forecast"} 190 1767447000
# TYPE carbon_intensity_slot_start_timestamp_seconds gauge
# UNIT carbon_intensity_slot_start_timestamp_seconds seconds
# HELP carbon_intensity_slot_start_timestamp_seconds Start of the slot.
carbon_intensity_slot_start_timestamp_seconds{grid="GB",provider="uk",kind="actual"} 1.767447e+09 1767448800
carbon_intensity_slot_start_timestamp_seconds{grid="GB",provider="uk",kind="forecast"} 1.7674434e+09 1767443400
carbon_intensity_slot_start_timestamp_seconds{grid="GB",provider="uk",kind="forecast"} 1.767447e+09 1767447000
# EOF
`}.by(t, append([]string{"export", "openmetrics", "--from=2026-01-03T12:30", "--to=2026-01-03T14:00"}, args...)...)
}

func TestExportRepeatsSamplesAsScrapesWould(t *testing.T) {
	args, _ := threeHours(t)
	called{stdout: `# TYPE carbon_pue_ratio gauge
# UNIT carbon_pue_ratio ratio
# HELP carbon_pue_ratio Power usage effectiveness.
carbon_pue_ratio 1.5 1767443400
carbon_pue_ratio 1.5 1767444120
carbon_pue_ratio 1.5 1767444840
carbon_pue_ratio 1.5 1767445200
carbon_pue_ratio 1.5 1767445920
carbon_pue_ratio 1.5 1767446640
carbon_pue_ratio 1.5 1767448800
# EOF
`}.by(t, append([]string{"export", "openmetrics", "--from=2026-01-03T12:00", "--to=2026-01-03T14:00", "--metric=carbon_pue_ratio", "--every=12m"}, args...)...)
}

// samples of an exposition by series and time, in seconds.
func samples(t *testing.T, text string) map[string]map[int64]float64 {
	t.Helper()
	all := map[string]map[int64]float64{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(strings.TrimSpace(line), " ")
		n := len(fields)
		v, err := strconv.ParseFloat(fields[n-2], 64)
		at, err2 := strconv.ParseInt(fields[n-1], 10, 64)
		if err != nil || err2 != nil {
			t.Fatalf("%s: %v, %v", line, err, err2)
		}
		series := strings.Join(fields[:n-2], " ")
		if all[series] == nil {
			all[series] = map[int64]float64{}
		}
		all[series][at] = v
	}
	return all
}

func seriesOf(name string, k usage.Key, mode usage.Mode) string {
	return fmt.Sprintf("%s{project=%q,machine=%q,user=%q,group=%q,mode=%q}", name, k.Project, k.Machine, k.User, k.Group, mode)
}

// withDevice adds what a graphics card has measured.
func withDevice(f *usage.Fact, kwh float64) {
	f.Energy.Measured = usage.KWh(kwh)
	f.Beside = &usage.Beside{Devices: []usage.DeviceEnergy{{Name: "gpu", Energy: f.Energy.Measured}}}
}

// Whatever the record and the range, the last samples are what /metrics shows, and
// from the first to the last they rise by what the account of the range has.
func TestExportAgreesWithTheRecord(t *testing.T) {
	for seed, length := range []time.Duration{30 * time.Minute, 2 * time.Hour, 15 * time.Minute} {
		t.Run(length.String(), func(t *testing.T) {
			r := rand.New(rand.NewSource(int64(seed)))
			first := usage.IntervalAt(noon, length)
			var recs []usage.Record
			for n := range 60 {
				i := usage.Interval{Start: first.Start.Add(time.Duration(n) * length), Length: length}
				if r.Intn(5) == 0 {
					continue
				}
				price := 0.0
				if r.Intn(4) > 0 {
					price = 50 + r.Float64()*300
				}
				var facts []usage.Fact
				for _, piece := range i.Pieces() {
					for u := range 1 + r.Intn(6) {
						f := used(piece, "ISIS", fmt.Sprint("user", u), r.ExpFloat64())
						if u > 3 && r.Intn(2) == 0 { // a user of graphics cards, from time to time
							withDevice(&f, r.ExpFloat64())
						}
						facts = append(facts, f)
					}
				}
				recs = append(recs, interval(i, price, facts...))
			}
			args, s := exportedFrom(t, "", recs...)
			end := recs[len(recs)-1].Interval.End()
			from := first.Start.Add(17 * length)
			text := call(append([]string{
				"export", "openmetrics", "--from=" + from.Format(time.RFC3339), "--to=" + end.Format(time.RFC3339),
			}, args...)...)
			if text.code != exitDone || text.stderr != "" {
				t.Fatalf("got %d: %s", text.code, text.stderr)
			}
			got := samples(t, text.stdout)
			sum, err := s.Summary(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			accounts, err := s.Accounts(t.Context(), usage.Period{From: from, To: end})
			if err != nil {
				t.Fatal(err)
			}
			risen := map[usage.Key]usage.Total{}
			for _, k := range accounts[0].Keys() {
				risen[k.Key] = k
			}
			for _, total := range sum.Totals {
				rise := risen[total.Key]
				for name, v := range map[string][2]usage.ByMode[float64]{
					"carbon_cpu_seconds":      {ofCPU(total.CPU), ofCPU(rise.CPU)},
					"carbon_energy_kwh":       {plain(total.Energy), plain(rise.Energy)},
					"carbon_emissions_gco2eq": {plain(total.Emissions), plain(rise.Emissions)},
				} {
					series := got[seriesOf(name, total.Key, usage.Busy)]
					is, ok := series[end.Unix()]
					if name == "carbon_emissions_gco2eq" && !total.Priced {
						if len(series) > 0 {
							t.Errorf("%s has no price, and emissions %v", total.User, series)
						}
						continue
					}
					was := series[from.Unix()] // 0 where there is none: it begins later
					if !ok || !nearly(is, v[0].Busy) || !nearly(is-was, v[1].Busy) {
						t.Errorf("%s of %s is %v at the end and %v at the beginning; want %v, and %v more", name, total.User, is, was, v[0].Busy, v[1].Busy)
					}
				}
				// So are those of devices; a key without any has no series of them.
				for name, v := range map[string]float64{"carbon_energy_kwh": float64(total.Energy.Measured), "carbon_emissions_gco2eq": float64(total.Emissions.Measured)} {
					is, ok := got[seriesOf(name, total.Key, usage.Measured)][end.Unix()]
					if want := total.Energy.Measured != 0 && (total.Priced || name == "carbon_energy_kwh"); ok != want || ok && !nearly(is, v) {
						t.Errorf("measured %s of %s is %v at the end, %v; want %v", name, total.User, is, ok, v)
					}
				}
				// Power by time is energy.
				for mode, want := range map[usage.Mode]usage.KWh{usage.Idle: rise.Energy.Idle, usage.Measured: rise.Energy.Measured} {
					var kwh float64
					for _, w := range got[seriesOf("carbon_power_watts", total.Key, mode)] {
						kwh += float64(usage.Watts(w).For(usage.CPUSeconds(length.Seconds())))
					}
					if !nearly(kwh, float64(want)) {
						t.Errorf("%s power of %s adds up to %v kWh, want %v", mode, total.User, kwh, want)
					}
				}
			}
		})
	}
}

func ofCPU(v usage.BusyIdle[usage.CPUSeconds]) usage.ByMode[float64] {
	return usage.ByMode[float64]{Busy: float64(v.Busy), Idle: float64(v.Idle)}
}

func plain[T ~float64](v usage.ByMode[T]) usage.ByMode[float64] {
	return usage.ByMode[float64]{Busy: float64(v.Busy), Idle: float64(v.Idle), Measured: float64(v.Measured)}
}

func nearly(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b), 1) }

func TestExportShowsUsersAsMetricsDo(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("a key of more than sixteen bytes"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, yaml string
		users      map[string]float64 // busy kWh at the end
	}{
		{"by id", "", map[string]float64{"alice": 3, "bob": 8, "carol": 1, "unattributed": 5}},
		{"nobody", "attribution: {user_label: none}\n", map[string]float64{"other": 12, "unattributed": 5}},
		{"the one with the most", "attribution: {max_users: 1}\n", map[string]float64{"bob": 8, "other": 4, "unattributed": 5}},
		{"by pseudonym", "attribution: {user_label: pseudonym, pseudonym_key_file: " + key + "}\n", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args, _ := exportedFrom(t, tc.yaml,
				interval(slotAt(0), 100, used(slotAt(0), "ISIS", "alice", 1), used(slotAt(0), "ISIS", "bob", 8)),
				interval(slotAt(1), 100, used(slotAt(1), "ISIS", "alice", 2), used(slotAt(1), "ISIS", "carol", 1), used(slotAt(1), "ISIS", usage.Unattributed, 5)))
			got := call(append([]string{"export", "openmetrics", "--from=2026-01-03T12:30", "--to=2026-01-03T13:00", "--metric=carbon_energy_kwh"}, args...)...)
			if got.code != exitDone {
				t.Fatalf("got %+v", got)
			}
			users, sum := map[string]float64{}, 0.0
			for series, at := range samples(t, got.stdout) {
				if strings.HasSuffix(series, `mode="busy"}`) {
					_, rest, _ := strings.Cut(series, `user="`)
					user, _, _ := strings.Cut(rest, `"`)
					users[user] = at[slotAt(1).End().Unix()]
					sum += at[slotAt(1).End().Unix()]
				}
			}
			if sum != 17 {
				t.Errorf("users add up to %v", sum)
			}
			if tc.users == nil { // nobody can tell who they are
				if len(users) != 4 || users["unattributed"] != 5 || strings.Contains(got.stdout, "alice") {
					t.Errorf("got %v", users)
				}
				return
			}
			if fmt.Sprint(users) != fmt.Sprint(tc.users) {
				t.Errorf("got %v, want %v", users, tc.users)
			}
		})
	}
}

// A key leaves where it leaves /metrics, and comes back with its next usage.
func TestExportLeavesAKeyOutThatMetricsDoNotShow(t *testing.T) {
	day := func(n int) usage.Interval { return slotAt(48 * n) }
	var recs []usage.Record
	for n := range 9 {
		facts := []usage.Fact{used(day(n), "ISIS", "always", 1)}
		if n == 1 || n == 7 {
			facts = append(facts, used(day(n), "ISIS", "rarely", 1))
		}
		recs = append(recs, interval(day(n), 100, facts...))
	}
	args, _ := exportedFrom(t, "metrics: {keep: 3d}\n", recs...)
	for from, want := range map[string]string{
		"2026-01-03T12:00": "1:1 2:1 3:1 7:2 8:2", "2026-01-06T00:00": "3:1 7:2 8:2", "2026-01-08T00:00": "7:2 8:2", "2026-01-11T00:00": "8:2",
	} {
		got := call(append([]string{"export", "openmetrics", "--from=" + from, "--to=2026-01-12", "--metric=carbon_energy_kwh"}, args...)...)
		series := samples(t, got.stdout)[seriesOf("carbon_energy_kwh", used(day(0), "ISIS", "rarely", 1).Key, usage.Busy)]
		var seen []string
		for n := range 9 {
			if v, ok := series[day(n).End().Unix()]; ok {
				seen = append(seen, fmt.Sprintf("%d:%v", n, v))
			}
		}
		if strings.Join(seen, " ") != want {
			t.Errorf("from %s on it is there at %v, want %s", from, seen, want)
		}
	}
}

func TestExportCSV(t *testing.T) {
	args, _ := threeHours(t)
	span := []string{"--from=2026-01-03T12:00", "--to=2026-01-03T14:00"}
	called{stdout: `ts,project,machine,user,group,state,busy_cpu_seconds,idle_cpu_seconds,busy_kwh,idle_kwh,busy_gco2eq,idle_gco2eq,intensity_gco2eq_per_kwh,kind,provider,grid,measured_kwh,measured_gco2eq,basis,quality
2026-01-03T12:00:00Z,ISIS,Muon,alice,g,settled,100,400,1,0.25,200,50,200,actual,uk,GB,0,0,average direct,final
2026-01-03T12:30:00Z,ISIS,Muon,alice,g,unpriced,200,800,2,0.5,,,,,,,0,,,
2026-01-03T12:30:00Z,ISIS,Muon,bob,g,unpriced,400,1600,4,1,,,,,,,0,,,
2026-01-03T13:30:00Z,ISIS,Muon,bob,g,settled,800,3200,8,2,800,200,100,actual,uk,GB,0,0,average direct,final
`}.by(t, slices.Concat([]string{"export", "csv"}, span, args)...)
	called{stdout: `ts,scope,name,state,busy_cpu_seconds,idle_cpu_seconds,busy_kwh,idle_kwh,busy_gco2eq,idle_gco2eq,intensity_gco2eq_per_kwh,measured_kwh,measured_gco2eq
2026-01-03T12:30:00Z,ada,ada,unpriced,600,2400,6,1.5,,,,0,
2026-01-03T12:30:00Z,project,ISIS,unpriced,600,2400,6,1.5,,,,0,
2026-01-03T12:30:00Z,machine,Muon,unpriced,600,2400,6,1.5,,,,0,
2026-01-03T12:30:00Z,user,alice,unpriced,200,800,2,0.5,,,,0,
2026-01-03T12:30:00Z,user,bob,unpriced,400,1600,4,1,,,,0,
2026-01-03T13:30:00Z,ada,ada,settled,800,3200,8,2,800,200,100,0,0
2026-01-03T13:30:00Z,project,ISIS,settled,800,3200,8,2,800,200,100,0,0
2026-01-03T13:30:00Z,machine,Muon,settled,800,3200,8,2,800,200,100,0,0
2026-01-03T13:30:00Z,user,bob,settled,800,3200,8,2,800,200,100,0,0
`}.by(t, slices.Concat([]string{"export", "csv", "--grain=scope", "--from=2026-01-03T12:01", "--to=2026-01-03T13:31"}, args)...)
}

func TestCSVOfOddNames(t *testing.T) {
	odd := "a \"quoted\", comma\nand line\\"
	args, _ := exportedFrom(t, "", interval(slotAt(0), 1e-7, used(slotAt(0), odd, "\u2603", 1e-9)))
	got := call(append([]string{"export", "csv", "--month=2026-01"}, args...)...)
	rows, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][1] != odd || rows[1][3] != "\u2603" || rows[1][8] != "0.000000001" || rows[1][10] != "0.0000000000000001" {
		t.Errorf("%q, %v", rows, err)
	}
	metrics := call(append([]string{"export", "openmetrics", "--month=2026-01", "--metric=carbon_energy_kwh"}, args...)...)
	if want := `{project="a \"quoted\", comma\nand line\\",machine="Muon",user="☃",group="g",mode="busy"} 9.999999999`; !strings.Contains(metrics.stdout, want) {
		t.Errorf("there is no %s in\n%s", want, metrics.stdout)
	}
}

// What is pruned has no history by key, and says from when on there is one.
func TestExportOfWhatIsPruned(t *testing.T) {
	var recs []usage.Record
	for n := range 12 {
		recs = append(recs, interval(slotAt(48*n), 100, used(slotAt(48*n), "ISIS", "alice", 1)))
	}
	args, s := exportedFrom(t, "", recs...)
	for more := true; more; {
		done, err := s.Prune(t.Context(), time.Now(), 8*24*time.Hour, "")
		if err != nil {
			t.Fatal(err)
		}
		more = done.More
	}
	out := filepath.Join(t.TempDir(), "out")
	for _, tc := range []struct {
		args  []string
		code  int
		error string
		lines int
	}{
		{[]string{"openmetrics", "--from=2026-01-01"}, exitFailed, "carbontool export openmetrics: interval is pruned: per-key rows are complete from 2026-01-05T12:30:00Z on\n", 0},
		{[]string{"csv", "--from=2026-01-01"}, exitFailed, "carbontool export csv: interval is pruned: per-key rows are complete from 2026-01-05T12:30:00Z on; --grain=scope covers all time\n", 0},
		{[]string{"csv", "--from=2026-01-01", "--output=" + out}, exitFailed, "carbontool export csv: interval is pruned: per-key rows are complete from 2026-01-05T12:30:00Z on; --grain=scope covers all time\n", 0},
		{[]string{"csv", "--from=2026-01-01", "--grain=scope"}, exitDone, "", 1 + 4*12},
		{[]string{"csv", "--from=2026-01-06"}, exitDone, "", 1 + 9},
		{[]string{"openmetrics", "--from=2026-01-06", "--metric=carbon_energy_kwh"}, exitDone, "", 3 + 2*(9+1) + 1},
	} {
		got := call(slices.Concat([]string{"export"}, tc.args, args)...)
		if got.code != tc.code || got.stderr != tc.error || strings.Count(got.stdout, "\n") != tc.lines {
			t.Errorf("%v: got %+v", tc.args, got)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(out)); err != nil || len(entries) > 0 {
		t.Errorf("left are %v, %v", entries, err)
	}
}

func TestExportToAFile(t *testing.T) {
	args, _ := threeHours(t)
	dir := t.TempDir()
	out := filepath.Join(dir, "out.om")
	export := slices.Concat([]string{"export", "openmetrics", "--month=2026-01", "--output=" + out}, args)
	called{}.by(t, export...)
	text, err := os.ReadFile(out)
	if err != nil || !bytes.HasSuffix(text, []byte("\n# EOF\n")) {
		t.Errorf("%v: %s", err, text)
	}
	called{code: exitFailed, stderr: "carbontool export openmetrics: write " + out + ": already exists; nothing was changed\n"}.by(t, export...)
	called{}.by(t, slices.Concat([]string{"export", "csv", "--month=2026-01", "--output=/dev/null"}, args)...)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left are %v, %v", entries, err)
	}
}

func TestExportOfNothing(t *testing.T) {
	args, _ := threeHours(t)
	path, _ := strings.CutPrefix(args[0], "--storage.path=")
	nothing := "carbontool export: " + path + " has no usage in this range\n"
	span := []string{"--from=2025-01-01", "--to=2025-01-02", "--metric=carbon_pue_ratio"}
	called{stdout: "# TYPE carbon_pue_ratio gauge\n# UNIT carbon_pue_ratio ratio\n# HELP carbon_pue_ratio Power usage effectiveness.\n# EOF\n", stderr: nothing}.
		by(t, slices.Concat([]string{"export", "openmetrics"}, span, args)...)
	called{stdout: "ts,scope,name,state,busy_cpu_seconds,idle_cpu_seconds,busy_kwh,idle_kwh,busy_gco2eq,idle_gco2eq,intensity_gco2eq_per_kwh,measured_kwh,measured_gco2eq\n", stderr: nothing}.
		by(t, slices.Concat([]string{"export", "csv", "--grain=scope"}, span[:2], args)...)
	fresh, _ := exportedFrom(t, "")
	path, _ = strings.CutPrefix(fresh[0], "--storage.path=")
	if got := call(slices.Concat([]string{"export", "openmetrics"}, span[:2], fresh)...); got.code != exitDone || got.stderr != "carbontool export: "+path+" has no usage in this range\n" || !strings.HasSuffix(got.stdout, "# EOF\n") {
		t.Errorf("a store that was never written: %+v", got)
	}
}

func TestExportUsedInAWrongWay(t *testing.T) {
	args, _ := threeHours(t)
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"export", "openmetrics"}, "carbontool export openmetrics: no range: give --from or --month; see carbontool export openmetrics --help\n"},
		{[]string{"export", "csv", "--from=2026-02-30"}, `carbontool export csv: --from: "2026-02-30" is not a time `},
		{[]string{"export", "csv", "--from=2026-01-02", "--to=2026-01-01"}, "carbontool export csv: --to: 2026-01-01T00:00:00Z is not after --from; "},
		{[]string{"export", "csv", "--from=2926-01-02"}, "carbontool export csv: --from: 2926-01-02 is in the future; "},
		{[]string{"export", "csv", "--grain=user", "--month=2026-01"}, `carbontool export csv: --grain: must be key or scope, is "user"; see carbontool export csv --help` + "\n"},
		{[]string{"export", "openmetrics", "--month=2026-01", "--every=1ms"}, "carbontool export openmetrics: --every: must be at least 1s, is 1ms; "},
		{[]string{"export", "openmetrics", "--month=2026-01", "--every=-5m"}, "carbontool export openmetrics: --every: must be at least 1s, is -5m0s; "},
		{[]string{"export", "openmetrics", "--month=2026-01", "--metric=carbon_settled_energy_kwh_total"}, `carbontool export openmetrics: --metric: no history of "carbon_settled_energy_kwh_total"; there is history of carbon_cpu_seconds, carbon_energy_kwh, `},
	} {
		got := call(slices.Concat(tc.args, args)...)
		if got.code != exitUsage || got.stdout != "" || !strings.HasPrefix(got.stderr, tc.want) {
			t.Errorf("%v: got %+v, want %s", tc.args, got, tc.want)
		}
	}
}
