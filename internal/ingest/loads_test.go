// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/attribution"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/power"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// bench is a piece of usage with instruments at it.
type bench struct {
	samples     []usage.Sample
	there       map[string]float64
	directory   directory.Directory
	instruments usage.Instruments
	model       power.Model
	set         Settings
}

var halfHour = usage.Interval{Start: start, Length: 30 * time.Minute}

func ofHost(host, machine string, busy, idle usage.CPUSeconds) usage.Sample {
	return usage.Sample{
		Series: usage.Series{Project: "P", Machine: machine, Host: host},
		CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: busy, Idle: idle},
	}
}

// newBench has a host of 8 cores, half an hour busy on two of them, at 12 W and 1 W.
func newBench() *bench {
	return &bench{
		samples: []usage.Sample{ofHost("a:9100", "Muon", 3600, 10800)},
		model:   power.Model{Default: usage.Rating{Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}}},
		set:     Settings{PUE: 1, Source: &source.Client{Query: source.Query{BusyModes: []string{"user"}, IdleModes: []string{"idle"}, Labels: source.Labels{Mode: "mode"}}}, Workspaces: true},
	}
}

func (b *bench) record() usage.Record {
	page := attribution.Rules{GroupBy: attribution.ByProject, Directory: attribution.NewIndex(b.directory)}
	r := usage.Reading{Piece: halfHour, Samples: b.samples, There: b.there}
	b.instruments.Piece = halfHour
	read := attributed{Reading: r, page: page, parts: page.Parts(r, nil), instruments: &b.instruments}
	return facts(b.set, b.model, halfHour, []attributed{read}, start)
}

// kept gives a host to a user from the beginning and to another from a minute on.
func kept(host string, minute int, first, second string) directory.Directory {
	at := start.Add(time.Duration(minute) * time.Minute)
	return directory.Directory{Tenures: []directory.Tenure{
		{Document: "1", Host: host, Owner: first, From: start.Add(-time.Hour), To: at},
		{Document: "2", Host: host, Owner: second, From: at, To: start.Add(time.Hour)},
	}}
}

const wattHour = 3600

// modelled is the energy of newBench's host: 2 x 12 W + 6 x 1 W for half an hour.
const modelled = 0.015

