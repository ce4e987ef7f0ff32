// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// directoryHealth shows the state of the directory and of the usage writer. Its gauges
// are vectors without labels, which are absent until they have a value.
type directoryHealth struct {
	removed  *removed
	asOf     *prometheus.GaugeVec
	pending  *prometheus.GaugeVec
	rejected *prometheus.CounterVec

	mu      sync.Mutex // guards refused
	refused map[record]int
}

// record is a kind of rejected record.
type record struct{ collection, reason string }

func newDirectoryHealth(r prometheus.Registerer) *directoryHealth {
	d := &directoryHealth{
		removed: &removed{sources: map[string]bool{}},
		asOf: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "carbon_exporter_directory_timestamp_seconds",
			Help: "Time at which the current directory (owners of hosts and members of groups) was read. Absent until it was read once.",
		}, nil),
		pending: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "carbon_exporter_usage_writer_pending_intervals",
			Help: "Number of new or restated intervals not yet written to MongoDB. Absent if usage is not written there.",
		}, nil),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carbon_exporter_rejected_records_total",
			Help: "Directory records rejected as invalid, by reason. A record that stays invalid is counted once, not at every read.",
		}, []string{"collection", "reason"}),
	}
	r.MustRegister(d.asOf, d.pending, d.rejected)
	return d
}

// Directory records when the current directory was read; zero: never.
func (d *directoryHealth) Directory(asOf time.Time) {
	d.removed.unlessAll(func() {
		if asOf.IsZero() {
			d.asOf.Reset()
			return
		}
		d.asOf.WithLabelValues().Set(timestampSeconds(asOf))
	}, usage.SourceMongoDB, usage.SourceDirectory)
}

// RejectedRecords records everything rejected in one read of the directory. The next read
// sees the same bad records again: counting them each time would hide new ones.
func (d *directoryHealth) RejectedRecords(rejects []directory.RecordReject) {
	d.mu.Lock()
	defer d.mu.Unlock()
	refused := map[record]int{}
	for _, r := range rejects {
		refused[record{r.Collection, r.Reason}] += r.Count
	}
	for r, n := range refused {
		d.rejected.WithLabelValues(r.collection, r.reason).Add(float64(max(0, n-d.refused[r])))
	}
	d.refused = refused
}

// RollupsPending records how many intervals are not yet written to MongoDB.
func (d *directoryHealth) RollupsPending(n int) {
	d.removed.unless(usage.SourceUsageWriter, func() { d.pending.WithLabelValues().Set(float64(n)) })
}
