// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// generated is what a type generated for some minutes from noon on.
type generated struct {
	code      string
	from, to  int
	megawatts float64
}

func TestMix(t *testing.T) {
	nan := math.NaN()
	for _, test := range []struct {
		name   string
		mix    []generated
		spoil  []int // minutes
		direct bool
		want   string // intensities of the half hours from noon to one
		remark string
	}{
		{name: "one type", mix: []generated{{"B04", 0, 60, 100}}, want: "490 490"},
		{name: "its direct emissions", mix: []generated{{"B04", 0, 60, 100}}, direct: true, want: "394 394"},
		{name: "two types, by their power", mix: []generated{{"B04", 0, 60, 100}, {"B16", 0, 60, 300}}, want: "158.5 158.5"},
		{name: "quarters beside an hour", mix: []generated{{"B04", 0, 15, 100}, {"B04", 15, 30, 300}, {"B04", 30, 60, 200}, {"B14", 0, 60, 200}}, want: "251 251"},
		{name: "a late type", mix: []generated{{"B04", 0, 60, 100}, {"B16", 0, 30, 300}}, want: "158.5 -"},
		{name: "a type that is late by a minute", mix: []generated{{"B04", 0, 60, 100}, {"B16", 0, 59, 300}}, want: "158.5 -"},
		{name: "a type that is not known", mix: []generated{{"B04", 0, 60, 100}, {"B16", 0, 60, 100}, {"B16", 30, 45, nan}}, want: "269 -"},
		{name: "a type that is listed only", mix: []generated{{"B04", 0, 60, 100}, {code: "B16"}}, want: "- -"},
		{name: "more power than the world has", mix: []generated{{"B04", 0, 60, 100}, {"B16", 0, 60, 1e8}}, want: "- -"},
		{name: "storage gives", mix: []generated{{"B04", 0, 60, 100}, {"B10", 0, 60, 900}, {"B25", 0, 30, 1}}, want: "490 490"},
		{name: "storage alone", mix: []generated{{"B10", 0, 60, 900}}, want: "nothing that generates"},
		{name: "no type", want: "nothing that generates"},
		{name: "less than nothing is nothing", mix: []generated{{"B04", 0, 60, 100}, {"B16", 0, 60, -50}}, want: "490 490"},
		{name: "nothing generates", mix: []generated{{"B04", 0, 30, 0}, {"B04", 30, 60, 1}, {"B16", 0, 60, -1}}, want: "- 490"},
		{name: "the last word counts", mix: []generated{{"B04", 0, 60, 100}, {"B16", 0, 60, 100}, {"B16", 0, 30, 300}}, want: "158.5 269"},
		{
			name: "types without a factor", mix: []generated{{"B04", 0, 60, 100}, {"B99", 0, 60, 100}, {"B98", 0, 60, 0}}, want: "595 595",
			remark: "Some types of generation have no emission factor, and count as other: B98, B99",
		},
		{name: "what the provider calls other", mix: []generated{{"B20", 0, 60, 100}}, want: "700 700"},
		{name: "a minute that nobody can read", mix: []generated{{"B04", 0, 60, 100}}, spoil: []int{30}, want: "490 -"},
		{name: "times that reach out", mix: []generated{{"B04", -600, 600, 100}}, want: "490 490"},
	} {
		t.Run(test.name, func(t *testing.T) {
			noon := at("2026-06-01T12:00:00Z")
			minute := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
			m := newMix(noon, minute(60), entsoeKinds)
			for _, g := range test.mix {
				if err := m.has(g.code); err != nil {
					t.Fatal(err)
				}
				if g.from < g.to {
					m.set(g.code, minute(g.from), minute(g.to), g.megawatts)
				}
			}
			for _, n := range test.spoil {
				m.spoil(minute(n), minute(n+1))
			}
			emissions := ""
			if test.direct {
				emissions = usage.Direct
			}
			a, err := m.answer(emissions)
			got := []string{"-", "-"}
			for _, v := range a.Values {
				got[int(v.From.Sub(noon)/usage.SlotLength)] = fmt.Sprint(math.Round(float64(v.Intensity)*1e6) / 1e6)
			}
			if err != nil {
				got = []string{err.Error()}
			}
			if text := strings.Join(got, " "); text != test.want && (err == nil || !strings.Contains(text, test.want)) {
				t.Errorf("got %s, want %s", text, test.want)
			}
			if err == nil && a.Nothing != (len(a.Values) == 0) {
				t.Errorf("nothing: %v", a.Nothing)
			}
			if text := strings.Join(a.Remarks, "; "); text != test.remark {
				t.Errorf("remarks: %s", text)
			}
		})
	}
}

// A type that ends for good leaves the rest of one answer without a value, and that is said. At
// the end of an answer, where all types are missing, nothing is.
func TestATypeThatIsOftenMissingIsTold(t *testing.T) {
	from := at("2023-04-14T00:00:00Z")
	day := func(n int) time.Time { return from.AddDate(0, 0, n) }
	m := newMix(from, day(4), entsoeKinds)
	for _, g := range []struct {
		code string
		to   int
	}{{"B04", 3}, {"B14", 1}} {
		if err := m.has(g.code); err != nil {
			t.Fatal(err)
		}
		m.set(g.code, from, day(g.to), 100)
	}
	a, err := m.answer("")
	want := "Some types of generation are known for a part of the time only, and the rest has no intensity: nuclear (B14)"
	if err != nil || len(a.Values) != 48 || len(a.Remarks) != 1 || a.Remarks[0] != want {
		t.Errorf("%d values, %q, %v", len(a.Values), a.Remarks, err)
	}
}

func TestTypesAreBounded(t *testing.T) {
	m := newMix(at("2026-06-01T12:00:00Z"), at("2026-06-01T12:30:00Z"), entsoeKinds)
	for i := range maxTypes {
		if err := m.has(fmt.Sprintf("X%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	wantFailure(t, m.has("one-more"), usage.ReasonMalformed)
	for code := range m.power {
		m.set(code, m.from, m.from.Add(time.Hour), 1)
	}
	a, err := m.answer("")
	if err != nil || len(a.Remarks) != 1 || !strings.HasSuffix(a.Remarks[0], "and 59 more") {
		t.Errorf("%q, %v", a.Remarks, err)
	}
}