func TestWhatInstrumentsChange(t *testing.T) {
	metered := func(joules usage.Joules, covered float64) func(*bench) {
		return func(b *bench) {
			b.instruments.Power = map[string]usage.Metering{"a:9290": {Meter: "ipmi", Energy: joules, Covered: covered}}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*bench)
		want   usage.ByMode[usage.KWh]
	}{
		{"nothing", func(*bench) {}, usage.ByMode[usage.KWh]{Busy: 0.012, Idle: 0.003}},
		{"a meter, by another port: its energy, split as the model has it", metered(20*wattHour, 1), usage.ByMode[usage.KWh]{Busy: 0.016, Idle: 0.004}},
		{"a host that was there for half of the time, with its meter", func(b *bench) {
			metered(10*wattHour, 0.5)(b)
			b.samples, b.there = []usage.Sample{ofHost("a:9100", "Muon", 1800, 5400)}, map[string]float64{"a:9100": 0.5}
		}, usage.ByMode[usage.KWh]{Busy: 0.008, Idle: 0.002}},
		{"two meters by two other ports: the first of the configuration", func(b *bench) {
			b.instruments.Power = map[string]usage.Metering{
				"a:9100": {Meter: "rapl", Place: 1, Energy: 8 * wattHour, Covered: 1}, "a:9290": {Meter: "ipmi", Energy: 20 * wattHour, Covered: 1},
			}
		}, usage.ByMode[usage.KWh]{Busy: 0.016, Idle: 0.004}},
		{"two meters by two other ports: the one that covers more", func(b *bench) {
			b.instruments.Power = map[string]usage.Metering{
				"a:9100": {Meter: "rapl", Place: 1, Energy: 20 * wattHour, Covered: 1}, "a:9290": {Meter: "ipmi", Energy: 10 * wattHour, Covered: 0.25},
			}
		}, usage.ByMode[usage.KWh]{Busy: 0.016, Idle: 0.004}},
		{"a meter with a hole: the model counts in it", metered(10*wattHour, 0.5), usage.ByMode[usage.KWh]{Busy: 0.008 + 0.006, Idle: 0.002 + 0.0015}},
		{"a meter that covers nothing", metered(0, 0), usage.ByMode[usage.KWh]{Busy: 0.012, Idle: 0.003}},
		{"a meter of another host", func(b *bench) {
			b.instruments.Power = map[string]usage.Metering{"aa:9100": {Energy: 1e9, Covered: 1}}
		}, usage.ByMode[usage.KWh]{Busy: 0.012, Idle: 0.003}},
		{"a meter, and a model without watts: split by CPU time", func(b *bench) {
			metered(20*wattHour, 1)(b)
			b.model.Default = usage.Rating{}
		}, usage.ByMode[usage.KWh]{Busy: 0.005, Idle: 0.015}},
		{"PUE multiplies what was measured, too", func(b *bench) {
			metered(20*wattHour, 1)(b)
			b.set.PUE = 1.5
		}, usage.ByMode[usage.KWh]{Busy: 0.024, Idle: 0.006}},
		{"a PUE that is measured", func(b *bench) {
			b.set.MeasuresPUE, b.set.PUE = true, 3
			b.instruments.PUE = new(1.5)
		}, usage.ByMode[usage.KWh]{Busy: 0.018, Idle: 0.0045}},
		{"a PUE that has no answer", func(b *bench) { b.set.MeasuresPUE, b.set.PUE = true, 2 }, usage.ByMode[usage.KWh]{Busy: 0.024, Idle: 0.006}},
		{"memory is idle energy: 64 GiB at 0.3 W for half an hour", func(b *bench) {
			b.model.MemoryPerGiB = 0.3
			b.instruments.Memory = map[string]usage.GiBSeconds{"a:9100": 64 * 1800}
		}, usage.ByMode[usage.KWh]{Busy: 0.012, Idle: 0.003 + 0.0096}},
		{"memory of a measured host is in what was measured", func(b *bench) {
			metered(20*wattHour, 1)(b)
			b.model.MemoryPerGiB = 0.3
			b.instruments.Memory = map[string]usage.GiBSeconds{"a:9100": 64 * 1800}
		}, usage.ByMode[usage.KWh]{Busy: 0.016, Idle: 0.004}},
		{"two GPUs of the host", func(b *bench) {
			for _, joules := range []usage.Joules{100 * wattHour, 50 * wattHour} {
				b.instruments.Devices = append(b.instruments.Devices, usage.DeviceSample{
					Series: usage.Series{Project: usage.Unknown, Machine: usage.Unknown, Host: "a:9400"}, Name: "gpu", Energy: joules,
				})
			}
		}, usage.ByMode[usage.KWh]{Busy: 0.012, Idle: 0.003, Measured: 0.15}},
		{"GPUs that the meter of the server measures, too, count once", func(b *bench) {
			metered(120*wattHour, 1)(b)
			withGPU(b, 100*wattHour, "gpu")
		}, usage.ByMode[usage.KWh]{Busy: 0.016, Idle: 0.004, Measured: 0.1}},
		{"the same where the meter covers half of the time", func(b *bench) {
			metered(60*wattHour, 0.5)(b)
			withGPU(b, 100*wattHour, "gpu")
		}, usage.ByMode[usage.KWh]{Busy: 0.008 + 0.006, Idle: 0.002 + 0.0015, Measured: 0.1}},
		{"other devices come on top", func(b *bench) {
			metered(20*wattHour, 1)(b)
			withGPU(b, 100*wattHour, "fpga")
		}, usage.ByMode[usage.KWh]{Busy: 0.016, Idle: 0.004, Measured: 0.1}},
		{"a meter that shows less than the GPUs in it leaves nothing for the rest", func(b *bench) {
			metered(20*wattHour, 1)(b)
			withGPU(b, 100*wattHour, "gpu")
		}, usage.ByMode[usage.KWh]{Measured: 0.1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench()
			c.change(b)
			rec := b.record()
			if len(rec.Facts) != 1 || len(rec.Hosts) != 1 {
				t.Fatalf("%d facts, %d hosts", len(rec.Facts), len(rec.Hosts))
			}
			for what, got := range map[string]usage.ByMode[usage.KWh]{"fact": rec.Facts[0].Energy, "host": rec.Hosts[0].Energy} {
				if !near(float64(got.Busy), float64(c.want.Busy)) || !near(float64(got.Idle), float64(c.want.Idle)) || !near(float64(got.Measured), float64(c.want.Measured)) {
					t.Errorf("%s: %+v, want %+v", what, got, c.want)
				}
			}
		})
	}
}

