// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strconv"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// now is ten minutes into the half hour that begins at 12:00.
var now = time.Date(2026, time.January, 15, 12, 10, 0, 0, time.UTC)

func clock() time.Time { return now }

// day is a snapshot as an exporter of two days might have it. The numbers can
// be checked by hand: half an hour of 40 cores of a Laser, 18 000 s busy at 12 W
// and 54 000 s idle at 1 W, is 0.06 and 0.015 kWh. There were two such half
// hours: a settled one at 45 g/kWh (2.7 and 0.675 g) and the newest at 60 (3.6
// and 0.9 g), provisional. The Muon was up in an interval that is unpriced yet:
// 36 000 s busy at 9.5 W and 36 000 s idle at 1.2 W.
//
// The Laser has a graphics card that used 0.2 kWh in each of the half hours, 9 and
// 12 g. Its processor is known to draw 9 to 18 W per busy core and 0.5 to 2 W per
// idle one, and the card's meter is exact to 5 %: the energy is at most
// 0.03 + 0.015 + 0.02 kWh less and 0.06 + 0.03 + 0.02 more. Its 40 cores have 1 g of embodied emissions an
// hour each. A meter of the room has measured 0.7 kWh, and 0.55 are booked.
func day() *Snapshot {
	laser := usage.Key{Project: "IDAaaS", Machine: "Laser", User: "1042", Group: "ISIS"}
	muon := usage.Key{Project: "TDAaaS", Machine: "Muon", User: usage.Unattributed, Group: "TDAaaS"}
	newest := usage.Interval{Start: now.Add(-40 * time.Minute), Length: 30 * time.Minute}
	return &Snapshot{
		Summary: usage.Summary{
			Totals: []usage.Total{{
				Key: laser, Last: newest.Start, Priced: true,
				CPU:              usage.BusyIdle[usage.CPUSeconds]{Busy: 36000, Idle: 108000},
				Energy:           usage.ByMode[usage.KWh]{Busy: 0.12, Idle: 0.03, Measured: 0.4},
				Emissions:        usage.ByMode[usage.Grams]{Busy: 6.3, Idle: 1.575, Measured: 21},
				SettledEnergy:    usage.ByMode[usage.KWh]{Busy: 0.06, Idle: 0.015, Measured: 0.2},
				SettledEmissions: usage.ByMode[usage.Grams]{Busy: 2.7, Idle: 0.675, Measured: 9},
				Down:             0.065, Up: 0.11, Embodied: 40, SettledEmbodied: 20, Hardware: 144000,
			}, {
				Key: muon, Last: newest.Start.Add(-time.Hour),
				CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: 36000, Idle: 36000},
				Energy: usage.ByMode[usage.KWh]{Busy: 0.095, Idle: 0.012}, Undoubted: 0.107,
			}},
			Newest: &usage.Newest{
				Interval: newest,
				Usage: []usage.KeyUsage{{
					Key: laser, Priced: true,
					Energy:    usage.ByMode[usage.KWh]{Busy: 0.06, Idle: 0.015, Measured: 0.2},
					Emissions: usage.ByMode[usage.Grams]{Busy: 3.6, Idle: 0.9, Measured: 12},
				}},
			},
			Attended: &usage.Attended{
				Interval: newest,
				Coverage: map[string]usage.Coverage{"IDAaaS": {Seen: 71280, Capacity: 72000}},
				Attendance: usage.Attend([]usage.Reading{{
					Present: map[string]usage.Presence{"IDAaaS": {Hosts: 5, Cores: 40}, "TDAaaS": {Hosts: 1}},
					Doubts: []usage.Doubt{
						{Series: usage.Series{Project: "IDAaaS", Host: "172.16.100.5:9100"}, State: usage.HostRefused, Reason: usage.DoubtMixed},
						{Series: usage.Series{Project: "IDAaaS", Host: "172.16.100.6:9100"}, State: usage.HostInterpolated, Reason: usage.DoubtHole},
					},
					Unlisted: map[string]float64{"interrupt": 0.025, "boost": 0.001},
				}}),
			},
			States: map[usage.State]int{
				usage.Settled: 46, usage.Provisional: 47, usage.Unpriced: 1, usage.Empty: 1, usage.Missing: 1,
			},
			Unpriced: 0.107,
			Machines: []string{"Laser", "Muon", "Neutron"},
		},
		Ratings: []usage.Rating{
			{
				Machine: "Laser", Source: "processor", Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1},
				Low: &usage.BusyIdle[usage.Watts]{Busy: 9, Idle: 0.5}, High: &usage.BusyIdle[usage.Watts]{Busy: 18, Idle: 2},
			},
			{Machine: "Muon", Source: "config", Watts: usage.BusyIdle[usage.Watts]{Busy: 9.5, Idle: 1.2}},
			{Machine: "Neutron", Source: "measured", Watts: usage.BusyIdle[usage.Watts]{Busy: 8.25, Idle: 2}},
		},
		PUE: 1, Interval: 30 * time.Minute, Since: now.Add(-40 * 24 * time.Hour),
		Drift: []usage.Drift{{Project: "IDAaaS"}, {Project: "TDAaaS", Lost: []string{usage.LostSeries}, Since: newest.Start.Add(-time.Hour)}},
		Zones: []usage.ZoneFact{{Zone: "hall", Measured: 0.7, Booked: 0.55}},
		PricedBy: usage.PricedBy{ // one provider has been removed since, and some half hours have no price
			Pieces:   48,
			Provider: map[string]float64{"uk": 0.75, "electricity_maps": 0.125},
			Basis:    map[string]float64{direct.Name(): 0.75, usage.Undeclared: 0.125},
		},
		Chain: []string{"uk", "static"},
		Factors: usage.FactorTotals{
			Totals: []usage.FactorTotal{
				{Factors: "lifecycle", Project: "IDAaaS", Group: "ISIS", FactorTally: usage.FactorTally{Energy: 0.5, Emissions: 60, Known: true}},
				{Factors: "market", Project: "IDAaaS", Group: "ISIS", FactorTally: usage.FactorTally{Energy: 0.55, Known: true}},
			},
			Unpriced: map[string]usage.KWh{"lifecycle": 0.05, "market": 0},
		},
		ToDate: ToDate{
			Month: []usage.KeyUsage{toDateOf(laser, 0.075, 4.5), {Key: muon, Energy: usage.ByMode[usage.KWh]{Busy: 0.095, Idle: 0.012}}},
			Year: []usage.KeyUsage{
				toDateOf(laser, 0.15, 7.875),
				{Key: muon, Energy: usage.ByMode[usage.KWh]{Busy: 0.095, Idle: 0.012}},
				toDateOf(usage.Key{Project: "IDAaaS", Machine: "Laser", User: "977", Group: "ISIS"}, 0.5, 60),
			},
		},
		Budgets: []Budget{
			{
				Name: "isis-2026", Scope: usage.ScopeGroup, Target: "ISIS", Limit: 500000,
				Period: usage.Period{From: now.AddDate(0, 0, -10), To: now.AddDate(0, 0, 20)},
				Used:   new(125000.0), Burn: map[string]float64{"2h": 1.5, "1d": 1.25, "7d": 0.75}, Projected: new(0.75),
			},
			{
				Name: "nobody-yet", Scope: usage.ScopeUser, Target: "1099", InKWh: true, Limit: 20,
				Period: usage.Period{From: now.AddDate(0, 0, -1), To: now.AddDate(0, 0, 6)},
			},
			{
				Name: "site", Scope: usage.ScopeAda, InKWh: true, Limit: 100, Used: new(0.257),
				Period: usage.Period{From: now.AddDate(0, 0, -1), To: now.AddDate(0, 0, 6)},
			},
		},
	}
}

