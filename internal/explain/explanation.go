// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"encoding/json"
	"io"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Explanation is everything known about a key in an interval, in the order of the
// calculation. Times are UTC; nil means unknown, which is never 0.
type Explanation struct {
	Key      Key       `json:"key"`
	Interval Interval  `json:"interval"`
	Asked    *Asked    `json:"asked"`
	Hosts    *Hosts    `json:"hosts"`    // of the project
	Coverage *Coverage `json:"coverage"` // of the project's CPU time
	PUE      *float64  `json:"pue_ratio"`
	PUEs     []float64 `json:"pue_measured"` // by half hour, where a query says it; null: it is that of the configuration
	Power    []Power   `json:"power"`
	Slots    []Slot    `json:"slots"`
	Prices   []Price   `json:"prices"` // used, one per half hour
	Usage    []Usage   `json:"usage"`
	Total    *Total    `json:"total"`
	Owners   []Owner   `json:"owners"`
	Changes  []Change  `json:"changes"`
	Remarks  []string  `json:"remarks"`
}

// Interval is the interval and its state.
type Interval struct {
	Start     string      `json:"start"`
	End       string      `json:"end"`
	Seconds   float64     `json:"seconds"`
	State     usage.State `json:"state"`
	Pruned    bool        `json:"pruned"`
	FetchedAt *string     `json:"fetched_at"`
	Attempts  int         `json:"failed_attempts"`
	Error     string      `json:"error"`
	RetryAt   *string     `json:"retry_at"`
	RereadAt  *string     `json:"reread_at"`
}

// Asked holds the queries sent to Prometheus and their evaluation times. Growth is how they were
// read: if true they are counters, and what they have grown by between two times is the number;
// if not, a query covers the time before each.
type Asked struct {
	Busy        string   `json:"busy_query"`
	Idle        string   `json:"idle_query"`
	Growth      bool     `json:"growth"`
	EvaluatedAt []string `json:"evaluated_at"`
}

// Hosts are the hosts that were there, booked or not, by how well they are known.
type Hosts struct {
	Exact        int                `json:"exact"`
	Interpolated int                `json:"interpolated"`
	Refused      int                `json:"refused"`
	Cores        *int               `json:"cores"`
	Doubts       []Doubt            `json:"doubts"`         // of those that are not exact; of very many, the first
	Unlisted     map[string]float64 `json:"unlisted_modes"` // of all projects: share of all CPU time
}

// Doubt is a host that is not exact.
type Doubt struct {
	Host    string            `json:"host"`
	Machine string            `json:"machine"`
	Cores   *int              `json:"cores"`
	State   usage.HostState   `json:"state"`
	Reason  usage.DoubtReason `json:"reason"`
	Means   string            `json:"means"`
	Detail  string            `json:"detail"`
}

// Coverage is how much of the CPU time was scraped.
type Coverage struct {
	Seen     float64 `json:"seen_cpu_seconds"`
	Capacity float64 `json:"capacity_cpu_seconds"`
	Ratio    float64 `json:"ratio"`
}

// Power is the average power of a machine type, per core.
type Power struct {
	Machine string   `json:"machine"`
	Busy    float64  `json:"busy_watts"`
	Idle    float64  `json:"idle_watts"`
	Source  string   `json:"source"`
	Error   *float64 `json:"error_ratio"`

	Bounds     *PowerBounds `json:"bounds,omitempty"`     // what it is two times in three; nil: see Error
	Processors []Processor  `json:"processors,omitempty"` // that it was made from
}

// PowerBounds are what power per core is between two times in three.
type PowerBounds struct {
	BusyLow  float64 `json:"busy_low_watts"`
	BusyHigh float64 `json:"busy_high_watts"`
	IdleLow  float64 `json:"idle_low_watts"`
	IdleHigh float64 `json:"idle_high_watts"`
}

// Processor is a model of processor, and how much of the CPU time was on it.
type Processor struct {
	Model   string  `json:"model"`   // as hosts say it; empty: they do not say it
	Threads int     `json:"threads"` // of one processor; 0: unknown
	Share   float64 `json:"share_ratio"`
}

// Slot is what is known about the carbon intensity of a half hour.
type Slot struct {
	Start     string   `json:"start"`
	Forecast  *float64 `json:"forecast_gco2eq_per_kwh"`
	Actual    *float64 `json:"actual_gco2eq_per_kwh"`
	Index     string   `json:"index"`
	Provider  string   `json:"provider"`
	Grid      string   `json:"grid"`
	FetchedAt string   `json:"fetched_at"`

	Basis   string        `json:"basis"`   // "undeclared": nobody says
	Quality usage.Quality `json:"quality"` // of the actual, as the provider says it; empty: it does not, or there is none
}

