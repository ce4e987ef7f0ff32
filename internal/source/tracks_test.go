// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// scraping is what one scraper saw of a host: lives of cores, under labels of its own.
type scraping struct {
	series usage.Series
	others []label
	cores  map[string]*life
}

func closeUpOf(all ...scraping) *closeUp {
	c := &closeUp{tracks: map[string]*track{}}
	for i, s := range all {
		t := &track{series: s.series, others: s.others, id: fmt.Sprint(s.series, s.others, i), cores: map[string]map[string]*points{}}
		for name, l := range s.cores {
			user, idle := &points{}, &points{}
			for _, m := range l.moments {
				user.at, user.v = append(user.at, m.at), append(user.v, m.by[busyClass])
				idle.at, idle.v = append(idle.at, m.at), append(idle.v, m.by[idleClass])
			}
			t.cores[name] = map[string]*points{"user": user, "idle": idle}
		}
		c.tracks[t.id] = t
	}
	return c
}

var (
	isis    = sample("a", 0, 0).Series
	nobody  = usage.Series{Host: "a"}
	replica = func(name string) []label { return []label{{"job", "node"}, {"replica", name}} }
)

// usedBy is CPU seconds of all modes in the half hour from noon, by project.
func usedBy(c *closeUp) string {
	sums := map[string]float64{}
	for _, u := range c.units {
		for track, by := range u.portion(minute(0), minute(30)).by {
			sums[track.series.Project] += by[busyClass] + by[idleClass]
		}
	}
	var all []string
	for project, n := range sums {
		all = append(all, fmt.Sprintf("%s %.0f", project, n))
	}
	slices.Sort(all)
	return strings.TrimSpace(strings.Join(all, ", "))
}

// mixedOf is what a reading says of tracks that are not those of one machine.
func mixedOf(c *closeUp) string {
	if len(c.mixed) == 0 {
		return ""
	}
	return differences(c.tracks)
}

func TestTracks(t *testing.T) {
	core := func(l *life) map[string]*life { return map[string]*life{"0": l} }
	whole := func() *life { return lifeFrom(-60, 5000).runs(60) }
	dls := isis
	dls.Project = "DLS"
	// handed over in the middle and back
	there, away := lifeFrom(-60, 5000).runs(10).unseen(20).see().runs(60), lifeFrom(-60, 5000).unseen(11)
	away.moments = nil
	away.see().runs(19)
	for _, test := range []struct {
		name   string
		all    []scraping
		want   string
		copies int
		mixed  string
	}{
		{name: "one", all: []scraping{{isis, nil, core(whole())}}, want: "ISIS 1800"},
		{name: "two of one machine: the one that names it", all: []scraping{{nobody, nil, core(whole())}, {isis, nil, core(whole())}}, want: "ISIS 1800", copies: 1},
		{name: "two servers at half a minute from each other", all: []scraping{{isis, replica("a"), core(whole())}, {isis, replica("b"), core(lifeFrom(-59.5, 5030).runs(60))}}, want: "ISIS 1800", copies: 1},
		{name: "three servers", all: []scraping{{isis, replica("a"), core(whole())}, {isis, replica("b"), core(lifeFrom(-59.5, 5030).runs(60))}, {isis, replica("c"), core(lifeFrom(-59.2, 5048).runs(60))}}, want: "ISIS 1800", copies: 2},
		{name: "the fuller of two servers", all: []scraping{{isis, replica("a"), core(lifeFrom(10, 9200).runs(20))}, {isis, replica("b"), core(whole())}}, want: "ISIS 1800", copies: 1},
		{name: "two servers, one of which was away for a while", all: []scraping{{isis, replica("a"), core(lifeFrom(-60, 5000).runs(5).unseen(25).see().runs(60))}, {isis, replica("b"), core(lifeFrom(-59.5, 5030).runs(10).unseen(20.5).see().runs(60))}}, want: "ISIS 1800", copies: 1},
		{name: "a label that changes at minute 12", all: []scraping{{isis, replica("a"), core(lifeFrom(-60, 5000).runs(12))}, {isis, replica("b"), core(lifeFrom(13, 5000+73*60).runs(60))}}, want: "ISIS 1800"},
		{name: "a project that changes at minute 12", all: []scraping{{isis, nil, core(lifeFrom(-60, 5000).runs(12))}, {dls, nil, core(lifeFrom(13, 5000+73*60).runs(60))}}, want: "DLS 1080, ISIS 720"},
		{name: "handed over from minute 11 to 19 and back", all: []scraping{{isis, nil, core(there)}, {dls, nil, core(away)}}, want: "DLS 540, ISIS 1260"},
		{name: "two machines", all: []scraping{{isis, []label{{"exported_instance", "x1"}, {"job", "node"}}, core(whole())}, {isis, []label{{"exported_instance", "x2"}, {"job", "node"}}, core(lifeFrom(-60, 90_000).runs(60))}}, copies: 1, mixed: "2 machines share this host label; they differ in exported_instance: set prometheus.labels.host to a label of their own"},
		{name: "two machines that differ in project alone", all: []scraping{{isis, nil, core(whole())}, {dls, nil, core(lifeFrom(-60, 90_000).runs(60))}}, want: "DLS 1800", copies: 1, mixed: "2 machines share this host label"},
		{name: "two machines one after the other", all: []scraping{{isis, replica("a"), core(lifeFrom(-60, 5000).runs(10))}, {isis, replica("b"), core(lifeFrom(20, 90_000).runs(60))}}, want: "ISIS 1200"},
		{name: "a copy that saw the reboot later", all: []scraping{{isis, replica("a"), core(lifeFrom(-60, 5000).runs(10).boots().runs(60))}, {isis, replica("b"), core(lifeFrom(-59.5, 5030).runs(10).boots().off(10).unseen(10.5).see().runs(60))}}, want: "ISIS 1800", copies: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := question()
			for range 3 { // maps have no order
				c := closeUpOf(test.all...)
				c.assemble(q, 1, false)
				if got := usedBy(c); got != test.want || c.copies != test.copies || mixedOf(c) != test.mixed {
					t.Fatalf("got %q, %d copies, mixed %q, want %q, %d, %q", got, c.copies, mixedOf(c), test.want, test.copies, test.mixed)
				}
			}
		})
	}
}

