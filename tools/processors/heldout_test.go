// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/processor"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// stated is what bounds mean everywhere in this project: the truth lies between them two times in
// three.
const stated = 2.0 / 3

// loads are the fractions of the time that a server is busy. Between idle and full load its power
// is taken as linear, as everywhere in this project.
var loads = []float64{0.1, 0.3, 0.6, 1}

// split is a way to hold servers out.
type split struct {
	name string
	out  func(server) bool
}

// splitsOf holds out what is newer than the table, what is of other years, of another maker, and
// what no row has: a quarter of the models.
func splitsOf(servers []server) []split {
	var months []string
	makers := map[string]int{}
	for _, s := range servers {
		months = append(months, s.published)
		makers[s.maker]++
	}
	slices.Sort(months)
	newest := months[len(months)*3/4]
	all := []split{{"the newest quarter, from " + newest, func(s server) bool { return s.published >= newest }}}
	for k := range 4 {
		all = append(all, split{fmt.Sprintf("the years %d, %d, %d and so on", 2008+k, 2012+k, 2016+k), func(s server) bool {
			year, err := strconv.Atoi(s.published[:4])
			return err == nil && year%4 == k
		}})
	}
	for _, m := range slices.Sorted(maps.Keys(makers)) {
		if makers[m] >= 40 {
			all = append(all, split{"the maker " + m, func(s server) bool { return s.maker == m }})
		}
	}
	for k := range uint32(4) {
		all = append(all, split{fmt.Sprintf("a quarter of the models (%d)", k+1), func(s server) bool {
			h := fnv.New32a()
			_, _ = h.Write([]byte(s.name.Family + s.name.Model))
			return h.Sum32()%4 == k
		}})
	}
	return all
}

// TestTruthIsWithinTheBounds derives a table from a part of the servers and rates the others by the
// names of their processors, as machines say them: with the threads of a package, and by the name
// alone as in a virtual machine. What they really draw lies within the bounds as often as stated.
func TestTruthIsWithinTheBounds(t *testing.T) {
	servers, tdps, err := sources(".")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]*tally{}
	of := func(kind string) *tally {
		if kinds[kind] == nil {
			kinds[kind] = &tally{}
		}
		return kinds[kind]
	}
	lines := []string{"| held out | servers | with threads | name only | as unknown |", "|---|---|---|---|---|"}
	var all, allByName, allUnknown tally
	for _, sp := range splitsOf(servers) {
		table := tableOf(t, slices.DeleteFunc(slices.Clone(servers), sp.out), tdps)
		var full, byName, unknown tally
		held := 0
		for _, s := range servers {
			if !sp.out(s) {
				continue
			}
			held++
			for threads, into := range map[int]*tally{s.threads() / s.chips: &full, 0: &byName} {
				e, kind := rate(table, s, threads)
				if kind == unknownKind && s.published < recentSince(servers) {
					of(olderKind).add(s, e) // the default is of newer servers, and does not speak of this one
					continue
				}
				of(kind).add(s, e)
				into.add(s, e)
			}
			if s.published >= recentSince(servers) {
				unknown.add(s, table.Unknown())
			}
		}
		for way, y := range map[string]*tally{"with threads": &full, "by its name": &byName, "as unknown": &unknown} {
			if y.n >= 4*len(loads) && y.coverage() < stated {
				t.Errorf("%s, rated %s: the truth is within the bounds in %.3f of the cases: %s", sp.name, way, y.coverage(), y)
			}
		}
		lines = append(lines, fmt.Sprintf("| %s | %d | %s | %s | %s |", sp.name, held, full.percent(), byName.percent(), unknown.percent()))
		all.merge(full)
		allByName.merge(byName)
		allUnknown.merge(unknown)
	}
	lines = append(lines, fmt.Sprintf("| all together | | %s | %s | %s |", all.percent(), allByName.percent(), allUnknown.percent()))

	inDocs(t, lines)

	lines = []string{"| rated by | cases | within | high / low | typical error |", "|---|---|---|---|---|"}
	for _, k := range []struct {
		kind   string
		narrow float64
	}{{tdpKind, 1.6}, {othersKind, 2}, {medianKind, 2.3}, {unknownKind, 5}} {
		y := of(k.kind)
		if y.coverage() < stated {
			t.Errorf("rated by %s: the truth is within the bounds in %.3f of the cases", k.kind, y.coverage())
		}
		if ratio := y.ratio(); ratio > k.narrow {
			t.Errorf("rated by %s: high is %.2f times low, more than %.2f: such bounds say little", k.kind, ratio, k.narrow)
		}
		lines = append(lines, fmt.Sprintf("| %s | %d | %s | %.1f | %.0f %% |", k.kind, y.n, y.percent(), y.ratio(), 100*(math.Exp(y.error())-1)))
	}
	older := of(olderKind)
	lines = append(lines, fmt.Sprintf("| %s | %d | %s | %.1f | %.0f %% |", olderKind, older.n, older.percent(), older.ratio(), 100*(math.Exp(older.error())-1)))
	inDocs(t, lines)
	if family, unknown := of(medianKind).ratio(), of(unknownKind).ratio(); 1.5*family > unknown {
		t.Errorf("high is %.2f times low in a family and %.2f times by default: to know the family is worth little", family, unknown)
	}
	if tdp, median := of(tdpKind).error(), of(medianKind).error(); tdp > 0.75*median {
		t.Errorf("the thermal design power of a model makes the error %.3f, the median of its family %.3f: it is not worth its code", tdp, median)
	}
}

