// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const host = "172.16.100.5"

type cpu = usage.BusyIdle[usage.CPUSeconds]

// sample is half an hour of host's, half of it busy, or as given.
func sample(busy, idle usage.CPUSeconds) usage.Sample {
	return usage.Sample{
		Series: usage.Series{Project: "p", Machine: "m", Host: host + ":9100"},
		CPU:    cpu{Busy: busy, Idle: idle},
	}
}

// minutes is a profile of the half hour, minute by minute.
func minutes(of func(minute int) cpu) usage.Profile {
	p := usage.Profile{Step: time.Minute}
	for m := range 30 {
		p.CPU = append(p.CPU, of(m))
	}
	return p
}

// inWords says who has which minutes, and how much.
func inWords(parts []usage.Part) string {
	var words []string
	for _, p := range parts {
		words = append(words, fmt.Sprintf("%s %v-%v %.4g/%.4g", p.Key.User,
			p.From.Sub(halfHour.Start).Minutes(), p.To.Sub(halfHour.Start).Minutes(), float64(p.CPU.Busy), float64(p.CPU.Idle)))
	}
	return strings.Join(words, ", ")
}

func TestAHandoverAtMinuteTen(t *testing.T) {
	x := NewIndex(directory.Directory{Tenures: []directory.Tenure{
		{Document: "1", Host: host, Owner: "A", From: at(-600), To: at(10)},
		{Document: "2", Host: host, Owner: "B", From: at(10)},
	}})
	parts := Rules{Directory: x}.Parts(usage.Reading{Piece: halfHour, Samples: []usage.Sample{sample(1800, 1800)}}, nil)
	if len(parts) != 2 {
		t.Fatalf("got %s", inWords(parts))
	}
	for i, want := range []float64{0.00216667, 0.00433333} {
		c := parts[i].CPU
		if kwh := float64(usage.Watts(12).For(c.Busy) + usage.Watts(1).For(c.Idle)); math.Abs(kwh-want) > 5e-9 {
			t.Errorf("%s has %v kWh, want %v", parts[i].Key.User, kwh, want)
		}
	}
}

func TestWhoHasWhichPartOfAPiece(t *testing.T) {
	tenure := func(owner string, from, to int) directory.Tenure {
		return directory.Tenure{Host: host, Owner: owner, From: at(from), To: at(to)}
	}
	// A works until minute 10, nobody afterwards; idle time the other way round.
	early := minutes(func(m int) cpu {
		if m < 10 {
			return cpu{Busy: 6}
		}
		return cpu{Idle: 3}
	})
	handover := []directory.Tenure{tenure("A", -60, 10), tenure("B", 10, 60)}
	with := func(p usage.Profile, change func(p *usage.Profile)) usage.Profile {
		p.CPU = slices.Clone(p.CPU)
		change(&p)
		return p
	}
	for _, c := range []struct {
		name    string
		tenures []directory.Tenure
		user    string // label of the series
		finer   usage.Profile
		want    string
	}{
		{"one owner has all", []directory.Tenure{tenure("A", -60, 60)}, "", early, "A 0-30 60/120"},
		{"without a record it is nobody's", nil, "", early, "unattributed 0-30 60/120"},
		{"the label of the series has all", handover, "L", early, "L 0-30 60/120"},
		{"a handover without a profile goes by time", handover, "", usage.Profile{}, "A 0-10 20/40, B 10-30 40/80"},
		{"a profile goes before time, busy and idle each for itself", handover, "", early, "A 0-10 60/0, B 10-30 0/120"},
		{
			"a step that is cut goes by time",
			[]directory.Tenure{tenure("A", -60, 1), tenure("B", 1, 60)},
			"",
			usage.Profile{Step: 10 * time.Minute, CPU: []cpu{{Busy: 10, Idle: 10}, {Busy: 5}, {Idle: 10}}},
			"A 0-1 4/6, B 1-30 56/114",
		},
		{"a profile of nothing says nothing", handover, "", minutes(func(int) cpu { return cpu{} }), "A 0-10 20/40, B 10-30 40/80"},
		{
			"a mode of which it has nothing goes by time, the other does not", handover, "",
			minutes(func(m int) cpu { return cpu{Idle: usage.CPUSeconds(m / 10)} }), "A 0-10 20/0, B 10-30 40/120",
		},
		{
			"what is no number says nothing", handover, "",
			with(early, func(p *usage.Profile) { p.CPU[3] = cpu{Busy: usage.CPUSeconds(math.NaN()), Idle: -1} }), "A 0-10 20/40, B 10-30 40/80",
		},
		{
			"nor does what is infinite", handover, "",
			with(early, func(p *usage.Profile) { p.CPU[3].Busy = usage.CPUSeconds(math.Inf(1)) }), "A 0-10 20/0, B 10-30 40/120",
		},
		{
			"nor what adds up to it", handover, "",
			minutes(func(int) cpu { return cpu{Busy: math.MaxFloat64, Idle: 5e-324} }), "A 0-10 20/40, B 10-30 40/80",
		},
		{
			"a profile that ends before the piece says nothing", handover, "",
			with(early, func(p *usage.Profile) { p.CPU = p.CPU[:29] }), "A 0-10 20/40, B 10-30 40/80",
		},
		{"nor one without steps", handover, "", with(early, func(p *usage.Profile) { p.Step = 0 }), "A 0-10 20/40, B 10-30 40/80"},
		{
			"a gap is nobody's",
			[]directory.Tenure{tenure("A", -60, 10), tenure("B", 20, 60)},
			"",
			usage.Profile{},
			"A 0-10 20/40, unattributed 10-20 20/40, B 20-30 20/40",
		},
		{
			"pool and gap are one",
			[]directory.Tenure{tenure("", -60, 10), tenure("A", 20, 60)},
			"",
			usage.Profile{},
			"unattributed 0-20 40/80, A 20-30 20/40",
		},
		{
			"an owner goes before the pool",
			[]directory.Tenure{tenure("", -60, 60), tenure("A", 20, 60)},
			"",
			usage.Profile{},
			"unattributed 0-20 40/80, A 20-30 20/40",
		},
		{"two at once share", []directory.Tenure{tenure("B", -60, 60), tenure("A", -60, 60)}, "", early, "A 0-30 30/60, B 0-30 30/60"},
		{"two records of one owner are one owner", []directory.Tenure{tenure("A", -60, 20), tenure("A", 10, 60)}, "", early, "A 0-30 60/120"},
		{
			"who has it alone and then shares it has one part",
			[]directory.Tenure{tenure("A", -60, 60), tenure("B", 15, 60)},
			"",
			usage.Profile{},
			"A 0-30 45/90, B 15-30 15/30",
		},
		{
			"who comes back has two",
			[]directory.Tenure{tenure("A", -60, 10), tenure("B", 10, 20), tenure("A", 20, 60)},
			"",
			usage.Profile{},
			"A 0-10 20/40, B 10-20 20/40, A 20-30 20/40",
		},
		{"changes at the borders of the piece do not cut it", []directory.Tenure{tenure("A", -60, 0), tenure("B", 0, 30), tenure("A", 30, 60)}, "", early, "B 0-30 60/120"},
		{"what lasts no time or less is nothing", []directory.Tenure{tenure("A", 10, 10), tenure("B", 20, 5)}, "", early, "unattributed 0-30 60/120"},
		{
			"a name is plain text",
			[]directory.Tenure{tenure(`{"$gt":""}`, -60, 10), tenure("$where", 10, 20), tenure(".*", 20, 60)},
			"",
			usage.Profile{},
			`{"$gt":""} 0-10 20/40, $where 10-20 20/40, .* 20-30 20/40`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := sample(60, 120)
			s.User = c.user
			rules := Rules{Directory: NewIndex(directory.Directory{Tenures: c.tenures})}
			parts := rules.Parts(usage.Reading{Piece: halfHour, Samples: []usage.Sample{s}}, map[usage.Series]usage.Profile{s.Series: c.finer})
			if got := inWords(parts); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			for _, p := range parts {
				if p.Series != s.Series {
					t.Errorf("a part of %+v has become one of %+v", s.Series, p.Series)
				}
			}
		})
	}
}

