package collector

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// directoryHealth shows how the directory is, and what follows the store. Its
// gauges are vectors without labels, which are absent until they have a value.
type directoryHealth struct {
	removed  *removed
	asOf     *prometheus.GaugeVec
	pending  *prometheus.GaugeVec
	rejected *prometheus.CounterVec

	mu      sync.Mutex // over refused
	refused map[record]int
}

// record is a kind of refused records.
type record struct{ collection, reason string }

func newDirectoryHealth(r prometheus.Registerer) *directoryHealth {
	d := &directoryHealth{
		removed: &removed{sources: map[string]bool{}},
		asOf: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "carbon_exporter_directory_timestamp_seconds",
			Help: "When the directory in force was read, of who had which host and who is in which group. Absent if it never was.",
		}, nil),
		pending: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "carbon_exporter_usage_writer_pending_intervals",
			Help: "Intervals that are new or restated and not written to MongoDB yet. Absent where none are to be.",
		}, nil),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carbon_exporter_rejected_records_total",
			Help: "Records of the directory that were refused: all of the first reading since the start, then by how many there were more of a reason than at the reading before. A record that stays bad counts once.",
		}, []string{"collection", "reason"}),
	}
	r.MustRegister(d.asOf, d.pending, d.rejected)
	return d
}

// Directory notes when the current directory was read; zero: it never was.
func (d *directoryHealth) Directory(asOf time.Time) {
	d.removed.unless(usage.SourceMongoDB, func() {
		if asOf.IsZero() {
			d.asOf.Reset()
			return
		}
		d.asOf.WithLabelValues().Set(seconds(asOf))
	})
}

// RejectedRecords notes all that one reading of the directory has refused. The
// same bad records are there at the next reading, a few minutes later, and are
// no news: counted each time they would drown the one that is.
func (d *directoryHealth) RejectedRecords(rejects []usage.RecordReject) {
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

// RollupsPending notes how many intervals are still to be written to MongoDB.
func (d *directoryHealth) RollupsPending(n int) {
	d.removed.unless(usage.SourceUsageWriter, func() { d.pending.WithLabelValues().Set(float64(n)) })
}
