// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
)

// csvSafe is whether text in CSV is protected from being run as formulas.
type csvSafe bool

func (safe *csvSafe) register(c *kingpin.CmdClause) {
	c.Flag("csv-safe", "In CSV, put a single quote before text that a spreadsheet would run as a formula. Numbers are never changed. --no-csv-safe for programs that need names exactly as stored.").
		Default("true").BoolVar((*bool)(safe))
}

// text returns the content of a cell for a text.
func (safe csvSafe) text(s string) string {
	if safe {
		return escape.Cell(s)
	}
	return s
}
