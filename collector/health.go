package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Health shows how the exporter itself is: its upstreams, its directory, its
// store, its configuration.
type Health struct {
	*directoryHealth
	now func() time.Time

	up          *prometheus.GaugeVec
	errors      *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	lastSuccess *prometheus.GaugeVec
	rejected    *prometheus.CounterVec
	writable    prometheus.Gauge
	size        prometheus.Gauge
	reloadOK    prometheus.Gauge
	reloadTime  prometheus.Gauge
}

// reasonOther is a failure of no known kind.
const reasonOther = "other"

// NewHealth registers its metrics with r.
func NewHealth(r prometheus.Registerer, now func() time.Time) *Health {
	source := []string{"source"}
	gauge := func(name, help string) prometheus.GaugeOpts { return prometheus.GaugeOpts{Name: name, Help: help} }
	h := &Health{
		directoryHealth: newDirectoryHealth(r), now: now,
		up: prometheus.NewGaugeVec(gauge("carbon_exporter_source_up",
			"Whether the last question to a source was answered."), source),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carbon_exporter_source_errors_total",
			Help: "Questions to a source that were not answered, by reason.",
		}, []string{"source", "reason"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "carbon_exporter_source_request_duration_seconds",
			Help:    "Time from a question to a source until its whole answer was read, or it failed.",
			Buckets: []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120},
		}, source),
		lastSuccess: prometheus.NewGaugeVec(gauge("carbon_exporter_source_last_success_timestamp_seconds",
			"When a source last gave a whole answer."), source),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carbon_exporter_rejected_samples_total",
			Help: "Samples and slots of the sources that were refused, by reason.",
		}, []string{"reason"}),
		writable: prometheus.NewGauge(gauge("carbon_exporter_store_writable",
			"Whether the last write to the store succeeded.")),
		size: prometheus.NewGauge(gauge("carbon_exporter_store_size_bytes",
			"Size of the store on disk, write-ahead log included.")),
		reloadOK: prometheus.NewGauge(gauge("carbon_exporter_config_last_reload_successful",
			"Whether the last attempt to load the configuration succeeded.")),
		reloadTime: prometheus.NewGauge(gauge("carbon_exporter_config_last_reload_success_timestamp_seconds",
			"When the configuration was last loaded successfully.")),
	}
	r.MustRegister(h.up, h.errors, h.duration, h.lastSuccess, h.rejected, h.writable, h.size, h.reloadOK, h.reloadTime)
	h.Watch(usage.SourcePrometheus)
	h.Watch(usage.SourceCarbonIntensity)
	return h
}

// Watch shows a source from now on. All of its errors are 0 at first, so that
// increase sees the first one. Optional sources are watched once they are
// configured. Watching a source again changes nothing.
func (h *Health) Watch(source string) {
	h.removed.bringBack(source)
	for _, reason := range []string{
		usage.ReasonConnection, usage.ReasonTimeout, usage.ReasonServer, usage.ReasonBadRequest, usage.ReasonAuth,
		usage.ReasonRateLimited, usage.ReasonTooLarge, usage.ReasonMalformed, usage.ReasonPartial, usage.ReasonLimit,
		usage.ReasonRedirect, reasonOther,
	} {
		h.errors.WithLabelValues(source, reason)
	}
}

// Unwatch removes the metrics of a source that is no longer configured: it would
// stay up, or down, for ever.
func (h *Health) Unwatch(source string) {
	h.removed.remove(source, func() {
		for _, vec := range []interface{ DeletePartialMatch(prometheus.Labels) int }{h.up, h.errors, h.duration, h.lastSuccess} {
			vec.DeletePartialMatch(prometheus.Labels{"source": source})
		}
		switch source {
		case usage.SourceMongoDB:
			h.asOf.Reset()
		case usage.SourceUsageWriter:
			h.pending.Reset()
		}
	})
}

// Asked counts one question and its outcome.
func (h *Health) Asked(source string, took time.Duration, err error) {
	h.removed.unless(source, func() {
		h.duration.WithLabelValues(source).Observe(took.Seconds())
		if err == nil {
			h.up.WithLabelValues(source).Set(1)
			h.lastSuccess.WithLabelValues(source).Set(seconds(h.now()))
			return
		}
		h.up.WithLabelValues(source).Set(0)
		reason := reasonOther
		if f := usage.FailureOf(err); f != nil {
			reason = f.Reason
		}
		h.errors.WithLabelValues(source, reason).Inc()
	})
}

// Rejected counts what was refused.
func (h *Health) Rejected(r usage.Rejects) {
	for reason, n := range r {
		h.rejected.WithLabelValues(reason).Add(float64(n))
	}
}

// Wrote notes whether a write to the store succeeded.
func (h *Health) Wrote(err error) { h.writable.Set(truth(err == nil)) }

// Size notes how large the store is.
func (h *Health) Size(bytes int64) { h.size.Set(float64(bytes)) }

// Reloaded notes whether loading the configuration succeeded.
func (h *Health) Reloaded(err error) {
	h.reloadOK.Set(truth(err == nil))
	if err == nil {
		h.reloadTime.Set(seconds(h.now()))
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
