// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// priced shows what priced the usage of the last day.
type priced struct {
	provider, basis *prometheus.Desc
}

func newPriced() priced {
	return priced{
		provider: prometheus.NewDesc("carbon_intensity_source_ratio",
			"Share of each provider in the prices of the half hours of the last 24 hours that have usage: 0 if it priced none. Less than 1 in sum while some have no price. Absent while no half hour has usage.", []string{"provider"}, nil),
		basis: prometheus.NewDesc("carbon_intensity_basis_ratio",
			"Share of each basis in the prices of the half hours of the last 24 hours that have usage, such as \"average direct consumption\"; undeclared if nobody says. Absent while no half hour has usage.", []string{"basis"}, nil),
	}
}

func (p priced) describe(ch chan<- *prometheus.Desc) {
	ch <- p.provider
	ch <- p.basis
}

// collect shows the shares. A chain's sources are there even if they priced nothing.
func (p priced) collect(out emitter, by usage.PricedBy, chain []string) {
	if by.Pieces == 0 {
		return
	}
	shares := map[string]float64{}
	maps.Copy(shares, by.Provider)
	for _, provider := range chain {
		shares[provider] += 0
	}
	for _, provider := range slices.Sorted(maps.Keys(shares)) {
		out.gauge(p.provider, shares[provider], provider)
	}
	for _, basis := range slices.Sorted(maps.Keys(by.Basis)) {
		out.gauge(p.basis, by.Basis[basis], basis)
	}
}