func toDateOf(k usage.Key, kwh usage.KWh, grams usage.Grams) usage.KeyUsage {
	return usage.KeyUsage{Key: k, Energy: usage.ByMode[usage.KWh]{Busy: kwh}, Emissions: usage.ByMode[usage.Grams]{Busy: grams}, Priced: true}
}

// active is two workspaces: a Laser with all of its owner's usage, of which a
// fifth was not seen, and a Muon in a pool that has nothing priced yet.
func active() []usage.ActiveUsage {
	s := day()
	return []usage.ActiveUsage{{
		Active: usage.Active{Key: s.Totals[0].Key, Host: "172.16.100.5:9100", Started: now.Add(-26 * time.Hour)},
		Energy: s.Totals[0].Energy, Emissions: s.Totals[0].Emissions, Priced: true, Estimated: 0.11,
	}, {
		Active: usage.Active{Key: s.Totals[1].Key, Host: "pool-7.example.org", Started: now.Add(-2 * time.Hour)},
		Energy: s.Totals[1].Energy,
	}}
}

// around is what is known of a grid with one source.
func around(slots []usage.Slot) usage.GridNow { return usage.GridNow{Slots: slots, Outlook: slots} }

func slots() []usage.Slot {
	at := func(before time.Duration, forecast, actual *usage.GramsPerKWh) usage.Slot {
		return usage.Slot{From: usage.SlotAt(now).Add(-before), Forecast: forecast, Actual: actual, Basis: direct, Provider: "uk", Grid: "GB"}
	}
	g := func(v usage.GramsPerKWh) *usage.GramsPerKWh { return &v }
	return []usage.Slot{
		at(time.Hour, g(50), g(49)),
		at(30*time.Minute, g(58), g(60)),
		at(0, g(55), nil),
		at(-30*time.Minute, g(52), nil),
	}
}

