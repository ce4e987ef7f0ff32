// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var start = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*max(math.Abs(a), math.Abs(b)) }

// random is an interval of an hour, two pieces, made as the exporter makes it.
func random(r *rand.Rand) Known {
	k := Known{Now: start.Add(time.Hour), Key: Key{Project: "ISIS"}}
	k.Interval = usage.Interval{Start: start, Length: time.Hour}
	k.State, k.PUE, k.FetchedAt = usage.Provisional, 1+r.Float64(), start.Add(time.Hour)
	watts := map[string]usage.BusyIdle[usage.Watts]{}
	for _, machine := range []string{"Muon", "SANS"} {
		w := usage.BusyIdle[usage.Watts]{Busy: usage.Watts(5 + 10*r.Float64()), Idle: usage.Watts(r.Float64())}
		watts[machine] = w
		k.Ratings = append(k.Ratings, usage.Rating{Machine: machine, Watts: w, Source: "default"})
	}
	for _, piece := range k.Interval.Pieces() {
		k.Prices = append(k.Prices, usage.PiecePrice{Start: piece.Start, Price: usage.Price{
			Intensity: usage.GramsPerKWh(300 * r.Float64()), Kind: usage.Actual, Provider: "uk", Grid: "GB", SlotFrom: piece.Start, FetchedAt: start.Add(2 * time.Hour),
		}})
		for _, key := range []usage.Key{
			{Project: "ISIS", Machine: "Muon", User: "alice", Group: "g"},
			{Project: "ISIS", Machine: "SANS", User: "bob", Group: "g"},
			{Project: "ISIS", Machine: "Muon", User: usage.Unattributed, Group: "g"},
			{Project: "CLF", Machine: "Muon", User: "alice", Group: "g"},
		} {
			cpu := usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(r.ExpFloat64() * 1e3), Idle: usage.CPUSeconds(r.ExpFloat64() * 1e4)}
			k.Facts = append(k.Facts, usage.Fact{Key: key, Start: piece.Start, CPU: cpu, Energy: usage.ByMode[usage.KWh]{
				Busy: watts[key.Machine].Busy.For(cpu.Busy) * usage.KWh(k.PUE), Idle: watts[key.Machine].Idle.For(cpu.Idle) * usage.KWh(k.PUE),
			}})
		}
	}
	return k
}

var products = regexp.MustCompile(`(busy|idle)  ([0-9.]+) s x ([0-9.]+) W / 3600000 x ([0-9.]+) = ([0-9.]+) kWh; x ([0-9.]+) = ([0-9.]+) g\n`)

