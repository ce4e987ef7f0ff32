// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Grid shows the current carbon intensity: the forecast for the current slot and the
// newest actual. See gridOutlook for the future.
type Grid struct {
	Now func() time.Time

	known                   atomic.Pointer[usage.GridNow]
	value, slot, word, info *prometheus.Desc
	outlook                 *gridOutlook
	sources                 *gridSources
}

// NewGrid makes a collector that shows nothing before Publish.
func NewGrid(now func() time.Time) *Grid {
	labels := []string{"grid", "provider", "kind"}
	return &Grid{
		Now: now, outlook: newGridOutlook(), sources: newGridSources(),
		value: prometheus.NewDesc("carbon_intensity_gco2eq_per_kwh",
			"Carbon intensity of the grid: kind=forecast is for the current half hour, kind=actual for the newest half hour with an actual value.", labels, nil),
		slot: prometheus.NewDesc("carbon_intensity_slot_start_timestamp_seconds",
			"Start of the half hour that carbon_intensity_gco2eq_per_kwh refers to.", labels, nil),
		word: prometheus.NewDesc("carbon_intensity_index_info",
			"Category that the provider assigns to carbon_intensity_gco2eq_per_kwh, such as low. The provider defines the categories and may change them every year. Absent if there is none.", append(slices.Clone(labels), "index"), nil),
		info: prometheus.NewDesc("carbon_intensity_info",
			"What carbon_intensity_gco2eq_per_kwh counts (basis), and how sure the provider is of it (quality: final, provisional, estimated, forecast or yearly). Always 1.", append(slices.Clone(labels), "basis", "quality"), nil),
	}
}

// Publish replaces what is known.
func (c *Grid) Publish(now usage.GridNow) { c.known.Store(&now) }

// Known returns what was last published. It must not be changed.
func (c *Grid) Known() usage.GridNow {
	if known := c.known.Load(); known != nil {
		return *known
	}
	return usage.GridNow{}
}

// PublishSources replaces the configured sources.
func (c *Grid) PublishSources(all []usage.GridSource) { c.sources.all.Store(&all) }

// PublishErrors replaces the forecast errors.
func (c *Grid) PublishErrors(all []usage.ForecastError) { c.outlook.errors.Store(&all) }

// Describe implements prometheus.Collector.
func (c *Grid) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.value
	ch <- c.slot
	ch <- c.word
	ch <- c.info
	ch <- c.sources.info
	c.outlook.describe(ch)
}

// Collect implements prometheus.Collector.
func (c *Grid) Collect(ch chan<- prometheus.Metric) {
	c.sources.collect(emitter{ch})
	known := c.known.Load()
	if known == nil {
		return
	}
	now := c.Now()
	present := usage.SlotAt(now)
	var actual *usage.Slot
	for i, s := range known.Slots {
		if s.From.Equal(present) && s.Forecast != nil {
			c.emit(ch, s, usage.Forecast, *s.Forecast)
		}
		if s.Actual != nil && !s.From.After(now) {
			actual = &known.Slots[i]
		}
	}
	if actual != nil {
		c.emit(ch, *actual, usage.Actual, *actual.Actual)
	}
	c.outlook.collect(emitter{ch}, known.Outlook, now)
}

func (c *Grid) emit(ch chan<- prometheus.Metric, s usage.Slot, kind usage.Kind, v usage.GramsPerKWh) {
	out := emitter{ch}
	out.gauge(c.value, float64(v), s.Grid, s.Provider, string(kind))
	out.gauge(c.slot, float64(s.From.Unix()), s.Grid, s.Provider, string(kind))
	quality := s.Quality
	switch {
	case kind == usage.Forecast:
		quality = usage.QualityForecast
	case quality == "": // the provider may revise it
		quality = usage.QualityProvisional
	}
	out.gauge(c.info, 1, s.Grid, s.Provider, string(kind), s.Basis.Name(), string(quality))
	if s.Index != "" {
		out.gauge(c.word, 1, s.Grid, s.Provider, string(kind), s.Index)
	}
}
