// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package privacy

import (
	"maps"
	"slices"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func total(user string, kwh usage.KWh) usage.Total {
	e := usage.ByMode[usage.KWh]{Busy: kwh}
	return usage.Total{Key: usage.Key{Project: "p", Machine: "m", User: user, Group: "g"}, Energy: e, SettledEnergy: e}
}

var four = []usage.Total{total("ada", 5), total("bob", 9), total("carl", 2), total("dora", 3), total(usage.Unattributed, 100)}

func users(v View) map[string]usage.KWh {
	all := map[string]usage.KWh{}
	for _, t := range v.Totals {
		all[t.User] += t.Energy.Total()
	}
	return all
}

func TestHowUsersAppear(t *testing.T) {
	key := []byte("a key")
	name := Labels{Mode: Pseudonym, Key: key}.labelOf
	for _, tc := range []struct {
		name   string
		labels Labels
		want   map[string]usage.KWh
	}{
		{"by id", Labels{Mode: ID}, map[string]usage.KWh{"ada": 5, "bob": 9, "carl": 2, "dora": 3, "unattributed": 100}},
		{"those with the most energy", Labels{Mode: ID, MaxUsers: 2}, map[string]usage.KWh{"ada": 5, "bob": 9, "other": 5, "unattributed": 100}},
		{"more places than users", Labels{Mode: ID, MaxUsers: 9}, map[string]usage.KWh{"ada": 5, "bob": 9, "carl": 2, "dora": 3, "unattributed": 100}},
		{"nobody", Labels{Mode: None}, map[string]usage.KWh{"other": 19, "unattributed": 100}},
		{"by pseudonym", Labels{Mode: Pseudonym, Key: key}, map[string]usage.KWh{name("ada"): 5, name("bob"): 9, name("carl"): 2, name("dora"): 3, "unattributed": 100}},
		{"a pseudonym for the first", Labels{Mode: Pseudonym, Key: key, MaxUsers: 1}, map[string]usage.KWh{name("bob"): 9, "other": 10, "unattributed": 100}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := users(tc.labels.Summary(usage.Summary{Totals: four}, usage.Shown{}, true))
			if !maps.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestAPseudonymIsTheSameForOneKeyAlone(t *testing.T) {
	a, b := Labels{Mode: Pseudonym, Key: []byte("a")}, Labels{Mode: Pseudonym, Key: []byte("b")}
	again := Labels{Mode: Pseudonym, Key: []byte("a")}
	if a.labelOf("ada") != again.labelOf("ada") || a.labelOf("ada") == b.labelOf("ada") || a.labelOf("ada") == a.labelOf("bob") || len(a.labelOf("ada")) != 16 {
		t.Errorf("%s %s %s", a.labelOf("ada"), b.labelOf("ada"), a.labelOf("bob"))
	}
}

func TestSomebodyCalledOtherIsNotTheOthers(t *testing.T) {
	got := users(Labels{Mode: ID, MaxUsers: 1}.Summary(usage.Summary{Totals: []usage.Total{total("other", 9), total("ada", 1)}}, usage.Shown{}, true))
	if want := map[string]usage.KWh{"other#id": 9, "other": 1}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestANewcomerLeadsBeforeItIsNamed(t *testing.T) {
	shown := usage.Shown{Users: map[string]bool{"ada": true}}
	for _, tc := range []struct {
		name string
		bob  usage.KWh
		want string
	}{
		{"about equal", 5.2, "ada"},
		{"clearly more", 5.3, "bob"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := Labels{Mode: ID, MaxUsers: 1}.Summary(usage.Summary{Totals: []usage.Total{total("ada", 5), total("bob", tc.bob)}}, shown, true)
			if !v.Named[tc.want] || len(v.Named) != 1 || v.Changed != (tc.want == "bob") {
				t.Errorf("named %v, changed %v", v.Named, v.Changed)
			}
		})
	}
}

func TestTheNewestIntervalAndWorkspacesGoByTheSameNames(t *testing.T) {
	l := Labels{Mode: ID, MaxUsers: 1}
	newest := &usage.Newest{}
	for _, t := range four {
		newest.Usage = append(newest.Usage, usage.KeyUsage{Key: t.Key, Energy: t.Energy})
	}
	v := l.Summary(usage.Summary{Totals: four, Newest: newest}, usage.Shown{}, false)
	var names []string
	for _, u := range v.Newest.Usage {
		names = append(names, u.User)
	}
	if want := []string{"bob", "other", "unattributed"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	if v.Changed || v.Shown.Users != nil {
		t.Error("chosen for good before the record has caught up")
	}
	active := l.Active([]usage.ActiveUsage{{Active: usage.Active{Key: four[0].Key}}, {Active: usage.Active{Key: four[1].Key}}}, v.Named)
	if active[0].User != "other" || active[1].User != "bob" {
		t.Errorf("got %+v", active)
	}
}
