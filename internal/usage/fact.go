// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"slices"
	"strings"
	"time"
)

// Fact is the energy of one key in one piece of an interval. Its emissions are Energy x the
// intensity of the piece's slot. They are not stored with it, so that a restated intensity
// cannot leave two versions.
type Fact struct {
	Key
	Start  time.Time // of the piece
	CPU    BusyIdle[CPUSeconds]
	Energy ByMode[KWh]
	Beside *Beside // nil: all of Energy is CPU x average power
}

// Beside is the part of a fact that is not CPU time x average power. Its energies are contained
// in the fact's, and like those include PUE.
type Beside struct {
	Metered      Metered
	Memory       GiBSeconds     // of the hosts, for as long as they were the key's
	MemoryEnergy KWh            // of Memory; part of the idle energy
	Devices      []DeviceEnergy // by name; all of the measured energy
}

// Metered is CPU time on hosts whose power was measured, and the energy that was measured: of
// the fact's CPU, and of its busy and idle energy.
type Metered struct {
	CPU    BusyIdle[CPUSeconds]
	Energy BusyIdle[KWh]
	Error  *float64 // of the meters, as a fraction of the energy; nil: unknown
}

// DeviceEnergy is the energy of devices with meters of their own.
type DeviceEnergy struct {
	Name   string // as in the configuration: gpu
	Energy KWh
	Error  *float64 // of the meters, as a fraction of the energy; nil: unknown
}

// orNone returns what there is beside, or an empty Beside.
func (b *Beside) orNone() Beside {
	if b == nil {
		return Beside{}
	}
	return *b
}

// Equal reports whether two facts have the same beside CPU time x average power.
func (b *Beside) Equal(o *Beside) bool {
	x, y := b.orNone(), o.orNone()
	return x.Metered.CPU == y.Metered.CPU && x.Metered.Energy == y.Metered.Energy && same(x.Metered.Error, y.Metered.Error) &&
		x.Memory == y.Memory && x.MemoryEnergy == y.MemoryEnergy &&
		slices.EqualFunc(x.Devices, y.Devices, func(d, e DeviceEnergy) bool {
			return d.Name == e.Name && d.Energy == e.Energy && same(d.Error, e.Error)
		})
}

// same reports whether two values that may be unknown are equal.
func same[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// Together adds up what two facts have beside CPU time x average power.
func Together(a, b *Beside) *Beside {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	sum := Beside{
		Metered: Metered{
			CPU: a.Metered.CPU.Plus(b.Metered.CPU), Energy: a.Metered.Energy.Plus(b.Metered.Energy),
			Error: errorOf(a.Metered.Energy.Total(), a.Metered.Error, b.Metered.Energy.Total(), b.Metered.Error),
		},
		Memory: a.Memory + b.Memory, MemoryEnergy: a.MemoryEnergy + b.MemoryEnergy,
	}
	devices := slices.Concat(a.Devices, b.Devices)
	slices.SortStableFunc(devices, func(x, y DeviceEnergy) int { return strings.Compare(x.Name, y.Name) })
	for _, d := range devices {
		if n := len(sum.Devices); n > 0 && sum.Devices[n-1].Name == d.Name {
			last := &sum.Devices[n-1]
			last.Error = errorOf(last.Energy, last.Error, d.Energy, d.Error)
			last.Energy += d.Energy
			continue
		}
		sum.Devices = append(sum.Devices, d)
	}
	return &sum
}

// errorOf is the error of two energies together. Meters of one kind err in the same direction.
// If one of the errors is unknown, so is that of both.
func errorOf(a KWh, aError *float64, b KWh, bError *float64) *float64 {
	switch {
	case a == 0:
		return bError
	case b == 0:
		return aError
	case aError == nil || bError == nil:
		return nil
	case *aError == *bError:
		return aError
	}
	return new((float64(a)**aError + float64(b)**bError) / float64(a+b))
}

// BesidesOf adds up what facts have beside CPU time x average power.
func BesidesOf(facts []Fact) (sum *Beside) {
	for _, f := range facts {
		sum = Together(sum, f.Beside)
	}
	return sum
}
