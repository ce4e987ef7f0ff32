// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestAListAddsUpToTheSite(t *testing.T) {
	var energy, now float64
	for _, m := range month() {
		energy += float64(m.Energy.Total())
	}
	for _, u := range newest().Usage {
		now += float64(u.Energy.Total().Over(30 * time.Minute))
	}
	for _, scope := range []usage.Scope{usage.ScopeProject, usage.ScopeGroup, usage.ScopeUser, usage.ScopeMachine} {
		top := TopOf(scope, month(), newest())
		if len(top.Rows) > most+1 {
			t.Errorf("%s: %d rows", scope, len(top.Rows))
		}
		var rows, grams, power float64
		members := 0
		for n, r := range top.Rows {
			rows += float64(r.Energy)
			grams += float64(*r.Emissions)
			if r.Power != nil {
				power += float64(*r.Power)
			}
			members += max(r.Others, 1)
			if n > 0 && r.Others == 0 && r.Energy > top.Rows[n-1].Energy {
				t.Errorf("%s: row %d has more than the one before", scope, n)
			}
		}
		for what, pair := range map[string][2]float64{
			"energy": {rows, energy}, "total": {float64(top.Energy), energy}, "grams": {grams, 150 * energy}, "power": {power, now},
		} {
			if math.Abs(pair[0]-pair[1]) > 1e-9*pair[1] {
				t.Errorf("%s: %s is %g, want %g", scope, what, pair[0], pair[1])
			}
		}
		if want := map[usage.Scope]int{usage.ScopeProject: 15, usage.ScopeGroup: 14, usage.ScopeUser: 15, usage.ScopeMachine: 3}[scope]; members != want {
			t.Errorf("%s: rows are of %d members, want %d", scope, members, want)
		}
	}
}

func TestElevenMembersNeedNoRowOfOthers(t *testing.T) {
	var totals []usage.KeyUsage
	for n := range 11 {
		totals = append(totals, usage.KeyUsage{Key: usage.Key{Project: fmt.Sprint(n)}})
	}
	if top := TopOf(usage.ScopeProject, totals, nil); len(top.Rows) != 11 || top.Rows[10].Others != 0 {
		t.Errorf("%+v", top.Rows)
	}
}

func TestUnpricedIsNotZero(t *testing.T) {
	key := usage.Key{Project: "p"}
	half := usage.ByMode[usage.KWh]{Busy: 1, Idle: 1}
	unpriced := usage.KeyUsage{Key: key, Energy: half}
	priced := usage.KeyUsage{Key: usage.Key{Project: "q"}, Energy: half, Emissions: usage.ByMode[usage.Grams]{Busy: 7}, Priced: true}
	if s := SpentOf([]usage.KeyUsage{unpriced}, 0, time.Hour); s.Energy != 2 || s.Emissions != nil {
		t.Errorf("unpriced: %+v", s)
	}
	if s := SpentOf([]usage.KeyUsage{unpriced, priced}, 0, time.Hour); s.Energy != 4 || s.Emissions == nil || *s.Emissions != 7 {
		t.Errorf("half of it is priced: %+v", s)
	}
	if s := SpentOf(nil, 0, 0); s.Energy != 0 || s.Emissions != nil {
		t.Errorf("nothing was used: %+v", s)
	}
	n := &usage.Newest{Interval: usage.Interval{Start: now, Length: time.Hour}, Usage: []usage.KeyUsage{
		{Key: key, Energy: half}, {Key: priced.Key, Energy: half, Emissions: priced.Emissions, Priced: true},
	}}
	if r := RecentOf(n); r.Energy.Total() != 4 || r.Emissions != nil {
		t.Errorf("an interval of which a part has no price: %+v", r)
	}
	if RecentOf(nil) != nil {
		t.Error("there is a newest interval of nothing")
	}
	top := TopOf(usage.ScopeProject, []usage.KeyUsage{unpriced, priced}, nil)
	if v := top.view(); v.Rows[0].Name != "p" || v.Rows[0].Emissions != unknown || v.Rows[0].Power != "none" || v.Rows[1].Emissions != "7.00"+nbsp+"g" {
		t.Errorf("the rows are %+v", v.Rows)
	}
}

func TestUsersAreListedOnlyIfSomebodyIsNamed(t *testing.T) {
	of := func(users ...string) Top {
		var totals []usage.KeyUsage
		for _, u := range users {
			totals = append(totals, usage.KeyUsage{Key: usage.Key{User: u}})
		}
		return TopOf(usage.ScopeUser, totals, nil)
	}
	if of(usage.Unattributed, "other").NamesAnybody() || of().NamesAnybody() {
		t.Error("a list of nobody names somebody")
	}
	if !of("1042", "other").NamesAnybody() {
		t.Error("a list of somebody names nobody")
	}
}

func TestABudgetMayGoPastItsLimit(t *testing.T) {
	c := calendar{now, london(t)}
	period := usage.Period{From: now.AddDate(0, 0, -1), To: now.AddDate(0, 0, 1)}
	for _, test := range []struct {
		name             string
		used, projected  *float64
		limit, bar, runs string
		over, soon       bool
	}{
		{"below", new(25.0), new(0.5), "100.000%", "25.000%", "50.000%", false, false},
		{"will be over", new(60.0), new(1.2), "83.333%", "50.000%", "100.000%", false, true},
		{"is over", new(200.0), nil, "50.000%", "100.000%", "", true, false},
		{"is far over and will be further", new(200.0), new(4.0), "25.000%", "50.000%", "100.000%", true, true},
		{"used up exactly", new(100.0), new(1.0), "100.000%", "100.000%", "100.000%", false, false},
	} {
		v := Budget{Name: "b", Scope: usage.ScopeAda, InKWh: true, Limit: 100, Period: period, Used: test.used, Projected: test.projected}.view(c)
		if v.Limit != test.limit || v.UsedBar != test.bar || v.Projects != test.runs || v.Over != test.over || v.WillBeOver != test.soon || v.Unknown {
			t.Errorf("%s: %+v", test.name, v)
		}
	}
	v := Budget{Scope: usage.ScopeAda, Limit: 5e6, Period: period}.view(c)
	if !v.Unknown || plain(v.Used) != "not known yet, of 5 t CO₂eq" || v.Of != "whole site" {
		t.Errorf("without usage: %+v", v)
	}
	for want, p := range map[string]usage.Period{
		"begins tomorrow":                                      {From: now.AddDate(0, 0, 1), To: now.AddDate(0, 1, 0)},
		"its last day was yesterday":                           {From: now.AddDate(0, -1, 0), To: now.Truncate(24 * time.Hour)},
		"50 % of the period is over; its last day is tomorrow": period,
	} {
		if got := plain(Budget{Limit: 1, Period: p}.when(c)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