// withGPU puts a GPU into the measured host, whose meter includes devices of a name.
func withGPU(b *bench, joules usage.Joules, includes string) {
	for label, m := range b.instruments.Power {
		m.Includes = []string{includes}
		b.instruments.Power[label] = m
	}
	b.instruments.Devices = []usage.DeviceSample{{
		Series: usage.Series{Project: usage.Unknown, Machine: usage.Unknown, Host: "a:9400"}, Name: "gpu", Energy: joules,
	}}
}

func TestOwnersShareWhatWasMeasured(t *testing.T) {
	b := newBench()
	b.directory = kept("a", 10, "alice", "bob")
	b.instruments.Power = map[string]usage.Metering{"a:9100": {Energy: 30 * wattHour, Covered: 1, Error: new(0.1)}}
	b.instruments.Devices = []usage.DeviceSample{{
		Series: usage.Series{Project: usage.Unknown, Machine: usage.Unknown, Host: "a:9400"}, Name: "gpu", Energy: 90 * wattHour,
	}}
	for user, want := range map[string]usage.ByMode[usage.KWh]{
		"alice": {Busy: 0.008, Idle: 0.002, Measured: 0.03}, "bob": {Busy: 0.016, Idle: 0.004, Measured: 0.06},
	} {
		for _, f := range b.record().Facts {
			if f.User != user {
				continue
			}
			if !near(float64(f.Energy.Busy), float64(want.Busy)) || !near(float64(f.Energy.Idle), float64(want.Idle)) || !near(float64(f.Energy.Measured), float64(want.Measured)) {
				t.Errorf("%s: %+v, want %+v", user, f.Energy, want)
			}
			if e := f.Beside.Metered.Error; e == nil || !near(*e, 0.1) {
				t.Errorf("%s: the error of the meter is %v", user, e)
			}
		}
	}
}

// A device may say itself whose it is, as that of a container does, and it may be on a host that
// has no CPU series.
func TestDevicesThatNameTheirOwner(t *testing.T) {
	for _, c := range []struct {
		name   string
		series usage.Series
		want   usage.Key
	}{
		{"a project of its own, on a known host", usage.Series{Project: "Q", Machine: usage.Unknown, Host: "a:9400"}, usage.Key{Project: "Q", Machine: "Muon", User: usage.Unattributed, Group: "Q"}},
		{"a user of its own, on a known host", usage.Series{Project: usage.Unknown, Machine: usage.Unknown, Host: "a:9400", User: "carol"}, usage.Key{Project: "P", Machine: "Muon", User: "carol", Group: "P"}},
		{"on a host that nobody knows", usage.Series{Project: "Q", Machine: "DGX", Host: "dgx:9400"}, usage.Key{Project: "Q", Machine: "DGX", User: usage.Unattributed, Group: "Q"}},
		{"on no host at all", usage.Series{Project: usage.Unknown, Machine: usage.Unknown, Host: usage.Unknown}, usage.Key{Project: usage.Unknown, Machine: usage.Unknown, User: usage.Unattributed, Group: usage.Unknown}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench()
			b.instruments.Devices = []usage.DeviceSample{{Series: c.series, Name: "gpu", Energy: 90 * wattHour}}
			rec := b.record()
			i := slices.IndexFunc(rec.Facts, func(f usage.Fact) bool { return f.Energy.Measured != 0 })
			if i < 0 || rec.Facts[i].Key != c.want || !near(float64(rec.Facts[i].Energy.Measured), 0.09) {
				t.Errorf("got %+v, want it booked to %+v", rec.Facts, c.want)
			}
		})
	}
}