func TestSumsBesideCores(t *testing.T) {
	q := question()
	times := func(n float64) *life {
		l := lifeFrom(-60, 5000).runs(60)
		for i := range l.moments {
			for c := range l.moments[i].by {
				l.moments[i].by[c] *= n
			}
		}
		return l
	}
	for _, test := range []struct {
		name  string
		cores map[string]*life
		units int
	}{
		{"two cores alike", map[string]*life{"0": times(1), "1": times(1)}, 2},
		{"four cores alike", map[string]*life{"0": times(1), "1": times(1), "2": times(1), "3": times(1)}, 4},
		{"two cores and their sum", map[string]*life{"0": times(1), "1": times(1), "everything": times(2)}, 2},
		{"four cores and their sum", map[string]*life{"0": times(1), "1": times(1), "2": times(1), "3": times(1), "": times(4)}, 4},
		{"cores that have not run yet", map[string]*life{"0": times(0), "1": times(0), "2": times(0)}, 3},
	} {
		c := closeUpOf(scraping{isis, nil, test.cores})
		c.assemble(q, 4, false)
		if len(c.units) != test.units {
			t.Errorf("%s: %d cores", test.name, len(c.units))
		}
	}
}

// Series without a core are sums of all cores: how many is known from a query, or seen by how
// fast they grow.
func TestCoresWithoutALabelOfTheirOwn(t *testing.T) {
	q := question()
	l := lifeFrom(-60, 5000).runs(60)
	for i := range l.moments {
		for c := range l.moments[i].by {
			l.moments[i].by[c] *= 3
		}
	}
	for name, cores := range map[string]float64{"known": 3, "not known": 0} {
		c := closeUpOf(scraping{isis, nil, map[string]*life{foldedCore: l}})
		c.assemble(q, cores, false)
		if len(c.units) != 1 || c.units[0].cores != 3 || usedBy(c) != "ISIS 5400" {
			t.Errorf("%s: %d units, %s", name, len(c.units), usedBy(c))
		}
	}
	half := lifeFrom(-60, 5000).runs(60)
	for i := range half.moments {
		for c := range half.moments[i].by {
			half.moments[i].by[c] *= 1.5
		}
	}
	c := closeUpOf(scraping{isis, nil, map[string]*life{foldedCore: half}})
	c.assemble(q, 0, false)
	if len(c.units) != 0 {
		t.Errorf("one and a half cores are %v", c.units[0].cores)
	}
}

// Sums repeat the last sample while the server looks back. That is no machine that stands still.
func TestRepeatsOfASampleAreNotSamples(t *testing.T) {
	q := question()
	l := lifeFrom(-60, 5000).runs(10)
	stopped(l, 4)
	l.unseen(l.at + 6)
	l.by[busyClass] += 4 * 60 // what it did meanwhile
	l.see().runs(60)
	for folded, want := range map[bool]float64{true: 0, false: 240} {
		c := closeUpOf(scraping{isis, nil, map[string]*life{foldedCore: l}})
		c.assemble(q, 1, folded)
		if p := c.units[0].portion(minute(0), minute(30)); p.short > want+1 || p.short < want-1 {
			t.Errorf("folded %v: %v seconds are missing, want %v", folded, p.short, want)
		}
	}
}

// A mode that appears had its first value before; one that goes stays where it was.
func TestModesComeAndGo(t *testing.T) {
	q := question()
	tr := &track{}
	moments := momentsOf(map[string]*points{
		"idle":  {at: []float64{0, 60, 120}, v: []float64{10, 60, 110}},
		"steal": {at: []float64{60}, v: []float64{10}},
		"guest": {at: []float64{120}, v: []float64{5}},
		"odd":   {at: []float64{0, 120}, v: []float64{1, 2}},
	}, q.classOf(), tr)
	var got []string
	for _, m := range moments {
		got = append(got, fmt.Sprint(m.at, m.by, m.total()))
	}
	// busy, idle, other, guest, unlisted; guest time is not added to the total
	want := []string{"0 [0 10 10 5 1] 21", "60 [0 60 10 5 1] 71", "120 [0 110 10 5 2] 122"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