// TestThePrintedFactorsMultiplyToWhatIsStored reads the text and the JSON back and
// multiplies what they say.
func TestThePrintedFactorsMultiplyToWhatIsStored(t *testing.T) {
	for seed := range int64(20) {
		k := random(rand.New(rand.NewSource(seed)))
		var kwh, grams float64
		for _, f := range k.Facts {
			if f.Project == "ISIS" {
				kwh += float64(f.Energy.Total())
				for _, p := range k.Prices {
					if p.Start.Equal(f.Start) {
						grams += float64(f.Energy.Total().At(p.Intensity))
					}
				}
			}
		}
		e := New(k)
		var text, object bytes.Buffer
		if err := errors.Join(e.WriteText(&text, time.UTC), e.WriteJSON(&object)); err != nil {
			t.Fatal(err)
		}
		found := products.FindAllStringSubmatch(text.String(), -1)
		if len(found) != 2*3*2 {
			t.Fatalf("%d products of three keys in two pieces and modes:\n%s", len(found), text.String())
		}
		var printed, emitted float64
		for _, m := range found {
			v := make([]float64, len(m))
			for i := 2; i < len(m); i++ {
				v[i], _ = strconv.ParseFloat(m[i], 64)
			}
			if !near(v[2]*v[3]/3600000*v[4], v[5]) || !near(v[5]*v[6], v[7]) {
				t.Errorf("%s", m[0])
			}
			printed, emitted = printed+v[2]*v[3]/3600000*v[4], emitted+v[2]*v[3]/3600000*v[4]*v[6]
		}
		if !near(printed, kwh) || !near(emitted, grams) {
			t.Errorf("the text has %v kWh and %v g, stored are %v and %v", printed, emitted, kwh, grams)
		}
		var read Explanation
		if err := json.Unmarshal(object.Bytes(), &read); err != nil {
			t.Fatal(err)
		}
		printed, emitted = 0, 0
		for _, u := range read.Usage {
			for _, s := range []Steps{u.Busy, u.Idle} {
				if !near(s.CPU**s.Watts/3600000*u.PUE, s.Energy) || !near(s.Energy**u.Intensity, *s.Emissions) {
					t.Errorf("json: %+v of %+v", s, u)
				}
				printed, emitted = printed+s.Energy, emitted+*s.Emissions
			}
		}
		if !near(printed, kwh) || !near(emitted, grams) || !near(read.Total.Energy, kwh) || !near(*read.Total.Emissions, grams) {
			t.Errorf("json has %v kWh and %v g, in all %v and %v, stored are %v and %v", printed, emitted, read.Total.Energy, *read.Total.Emissions, kwh, grams)
		}
		total := "Total: " // the same in words
		for line := range strings.SplitSeq(text.String(), "\n") {
			if strings.HasPrefix(line, total) && !strings.Contains(line, "; "+exact(read.Total.Energy)+" kWh (") {
				t.Errorf("%s, want %v kWh", line, read.Total.Energy)
			}
		}
	}
}

func TestOnlyWhatWasAskedFor(t *testing.T) {
	all := random(rand.New(rand.NewSource(1)))
	for _, c := range []struct {
		name  string
		key   Key
		rows  int
		users string
	}{
		{"a project", Key{Project: "ISIS"}, 6, "alice bob"},
		{"a machine type of it", Key{Project: "ISIS", Machine: new("Muon")}, 4, "alice"},
		{"a user of it", Key{Project: "ISIS", User: new("bob")}, 2, "bob"},
		{"what is nobody's", Key{Project: "ISIS", User: new(usage.Unattributed)}, 2, ""},
		{"all at once", Key{Project: "ISIS", Machine: new("SANS"), User: new("bob"), Group: new("g")}, 2, "bob"},
		{"a user of another machine type", Key{Project: "ISIS", Machine: new("SANS"), User: new("alice")}, 0, ""},
		{"the empty name is a name", Key{Project: "ISIS", Group: new("")}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := all
			k.Key = c.key
			e := New(k)
			if len(e.Usage) != c.rows || strings.Join(k.Users(), " ") != c.users {
				t.Errorf("%d rows, users %v", len(e.Usage), k.Users())
			}
			if (e.Total == nil) != (c.rows == 0) {
				t.Errorf("total %+v", e.Total)
			}
			for _, p := range e.Power {
				if !slices.ContainsFunc(e.Usage, func(u Usage) bool { return u.Machine == p.Machine }) {
					t.Errorf("it has the power of %s", p.Machine)
				}
			}
		})
	}
}

