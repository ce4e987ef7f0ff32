// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"cmp"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Fact is a row of facts.parquet: the usage of one project, machine type, user and group in one
// piece of an interval, which is half an hour or less. Rows are in order of start, project,
// machine, user_id and group_name, and no two have the same. Energy includes PUE. Emissions and
// prices are null where there is no price; the columns of memory, devices and metered hosts are
// contained in those before them.
type Fact struct {
	Start   time.Time `parquet:"start,timestamp(millisecond)"` // of the piece, UTC
	Seconds int64     `parquet:"seconds"`                      // of the piece
	Project string    `parquet:"project,dict"`
	Machine string    `parquet:"machine,dict"`
	User    string    `parquet:"user_id,dict"`
	Group   string    `parquet:"group_name,dict"` // at the time of the usage

	BusyCPUSeconds float64 `parquet:"busy_cpu_seconds"`
	IdleCPUSeconds float64 `parquet:"idle_cpu_seconds"`
	BusyKWh        float64 `parquet:"busy_kwh"`
	IdleKWh        float64 `parquet:"idle_kwh"`
	MeasuredKWh    float64 `parquet:"measured_kwh"` // of devices with meters of their own

	BusyGrams     *float64 `parquet:"busy_gco2eq,optional"`
	IdleGrams     *float64 `parquet:"idle_gco2eq,optional"`
	MeasuredGrams *float64 `parquet:"measured_gco2eq,optional"`
	EmbodiedGrams *float64 `parquet:"embodied_gco2eq,optional"` // of making the servers; in no other column

	Intensity *float64 `parquet:"gco2eq_per_kwh,optional"`
	Kind      *string  `parquet:"price_kind,optional,dict"` // forecast or actual
	Provider  *string  `parquet:"price_provider,optional,dict"`
	Grid      *string  `parquet:"price_grid,optional,dict"`
	Basis     *string  `parquet:"price_basis,optional,dict"`   // such as: average direct consumption
	Quality   *string  `parquet:"price_quality,optional,dict"` // final, provisional, estimated, forecast, yearly

	PUE         float64  `parquet:"pue"`
	BusyWatts   *float64 `parquet:"busy_watts,optional"` // for each core of the machine type
	IdleWatts   *float64 `parquet:"idle_watts,optional"`
	PowerSource *string  `parquet:"power_source,optional,dict"`

	MemoryGiBSeconds      float64  `parquet:"memory_gib_seconds"`
	MemoryKWh             float64  `parquet:"memory_kwh"`               // part of idle_kwh
	MeteredBusyCPUSeconds float64  `parquet:"metered_busy_cpu_seconds"` // on hosts whose power was measured
	MeteredIdleCPUSeconds float64  `parquet:"metered_idle_cpu_seconds"`
	MeteredBusyKWh        float64  `parquet:"metered_busy_kwh"`
	MeteredIdleKWh        float64  `parquet:"metered_idle_kwh"`
	MeteredError          *float64 `parquet:"metered_error,optional"` // as a fraction

	Devices []Device `parquet:"devices,list"` // all of measured_kwh, by name

	State string `parquet:"state,dict"` // of the interval: settled
}

// Device is the energy of devices of one kind within a Fact.
type Device struct {
	Name  string   `parquet:"name,dict"`
	KWh   float64  `parquet:"kwh"`
	Error *float64 `parquet:"error,optional"` // of the meters, as a fraction
}

// Member is a row of members.parquet: what the site, or one project, machine type or user used in
// one interval, with the names of the table fact_usage of the store. Rows are in order of ts,
// scope and name, and no two have the same. Each scope adds up to the site.
type Member struct {
	Start   time.Time `parquet:"ts,timestamp(millisecond)"` // of the interval, UTC
	Seconds int64     `parquet:"seconds"`
	Scope   string    `parquet:"scope,dict"` // ada (the site), project, machine, user
	Name    string    `parquet:"name,dict"`  // of ada: ada; of a user: the id

	BusyCPUSeconds float64  `parquet:"busy_cpu_seconds_total"`
	IdleCPUSeconds float64  `parquet:"idle_cpu_seconds_total"`
	BusyKWh        float64  `parquet:"busy_kwh"`
	IdleKWh        float64  `parquet:"idle_kwh"`
	BusyGrams      *float64 `parquet:"busy_gCo2eq,optional"`
	IdleGrams      *float64 `parquet:"idle_gCo2eq,optional"`
	Intensity      *float64 `parquet:"intensity_gCo2eq_kwh,optional"`
	MeasuredKWh    float64  `parquet:"measured_kwh"`
	MeasuredGrams  *float64 `parquet:"measured_gCo2eq,optional"`

	State string `parquet:"state,dict"`
}

