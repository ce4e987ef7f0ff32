// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package manual

import (
	"time"

	"github.com/prometheus/common/version"
)

// Web is where the documentation of both programs is.
const Web = "https://github.com/carbon-exporter/carbon_exporter"

// Built gives the version of this program and the date of its commit, which the Makefile puts
// into it: the same commit gives the same page. A program that was built otherwise knows neither.
func Built() (release string, date time.Time) {
	date, err := time.Parse("20060102-15:04:05", version.BuildDate)
	if err != nil {
		date = time.Time{}
	}
	return version.Version, date
}
