// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/carbon-exporter/carbon_exporter/internal/processor"
)

const (
	// A family needs results of so many servers.
	fewest = 4
	// So many years before the newest result are "the last years" of a server that is not known.
	recent = 8
	// The spread of a family counts as much as its servers, that of the typical family as much as
	// this many.
	typicalServers = 8
)

// Between the median and a quartile of a normal distribution is this part of a standard error.
const quartile = 0.6745

// deviation is a standard error in the log scale, below and above the median.
type deviation struct{ below, above float64 }

// both are the deviations at full load and idle.
type both struct{ busy, idle deviation }

// widening is how much more servers of other makers, years and models differ than the rows. They
// draw more rather than less. TestTruthIsWithinTheBounds holds it to servers that were held out.
var widening = map[string]both{
	processor.PerThread:  {busy: deviation{0.20, 0.33}, idle: deviation{0.30, 0.45}},
	processor.PerPackage: {busy: deviation{0.09, 0.16}, idle: deviation{0.13, 0.26}},
}

// wideningOfAny is the same for servers of a family without rows. Newer families have more threads
// that draw less each, so what draws less than half of the median is still to be expected.
var wideningOfAny = map[string]both{
	processor.PerThread: {busy: deviation{0.80, 0.25}, idle: deviation{0.70, 0.35}},
	processor.PerTDP:    {busy: deviation{0.12, 0.26}, idle: deviation{0.25, 0.35}},
}

// sample is what one server draws, divided as processor says.
type sample struct {
	busy, idle float64
	published  string
}

// derive makes the tables of watts and of models.
func derive(servers []server, tdps map[[2]string]float64) (watts, models [][]string) {
	threads := threadsOfModels(servers)
	samples := map[[2]string][]sample{}
	since := recentSince(servers)
	for _, s := range servers {
		add := func(family, per string, busyBy, idleBy float64) {
			key := [2]string{family, per}
			samples[key] = append(samples[key], sample{busy: s.busy / busyBy, idle: s.idle / idleBy, published: s.published})
		}
		perThread, packages := float64(s.threads()), float64(s.chips)
		tdp := tdps[[2]string{s.name.Family, s.name.Model}] * packages
		if s.name.Family != "" {
			add(s.name.Family, processor.PerThread, perThread, perThread)
		}
		if tdp > 0 {
			add(s.name.Family, processor.PerPackage, tdp, packages)
		}
		if s.published >= since {
			add(processor.Any, processor.PerThread, perThread, perThread)
			if tdp > 0 {
				add(processor.Any, processor.PerTDP, tdp, tdp)
			}
		}
	}
	watts = [][]string{processor.Header}
	for _, row := range rows(samples) {
		watts = append(watts, record(row))
	}
	models = [][]string{processor.ModelsHeader}
	for _, key := range sortedKeys(tdps) {
		models = append(models, []string{key[0], key[1], number(tdps[key]), strconv.Itoa(threads[key])})
	}
	return watts, models
}

// threadsOfModels is how many threads a package of each model has in most of its results.
func threadsOfModels(servers []server) map[[2]string]int {
	counts := map[[2]string]map[int]int{}
	for _, s := range servers {
		if s.name.Model == "" {
			continue
		}
		key := [2]string{s.name.Family, s.name.Model}
		if counts[key] == nil {
			counts[key] = map[int]int{}
		}
		counts[key][s.threads()/s.chips]++
	}
	threads := map[[2]string]int{}
	for key, count := range counts {
		for n, times := range count {
			if most := count[threads[key]]; times > most || times == most && n > threads[key] {
				threads[key] = n
			}
		}
	}
	return threads
}

// recentSince is the month in which the last years begin.
func recentSince(servers []server) string {
	newest := slices.MaxFunc(servers, func(a, b server) int { return cmp.Compare(a.published, b.published) }).published
	year, err := strconv.Atoi(newest[:4])
	if err != nil {
		panic(err) // readServers has checked it
	}
	return fmt.Sprintf("%04d%s", year-recent, newest[4:])
}

// rows summarises the samples of each family that has enough.
func rows(samples map[[2]string][]sample) []processor.Row {
	busy := func(s sample) float64 { return s.busy }
	idle := func(s sample) float64 { return s.idle }
	typical := map[string][2]float64{}
	for per := range widening {
		typical[per] = [2]float64{typicalSpread(samples, per, busy), typicalSpread(samples, per, idle)}
	}
	var all []processor.Row
	for _, key := range sortedKeys(samples) {
		family, per := key[0], key[1]
		of := samples[key]
		if len(of) < fewest {
			continue
		}
		months := make([]string, len(of))
		for i, s := range of {
			months[i] = s.published
		}
		w, t := widening[per], typical[per]
		if family == processor.Any {
			w = wideningOfAny[per]
		}
		all = append(all, processor.Row{
			Family: family, Per: per, Servers: len(of), From: slices.Min(months), To: slices.Max(months),
			Busy: levelOf(values(of, busy), t[0], w.busy), Idle: levelOf(values(of, idle), t[1], w.idle),
		})
	}
	return all
}

// levelOf has bounds of one standard error for a server that is not among the values. Each side
// has the spread of its own quartile. A family with few servers tells little of its spread, so that
// of the typical family takes part, and its median is itself uncertain.
func levelOf(v []float64, typical float64, widening deviation) processor.Level {
	q1, median, q3 := quantile(v, 0.25), quantile(v, 0.5), quantile(v, 0.75)
	n := float64(len(v))
	side := func(ratio, widening float64) float64 {
		own := math.Log(ratio) / quartile
		spread2 := (n*own*own + typicalServers*typical*typical) / (n + typicalServers)
		return math.Exp(math.Sqrt(spread2*(1+1/n) + widening*widening))
	}
	return processor.Level{Median: median, Q1: q1, Q3: q3, Low: median / side(median/q1, widening.below), High: median * side(q3/median, widening.above)}
}

// typicalSpread is the median of the families' spreads, in the log scale.
func typicalSpread(samples map[[2]string][]sample, per string, of func(sample) float64) float64 {
	var spreads []float64
	for key, s := range samples {
		if key[0] != processor.Any && key[1] == per && len(s) >= typicalServers {
			v := values(s, of)
			spreads = append(spreads, math.Log(quantile(v, 0.75)/quantile(v, 0.25))/(2*quartile))
		}
	}
	if len(spreads) == 0 {
		return 0
	}
	slices.Sort(spreads)
	return quantile(spreads, 0.5)
}

func values(samples []sample, of func(sample) float64) []float64 {
	v := make([]float64, len(samples))
	for i, s := range samples {
		v[i] = of(s)
	}
	slices.Sort(v)
	return v
}

// quantile is of sorted values, between the two nearest if it is none of them.
func quantile(v []float64, p float64) float64 {
	at := p * float64(len(v)-1)
	below := int(at)
	if below+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[below] + (at-float64(below))*(v[below+1]-v[below])
}

func record(r processor.Row) []string {
	fields := []string{r.Family, r.Per, strconv.Itoa(r.Servers), r.From, r.To}
	for _, l := range []processor.Level{r.Busy, r.Idle} {
		for _, x := range []float64{l.Median, l.Q1, l.Q3, l.Low, l.High} {
			fields = append(fields, number(x))
		}
	}
	return fields
}

// number has three decimals at most: a thousandth of a watt.
func number(x float64) string { return strconv.FormatFloat(math.Round(x*1000)/1000, 'f', -1, 64) }

func sortedKeys[T any](m map[[2]string]T) [][2]string {
	keys := make([][2]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	return keys
}
