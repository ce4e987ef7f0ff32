// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// gridSources shows what is known of the configured sources without asking them.
type gridSources struct {
	all  atomic.Pointer[[]usage.GridSource]
	info *prometheus.Desc
}

func newGridSources() *gridSources {
	return &gridSources{info: prometheus.NewDesc("carbon_intensity_source_info",
		"A configured source of carbon intensity: the basis of its values, their licence, whom to credit, and its page. Always 1.",
		[]string{"provider", "grid", "basis", "licence", "credit", "link"}, nil)}
}

// collect shows each source once, whatever chains it is in.
func (g *gridSources) collect(out emitter) {
	all := g.all.Load()
	if all == nil {
		return
	}
	type labels [6]string
	shown := map[labels]bool{}
	for _, s := range *all {
		l := labels{s.Provider, s.Grid, s.Basis.Name(), s.Licence, s.Credit, s.Link}
		if !shown[l] {
			out.gauge(g.info, 1, l[:]...)
		}
		shown[l] = true
	}
}
