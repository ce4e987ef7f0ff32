// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// family is what all series of a metric share.
type family struct {
	name, help string
	counter    bool
}

// usageFamilies are those with a series for each key.
type usageFamilies struct {
	cpu, energy, emissions          keyed
	power, rate                     keyed
	settledEnergy, settledEmissions keyed
	embodied, settledEmbodied       keyed
	day, month, year                toDate
}

func newUsageFamilies(c *columns) *usageFamilies {
	modes := []usage.Mode{usage.Busy, usage.Idle, usage.Measured}
	byMode := func(f family, n int) keyed { return c.byMode(f, modes[:n]...) }
	return &usageFamilies{
		cpu: byMode(family{
			"carbon_cpu_seconds",
			"CPU seconds since the first stored interval, busy or idle. May be restated, so it is a gauge: use delta, not increase.", false,
		}, 2),
		energy: byMode(family{
			"carbon_energy_kwh",
			"Energy since the first stored interval: CPU seconds x average power of the machine type x PUE, or what meters have measured. The mode measured is devices with meters of their own, such as GPUs; it is only there where there are any. May be restated, so it is a gauge: use delta, not increase.", false,
		}, 3),
		emissions: byMode(family{
			"carbon_emissions_gco2eq",
			"Emissions of all priced intervals: energy of each half hour x carbon intensity of the grid in that half hour, as currently known. May be restated, so it is a gauge: use delta, not increase. Absent until an interval is priced.", false,
		}, 3),
		power: byMode(family{
			"carbon_power_watts",
			"Mean power over the newest complete interval, including PUE.", false,
		}, 3),
		rate: byMode(family{
			"carbon_emission_rate_gco2eq_per_hour",
			"Mean emission rate over the newest complete interval. Absent while that interval is unpriced.", false,
		}, 3),
		settledEnergy: byMode(family{
			"carbon_settled_energy_kwh_total",
			"Energy of settled (final) intervals, including PUE. Never decreases and survives restarts, so increase works.", true,
		}, 3),
		settledEmissions: byMode(family{
			"carbon_settled_emissions_gco2eq_total",
			"Emissions of settled (final) intervals. Never decreases and survives restarts, so increase works.", true,
		}, 3),
		embodied: c.byKey(family{
			"carbon_embodied_emissions_gco2eq",
			"Embodied emissions since the first stored interval: the share of what making the machines emitted, for each core and hour. They are in no other metric of emissions. May be restated, so it is a gauge: use delta, not increase. Absent where they are not configured.", false,
		}),
		settledEmbodied: c.byKey(family{
			"carbon_settled_embodied_emissions_gco2eq_total",
			"Embodied emissions of settled (final) intervals. Never decreases and survives restarts, so increase works. Absent where they are not configured.", true,
		}),
		day: newToDate(c, "carbon_day_to_date_energy_kwh", "carbon_day_to_date_emissions_gco2eq",
			"midnight in the configured time zone"),
		month: newToDate(c, "carbon_month_to_date_energy_kwh", "carbon_month_to_date_emissions_gco2eq",
			"the start of the month in the configured time zone"),
		year: newToDate(c, "carbon_year_to_date_energy_kwh", "carbon_year_to_date_emissions_gco2eq",
			"the start of the year in the configured time zone"),
	}
}

// byKey is a family with one series for each key, byMode one with one for each key and mode.
func (c *columns) byKey(f family) keyed {
	return keyed{family: &f, columns: c, column: make([]column, 1)}
}

func (c *columns) byMode(f family, modes ...usage.Mode) keyed {
	return keyed{family: &f, columns: c, column: make([]column, len(modes)), modes: modes}
}

func (u *usageFamilies) all() []keyed {
	return []keyed{
		u.cpu, u.energy, u.emissions, u.power, u.rate, u.settledEnergy, u.settledEmissions, u.embodied, u.settledEmbodied,
		u.day.energy, u.day.emissions, u.month.energy, u.month.emissions, u.year.energy, u.year.emissions,
	}
}

// filled returns those that have a series, by name.
func filled(all []keyed) []keyed {
	all = slices.DeleteFunc(all, func(k keyed) bool {
		return !slices.ContainsFunc(k.column, func(c column) bool { return len(c) > 0 })
	})
	slices.SortFunc(all, func(a, b keyed) int { return strings.Compare(a.name, b.name) })
	return all
}

func (f *family) kind() dto.MetricType {
	if f.counter {
		return dto.MetricType_COUNTER
	}
	return dto.MetricType_GAUGE
}