// world is many hosts of two types with owners that change, meters with holes, memory and
// devices.
func world(random *rand.Rand) (b *bench, meters, devices usage.KWh) {
	b = newBench()
	b.samples = nil
	b.model.MemoryPerGiB = 0.3
	b.set.PUE = 1.37
	b.instruments.Power, b.instruments.Memory = map[string]usage.Metering{}, map[string]usage.GiBSeconds{}
	for i := range 40 {
		host := string(rune('a'+i%26)) + string(rune('a'+i/26))
		machine := []string{"Muon", "Laser"}[i%2]
		b.samples = append(b.samples, ofHost(host+":9100", machine, usage.CPUSeconds(random.Float64()*7200), usage.CPUSeconds(random.Float64()*7200)))
		b.directory.Tenures = append(b.directory.Tenures, kept(host, random.IntN(30), "u"+string(rune('a'+random.IntN(5))), "u"+string(rune('a'+random.IntN(5)))).Tenures...)
		if random.IntN(2) == 0 {
			m := usage.Metering{Energy: usage.Joules(1e5 + random.Float64()*1e6), Covered: []float64{1, 1, 0.4}[random.IntN(3)]}
			b.instruments.Power[host+":9290"] = m
			meters += m.Energy.KWh()
		}
		b.instruments.Memory[host+":9100"] = usage.GiBSeconds(random.Float64() * 1e6)
		for range random.IntN(3) {
			d := usage.DeviceSample{
				Series: usage.Series{Project: usage.Unknown, Machine: usage.Unknown, Host: host + ":9400"}, Name: []string{"gpu", "fpga"}[random.IntN(2)],
				Energy: usage.Joules(random.Float64() * 1e6), Error: []*float64{nil, new(0.05)}[random.IntN(2)],
			}
			b.instruments.Devices = append(b.instruments.Devices, d)
			devices += d.Energy.KWh()
		}
	}
	for i := range b.directory.Tenures {
		b.directory.Tenures[i].Document += string(rune('a'+i%26)) + string(rune('a'+i/26))
	}
	return b, meters, devices
}

func TestEverySumHoldsWithInstruments(t *testing.T) {
	for seed := range uint64(20) {
		b, meters, devices := world(rand.New(rand.NewPCG(seed, 1)))
		rec := b.record()
		var sum usage.ByModeSum[usage.KWh]
		var metered, hosts usage.Sum
		for _, f := range rec.Facts {
			sum.Add(f.Energy)
			metered.Add(float64(f.Beside.Metered.Energy.Total()))
			for _, v := range []usage.KWh{f.Energy.Busy, f.Energy.Idle, f.Energy.Measured} {
				if v < 0 || math.IsNaN(float64(v)) {
					t.Fatalf("seed %d: %+v", seed, f)
				}
			}
		}
		for _, h := range rec.Hosts {
			hosts.Add(float64(h.Energy.Total()))
		}
		if want := float64(meters) * 1.37; math.Abs(metered.Float64()/want-1) > 1e-12 {
			t.Errorf("seed %d: %v kWh are booked of %v that were measured", seed, metered.Float64(), want)
		}
		if want := float64(devices) * 1.37; math.Abs(float64(sum.ByMode().Measured)/want-1) > 1e-12 {
			t.Errorf("seed %d: %v kWh of devices are booked of %v", seed, sum.ByMode().Measured, want)
		}
		if math.Abs(hosts.Float64()/float64(sum.Total())-1) > 1e-12 {
			t.Errorf("seed %d: the hosts have %v kWh, the keys %v", seed, hosts.Float64(), sum.Total())
		}
	}
}

// The order in which a server lists hosts and devices changes nothing, to the last bit.
func TestTheOrderOfAnAnswerDoesNotMatter(t *testing.T) {
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 2))
		b, _, _ := world(random)
		want := byKey(b.record())
		random.Shuffle(len(b.samples), func(i, j int) { b.samples[i], b.samples[j] = b.samples[j], b.samples[i] })
		d := b.instruments.Devices
		random.Shuffle(len(d), func(i, j int) { d[i], d[j] = d[j], d[i] })
		got := byKey(b.record())
		for k, f := range want {
			if o := got[k]; o.CPU != f.CPU || o.Energy != f.Energy || !o.Beside.Equal(f.Beside) {
				t.Fatalf("seed %d: %+v\n%+v %+v\nwant\n%+v %+v", seed, k, o, *o.Beside, f, *f.Beside)
			}
		}
		if len(got) != len(want) {
			t.Errorf("seed %d: %d keys, want %d", seed, len(got), len(want))
		}
	}
}

