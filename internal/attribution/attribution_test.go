// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// at is a moment of the half hour that most tests are about.
func at(minute int) time.Time { return halfHour.Start.Add(time.Duration(minute) * time.Minute) }

var halfHour = usage.Interval{Start: time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC), Length: 30 * time.Minute}

func TestWhoseASeriesIs(t *testing.T) {
	lists := map[string]string{"IDAaaS": "ISIS", "TDAaaS": "ISIS"}
	index := NewIndex(directory.Directory{
		Tenures: []directory.Tenure{
			{Document: "1", Host: "172.16.100.5", Owner: "ann", From: at(-60)},
			{Document: "2", Host: "muon-1", Owner: "bob", From: at(-60)},
			{Document: "3", Host: "muon-1", Owner: "ann", From: at(-60)},
			{Document: "4", Host: "eve", Owner: "stranger", From: at(-60)},
			{Document: "5", Host: "pool", From: at(-60)},
			{Document: "6", Host: "nobody", Owner: usage.Unattributed, From: at(-60)},
			{Document: "7", Host: "others", Owner: "other", From: at(-60)},
			{Document: "8", Host: "bytes", Owner: "\xff", From: at(-60)},
			{Document: "9", Host: "unknown", Owner: "ann", From: at(-60)},
		},
		People: []directory.Person{{ID: "ann"}, {ID: "bob"}, {ID: usage.Unattributed}, {ID: "other"}, {ID: "\xff"}},
		Memberships: []directory.Membership{
			{User: "ann", Group: "zebra"},
			{User: "ann", Group: "neutron", From: at(10), To: at(20)},
			{User: "ann", Group: "\xff"},
			{User: "ann", Group: "unattributed"},
			{User: "label", Group: "laser"},
			{User: usage.Unattributed, Group: "laser"},
		},
		Hosts: []directory.Placement{{Host: "muon-1", Project: "IDAaaS", Machine: "Muon"}, {Host: "eve", Project: "\xff", Machine: "Muon"}},
	})
	byDirectory := Rules{GroupBy: ByDirectory, Directory: index}
	for _, c := range []struct {
		name   string
		rules  Rules
		series usage.Series
		at     int
		want   usage.Key
	}{
		{
			"a project in a list has that group",
			Rules{GroupBy: ByProject, Groups: lists},
			usage.Series{Project: "IDAaaS", Machine: "Muon", Host: "172.16.100.5", User: "a"},
			0,
			usage.Key{Project: "IDAaaS", Machine: "Muon", User: "a", Group: "ISIS"},
		},
		{
			"two projects may share one",
			Rules{GroupBy: ByProject, Groups: lists},
			usage.Series{Project: "TDAaaS", Machine: "Muon", User: "a"},
			0,
			usage.Key{Project: "TDAaaS", Machine: "Muon", User: "a", Group: "ISIS"},
		},
		{
			"a project in none is its own group",
			Rules{GroupBy: ByProject, Groups: lists},
			usage.Series{Project: "CDAaaS", Machine: "Artemis", User: "b"},
			0,
			usage.Key{Project: "CDAaaS", Machine: "Artemis", User: "b", Group: "CDAaaS"},
		},
		{
			"what names nobody is unattributed",
			Rules{GroupBy: ByProject},
			usage.Series{Project: "CDAaaS", Machine: "Artemis"},
			0,
			usage.Key{Project: "CDAaaS", Machine: "Artemis", User: usage.Unattributed, Group: "CDAaaS"},
		},
		{
			"project and machine make the group",
			Rules{GroupBy: ByProjectMachine, Groups: lists},
			usage.Series{Project: "IDAaaS", Machine: "Muon", User: "a"},
			0,
			usage.Key{Project: "IDAaaS", Machine: "Muon", User: "a", Group: "IDAaaS_Muon"},
		},
		{
			"a list names its projects exactly",
			Rules{GroupBy: ByProject, Groups: lists},
			usage.Series{Project: "idaaas", Machine: "Muon", User: "a"},
			0,
			usage.Key{Project: "idaaas", Machine: "Muon", User: "a", Group: "idaaas"},
		},
		{
			"the owner of the host has it, whatever the port",
			byDirectory,
			usage.Series{Project: "p", Machine: "m", Host: "172.16.100.5:9100"},
			0,
			usage.Key{Project: "p", Machine: "m", User: "ann", Group: "zebra"},
		},
		{
			"an address that only begins alike is another host",
			byDirectory,
			usage.Series{Project: "p", Machine: "m", Host: "172.16.100.50:9100"},
			0,
			usage.Key{Project: "p", Machine: "m", User: usage.Unattributed, Group: usage.Unattributed},
		},
		{
			"an address is no pattern",
			byDirectory,
			usage.Series{Project: "p", Machine: "m", Host: "172016.100.5"},
			0,
			usage.Key{Project: "p", Machine: "m", User: usage.Unattributed, Group: usage.Unattributed},
		},
		{
			"of several groups the first by name of that time",
			byDirectory,
			usage.Series{Project: "p", Machine: "m", Host: "172.16.100.5"},
			15,
			usage.Key{Project: "p", Machine: "m", User: "ann", Group: "neutron"},
		},
		{
			"a membership has ended at its end",
			byDirectory,
			usage.Series{Project: "p", Machine: "m", Host: "172.16.100.5"},
			20,
			usage.Key{Project: "p", Machine: "m", User: "ann", Group: "zebra"},
		},
		{
			"the label of the series goes before the directory",
			byDirectory,
			usage.Series{Project: "p", Machine: "m", Host: "172.16.100.5", User: "label"},
			0,
			usage.Key{Project: "p", Machine: "m", User: "label", Group: "laser"},
		},
		{
			"of several owners the first by name; in no group: unattributed",
			byDirectory,
			usage.Series{Project: usage.Unknown, Machine: usage.Unknown, Host: "MUON-1.:80", User: "bob"},
			0,
			usage.Key{Project: "IDAaaS", Machine: "Muon", User: "bob", Group: usage.Unattributed},
		},
		{
			"what the series say of project and machine goes before the directory",
			byDirectory,
			usage.Series{Project: "p", Machine: usage.Unknown, Host: "muon-1"},
			0,
			usage.Key{Project: "p", Machine: "Muon", User: "ann", Group: "zebra"},
		},
		{
			"an owner whom the directory does not list is nobody, a name that is no text stays unknown",
			byDirectory,
			usage.Series{Project: usage.Unknown, Machine: usage.Unknown, Host: "eve"},
			0,
			usage.Key{Project: usage.Unknown, Machine: "Muon", User: usage.Unattributed, Group: usage.Unattributed},
		},
		{
			"a pool is nobody's",
			byDirectory,
			usage.Series{Project: "p", Machine: "m", Host: "pool"},
			0,
			usage.Key{Project: "p", Machine: "m", User: usage.Unattributed, Group: usage.Unattributed},
		},
		{
			"a user called unattributed is nobody, and nobody is in no group",
			byDirectory,
			usage.Series{Project: "p", Machine: "m", Host: "nobody"},
			0,
			usage.Key{Project: "p", Machine: "m", User: usage.Unattributed, Group: usage.Unattributed},
		},
		{
			"nor can one be called as all others together are",
			byDirectory,
			usage.Series{Project: "p", Machine: "m", Host: "others"},
			0,
			usage.Key{Project: "p", Machine: "m", User: usage.Unattributed, Group: usage.Unattributed},
		},
		{
			"or something that no label can hold",
			byDirectory,
			usage.Series{Project: "p", Machine: "m", Host: "bytes"},
			0,
			usage.Key{Project: "p", Machine: "m", User: usage.Unattributed, Group: usage.Unattributed},
		},
		{
			"a series without a host is not looked up",
			byDirectory,
			usage.Series{Project: "p", Machine: "m", Host: usage.Unknown},
			0,
			usage.Key{Project: "p", Machine: "m", User: usage.Unattributed, Group: usage.Unattributed},
		},
		{
			"without a directory everybody is in no group of it",
			Rules{GroupBy: ByDirectory},
			usage.Series{Project: "p", Machine: usage.Unknown, Host: "muon-1", User: "ann"},
			0,
			usage.Key{Project: "p", Machine: usage.Unknown, User: "ann", Group: usage.Unattributed},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := whose(c.rules, c.series, at(c.at)); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestHostNamesAreSpelledAsTheVocabularySaysWithoutAllocating(t *testing.T) {
	for _, label := range []string{
		"", ".", ":9100", "172.16.100.5", "172.16.100.5:9100", "muon-1.cloud", "Muon-1.Cloud", "muon-1.", "[::1]", "[::1]:9100", "::1",
		" muon", "muon\t", "a:b:c", "münchen", "\xff", `{"$gt":""}`, "$where", ".*", "under_score",
	} {
		if got, want := hostName(label), directory.HostName(label); got != want {
			t.Errorf("%q: got %q, want %q", label, got, want)
		}
	}
	for _, label := range []string{"172.16.100.5:9100", "muon-1.cloud"} {
		if n := testing.AllocsPerRun(100, func() { hostName(label) }); n != 0 {
			t.Errorf("%q: %v allocations", label, n)
		}
	}
}

func TestSinceWhenAHostIsWhoseItIs(t *testing.T) {
	rules := Rules{Directory: NewIndex(directory.Directory{Tenures: []directory.Tenure{
		{Host: "h", From: hour(1), To: hour(2)}, {Host: "h", Owner: "A", From: hour(2)},
	}})}
	for _, c := range []struct {
		name  string
		at    float64
		since float64
	}{
		{"before there was a record", 0.5, none}, {"in the pool", 1, 1}, {"just taken", 2, 2}, {"long after", 20, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			since, ok := rules.Since("H:9100", hour(c.at))
			if ok != (c.since != none) || ok && !since.Equal(hour(c.since)) {
				t.Errorf("got %v, %v", since, ok)
			}
		})
	}
	if _, ok := (Rules{}).Since("h", hour(1)); ok {
		t.Error("no directory knows since when")
	}
}

// whose returns the key of a series at one moment. Its user is the one that its label names,
// else the host's owner, the first by name if there are several.
func whose(r Rules, s usage.Series, at time.Time) usage.Key {
	host := r.host(s)
	user := s.User
	if user == "" {
		if owners := r.Directory.ownersAt(host, at); len(owners) > 0 {
			user = owners[0]
		}
	}
	return r.key(r.placed(s, host), user, at)
}