func TestStatesExplainThemselves(t *testing.T) {
	interval := usage.Interval{Start: start, Length: usage.SlotLength}
	now := start.Add(24 * time.Hour)
	facts := []usage.Fact{{Key: usage.Key{Project: "ISIS", Machine: "Muon", User: "alice", Group: "g"}, Start: start, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 3600}, Energy: usage.ByMode[usage.KWh]{Busy: 0.012}}}
	ratings := []usage.Rating{{Machine: "Muon", Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}}}
	for _, c := range []struct {
		name string
		k    Known
		want []string // in the text
		not  string
	}{
		{"missing", Known{Proof: usage.Proof{Record: usage.Record{State: usage.Missing}}}, []string{"missing: due, and not fetched yet, which is not 0\n"}, "Total"},
		{"unasked: the store is empty", Known{Proof: usage.Proof{Record: usage.Record{State: usage.Unasked}}}, []string{"unasked: Prometheus was never asked for it, and the store is empty\n"}, "missing"},
		{
			"unasked: before the store begins",
			Known{Held: &usage.Period{From: start.Add(time.Hour), To: now}, Proof: usage.Proof{Record: usage.Record{State: usage.Unasked}}},
			[]string{"unasked: Prometheus was never asked for it; the store has usage from 2026-07-01T13:00:00Z to 2026-07-02T12:00:00Z, and \"carbontool backfill\" fetches more\n"},
			"gCO2eq",
		},
		{"unasked: not over", Known{Now: start.Add(time.Minute), Proof: usage.Proof{Record: usage.Record{State: usage.Unasked}}}, []string{"unasked: the interval ends at 2026-07-01T12:30:00Z\n"}, "PUE"},
		{"missing: not over", Known{Now: start.Add(time.Minute), Proof: usage.Proof{Record: usage.Record{State: usage.Missing}}}, []string{"missing: the interval ends at 2026-07-01T12:30:00Z\n"}, "fetched"},
		{
			"missing: attempts that failed",
			Known{Proof: usage.Proof{Record: usage.Record{State: usage.Missing}, Attempts: 3, Error: "timeout\nof line 2", RetryAt: now}},
			[]string{`failed attempts: 3; last error: timeout; of line 2; next attempt after 2026-07-02T12:00:00Z`},
			"Total",
		},
		{
			"empty",
			Known{Proof: usage.Proof{Record: usage.Record{State: usage.Empty, FetchedAt: now, Queries: usage.Queries{Busy: "b", Idle: "i"}}, RetryAt: now}},
			[]string{"empty: Prometheus answered without any series, which is not 0; it is queried once more at 2026-07-02T12:00:00Z\n", "Queried from Prometheus at 2026-07-02T12:00:00Z, evaluated at 2026-07-01T12:30:00Z\n  busy  b\n  idle  i\n"},
			"Total",
		},
		{
			"unpriced",
			Known{Proof: usage.Proof{Record: usage.Record{State: usage.Unpriced, FetchedAt: now, PUE: 1, Facts: facts, Ratings: ratings}}},
			[]string{
				"unpriced: energy is known", "the queries are unknown because an older version stored this interval",
				"3600 s x 12 W / 3600000 x 1 = 0.012 kWh; no carbon intensity yet\n", "0.012 kWh (busy 0.012, idle 0); gCO2eq unknown yet\n",
			},
			"= 0 g",
		},
		{
			"pruned",
			Known{
				Proof:   usage.Proof{Record: usage.Record{State: usage.Settled, FetchedAt: now, PUE: 1}, Pruned: true},
				Remains: &usage.Tally{Energy: usage.ByMode[usage.KWh]{Busy: 1}, Emissions: usage.ByMode[usage.Grams]{Busy: 200}, Priced: true},
			},
			[]string{"settled: final", "were deleted by --storage.retention; the total is for the whole project", "1 kWh (busy 1, idle 0); 200 gCO2eq"},
			"multiply",
		},
		{"pruned, and nothing of the project", Known{Proof: usage.Proof{Record: usage.Record{State: usage.Settled}, Pruned: true}}, []string{"the project has no usage in it"}, "Total"},
		{
			"settled, and nothing of what was asked for",
			Known{Key: Key{Project: "ISIS", User: new("bob")}, Proof: usage.Proof{Record: usage.Record{State: usage.Settled, Facts: facts}}},
			[]string{"no usage matches; the project has usage for machine type Muon, user alice, group g\n"},
			"Total",
		},
		{
			"and nothing of the project",
			Known{Key: Key{Project: "CLF"}, Proof: usage.Proof{Record: usage.Record{State: usage.Settled, Facts: facts}}},
			[]string{"no usage matches; the project has no usage in the interval\n"},
			"Total",
		},
		{
			"somebody else has written the store",
			Known{Proof: usage.Proof{Record: usage.Record{State: usage.Settled, PUE: 2, Facts: facts, Ratings: ratings}}},
			[]string{"the factors do not multiply to the stored energy"},
			"older version",
		},
		{
			"the watts are gone",
			Known{Proof: usage.Proof{Record: usage.Record{State: usage.Settled, PUE: 1, Facts: facts}}},
			[]string{"the factors do not multiply", "3600 s x unknown W"},
			"NaN",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := c.k
			k.Interval = interval
			if k.Now.IsZero() {
				k.Now = now
			}
			if k.Key.Project == "" {
				k.Key.Project = "ISIS"
			}
			e := New(k)
			var text, object bytes.Buffer
			if err := errors.Join(e.WriteText(&text, time.UTC), e.WriteJSON(&object)); err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if !strings.Contains(text.String(), want) {
					t.Errorf("lacks %q:\n%s", want, text.String())
				}
			}
			if strings.Contains(text.String(), c.not) {
				t.Errorf("says %q:\n%s", c.not, text.String())
			}
			for _, list := range []string{"power", "slots", "prices", "usage", "owners", "changes"} {
				if strings.Contains(object.String(), `"`+list+`": null`) {
					t.Errorf("json: %s is null, want a list", list)
				}
			}
		})
	}
}

