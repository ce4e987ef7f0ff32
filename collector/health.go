// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Health shows the state of the exporter itself: its sources, directory, store and
// configuration.
type Health struct {
	*directoryHealth
	*expositionHealth
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

	troubles *troubles
	lake     *lakeHealth
}

// reasonOther is the reason of errors that are no usage.Failure.
const reasonOther = "other"

// NewHealth registers its metrics with r.
func NewHealth(r prometheus.Registerer, now func() time.Time) *Health {
	source := []string{"source"}
	gauge := func(name, help string) prometheus.GaugeOpts { return prometheus.GaugeOpts{Name: name, Help: help} }
	h := &Health{
		directoryHealth: newDirectoryHealth(r), expositionHealth: newExpositionHealth(r), lake: newLakeHealth(r), now: now, troubles: &troubles{of: map[string]error{}},
		up: prometheus.NewGaugeVec(gauge("carbon_exporter_source_up",
			"Whether the last request to the source succeeded (1 = yes, 0 = no)."), source),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carbon_exporter_source_errors_total",
			Help: "Failed requests to the source, by reason.",
		}, []string{"source", "reason"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "carbon_exporter_source_request_duration_seconds",
			Help:    "Duration of requests to the source, until the whole response was read or the request failed.",
			Buckets: []float64{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120},
		}, source),
		lastSuccess: prometheus.NewGaugeVec(gauge("carbon_exporter_source_last_success_timestamp_seconds",
			"Time of the last successful request to the source."), source),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carbon_exporter_rejected_samples_total",
			Help: "Samples and carbon intensity slots rejected as invalid, by reason.",
		}, []string{"reason"}),
		writable: prometheus.NewGauge(gauge("carbon_exporter_store_writable",
			"Whether the last write to the store succeeded (1 = yes, 0 = no).")),
		size: prometheus.NewGauge(gauge("carbon_exporter_store_size_bytes",
			"Size of the store on disk, including the write-ahead log.")),
		reloadOK: prometheus.NewGauge(gauge("carbon_exporter_config_last_reload_successful",
			"Whether the last attempt to load the configuration succeeded (1 = yes, 0 = no).")),
		reloadTime: prometheus.NewGauge(gauge("carbon_exporter_config_last_reload_success_timestamp_seconds",
			"Time of the last successful load of the configuration.")),
	}
	r.MustRegister(h.up, h.errors, h.duration, h.lastSuccess, h.rejected, h.writable, h.size, h.reloadOK, h.reloadTime)
	h.Watch(usage.SourcePrometheus)
	h.Watch(usage.SourceCarbonIntensity)
	return h
}

// Watch initialises the error counters of a source with 0, so that increase sees the
// first error. Optional sources are watched once they are configured. Calling it again
// changes nothing.
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

// Unwatch removes the metrics of a source that a reload has removed: they would keep
// their last value for ever.
func (h *Health) Unwatch(source string) {
	h.removed.remove(source, func() {
		for _, vec := range []interface{ DeletePartialMatch(prometheus.Labels) int }{h.up, h.errors, h.duration, h.lastSuccess} {
			vec.DeletePartialMatch(prometheus.Labels{"source": source})
		}
		h.troubles.note(source, nil)
		switch source {
		case usage.SourceMongoDB, usage.SourceDirectory:
			h.asOf.Reset()
		case usage.SourceUsageWriter:
			h.pending.Reset()
		case usage.SourceLake:
			h.lake.reset()
		}
	})
}

// Requested counts a request and its result.
func (h *Health) Requested(source string, took time.Duration, err error) {
	h.removed.unless(source, func() {
		h.duration.WithLabelValues(source).Observe(took.Seconds())
		h.troubles.note(source, err)
		if err == nil {
			h.up.WithLabelValues(source).Set(1)
			h.lastSuccess.WithLabelValues(source).Set(timestampSeconds(h.now()))
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

// Trouble returns the error of the last request to a source; nil: it succeeded, or there was
// none. No metric has it.
func (h *Health) Trouble(source string) error { return h.troubles.last(source) }

// Rejected counts rejected samples.
func (h *Health) Rejected(r usage.Rejects) {
	for reason, n := range r {
		h.rejected.WithLabelValues(reason).Add(float64(n))
	}
}

// Wrote records whether a write to the store succeeded.
func (h *Health) Wrote(err error) { h.writable.Set(truth(err == nil)) }

// Size records the size of the store.
func (h *Health) Size(bytes int64) { h.size.Set(float64(bytes)) }

// Reloaded records whether loading the configuration succeeded.
func (h *Health) Reloaded(err error) {
	h.reloadOK.Set(truth(err == nil))
	if err == nil {
		h.reloadTime.Set(timestampSeconds(h.now()))
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func timestampSeconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
