// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import "github.com/prometheus/client_golang/prometheus"

// expositionHealth shows how large the exposition is.
type expositionHealth struct {
	samples prometheus.Gauge
	most    *prometheus.GaugeVec // absent: no limit is configured
	bytes   *prometheus.GaugeVec
}

func newExpositionHealth(r prometheus.Registerer) *expositionHealth {
	h := &expositionHealth{
		samples: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "carbon_exporter_exposition_samples",
			Help: "Number of samples of the newest exposition, without the few about the grid and about the exporter itself.",
		}),
		most: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "carbon_exporter_exposition_max_samples",
			Help: "The setting metrics.max_samples: how many samples there should be at most. None is dropped beyond it. Absent if it is 0.",
		}, nil),
		bytes: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "carbon_exporter_exposition_bytes",
			Help: "Size of the newest exposition in the format that is scraped, by coding: identity (plain), gzip. Absent if it is too large to be kept in memory.",
		}, []string{"coding"}),
	}
	r.MustRegister(h.samples, h.most, h.bytes)
	return h
}

// Exposed records the size of the exposition, and how many samples there should be at most; 0: as
// many as there are.
func (h *expositionHealth) Exposed(s Size, most int) {
	h.samples.Set(float64(s.Samples))
	h.most.Reset()
	if most > 0 {
		h.most.WithLabelValues().Set(float64(most))
	}
	h.bytes.Reset()
	if s.Text > 0 {
		h.bytes.WithLabelValues("identity").Set(float64(s.Text))
		h.bytes.WithLabelValues("gzip").Set(float64(s.Zipped))
	}
}
