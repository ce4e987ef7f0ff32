// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
)

var embodied = check{Power, "embodied"}

// Hardware is what is known of the hardware of a machine type.
type Hardware struct {
	Machine string
	Known   bool
	Until   time.Time // the end of its years of use; zero: not known
}

// Embodied is about the hardware of the machine types of the newest interval.
func Embodied(all []Hardware, now time.Time) []Finding {
	var unknown, over []string
	for _, h := range all {
		switch name := escape.Name(h.Machine); {
		case !h.Known:
			unknown = append(unknown, name)
		case !h.Until.IsZero() && !now.Before(h.Until):
			over = append(over, name)
		}
	}
	var findings []Finding
	if len(unknown) > 0 {
		findings = append(findings, embodied.warn("give their hardware in embodied.machines, or that of all others in embodied.default",
			"the embodied emissions of %d of %s are not known, which is not 0: %s", len(unknown), many(len(all), "machine type"), some(unknown)))
	} else if len(all) > 0 {
		findings = append(findings, embodied.ok("the hardware of %s is known", many(len(all), "machine type")))
	}
	if len(over) > 0 {
		findings = append(findings, embodied.ok("the years of use of this hardware are over, so its embodied emissions are 0: %s", some(over)))
	}
	return findings
}
