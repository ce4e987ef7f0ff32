// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// lakeHealth shows how far publishing days has come. Its gauges are absent without a lake.
type lakeHealth struct {
	days  *prometheus.GaugeVec
	until *prometheus.GaugeVec
}

func newLakeHealth(r prometheus.Registerer) *lakeHealth {
	l := &lakeHealth{
		days: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "carbon_exporter_lake_pending",
			Help: "Days that the lake does not have as they are, by state: due, open (may still change), refused (another exporter publishes the site), lost (per-key rows were deleted before, or before its manifest was). Absent without a lake.",
		}, []string{"state"}),
		until: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "carbon_exporter_lake_published_until_timestamp_seconds",
			Help: "End of the newest day that the lake has as it is. Absent until there is one.",
		}, nil),
	}
	r.MustRegister(l.days, l.until)
	return l
}

// LakePublished records how far publishing has come.
func (h *Health) LakePublished(is usage.LakeState) {
	h.removed.unless(usage.SourceLake, func() {
		for state, days := range map[string]int{"due": is.Waiting - is.Refused, "open": is.Open, "refused": is.Refused, "lost": is.Lost} {
			h.lake.days.WithLabelValues(state).Set(float64(days))
		}
		if is.Newest.IsZero() {
			h.lake.until.Reset()
			return
		}
		h.lake.until.WithLabelValues().Set(timestampSeconds(is.Newest))
	})
}

// reset removes what is shown of a lake that there no longer is.
func (l *lakeHealth) reset() {
	l.days.Reset()
	l.until.Reset()
}
