// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/power"
	"github.com/carbon-exporter/carbon_exporter/internal/processor"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// cloudsEach is how many clouds are drawn for each split and number of machine types.
const cloudsEach = 300

// TestCloudsAreWithinTheirBounds draws whole clouds whose servers the table was not made from: one
// to eight machine types, with one server each or a mixture of two, of one maker or of any, and a
// load of their own. Nothing is configured; the hosts say their processor. The energy is within the
// stated bounds as often as stated, and the bounds of many types are narrower than their sum.
func TestCloudsAreWithinTheirBounds(t *testing.T) {
	servers, tdps, err := sources(".")
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(13, 1))
	lines := []string{"| machine types | clouds | within | high / low | typical error |", "|---|---|---|---|---|"}
	for _, types := range []int{1, 2, 4, 8} {
		var all clouds
		for _, sp := range splitsOf(servers) {
			table := tableOf(t, slices.DeleteFunc(slices.Clone(servers), sp.out), tdps)
			held := slices.DeleteFunc(slices.Clone(servers), func(s server) bool { return !sp.out(s) || s.published < recentSince(servers) })
			if len(held) < 8 {
				continue
			}
			var some clouds
			for range cloudsEach {
				some.draw(random, table, held, types)
			}
			if some.coverage() < stated {
				t.Errorf("%d types, %s held out: %.3f of the clouds are within their bounds", types, sp.name, some.coverage())
			}
			all.merge(some)
		}
		lines = append(lines, fmt.Sprintf("| %d | %d | %.0f %% | %.1f | %.0f %% |", types, all.n, 100*all.coverage(), median(all.ratios), 100*(math.Exp(median(all.errors))-1)))
	}
	inDocs(t, lines)
}

// clouds counts how often the energy of a cloud was within its bounds.
type clouds struct {
	n, within      int
	ratios, errors []float64
}

func (c *clouds) draw(random *rand.Rand, table *processor.Table, held []server, types int) {
	u := table.Unknown()
	model := power.Model{
		Default: usage.Rating{Watts: u.Watts, Low: &u.Low, High: &u.High},
		Processor: func(name string, threads int) (usage.Rating, bool) {
			e, ok := table.Of(name, threads)
			return usage.Rating{Watts: e.Watts, Low: &e.Low, High: &e.High}, ok
		},
	}
	truth := 0.0
	var energy usage.KWh
	var margins []usage.Margin
	for i := range types {
		machine := fmt.Sprint("type ", i)
		kinds := []server{held[random.IntN(len(held))]}
		if random.IntN(3) == 0 { // a type that spans two generations
			kinds = append(kinds, held[random.IntN(len(held))])
		}
		busy := 0.02 + 0.9*random.Float64()
		var cpu usage.BusyIdle[usage.CPUSeconds]
		var models []usage.ModelShare
		for _, s := range kinds {
			hosts := float64(1 + random.IntN(20))
			seconds := 3600 * hosts * float64(s.threads())
			truth += 3600 * hosts * (busy*s.busy + (1-busy)*s.idle) / 3.6e6
			cpu = cpu.Plus(usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(busy * seconds), Idle: usage.CPUSeconds((1 - busy) * seconds)})
			models = append(models, usage.ModelShare{Model: sayName(s), Threads: s.threads() / s.chips, Share: seconds})
		}
		for j := range models {
			models[j].Share /= float64(cpu.Total())
		}
		rating := model.Rating(machine, models)
		e := model.Energy(rating, cpu)
		fact := usage.Fact{Energy: usage.ByMode[usage.KWh]{Busy: e.Busy, Idle: e.Idle}}
		energy += fact.Energy.Total()
		margins = append(margins, rating.Margin(fact))
	}
	m := usage.Across(margins)
	c.n++
	if truth >= float64(energy-m.Down) && truth <= float64(energy+m.Up) {
		c.within++
	}
	c.ratios = append(c.ratios, float64((energy+m.Up)/(energy-m.Down)))
	c.errors = append(c.errors, math.Abs(math.Log(truth/float64(energy))))
}

func (c *clouds) merge(o clouds) {
	c.n, c.within = c.n+o.n, c.within+o.within
	c.ratios, c.errors = append(c.ratios, o.ratios...), append(c.errors, o.errors...)
}

func (c *clouds) coverage() float64 { return float64(c.within) / float64(c.n) }

func median(v []float64) float64 { return quantile(slices.Sorted(slices.Values(v)), 0.5) }
