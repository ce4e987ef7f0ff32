// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Metered is the CPU time of hosts whose power was measured, and the energy measured meanwhile.
// Both are part of the usage.
type Metered struct {
	BusyCPU    float64  `json:"busy_cpu_seconds"`
	IdleCPU    float64  `json:"idle_cpu_seconds"`
	BusyEnergy float64  `json:"busy_kwh"`
	IdleEnergy float64  `json:"idle_kwh"`
	Error      *float64 `json:"error_ratio"` // of the meters; null: unknown
}

// Memory is the memory of the hosts. Its energy is part of the idle energy.
type Memory struct {
	Amount float64 `json:"gib_seconds"`
	Energy float64 `json:"kwh"`
}

// Device is the energy of devices with meters of their own: emissions = energy x intensity.
type Device struct {
	Name      string   `json:"name"` // as in the configuration
	Energy    float64  `json:"kwh"`
	Emissions *float64 `json:"gco2eq"`
	Error     *float64 `json:"error_ratio"` // of the meters; null: unknown
}

// beside takes what a fact has beside CPU seconds x watts.
func (u *Usage) beside(b *usage.Beside, price *usage.GramsPerKWh) {
	if b == nil {
		return
	}
	if m := b.Metered; m != (usage.Metered{}) {
		u.Metered = &Metered{
			BusyCPU: float64(m.CPU.Busy), IdleCPU: float64(m.CPU.Idle),
			BusyEnergy: float64(m.Energy.Busy), IdleEnergy: float64(m.Energy.Idle), Error: m.Error,
		}
	}
	if b.Memory != 0 || b.MemoryEnergy != 0 {
		u.Memory = &Memory{float64(b.Memory), float64(b.MemoryEnergy)}
	}
	for _, d := range b.Devices {
		device := Device{Name: d.Name, Energy: float64(d.Energy), Error: d.Error}
		if price != nil {
			device.Emissions = new(float64(d.Energy.At(*price)))
		}
		u.Devices = append(u.Devices, device)
	}
}

// term is one mode of a usage: CPU seconds x watts, and what is added to it.
type term struct {
	Steps
	metered, meteredCPU, memory float64
}

func (u Usage) terms() (busy, idle term) {
	busy.Steps, idle.Steps = u.Busy, u.Idle
	if m := u.Metered; m != nil {
		busy.metered, busy.meteredCPU = m.BusyEnergy, m.BusyCPU
		idle.metered, idle.meteredCPU = m.IdleEnergy, m.IdleCPU
	}
	if u.Memory != nil {
		idle.memory = u.Memory.Energy
	}
	return busy, idle
}

// modelled is the CPU time that is multiplied by watts.
func (t term) modelled() float64 { return t.CPU - t.meteredCPU }

// added says what is added to CPU seconds x watts.
func (t term) added() string {
	text := ""
	if t.metered != 0 || t.meteredCPU != 0 {
		text += fmt.Sprintf(" + %s kWh metered in another %s s", exact(t.metered), exact(t.meteredCPU))
	}
	if t.memory != 0 {
		text += fmt.Sprintf(" + %s kWh of memory", exact(t.memory))
	}
	return text
}

func (u Usage) writeBeside(w *writer) {
	if m := u.Metered; m != nil {
		w.line("    %s  metered: hosts whose power was measured; %s", u.Piece, errorText(m.Error))
	}
	if m := u.Memory; m != nil {
		w.line("    %s  memory: %s GiB s; %s kWh, part of idle", u.Piece, exact(m.Amount), exact(m.Energy))
	}
	for _, d := range u.Devices {
		grams := "; no carbon intensity yet"
		if u.Intensity != nil && d.Emissions != nil {
			grams = fmt.Sprintf("; x %s = %s g", exact(*u.Intensity), exact(*d.Emissions))
		}
		w.line("    %s  measured: device %s, %s kWh%s; %s", u.Piece, escape.Name(d.Name), exact(d.Energy), grams, errorText(d.Error))
	}
}

func errorText(err *float64) string {
	if err == nil {
		return "error of the meters unknown"
	}
	return fmt.Sprintf("error of the meters %.1f %%", 100**err)
}
