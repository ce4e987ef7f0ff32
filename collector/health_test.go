// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestHealth(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	at := now
	h := NewHealth(r, func() time.Time { return at })
	if has(samples(gathered(t, r)), "carbon_exporter_source_up") {
		t.Error("a source that was never asked is up or down")
	}
	refused := fmt.Errorf("query cpu seconds: %w", &usage.Failure{Reason: usage.ReasonConnection})
	h.Requested(usage.SourcePrometheus, time.Second, nil)
	at = at.Add(time.Minute)
	h.Requested(usage.SourcePrometheus, time.Second, refused)
	h.Requested(usage.SourceCarbonIntensity, time.Second, fmt.Errorf("something else"))
	h.Rejected(usage.Rejects{"nan": 2})
	h.Rejected(usage.Rejects{"nan": 1, "negative": 4})
	h.Rejected(nil)
	h.Reloaded(nil)
	at = at.Add(time.Minute)
	h.Reloaded(fmt.Errorf("a bad file"))
	h.Wrote(fmt.Errorf("disk full"))
	h.Size(42)
	got := samples(gathered(t, r))
	for name, want := range map[string]float64{
		`carbon_exporter_source_up{source="prometheus"}`:                                0,
		`carbon_exporter_source_up{source="carbon_intensity"}`:                          0,
		`carbon_exporter_source_last_success_timestamp_seconds{source="prometheus"}`:    float64(now.Unix()),
		`carbon_exporter_source_errors_total{reason="connection",source="prometheus"}`:  1,
		`carbon_exporter_source_errors_total{reason="timeout",source="prometheus"}`:     0,
		`carbon_exporter_source_errors_total{reason="other",source="carbon_intensity"}`: 1,
		`carbon_exporter_source_request_duration_seconds{source="prometheus"}`:          2,
		`carbon_exporter_rejected_samples_total{reason="nan"}`:                          3,
		`carbon_exporter_rejected_samples_total{reason="negative"}`:                     4,
		`carbon_exporter_config_last_reload_successful{}`:                               0,
		`carbon_exporter_config_last_reload_success_timestamp_seconds{}`:                float64(now.Unix() + 60),
		`carbon_exporter_store_writable{}`:                                              0,
		`carbon_exporter_store_size_bytes{}`:                                            42,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v (there: %v), want %v", name, v, ok, want)
		}
	}
	if has(got, `carbon_exporter_source_last_success_timestamp_seconds{source="carbon_intensity"`) {
		t.Error("a source that never answered has a last success")
	}
	h.Wrote(nil)
	h.Reloaded(nil)
	h.Requested(usage.SourcePrometheus, time.Second, nil)
	got = samples(gathered(t, r))
	for _, name := range []string{
		"carbon_exporter_store_writable{}", "carbon_exporter_config_last_reload_successful{}", `carbon_exporter_source_up{source="prometheus"}`,
	} {
		if got[name] != 1 {
			t.Errorf("%s is %v after it went well again", name, got[name])
		}
	}
}

func TestExpositionSize(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	h := NewHealth(r, clock)
	const most, plain = "carbon_exporter_exposition_max_samples{}", `carbon_exporter_exposition_bytes{coding="identity"}`
	h.Exposed(Size{Samples: 7, Text: 300, Zipped: 40}, 100)
	got := samples(gathered(t, r))
	if got["carbon_exporter_exposition_samples{}"] != 7 || got[most] != 100 || got[plain] != 300 || got[`carbon_exporter_exposition_bytes{coding="gzip"}`] != 40 {
		t.Errorf("shows %v", got)
	}
	h.Exposed(Size{Samples: 7}, 0)
	if got := samples(gathered(t, r)); has(got, most) || has(got, plain) {
		t.Error("what is not known, or not limited, is still there")
	}
}
