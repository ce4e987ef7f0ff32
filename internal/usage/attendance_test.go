// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"fmt"
	"maps"
	"math/rand"
	"reflect"
	"testing"
)

func doubted(host string, state HostState, why DoubtReason) Doubt {
	return Doubt{Series: Series{Project: "p", Machine: "m", Host: host, User: "u" + host}, State: state, Reason: why}
}

func TestTheWorstPieceOfAHostCounts(t *testing.T) {
	a := Attend([]Reading{
		{
			Present: map[string]Presence{"p": {Hosts: 4, Cores: 12}}, Final: true, Unlisted: map[string]float64{"interrupt": 0.5},
			Doubts: []Doubt{doubted("b", HostInterpolated, DoubtHole), doubted("a", HostRefused, DoubtLeap)},
		},
		{
			Present: map[string]Presence{"p": {Hosts: 3, Cores: 16}, "q": {Hosts: 1}}, Final: true,
			Doubts: []Doubt{doubted("a", HostRefused, DoubtShort), doubted("b", HostRefused, DoubtSteppedBack), doubted("c", HostInterpolated, DoubtHole)},
		},
	})
	if want := map[string]Presence{"p": {Hosts: 4, Cores: 16}, "q": {Hosts: 1}}; !maps.Equal(a.Present, want) {
		t.Errorf("present are %v, want %v", a.Present, want)
	}
	if got := fmt.Sprint(a.Hosts("p"), a.Hosts("q")[HostExact], a.Booked()); got != "map[exact:1 interpolated:1 refused:2] 1 3" {
		t.Errorf("hosts by state: %s", got)
	}
	if want := map[DoubtReason]int{DoubtLeap: 1, DoubtSteppedBack: 1}; !maps.Equal(a.ByReason(HostRefused), want) {
		t.Errorf("refused by reason: %v, want %v", a.ByReason(HostRefused), want)
	}
	if len(a.Doubts) != 3 || a.Doubts[0].Host != "a" || a.Doubts[2].Host != "c" || a.Doubts[0].User != "" {
		t.Errorf("in doubt are %+v", a.Doubts)
	}
	if a.Unlisted["interrupt"] != 0.25 || !a.Final || a.Sure() {
		t.Errorf("unlisted %v, final %v, sure %v", a.Unlisted, a.Final, a.Sure())
	}
	if Attend([]Reading{{}, {}}) != nil {
		t.Error("a source that does not know hosts has an attendance")
	}
	if a := Attend([]Reading{{Present: map[string]Presence{}}}); a == nil || a.Sure() {
		t.Errorf("nobody there, not final: %+v", a)
	}
}

func TestOfVeryManyDoubtsTheSameAreKept(t *testing.T) {
	var doubts []Doubt
	for n := range 3 * MostDoubts {
		doubts = append(doubts, doubted(fmt.Sprintf("%05d", n), HostRefused, DoubtMixed))
	}
	reading := func() []Reading {
		return []Reading{{Present: map[string]Presence{"p": {Hosts: len(doubts)}}, Doubts: doubts}}
	}
	want := Attend(reading())
	if len(want.Doubts) != MostDoubts || want.ByReason(HostRefused)[DoubtMixed] != len(doubts) {
		t.Fatalf("%d listed, counted %v", len(want.Doubts), want.Doubtful)
	}
	rand.New(rand.NewSource(1)).Shuffle(len(doubts), func(i, j int) { doubts[i], doubts[j] = doubts[j], doubts[i] })
	if got := Attend(reading()); !reflect.DeepEqual(got, want) {
		t.Error("in another order others are kept")
	}
}

func TestEveryReasonHasAMeaning(t *testing.T) {
	for _, r := range DoubtReasons() {
		if r.Means() == "" || r.Advice() == "" {
			t.Errorf("%s has none", r)
		}
	}
}
