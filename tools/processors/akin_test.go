// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/processor"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The errors of two machine types of a site are akin because a site mostly buys from one maker, and
// sets its servers up in one way. usage.Akin is not less than the part of the variance of the
// errors that is between makers.
func TestServersOfOneMakerAreAkin(t *testing.T) {
	servers, tdps, err := sources(".")
	if err != nil {
		t.Fatal(err)
	}
	table := tableOf(t, servers, tdps)
	between, whole := makerVariance(servers, table)
	t.Logf("variance %.4f, of it between makers %.4f: %.2f", whole, between, between/whole)
	if part := between / whole; part > usage.Akin || part < usage.Akin/3 {
		t.Errorf("%.2f of the variance of errors is between makers; usage.Akin is %v", part, usage.Akin)
	}
}

// makerVariance is the variance of the errors, in the log scale, and the part of it that is
// between makers, by analysis of variance.
func makerVariance(servers []server, table *processor.Table) (between, whole float64) {
	byMaker := map[string][]float64{}
	n, sum := 0.0, 0.0
	for _, s := range servers {
		e, ok := table.Of(sayName(s), s.threads()/s.chips)
		if !ok || e.Weak {
			continue
		}
		v := math.Log((0.3*s.busy + 0.7*s.idle) / float64(s.threads()) / float64(0.3*e.Watts.Busy+0.7*e.Watts.Idle))
		byMaker[s.maker] = append(byMaker[s.maker], v)
		n, sum = n+1, sum+v
	}
	grand := sum / n
	ssBetween, ssWithin, squares, groups := 0.0, 0.0, 0.0, 0.0
	for _, errors := range byMaker {
		m := 0.0
		for _, v := range errors {
			m += v / float64(len(errors))
		}
		for _, v := range errors {
			ssWithin += (v - m) * (v - m)
		}
		size := float64(len(errors))
		ssBetween += size * (m - grand) * (m - grand)
		squares += size * size
		groups++
	}
	within := ssWithin / (n - groups)
	between = max(0, (ssBetween/(groups-1)-within)/((n-squares/n)/(groups-1)))
	return between, between + within
}