// direct is the basis of the UK's numbers.
var direct = usage.BasisOf("average direct consumption")

// sources are those of two chains. One is in both.
func sources() []usage.GridSource {
	uk := usage.GridSource{
		GridName: usage.GridName{Provider: "uk", Grid: "GB"},
		Terms:    usage.Terms{Basis: direct, Licence: "CC BY 4.0", Credit: "National Energy System Operator", Link: "https://carbonintensity.org.uk"},
	}
	return []usage.GridSource{uk, {GridName: usage.GridName{Provider: "static", Grid: "hall"}}, uk}
}

// outlook is the same slots with the provider's words, and forecasts up to six
// hours ahead: the best hour begins at 15:30, the best three at 14:00.
func outlook() []usage.Slot {
	all := slots()
	all[1].Index, all[2].Index = "moderate", "low"
	for _, v := range []usage.GramsPerKWh{48, 45, 42, 40, 38, 36, 37, 41, 46, 53, 60} {
		next := usage.Slot{From: all[len(all)-1].From.Add(usage.SlotLength), Forecast: &v, Basis: direct, Provider: "uk", Grid: "GB"}
		all = append(all, next)
	}
	return all
}

// misses is how far such forecasts were off.
func misses() []usage.ForecastError {
	return []usage.ForecastError{
		{Provider: "uk", Grid: "GB", Ahead: 30 * time.Minute, Mean: 12.5, Pairs: 1343},
		{Provider: "uk", Grid: "GB", Ahead: 24 * time.Hour, Mean: 24, Pairs: 1296},
	}
}

// cloud is a snapshot of so many keys, all priced, in ten projects.
func cloud(keys int) *Snapshot {
	s := day()
	s.Totals, s.Newest.Usage = nil, nil
	for i := range keys {
		k := usage.Key{
			Project: "project-" + strconv.Itoa(i%10), Machine: "machine-" + strconv.Itoa(i%7),
			User: strconv.Itoa(1000 + i), Group: "group-" + strconv.Itoa(i%3),
		}
		v := float64(i + 1)
		s.Totals = append(s.Totals, usage.Total{
			Key: k, Last: s.Newest.Interval.Start, Priced: true,
			CPU:              usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(v * 1800.25), Idle: usage.CPUSeconds(v * 5400.5)},
			Energy:           usage.ByMode[usage.KWh]{Busy: usage.KWh(v * 0.061), Idle: usage.KWh(v * 0.0149)},
			Emissions:        usage.ByMode[usage.Grams]{Busy: usage.Grams(v * 6.31), Idle: usage.Grams(v * 1.577)},
			SettledEnergy:    usage.ByMode[usage.KWh]{Busy: usage.KWh(v * 0.031), Idle: usage.KWh(v * 0.0079)},
			SettledEmissions: usage.ByMode[usage.Grams]{Busy: usage.Grams(v * 2.71), Idle: usage.Grams(v * 0.679)},
		})
		s.Newest.Usage = append(s.Newest.Usage, usage.KeyUsage{
			Key: k, Priced: true,
			Energy:    usage.ByMode[usage.KWh]{Busy: usage.KWh(v * 0.003), Idle: usage.KWh(v * 0.001)},
			Emissions: usage.ByMode[usage.Grams]{Busy: usage.Grams(v * 0.2), Idle: usage.Grams(v * 0.07)},
		})
	}
	return s
}
