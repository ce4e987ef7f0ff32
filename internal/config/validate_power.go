// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

func (p *Power) validate(f *faults, memoryKnown bool) {
	validatePositive(f, "power.busy_watts", p.BusyWatts)
	validateNotNegative(f, "power.idle_watts", p.IdleWatts)
	validateFraction(f, "power.error", p.Error)
	validateOneOf(f, "power.cpu_models", p.CPUModels, CPUModelsAuto, CPUModelsOff)
	validateNotNegative(f, "power.memory_watts_per_gib", p.MemoryWattsPerGiB)
	if p.MemoryWattsPerGiB > 0 && !memoryKnown {
		f.key("power.memory_watts_per_gib", "needs prometheus.memory.query: nothing says how much memory a host has")
	}
	p.PUE.validate(f)
	for _, name := range slices.Sorted(maps.Keys(p.Machines)) {
		machine, path := p.Machines[name], "power.machines."+name
		if name == "" {
			f.key("power.machines", "must not have a machine type without a name")
		}
		if machine.BusyWatts != nil {
			validatePositive(f, path+".busy_watts", *machine.BusyWatts)
		}
		if machine.IdleWatts != nil {
			validateNotNegative(f, path+".idle_watts", *machine.IdleWatts)
		}
		validateFraction(f, path+".error", machine.Error)
	}
	p.validateMeters(f)
	p.Reconcile.validate(f)
	validateOneOf(f, "power.calibrate", p.Calibrate, CalibrateOff, CalibrateDaily, CalibrateWeekly, CalibrateMonthly)
	if p.Calibrate != CalibrateOff && len(p.Measured) == 0 {
		f.key("power.calibrate", "needs power.measured: without hosts that are measured there is nothing to calibrate by")
	}
}

// validate finds the key that a wrong number is from: which one there is depends on the form.
func (p PUE) validate(f *faults) {
	path := "power.pue"
	if f.given(path+".query") || f.given(path+".otherwise") {
		validateQuery(f, path+".query", p.Query)
		path += ".otherwise"
	}
	if !between(p.Ratio, 1, math.MaxFloat64) {
		f.key(path, "must be finite and at least 1, is %v", p.Ratio)
	}
}

// validateMeters checks meters of hosts and of devices. A name may be used once by either.
func (p *Power) validateMeters(f *faults) {
	names := map[string]bool{}
	for i, m := range p.Measured {
		path := fmt.Sprintf("power.measured[%d]", i)
		validateName(f, path+".name", m.Name, names)
		validateQuery(f, path+".query", m.Query)
		validateLabelName(f, path+".hosts", m.Hosts, "instance")
		validateFraction(f, path+".error", m.Error)
		for _, name := range m.Includes {
			if !slices.ContainsFunc(p.Devices, func(d Device) bool { return d.Name == name }) {
				f.key(path+".includes", "must name devices of power.devices, and %q is none", name)
			}
		}
	}
	names = map[string]bool{}
	for i, d := range p.Devices {
		path := fmt.Sprintf("power.devices[%d]", i)
		validateName(f, path+".name", d.Name, names)
		validateQuery(f, path+".query", d.Query)
		validateOneOf(f, path+".unit", d.Unit, UnitJoule, UnitMillijoule, UnitKilowattHour, UnitWatt)
		validateFraction(f, path+".error", d.Error)
		d.Labels.validate(f, path+".labels")
	}
}

func (l DeviceLabels) validate(f *faults, path string) {
	for _, label := range []struct{ part, name, example string }{
		{"project", l.Project, "exported_namespace"}, {"user", l.User, "exported_pod"}, {"host", l.Host, "Hostname"},
	} {
		if label.name != "" {
			validateLabelName(f, path+"."+label.part, label.name, label.example)
		}
	}
}

func (r Reconcile) validate(f *faults) {
	// Lines are known by how a meter is written: alone, or in a list.
	at := func(i int) string {
		if path := fmt.Sprintf("power.reconcile[%d]", i); len(r) > 1 || f.given(path) {
			return path
		}
		return "power.reconcile"
	}
	zones, zoneOf := map[string]bool{}, map[string]string{}
	for i, m := range r {
		path := at(i)
		validateName(f, path+".zone", m.Zone, zones)
		validateQuery(f, path+".query", m.Query)
		if len(r) > 1 && len(m.Projects) == 0 {
			f.key(path+".projects", "must name at least one project: only a meter that is alone can be of the whole site")
		}
		for j, project := range m.Projects {
			on := fmt.Sprintf("%s.projects[%d]", path, j)
			if project == "" {
				f.key(on, "must not be empty")
			} else if other, taken := zoneOf[project]; taken {
				f.key(on, "%q is in zone %q already; a project can be in one zone only", project, other)
			} else {
				zoneOf[project] = m.Zone
			}
		}
	}
}

func (e *Embodied) validate(f *faults) {
	if e.Default != nil {
		e.Default.validate(f, "embodied.default")
	}
	for _, name := range slices.Sorted(maps.Keys(e.Machines)) {
		if name == "" {
			f.key("embodied.machines", "must not have a machine type without a name")
		}
		e.Machines[name].validate(f, "embodied.machines."+name)
	}
}

func (h Hardware) validate(f *faults, path string) {
	if h.KgCO2eq == nil {
		f.key(path+".kgco2eq", "must be given; 0 says that it is known to be nothing")
	} else {
		validateNotNegative(f, path+".kgco2eq", *h.KgCO2eq)
	}
	validatePositive(f, path+".years", h.Years)
	validatePositive(f, path+".cores", h.Cores)
	if h.Bought != "" {
		if _, err := time.Parse(time.DateOnly, h.Bought); err != nil {
			f.key(path+".bought", "must be a day such as 2023-05-01, is %q", h.Bought)
		}
	}
}