func TestManyOthersAreCounted(t *testing.T) {
	k := Known{Key: Key{Project: "ISIS", User: new("bob")}}
	for n := range 25 {
		k.Facts = append(k.Facts, usage.Fact{Key: usage.Key{Project: "ISIS", Machine: "m", User: "u" + strconv.Itoa(n), Group: "g"}})
	}
	if got := others(k); strings.Count(got, "user") != mostOthers || !strings.HasSuffix(got, "; and 15 more") {
		t.Errorf("got %s", got)
	}
}

// The text was read by somebody: it says what is known, and each thing once.
func TestText(t *testing.T) {
	half := usage.Interval{Start: start, Length: usage.SlotLength}
	e, forecast, actual := 0.021, usage.GramsPerKWh(240), usage.GramsPerKWh(231.5)
	k := Known{
		Key: Key{Project: "ISIS", Machine: new("Muon"), User: new("al\x1bice")}, Now: start.Add(24 * time.Hour),
		Proof: usage.Proof{
			Record: usage.Record{
				Interval: half, State: usage.Settled, PUE: 1.5, FetchedAt: start.Add(32 * time.Minute),
				Queries:  usage.Queries{Busy: `sum by (user) (node_cpu_seconds_total{mode=~"user|system"})`, Idle: `sum by (user) (node_cpu_seconds_total{mode=~"idle|iowait"})`},
				Coverage: map[string]usage.Coverage{"ISIS": {Seen: 1700, Capacity: 1800}},
				Ratings:  []usage.Rating{{Machine: "Muon", Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}, Source: "calibrated", Error: &e}},
				Facts: []usage.Fact{{
					Key: usage.Key{Project: "ISIS", Machine: "Muon", User: "al\x1bice", Group: "Muons, all"}, Start: start,
					CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 3600, Idle: 1800}, Energy: usage.ByMode[usage.KWh]{Busy: 0.018, Idle: 0.00075},
				}},
				Prices: []usage.PiecePrice{{Start: start, Price: usage.Price{Intensity: 231.5, Kind: usage.Actual, Quality: usage.QualityEstimated, Basis: usage.BasisOf("average direct"), Provider: "uk", Grid: "GB", SlotFrom: start, FetchedAt: start.Add(2 * time.Hour)}}},
			},
			Slots: []usage.Slot{
				{From: start, Forecast: &forecast, Actual: &actual, Quality: usage.QualityEstimated, Basis: usage.BasisOf("average direct"), Index: "high", Provider: "uk", Grid: "GB", FetchedAt: start.Add(26 * time.Hour)},
				{From: start, Forecast: &forecast, Provider: "uk", Grid: "GB-region-13", FetchedAt: start},
			},
			Changes: []usage.Change{
				{Piece: start, At: start.Add(time.Hour), Why: usage.BecauseActual, Was: usage.Price{Intensity: 240, Kind: usage.Forecast, Provider: "uk", Grid: "GB", Basis: usage.BasisOf("direct")}, Is: usage.Price{Intensity: 231.5, Kind: usage.Actual, Provider: "uk", Grid: "GB", Basis: usage.BasisOf("lifecycle")}, EnergyWas: 1, EnergyIs: 1},
				{Piece: start, At: start.Add(9 * time.Hour), Why: usage.BecauseRecost, Was: usage.Price{Intensity: 231.5, Kind: usage.Actual, Provider: "uk", Grid: "GB"}, Is: usage.Price{Intensity: 231.5, Kind: usage.Actual, Provider: "uk", Grid: "GB"}, EnergyWas: 1, EnergyIs: 1.5},
			},
		},
		Titles: []directory.Title{{
			User:        "al\x1bice",
			Tenures:     []directory.Tenure{{Document: `ObjectID("68c1")`, Host: "172.16.100.5", From: start.Add(-time.Hour), To: start.Add(time.Hour)}},
			Memberships: []directory.Membership{{Group: "Muons, all"}, {Group: "SANS", From: start}},
		}},
	}
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	const want = `project ISIS, machine type Muon, user "al\x1bice", 2026-07-01T12:00:00Z to 2026-07-01T12:30:00Z (13:00 BST to 13:30 BST in Europe/London)
  settled: final; only an explicit restatement changes it

Queried from Prometheus at 2026-07-01T12:32:00Z, evaluated at 2026-07-01T12:30:00Z
  busy  sum by (user) (node_cpu_seconds_total{mode=~"user|system"})
  idle  sum by (user) (node_cpu_seconds_total{mode=~"idle|iowait"})

Factors
  1700 of 1800 CPU seconds of the project seen (94.4 %)
  machine type Muon: 12 W busy and 1 W idle per core; source: calibrated; standard error 2.1 % of the energy
  PUE 1.5; source: config

Carbon intensity, gCO2eq/kWh
  used for 2026-07-01T12:00:00Z: 231.5, actual for the slot 2026-07-01T12:00:00Z, uk, grid GB, fetched 2026-07-01T14:00:00Z; quality: estimated; basis: average direct
  slot 2026-07-01T12:00:00Z: forecast 240, actual 231.5 (high), uk, grid GB, fetched 2026-07-02T14:00:00Z; quality: estimated; basis: average direct
  slot 2026-07-01T12:00:00Z: forecast 240, actual unknown, uk, grid GB-region-13, fetched 2026-07-01T12:00:00Z; basis: undeclared

CPU seconds x watts / 3600000 x PUE = kWh; kWh x gCO2eq/kWh = gCO2eq
  machine type Muon, user "al\x1bice", group "Muons, all"
    2026-07-01T12:00:00Z  busy  3600 s x 12 W / 3600000 x 1.5 = 0.018 kWh; x 231.5 = 4.167 g
    2026-07-01T12:00:00Z  idle  1800 s x 1 W / 3600000 x 1.5 = 0.00075 kWh; x 231.5 = 0.173625 g

Total: 3600 s busy, 1800 s idle; 0.01875 kWh (busy 0.018, idle 0.00075); 4.340625 gCO2eq (busy 4.167, idle 0.173625)

Users
  "al\x1bice": had host 172.16.100.5 from 2026-07-01T11:00:00Z to 2026-07-01T13:00:00Z, according to document ObjectID("68c1")
  "al\x1bice": member of "Muons, all", always
  "al\x1bice": member of SANS since 2026-07-01T12:00:00Z

Restated
  2026-07-01T13:00:00Z  half hour 2026-07-01T12:00:00Z: 240 (forecast, uk, grid GB, direct) to 231.5 (actual, uk, grid GB, lifecycle): the actual replaced the forecast
  2026-07-01T21:00:00Z  half hour 2026-07-01T12:00:00Z: 231.5 (actual, uk, grid GB) to 231.5 (actual, uk, grid GB); energy of the site 1 to 1.5 kWh: recalculated on request
`
	var out bytes.Buffer
	if err := New(k).WriteText(&out, zone); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// The hosts that were there are counted, and those that are not exact are named.