func TestAPartHasTheGroupOfItsStart(t *testing.T) {
	x := NewIndex(directory.Directory{
		Tenures: []directory.Tenure{{Host: host, Owner: "A", From: at(-60), To: at(20)}, {Host: host, Owner: "B", From: at(20)}},
		Memberships: []directory.Membership{
			{User: "A", Group: "before", To: at(10)},
			{User: "A", Group: "after", From: at(10)},
			{User: "B", Group: "before", To: at(10)},
			{User: "B", Group: "after", From: at(10)},
		},
	})
	parts := Rules{GroupBy: ByDirectory, Directory: x}.Parts(usage.Reading{Piece: halfHour, Samples: []usage.Sample{sample(1, 1)}}, nil)
	if len(parts) != 2 || parts[0].Key.Group != "before" || parts[1].Key.Group != "after" {
		t.Errorf("got %+v", parts)
	}
}

func TestAHostThatTooManyClaimIsNobodys(t *testing.T) {
	var tenures []directory.Tenure
	for i := range maxSharing + 1 {
		tenures = append(tenures, directory.Tenure{Host: "localhost", Owner: fmt.Sprint("u", i), From: at(i)})
	}
	x := NewIndex(directory.Directory{Tenures: tenures})
	if n := len(x.ownersAt("localhost", at(maxSharing-1))); n != maxSharing {
		t.Errorf("%d owners, want %d", n, maxSharing)
	}
	if n := len(x.ownersAt("localhost", at(maxSharing))); n != 0 {
		t.Errorf("one more, and %d owners are left", n)
	}
}

func TestHandoversAreSeriesWhoseOwnersChangeInside(t *testing.T) {
	tenures := []directory.Tenure{
		{Host: "inside", Owner: "A", From: at(-60), To: at(10)},
		{Host: "border", Owner: "A", From: at(-60), To: at(30)},
		{Host: "border", Owner: "B", From: at(30)},
		{Host: "same", Owner: "A", From: at(-60), To: at(10)},
		{Host: "same", Owner: "A", From: at(10)},
		{Host: "joined", Owner: "A", From: at(-60)},
		{Host: "joined", Owner: "B", From: at(29)},
		{Host: "pool", From: at(-60), To: at(10)},
		{Host: "stranger", Owner: "X", From: at(-60), To: at(10)},
	}
	rules := Rules{Directory: NewIndex(directory.Directory{Tenures: tenures, People: []directory.Person{{ID: "A"}, {ID: "B"}}})}
	reading := usage.Reading{Piece: halfHour}
	for _, h := range []string{"joined:9100", "border", "same", "pool", "stranger", "inside", "nowhere", usage.Unknown} {
		reading.Samples = append(reading.Samples, usage.Sample{Series: usage.Series{Host: h}})
	}
	reading.Samples = append(reading.Samples, usage.Sample{Series: usage.Series{Host: "inside", User: "L"}})
	want := []usage.Series{{Host: "joined:9100"}, {Host: "inside"}}
	if got := rules.Handovers(reading); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := (Rules{}).Handovers(reading); got != nil {
		t.Errorf("without a directory: %v", got)
	}
}

func TestNoSamplesNoParts(t *testing.T) {
	if got := (Rules{}).Parts(usage.Reading{Piece: halfHour}, nil); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}
