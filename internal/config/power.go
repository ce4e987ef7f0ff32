// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Power is what hosts draw: watts per core by default, and better where more is known. A core is
// what Prometheus counts as one, mostly a hardware thread.
type Power struct {
	BusyWatts float64  `yaml:"busy_watts"`
	IdleWatts float64  `yaml:"idle_watts"`
	Error     *float64 `yaml:"error,omitempty"` // standard error of BusyWatts and IdleWatts, a fraction of them; nil: not known
	// CPUModels says whether hosts whose processor is known have the watts of its model.
	CPUModels         string                  `yaml:"cpu_models"`
	MemoryWattsPerGiB float64                 `yaml:"memory_watts_per_gib"` // on top of the cores; 0: in their watts
	PUE               PUE                     `yaml:"pue"`
	Machines          map[string]MachinePower `yaml:"machines"`  // by machine type
	Measured          []Measured              `yaml:"measured"`  // hosts that say themselves what they draw
	Devices           []Device                `yaml:"devices"`   // what has a meter of its own
	Reconcile         Reconcile               `yaml:"reconcile"` // meters that what is estimated is compared with
	Calibrate         string                  `yaml:"calibrate"` // how often; never without Measured
}

// The values of Power.CPUModels.
const (
	CPUModelsAuto = "auto"
	CPUModelsOff  = "off"
)

// The values of Power.Calibrate.
const (
	CalibrateOff     = "off"
	CalibrateDaily   = "daily"
	CalibrateWeekly  = "weekly"
	CalibrateMonthly = "monthly"
)

// MachinePower is the average power of one machine type, in watts per core. Nil means the
// default in Power.
type MachinePower struct {
	BusyWatts *float64 `yaml:"busy_watts,omitempty"`
	IdleWatts *float64 `yaml:"idle_watts,omitempty"`
	Error     *float64 `yaml:"error,omitempty"` // standard error of both, a fraction of them
}

// PUE is the power usage effectiveness, which multiplies energy: a number, at least 1, or a query
// that says it half hour by half hour. It is written as either.
type PUE struct {
	Ratio float64 // with a Query, of a day for which it has no answer
	Query string  // PromQL; empty: there is none
}

// pueQuery is a PUE that is a query.
type pueQuery struct {
	Query     string  `yaml:"query"`
	Otherwise float64 `yaml:"otherwise"`
}

func (PUE) form(kind string) (reflect.Type, string) {
	switch kind {
	case mapping:
		return reflect.TypeFor[pueQuery](), ""
	case scalar:
		return reflect.TypeFor[float64](), ""
	}
	return nil, "a number, or a mapping with a query"
}

// UnmarshalYAML reads either form.
func (p *PUE) UnmarshalYAML(n *yaml.Node) error {
	*p = PUE{Ratio: 1}
	if kindOf(n) != mapping {
		return n.Decode(&p.Ratio)
	}
	by := pueQuery{Otherwise: p.Ratio}
	err := n.Decode(&by)
	p.Ratio, p.Query = by.Otherwise, by.Query
	return err
}

// MarshalYAML writes a number as a number.
func (p PUE) MarshalYAML() (any, error) {
	if p.Query == "" {
		return p.Ratio, nil
	}
	return pueQuery{Query: p.Query, Otherwise: p.Ratio}, nil
}

// Measured is a query for the watts that each host draws, from a meter in it or on its plug.
type Measured struct {
	Name  string   `yaml:"name"` // unique among them
	Query string   `yaml:"query"`
	Hosts string   `yaml:"hosts"`           // the label with the host; by default Labels.Host
	Error *float64 `yaml:"error,omitempty"` // standard error, a fraction of the reading; nil: not known
	// Includes names the Devices that the meter measures, too: without it they come on top.
	Includes []string `yaml:"includes,omitempty"`
}

