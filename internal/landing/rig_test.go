// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"fmt"
	"math"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// now is an ordinary Saturday evening in London.
var now = time.Date(2026, time.January, 17, 18, 10, 0, 0, time.UTC)

func london(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// keys are those of three projects of two groups, and of twelve more of which each is its own.
func keys() []usage.Key {
	all := []usage.Key{
		{Project: "IDAaaS", Machine: "Laser", User: "1042", Group: "ISIS"},
		{Project: "IDAaaS", Machine: "Muon", User: "977", Group: "ISIS"},
		{Project: "TDAaaS", Machine: "Muon", User: usage.Unattributed, Group: "ISIS"},
		{Project: "CLF-analysis", Machine: "Laser", User: "1042", Group: "CLF"},
	}
	for n := range 12 {
		name := fmt.Sprintf("pilot-%02d", n)
		all = append(all, usage.Key{Project: name, Machine: "small", User: fmt.Sprint(2000 + n), Group: name})
	}
	return all
}

// month has more energy for earlier keys, at 150 g/kWh.
func month() (all []usage.KeyUsage) {
	for n, k := range keys() {
		kwh := usage.KWh(412 / float64(n*n+1))
		all = append(all, usage.KeyUsage{
			Key: k, Priced: true, Energy: usage.ByMode[usage.KWh]{Busy: kwh * 0.6, Idle: kwh * 0.4},
			Emissions: usage.ByMode[usage.Grams]{Busy: usage.Grams(kwh * 90), Idle: usage.Grams(kwh * 60)},
		})
	}
	return all
}

func newest() *usage.Newest {
	n := &usage.Newest{Interval: usage.Interval{Start: now.Add(-40 * time.Minute), Length: 30 * time.Minute}}
	for _, t := range month()[:9] {
		u := usage.KeyUsage{Key: t.Key, Priced: true}
		u.Energy.Busy, u.Energy.Idle = t.Energy.Busy/600, t.Energy.Idle/600
		u.Emissions.Busy, u.Emissions.Idle = t.Emissions.Busy/600, t.Emissions.Idle/600
		n.Usage = append(n.Usage, u)
	}
	return n
}

func attended() *usage.Attended {
	doubt := func(project, host string, state usage.HostState, why usage.DoubtReason) usage.Doubt {
		return usage.Doubt{Series: usage.Series{Project: project, Host: host}, State: state, Reason: why}
	}
	return &usage.Attended{
		Interval: newest().Interval,
		Coverage: map[string]usage.Coverage{"IDAaaS": {Seen: 1782000, Capacity: 1800000}, "CLF-analysis": {Seen: 360000, Capacity: 360000}},
		Attendance: usage.Attend([]usage.Reading{{
			Present: map[string]usage.Presence{"IDAaaS": {Hosts: 84, Cores: 1000}, "CLF-analysis": {Hosts: 12, Cores: 200}},
			Doubts: []usage.Doubt{
				doubt("IDAaaS", "172.16.100.5:9100", usage.HostRefused, usage.DoubtMixed),
				doubt("IDAaaS", "172.16.100.6:9100", usage.HostRefused, usage.DoubtMixed),
				doubt("CLF-analysis", "172.16.100.7:9100", usage.HostInterpolated, usage.DoubtHole),
			},
		}}),
	}
}

// rated are the machine types of the cloud: of one its hosts do not say their processor.
func rated() *Power {
	ratings := []usage.Rating{
		{Machine: "Laser", Source: usage.RatedProcessor}, {Machine: "Muon", Source: usage.RatedCalibrated}, {Machine: "small", Source: usage.RatedDefault},
	}
	return &Power{
		Rated: usage.RatedOf(ratings, nil), Bounds: &usage.EnergyBounds{Low: 560, High: 890}, Measured: 4000, Booked: 3520,
	}
}

// forecast is two days with clean nights and a clean Sunday afternoon.
func forecast() (slots []usage.Slot) {
	for n := -2; n < 97; n++ {
		at := usage.SlotAt(now).Add(time.Duration(n) * usage.SlotLength)
		hour := float64(at.Sub(now.Truncate(24*time.Hour))) / float64(time.Hour)
		v := usage.GramsPerKWh(math.Round(128 + 62*math.Sin((hour-12)*math.Pi/12) + 22*math.Sin(hour*math.Pi/6)))
		s := usage.Slot{From: at, Forecast: &v, Provider: "uk", Grid: "GB", Index: "moderate"}
		if n < 0 {
			s.Actual = new(v + 4)
		}
		slots = append(slots, s)
	}
	return slots
}

// cloud is the page of a cloud in which nearly all is well.
func cloud(t testing.TB) Known {
	t.Helper()
	start := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 0, 0, 0, 0, london(t)) }
	january := usage.Period{From: start(time.January, 1), To: start(time.February, 1)}
	project := TopOf(usage.ScopeProject, month(), newest())
	return Known{
		Now: now, Zone: london(t), Version: "0.1.0", Late: 92 * time.Minute,
		Grid: Grid{Provider: "uk", Slots: forecast(), Outlook: forecast(), Credits: []Credit{
			{"National Energy System Operator, Carbon Intensity API", "CC BY 4.0", "https://carbonintensity.org.uk"}, {"Somebody Else", "", ""},
		}},
		Numbers: &Numbers{
			Newest: RecentOf(newest()), Day: SpentOf(month()[:3], 0, 30*time.Minute), Month: SpentOf(month(), 0, 30*time.Minute),
			Attended: attended(), Unpriced: 1.2, Power: rated(),
			Lacking: map[string]usage.LabelPresence{
				"IDAaaS": {Project: true, Machine: true, Host: true, User: true}, "CLF-analysis": {Project: true, Host: true, User: true},
			},
			States: map[usage.State]int{usage.Settled: 720, usage.Provisional: 47, usage.Unpriced: 1},
			Tops:   []Top{project, TopOf(usage.ScopeGroup, month(), newest()), TopOf(usage.ScopeUser, month(), newest())},
		},
		Budgets: []Budget{
			{Name: "isis-2026", Scope: usage.ScopeGroup, Target: "ISIS", Limit: 250000, Period: january, Used: new(96400.0), Projected: new(0.72)},
			{Name: "clf", Scope: usage.ScopeGroup, Target: "CLF", Limit: 9000, Period: january, Used: new(6180.0), Projected: new(1.13)},
			{Name: "pilots", Scope: usage.ScopeProject, Target: "pilot-00", InKWh: true, Limit: 20, Period: january, Used: new(24.2), Projected: new(1.41)},
			{Name: "newcomer", Scope: usage.ScopeUser, Target: "1099", InKWh: true, Limit: 2000, Period: january},
		},
		Unrated: usage.Unrated{Why: "their hosts do not say their processor", Do: "run node_exporter with --collector.cpu.info"},
		Labels:  LabelNames{Project: "cloud_project_name", Machine: "machine_name", Host: "instance", User: "user"},
		Parts: []Part{
			{Name: "Intervals", For: "stored usage", State: "0 missing, 0 empty, 1 unpriced, 47 provisional, 720 settled; newest ends 2026-01-17T18:00:00Z"},
			{Name: "Prometheus", For: "CPU time of machines", State: "responded 7m10s ago (2026-01-17T18:02:50Z)", About: usage.TopicPrometheus, Asked: true},
			{Name: "Carbon intensity", For: "gCO2eq per kWh, for each half hour", State: "responded 2m0s ago (2026-01-17T18:08:00Z)", About: usage.TopicCarbon, Asked: true},
			{Name: "MongoDB", For: "owners of workspaces and members of groups", State: "not configured; users come from a label"},
			{Name: "Store", For: "SQLite file with all stored usage", State: "writable, 41.2 MB"},
			{Name: "Configuration", For: "settings", State: "loaded 26h0m0s ago (2026-01-16T16:10:00Z)"},
		},
		Links: []Link{{"/metrics", "Metrics"}, {"/config", "Configuration"}, {"/-/healthy", "Healthy"}, {"/-/ready", "Ready"}},
	}
}

func html(t testing.TB, k Known) string {
	t.Helper()
	w := httptest.NewRecorder()
	Write(w, k)
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}