// The kinds of estimates.
const (
	tdpKind     = "TDP and threads, as its family draws"
	othersKind  = "TDP and threads, as all families draw"
	medianKind  = "the median of its family"
	unknownKind = "the default"
	olderKind   = "the default, though older than its servers"
)

// rate is what the table says of a server, by the name that its processor itself gives: those of
// AMD have the number of cores, which the results leave out.
func rate(table *processor.Table, s server, threads int) (e processor.Estimate, kind string) {
	e, ok := table.Of(sayName(s), threads)
	switch {
	case !ok:
		return table.Unknown(), unknownKind
	case e.Weak:
		return e, othersKind
	case strings.Contains(e.Reason, "thermal design power"):
		return e, tdpKind
	}
	return e, medianKind
}

// sayName is the name that the processor of a server itself gives.
func sayName(s server) string {
	if strings.HasPrefix(s.name.Family, "EPYC") {
		return fmt.Sprintf("%s %d-Core Processor", s.cpu, s.cores/s.chips)
	}
	return s.cpu
}

func tableOf(t *testing.T, servers []server, tdps map[[2]string]float64) *processor.Table {
	t.Helper()
	watts, models := derive(servers, tdps)
	table, err := processor.Read(bytes.NewReader(text(watts)), bytes.NewReader(text(models)))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// tally counts how often the truth was within the bounds.
type tally struct {
	n, below, above int
	ratios, errors  []float64
}

func (y *tally) add(s server, e processor.Estimate) {
	for _, busy := range loads {
		mix := func(w usage.BusyIdle[usage.Watts]) float64 {
			return busy*float64(w.Busy) + (1-busy)*float64(w.Idle)
		}
		truth := (busy*s.busy + (1-busy)*s.idle) / float64(s.threads())
		y.n++
		if truth < mix(e.Low) {
			y.below++
		}
		if truth > mix(e.High) {
			y.above++
		}
		y.ratios = append(y.ratios, mix(e.High)/mix(e.Low))
		y.errors = append(y.errors, math.Abs(math.Log(truth/mix(e.Watts))))
	}
}

func (y *tally) merge(o tally) {
	y.n, y.below, y.above = y.n+o.n, y.below+o.below, y.above+o.above
	y.ratios, y.errors = append(y.ratios, o.ratios...), append(y.errors, o.errors...)
}

func (y *tally) coverage() float64 { return float64(y.n-y.below-y.above) / float64(y.n) }

// ratio and error are medians.
func (y *tally) ratio() float64 { return quantile(slices.Sorted(slices.Values(y.ratios)), 0.5) }
func (y *tally) error() float64 { return quantile(slices.Sorted(slices.Values(y.errors)), 0.5) }

func (y *tally) percent() string {
	if y.n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f %%", 100*y.coverage())
}

func (y *tally) String() string {
	part := func(n int) float64 { return float64(n) / float64(y.n) }
	return fmt.Sprintf("%d cases, %.2f within, %.2f below, %.2f above, high/low %.2f, error %.2f",
		y.n, y.coverage(), part(y.below), part(y.above), y.ratio(), y.error())
}

// inDocs holds a page to what was found.
func inDocs(t *testing.T, lines []string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/accuracy.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Join(lines, "\n"); !strings.Contains(string(page), want) {
		t.Errorf("docs/accuracy.md must have this table:\n%s", want)
	}
}
