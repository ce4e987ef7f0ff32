// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The PUE in force is the newest that was measured; before there is one, it is the configured one.
func TestTheMeasuredPUEIsShown(t *testing.T) {
	d, server := prepared(t, "--config.file="+configFile(t, "power: {pue: {query: site_pue, otherwise: 1.4}}\n"))
	d.Changed(t.Context())
	if got := metric(t, server.URL, "carbon_pue_ratio"); got != "1.4" {
		t.Errorf("nothing was measured yet, and PUE is %s", got)
	}
	for n, pue := range []float64{1.25, 1.5} {
		i := usage.IntervalAt(time.Now().Add(-time.Duration(3-n)*time.Hour), 30*time.Minute)
		storetest.Commit(t, d.store, usage.Record{
			Interval: i, State: usage.Unpriced, PUE: pue, PUEs: []float64{pue}, FetchedAt: time.Now(),
			Facts: []usage.Fact{{
				Key:   usage.Key{Project: "IDAaaS", Machine: "Laser", User: usage.Unattributed, Group: "ISIS"},
				Start: i.Start, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: 18000}, Energy: usage.ByMode[usage.KWh]{Busy: 0.06},
			}},
		})
	}
	d.Changed(t.Context())
	if got := metric(t, server.URL, "carbon_pue_ratio"); got != "1.5" {
		t.Errorf("PUE is %s, want the newest, 1.5", got)
	}
}