// Price is the carbon intensity used for a half hour.
type Price struct {
	Piece     string     `json:"piece_start"`
	Intensity float64    `json:"gco2eq_per_kwh"`
	Kind      usage.Kind `json:"kind"`
	Provider  string     `json:"provider"`
	Grid      string     `json:"grid"`
	Slot      string     `json:"slot_start"`
	FetchedAt string     `json:"fetched_at"`
	Source    string     `json:"source,omitempty"` // where the operator has a static value from; empty: not said

	Basis   string        `json:"basis"` // "undeclared": nobody says
	Quality usage.Quality `json:"quality"`
}

// Usage is the usage of one key in one half hour. For each mode:
//
//	energy    = CPU seconds x watts / 3 600 000 x PUE
//	emissions = energy x intensity
//
// Metered CPU seconds are not multiplied, their measured energy is added; so is that of memory.
type Usage struct {
	Piece     string   `json:"piece_start"`
	End       string   `json:"piece_end"`
	Project   string   `json:"project"`
	Machine   string   `json:"machine"`
	User      string   `json:"user"`
	Group     string   `json:"group"`
	PUE       float64  `json:"pue_ratio"`
	Intensity *float64 `json:"intensity_gco2eq_per_kwh"`
	Busy      Steps    `json:"busy"`
	Idle      Steps    `json:"idle"`
	Metered   *Metered `json:"metered,omitempty"` // nil, as the next two: there is none
	Memory    *Memory  `json:"memory,omitempty"`
	Devices   []Device `json:"devices,omitempty"`

	Embodied *Embodied `json:"embodied,omitempty"` // nil: not configured
}

// Steps lead from the CPU seconds of a mode to its emissions.
type Steps struct {
	CPU       float64  `json:"cpu_seconds"`
	Watts     *float64 `json:"watts"`
	Energy    float64  `json:"kwh"`
	Emissions *float64 `json:"gco2eq"`
}

// Total is all usage of the explanation. Busy, idle and measured energy are all of it.
type Total struct {
	BusyCPU           float64  `json:"busy_cpu_seconds"`
	IdleCPU           float64  `json:"idle_cpu_seconds"`
	BusyEnergy        float64  `json:"busy_kwh"`
	IdleEnergy        float64  `json:"idle_kwh"`
	MeasuredEnergy    float64  `json:"measured_kwh"`
	Energy            float64  `json:"energy_kwh"`
	BusyEmissions     *float64 `json:"busy_gco2eq"`
	IdleEmissions     *float64 `json:"idle_gco2eq"`
	MeasuredEmissions *float64 `json:"measured_gco2eq"`
	Emissions         *float64 `json:"emissions_gco2eq"`
	Embodied          *float64 `json:"embodied_gco2eq,omitempty"` // not in Emissions; nil: not known of all of it
}

// Owner is a user, and the records in the directory that say so. Without records the
// label of the series named the user.
type Owner struct {
	User    string  `json:"user"`
	Records []Title `json:"records"`
	Groups  []Group `json:"groups"`
}

// Title is a record that assigned a host to a user.
type Title struct {
	Document string  `json:"document"`
	Host     string  `json:"host"`
	From     *string `json:"from"`
	To       *string `json:"to"` // null: still
}

// Group is the membership of a user in a group.
type Group struct {
	Group string  `json:"group"`
	From  *string `json:"from"` // null: always
	To    *string `json:"to"`
}

// Change is a restatement of a half hour.
type Change struct {
	At        string    `json:"at"`
	Piece     string    `json:"piece_start"`
	Why       usage.Why `json:"why"`
	Was       Worth     `json:"was"`
	Is        Worth     `json:"is"`
	EnergyWas float64   `json:"site_kwh_was"`
	EnergyIs  float64   `json:"site_kwh_is"`
}

// Worth is a price without its times.
type Worth struct {
	Intensity float64    `json:"gco2eq_per_kwh"`
	Kind      usage.Kind `json:"kind"`
	Provider  string     `json:"provider"`
	Grid      string     `json:"grid"`
	Basis     string     `json:"basis,omitempty"` // empty: not known
}

func (u Usage) key() usage.Key {
	return usage.Key{Project: u.Project, Machine: u.Machine, User: u.User, Group: u.Group}
}

// WriteJSON writes the explanation as one object, numbers as exact as they are.
func (e *Explanation) WriteJSON(out io.Writer) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(e)
}
