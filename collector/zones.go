// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// zones shows what meters of the site, or of parts of it, have measured, and how much of that is
// not booked.
type zones struct{ measured, unexplained *prometheus.Desc }

func newZones() zones {
	return zones{
		measured: prometheus.NewDesc("carbon_measured_energy_kwh",
			"Energy that a meter of the site, or of a part of it, has measured, in all intervals in which it was there. Absent unless power.reconcile is configured.", []string{"zone"}, nil),
		unexplained: prometheus.NewDesc("carbon_unexplained_energy_kwh",
			"Measured energy less the energy of the same machines in carbon_energy_kwh, in the same intervals. Negative if more is booked than was measured.", []string{"zone"}, nil),
	}
}

func (z zones) describe(ch chan<- *prometheus.Desc) {
	ch <- z.measured
	ch <- z.unexplained
}

func (z zones) collect(out emitter, all []usage.ZoneFact) {
	for _, zone := range all {
		out.gauge(z.measured, float64(zone.Measured), zone.Zone)
		out.gauge(z.unexplained, float64(zone.Measured-zone.Booked), zone.Zone)
	}
}