// The units of a Device: of energy, counted, and UnitWatt of power.
const (
	UnitJoule        = "J"
	UnitMillijoule   = "mJ"
	UnitKilowattHour = "kWh"
	UnitWatt         = "W"
)

// Device is a query for devices that have meters of their own, such as GPUs.
type Device struct {
	Name   string       `yaml:"name"` // unique among them
	Query  string       `yaml:"query"`
	Unit   string       `yaml:"unit"`
	Error  *float64     `yaml:"error,omitempty"` // standard error, a fraction of the reading; nil: not known
	Labels DeviceLabels `yaml:"labels,omitempty"`
}

// DeviceLabels names the labels of Device that say whose it is, and where. An empty one is that of
// Prometheus.Labels; but where Prometheus.Shares divide hosts, it says nothing without Project.
type DeviceLabels struct {
	Project string `yaml:"project,omitempty"`
	User    string `yaml:"user,omitempty"`
	Host    string `yaml:"host,omitempty"`
}

// Meter is the meter of a site, or of one of its zones.
type Meter struct {
	Zone     string   `yaml:"zone"`     // unique; by default usage.Site where there is one meter
	Query    string   `yaml:"query"`    // the watts of the zone
	Projects []string `yaml:"projects"` // whose hosts are in the zone; none: the whole site, and there is one meter
	Cooling  bool     `yaml:"cooling"`  // whether the meter includes what PUE stands for
}

// Reconcile are the meters of a site. One is written alone, several as a list.
type Reconcile []Meter

func (Reconcile) form(kind string) (reflect.Type, string) {
	switch kind {
	case mapping:
		return reflect.TypeFor[Meter](), ""
	case list:
		return reflect.TypeFor[[]Meter](), ""
	}
	return nil, "a mapping with a query, or a list of them"
}

// UnmarshalYAML reads one meter or a list of them.
func (r *Reconcile) UnmarshalYAML(n *yaml.Node) error {
	*r = nil
	if kindOf(n) != mapping {
		return n.Decode((*[]Meter)(r))
	}
	if len(n.Content) == 0 {
		return nil
	}
	one := make([]Meter, 1)
	*r = one
	return n.Decode(&one[0])
}

// Embodied is what hardware cost to make, spread over the years of its use. By default it is not
// counted.
type Embodied struct {
	Default  *Hardware           `yaml:"default,omitempty"` // of machine types that are not in Machines; nil: not known
	Machines map[string]Hardware `yaml:"machines"`          // by machine type
}

// Hardware is a server that machines run on.
type Hardware struct {
	KgCO2eq *float64 `yaml:"kgco2eq,omitempty"` // never nil in a valid Config; 0: known to be nothing
	Years   float64  `yaml:"years"`             // of use
	Cores   float64  `yaml:"cores"`             // as prometheus counts them: hardware threads
	Bought  string   `yaml:"bought,omitempty"`  // a day, see BoughtOn; empty: not known
}

// BoughtOn is when a valid Bought begins, in UTC: a time zone is nothing to years of use.
func (h Hardware) BoughtOn() (day time.Time, known bool) {
	day, err := time.Parse(time.DateOnly, h.Bought)
	return day, err == nil
}

// fit adapts what is not in a file to what is.
func (p *Power) fit(host string) {
	// A program that writes YAML 1.1 makes false of off.
	for _, word := range []*string{&p.CPUModels, &p.Calibrate} {
		if *word == "false" {
			*word = CPUModelsOff
		}
	}
	for i := range p.Measured {
		if p.Measured[i].Hosts == "" {
			p.Measured[i].Hosts = host
		}
	}
	if len(p.Reconcile) == 1 && p.Reconcile[0].Zone == "" {
		p.Reconcile[0].Zone = usage.Site
	}
}

// fit leaves out what has no key at all.
func (e *Embodied) fit() {
	if e.Default != nil && *e.Default == (Hardware{}) {
		e.Default = nil
	}
}