func TestHostsThatAreNotExactAreNamed(t *testing.T) {
	k := random(rand.New(rand.NewSource(3)))
	reading := usage.Reading{
		Present: map[string]usage.Presence{"ISIS": {Hosts: 30, Cores: 240}, "CLF": {Hosts: 1}}, Unlisted: map[string]float64{"interrupt": 0.025, "boost": 0.001},
	}
	for n := range 25 {
		reading.Doubts = append(reading.Doubts, usage.Doubt{
			Series: usage.Series{Project: "ISIS", Machine: "Muon", Host: "10.0.0." + strconv.Itoa(100+n)}, Cores: 8,
			State: usage.HostRefused, Reason: usage.DoubtLeap, Detail: "8 cores used 90000 s\nin 1800 s",
		})
	}
	reading.Doubts = append(reading.Doubts, usage.Doubt{Series: usage.Series{Project: "CLF", Host: "other"}, State: usage.HostInterpolated, Reason: usage.DoubtHole})
	k.Attendance = usage.Attend([]usage.Reading{reading})
	k.Queries = usage.Queries{Busy: `sum by (instance) (node_cpu_seconds_total{mode=~"user"})`, Idle: "idle", Growth: true}
	k.RereadAt = start.Add(4 * time.Hour)
	e := New(k)
	var text, object bytes.Buffer
	if err := errors.Join(e.WriteText(&text, time.UTC), e.WriteJSON(&object)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  read a second time after 2026-07-01T16:00:00Z, for data that comes late\n",
		"Queried from Prometheus at 2026-07-01T13:00:00Z: counters, and what they have grown by between 2026-07-01T12:00:00Z, 2026-07-01T12:30:00Z, 2026-07-01T13:00:00Z\n",
		"\nHosts of the project: 5 exact, 0 interpolated, 25 refused; 240 cores\n",
		"  refused  10.0.0.100 (machine type Muon, 8 cores): leap: its counters grew by more than its cores can give; seen: 8 cores used 90000 s; in 1800 s\n",
		"  and 5 more that are not exact\n",
		"  mode interrupt has 2.5 % of the CPU time of all projects and is in no list, so it is not booked\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("lacks %q:\n%s", want, text.String())
		}
	}
	for _, not := range []string{"10.0.0.120", "boost", "other"} {
		if strings.Contains(text.String(), not) {
			t.Errorf("says %s", not)
		}
	}
	var read Explanation
	if err := json.Unmarshal(object.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if h := read.Hosts; h.Exact != 5 || h.Refused != 25 || *h.Cores != 240 || len(h.Doubts) != 25 || h.Doubts[0].Means == "" || !read.Asked.Growth {
		t.Errorf("json: %+v, asked %+v", h, read.Asked)
	}

	k.Key.Project, k.Facts, k.State = "CLF", nil, usage.Empty
	if e := New(k); e.Hosts.Cores != nil || e.Hosts.Interpolated != 1 || !strings.Contains(e.Remarks[0], "all of them are refused") {
		t.Errorf("%+v, %q", e.Hosts, e.Remarks)
	}
	k.Attendance = nil
	if e := New(k); e.Hosts != nil {
		t.Errorf("an older program knew %+v", e.Hosts)
	}
}