// FactRows returns the rows of an interval, in their order.
func FactRows(rec usage.Record) []Fact {
	seconds := int64(usage.PieceLength(rec.Interval.Length) / time.Second)
	ratings := map[string]*usage.Rating{}
	for i := range rec.Ratings {
		ratings[rec.Ratings[i].Machine] = &rec.Ratings[i]
	}
	rows := make([]Fact, 0, len(rec.Facts))
	for _, f := range rec.Facts {
		row := Fact{
			Start: f.Start.UTC(), Seconds: seconds, Project: f.Project, Machine: f.Machine, User: f.User, Group: f.Group,
			BusyCPUSeconds: float64(f.CPU.Busy), IdleCPUSeconds: float64(f.CPU.Idle),
			BusyKWh: float64(f.Energy.Busy), IdleKWh: float64(f.Energy.Idle), MeasuredKWh: float64(f.Energy.Measured),
			PUE: rec.PUEAt(f.Start), State: string(rec.State),
		}
		row.price(f, rec.Prices)
		if rate, known := rec.Embodied[f.Machine]; known {
			row.EmbodiedGrams = new(float64(rate.Of(f.CPU.Total())))
		}
		if r := ratings[f.Machine]; r != nil {
			row.BusyWatts, row.IdleWatts, row.PowerSource = new(float64(r.Watts.Busy)), new(float64(r.Watts.Idle)), new(r.Source)
		}
		row.beside(f.Beside)
		rows = append(rows, row)
	}
	sortRows(rows)
	return rows
}

func (f *Fact) price(of usage.Fact, prices []usage.PiecePrice) {
	for _, p := range prices {
		if p.Start.Equal(of.Start) {
			grams := usage.EmissionsAt(of.Energy, p.Intensity)
			f.BusyGrams, f.IdleGrams, f.MeasuredGrams = new(float64(grams.Busy)), new(float64(grams.Idle)), new(float64(grams.Measured))
			f.Intensity, f.Kind = new(float64(p.Intensity)), new(string(p.Kind))
			f.Provider, f.Grid = new(p.Provider), new(p.Grid)
			f.Basis, f.Quality = said(p.Basis.String()), said(string(p.Quality))
			return
		}
	}
}

// said is a text, or null if nobody says it.
func said(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (f *Fact) beside(b *usage.Beside) {
	if b == nil {
		return
	}
	f.MemoryGiBSeconds, f.MemoryKWh = float64(b.Memory), float64(b.MemoryEnergy)
	f.MeteredBusyCPUSeconds, f.MeteredIdleCPUSeconds = float64(b.Metered.CPU.Busy), float64(b.Metered.CPU.Idle)
	f.MeteredBusyKWh, f.MeteredIdleKWh = float64(b.Metered.Energy.Busy), float64(b.Metered.Energy.Idle)
	f.MeteredError = b.Metered.Error
	for _, d := range b.Devices {
		f.Devices = append(f.Devices, Device{d.Name, float64(d.Energy), d.Error})
	}
	slices.SortFunc(f.Devices, func(a, b Device) int { return cmp.Compare(a.Name, b.Name) })
}

// Compare says which of two rows comes first.
func (f Fact) Compare(o Fact) int {
	return cmp.Or(f.Start.Compare(o.Start), cmp.Compare(f.Project, o.Project), cmp.Compare(f.Machine, o.Machine),
		cmp.Compare(f.User, o.User), cmp.Compare(f.Group, o.Group))
}

// MemberRow returns the row of a member.
func MemberRow(m usage.Member) Member {
	row := Member{
		Start: m.Interval.Start.UTC(), Seconds: int64(m.Interval.Length / time.Second), Scope: string(m.Scope), Name: m.Name,
		BusyCPUSeconds: float64(m.CPU.Busy), IdleCPUSeconds: float64(m.CPU.Idle),
		BusyKWh: float64(m.Energy.Busy), IdleKWh: float64(m.Energy.Idle), MeasuredKWh: float64(m.Energy.Measured),
		State: string(m.State),
	}
	if e := m.Emissions; e != nil {
		row.BusyGrams, row.IdleGrams, row.MeasuredGrams = new(float64(e.Busy)), new(float64(e.Idle)), new(float64(e.Measured))
	}
	if m.Intensity != nil {
		row.Intensity = new(float64(*m.Intensity))
	}
	return row
}

// Compare says which of two rows comes first.
func (m Member) Compare(o Member) int {
	return cmp.Or(m.Start.Compare(o.Start), cmp.Compare(m.Scope, o.Scope), cmp.Compare(m.Name, o.Name))
}

// sortRows puts rows in the order of their table.
func sortRows[T interface{ Compare(T) int }](rows []T) { slices.SortFunc(rows, T.Compare) }