func byKey(rec usage.Record) map[usage.Key]usage.Fact {
	all := map[usage.Key]usage.Fact{}
	for _, f := range rec.Facts {
		all[f.Key] = f
	}
	return all
}

func TestTypesAreRatedByTheirMixture(t *testing.T) {
	b := newBench()
	b.model.Processor = func(model string, threads int) (usage.Rating, bool) {
		w := map[string]usage.Watts{"lean": 2, "thirsty": 4}[model]
		return usage.Rating{Watts: usage.BusyIdle[usage.Watts]{Busy: w, Idle: w / 4}}, w != 0 && threads == 64
	}
	b.model.Configured = map[string]usage.Rating{"Laser": {Machine: "Laser", Watts: usage.BusyIdle[usage.Watts]{Busy: 9, Idle: 1}, Source: power.SourceConfig}}
	b.samples = []usage.Sample{ofHost("a:9100", "Muon", 900, 900), ofHost("b:9100", "Muon", 0, 5400), ofHost("c:9100", "Laser", 900, 900), ofHost("d:9100", "Muon", 1800, 1800)}
	b.instruments.Models = map[string][]usage.ModelShare{
		"a:9100": {{Model: "lean", Threads: 64, Share: 1}},
		"b:9182": {{Model: "lean", Threads: 64, Share: 1. / 3}, {Model: "thirsty", Threads: 64, Share: 2. / 3}}, // replaced in mid-piece; another exporter says so
		"c:9100": {{Model: "lean", Threads: 64, Share: 1}},
	}
	rec := b.record()
	ratings := map[string]usage.Rating{}
	for _, r := range rec.Ratings {
		ratings[r.Machine] = r
	}
	// 3600 s lean and 3600 s thirsty; d says nothing and is like the others.
	if r := ratings["Muon"]; r.Source != power.SourceProcessor || !near(float64(r.Watts.Busy), 3) || !near(float64(r.Watts.Idle), 0.75) {
		t.Errorf("Muon is rated %+v", r)
	}
	if r := ratings["Laser"]; r.Source != power.SourceConfig {
		t.Errorf("Laser is rated %+v", r)
	}
	if len(rec.Models) != 1 || len(rec.Models["Muon"]) != 3 {
		t.Errorf("the record keeps %+v", rec.Models)
	}
	sum := 0.0
	for _, s := range rec.Models["Muon"] {
		sum += s.Share
	}
	if !near(sum, 1) {
		t.Errorf("the shares add up to %v", sum)
	}
}

func TestWhatIsBookedIsComparedWithWhatWasMeasured(t *testing.T) {
	b := newBench()
	b.set.PUE = 1.5
	b.samples = append(b.samples, usage.Sample{Series: usage.Series{Project: "Q", Machine: "Muon", Host: "b:9100"}, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 3600}})
	b.instruments.Zones = []usage.ZoneEnergy{{Zone: "site", Energy: 40 * wattHour}, {Zone: "hall", Energy: 20 * wattHour}}
	b.set.Zones = []Zone{
		{Name: "site", Cooling: true}, {Name: "hall", Projects: map[string]bool{"P": true}}, {Name: "unheard of"},
	}
	got := map[string]usage.ZoneFact{}
	for _, z := range b.record().Zones {
		got[z.Zone] = z
	}
	if len(got) != 2 {
		t.Errorf("zones %v: one without a measurement is unknown", slices.Sorted(maps.Keys(got)))
	}
	if z := got["site"]; !near(float64(z.Measured), 0.04) || !near(float64(z.Booked), 0.027*1.5) {
		t.Errorf("a meter with the cooling: %+v", z)
	}
	if z := got["hall"]; !near(float64(z.Measured), 0.02) || !near(float64(z.Booked), modelled) {
		t.Errorf("a meter of the machines of one project: %+v", z)
	}
}
