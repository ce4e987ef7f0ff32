package collector

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Grid shows the carbon intensity of now: the forecast of the slot that holds
// now, and the newest actual there is. See gridOutlook for the time to come.
type Grid struct {
	Now func() time.Time

	slots             atomic.Pointer[[]usage.Slot]
	value, slot, word *prometheus.Desc
	outlook           *gridOutlook
}

// NewGrid makes a collector that shows nothing until it has slots.
func NewGrid(now func() time.Time) *Grid {
	labels := []string{"grid", "provider", "kind"}
	return &Grid{
		Now: now, outlook: newGridOutlook(),
		value: prometheus.NewDesc("carbon_intensity_gco2eq_per_kwh",
			"Carbon intensity of the grid: the forecast for the half hour of now, and the actual of the newest half hour that has one.", labels, nil),
		slot: prometheus.NewDesc("carbon_intensity_slot_start_timestamp_seconds",
			"Start of the half hour of which carbon_intensity_gco2eq_per_kwh is the intensity.", labels, nil),
		word: prometheus.NewDesc("carbon_intensity_index_info",
			"The provider's own word for carbon_intensity_gco2eq_per_kwh, such as low. Its bounds are the provider's and change from year to year. Absent where there is no word.", append(labels, "index"), nil),
	}
}

// Publish shows other slots from now on, oldest first.
func (c *Grid) Publish(slots []usage.Slot) { c.slots.Store(&slots) }

// PublishErrors shows other forecast errors from now on.
func (c *Grid) PublishErrors(all []usage.ForecastError) { c.outlook.errors.Store(&all) }

// Describe implements prometheus.Collector.
func (c *Grid) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.value
	ch <- c.slot
	ch <- c.word
	c.outlook.describe(ch)
}

// Collect implements prometheus.Collector.
func (c *Grid) Collect(ch chan<- prometheus.Metric) {
	slots := c.slots.Load()
	if slots == nil {
		return
	}
	now := c.Now()
	present := usage.SlotAt(now)
	var actual *usage.Slot
	for i, s := range *slots {
		if s.From.Equal(present) && s.Forecast != nil {
			c.emit(ch, s, usage.Forecast, *s.Forecast)
		}
		if s.Actual != nil && !s.From.After(now) {
			actual = &(*slots)[i]
		}
	}
	if actual != nil {
		c.emit(ch, *actual, usage.Actual, *actual.Actual)
	}
	c.outlook.collect(emitter{ch}, *slots, now)
}

func (c *Grid) emit(ch chan<- prometheus.Metric, s usage.Slot, kind usage.Kind, v usage.GramsPerKWh) {
	out := emitter{ch}
	out.gauge(c.value, float64(v), s.Grid, s.Provider, string(kind))
	out.gauge(c.slot, float64(s.From.Unix()), s.Grid, s.Provider, string(kind))
	if s.Index != "" {
		out.gauge(c.word, 1, s.Grid, s.Provider, string(kind), s.Index)
	}
}
