// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

// column is a quantity of usage in one mode.
type column int

// The columns of usage.
const (
	busyCPU column = iota
	idleCPU
	busyEnergy
	idleEnergy
	measuredEnergy
	busyGrams // NaN while unpriced
	idleGrams
	measuredGrams
	columns
)

// priced reports whether the column is unknown while there is no price.
func (c column) priced() bool { return c >= busyGrams }

// measured reports whether the column is of devices, which few keys have.
func (c column) measured() bool { return c == measuredEnergy || c == measuredGrams }

// quantity is a quantity in each of its modes.
type quantity []modeColumn

type modeColumn struct {
	mode usage.Mode
	column
}

var (
	cpuSeconds = quantity{{usage.Busy, busyCPU}, {usage.Idle, idleCPU}}
	energy     = quantity{{usage.Busy, busyEnergy}, {usage.Idle, idleEnergy}, {usage.Measured, measuredEnergy}}
	emissions  = quantity{{usage.Busy, busyGrams}, {usage.Idle, idleGrams}, {usage.Measured, measuredGrams}}
)

// each calls f for every mode, in the order of their labels.
func (q quantity) each(f func(usage.Mode, column) error) error {
	for _, m := range q {
		if err := f(m.mode, m.column); err != nil {
			return err
		}
	}
	return nil
}

// amounts are the values of all columns.
type amounts [columns]float64

// sums are exact sums of all columns.
type sums [columns]usage.Sum
