// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package cim writes usage as execution unit records of the Common Information Model of GreenDIGIT,
// which EGI's accounting takes. It knows the record and what its fields mean; it must not know
// stores, people or flags. Start with Unit.Record.
package cim

import (
	"crypto/sha1" // a UUID of version 5 is made with it, and hides nothing
	"encoding/hex"
	"math"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Record is an execution unit in a period, in the order of cloud.csv. Nil is not known, and is left
// out: never 0.
type Record struct {
	SiteName            string `json:"SiteName"`
	CloudType           string `json:"CloudType"`
	CloudComputeService string `json:"CloudComputeService"`
	ExecUnitID          string `json:"ExecUnitID"`
	StartExecTime       string `json:"StartExecTime"`
	EndExecTime         string `json:"EndExecTime"`

	EnergyWh   float64  `json:"EnergyWh"`
	Work       *float64 `json:"Work,omitempty"`       // CPU seconds per Wh
	Efficiency *float64 `json:"Efficiency,omitempty"` // busy CPU seconds over all
	WallClock  int64    `json:"WallClockTime_s"`
	CPU        *int64   `json:"CpuDuration_s,omitempty"` // busy
	CPUFactor  *float64 `json:"CPUNormalizationFactor,omitempty"`

	ExecUnitFinished int    `json:"ExecUnitFinished"`
	Status           string `json:"Status"`
	Owner            string `json:"Owner"`

	PUE       float64  `json:"PUE"`
	Intensity *float64 `json:"CI_g,omitempty"`
	Emissions *float64 `json:"CFP_g,omitempty"`
}

// Site is what all records of a site have in common.
type Site struct {
	Name, CloudType, Service string
	CPUFactor                *float64 // nil: not known
}

// Unit is an execution unit: the machines of one type of one project and, where a group is the
// owner, of one group. It has no person: the model has no place for one.
type Unit struct {
	Site  Site
	Owner string
	usage.Key
}

const (
	// running is the status of every record: machines are seen by their type, so nobody knows that
	// none of them goes on.
	running    = "running"
	unfinished = 0

	// includedPUE is the PUE by which the service is to multiply energy that has the site's in it.
	includedPUE = 1

	wattHours = 1000 // in a kWh
)

// Record is what the unit used in a period.
func (u Unit) Record(p usage.Period, used usage.Tally) Record {
	energy := float64(used.Energy.Total()) * wattHours
	r := Record{
		SiteName: u.Site.Name, CloudType: u.Site.CloudType, CloudComputeService: u.Site.Service, ExecUnitID: u.ID(),
		StartExecTime: stamp(p.From), EndExecTime: stamp(p.To), EnergyWh: energy, WallClock: int64(p.To.Sub(p.From) / time.Second),
		CPUFactor: u.Site.CPUFactor, ExecUnitFinished: unfinished, Status: running, Owner: u.Owner, PUE: includedPUE,
	}
	if all := used.CPU.Total(); all > 0 { // without any, it is devices alone
		r.CPU, r.Efficiency = new(int64(math.Round(float64(used.CPU.Busy)))), new(min(1, float64(used.CPU.Busy/all)))
		if energy > 0 {
			r.Work = new(float64(used.CPU.Busy) / energy)
		}
	}
	// Emissions of a part of the energy would be taken for those of all of it.
	if used.Priced && used.Unpriced <= 0 {
		grams := float64(used.Emissions.Total())
		r.Emissions = &grams
		if kwh := float64(used.Energy.Total()); kwh > 0 {
			r.Intensity = new(grams / kwh)
		}
	}
	return r
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// namespace is that of names which are URLs, of RFC 9562.
var namespace = [16]byte{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}

// ID is the same for the same unit whenever it is exported, so that sending a period again replaces
// what was sent: a UUID of version 5.
func (u Unit) ID() string {
	h := sha1.New()
	h.Write(namespace[:])
	h.Write([]byte("https://github.com/carbon-exporter/carbon_exporter"))
	for _, part := range []string{u.Site.Name, u.Site.Service, u.Owner, u.Project, u.Machine, u.Group} {
		h.Write([]byte{0}) // no name has it in it, so no two units are one text
		h.Write([]byte(strings.ReplaceAll(part, "\x00", "\uFFFD")))
	}
	id := h.Sum(nil)[:16]
	id[6], id[8] = id[6]&0x0f|0x50, id[8]&0x3f|0x80
	text := hex.EncodeToString(id)
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}
