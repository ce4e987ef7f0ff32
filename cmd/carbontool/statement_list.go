// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/statement"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/table"
)

// listAllStatements prints a line for each statement that was issued.
func listAllStatements(ctx context.Context, s streams, st *store.Store) error {
	all, err := st.Statements(ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintln(s.out, "No statement was issued.")
		return nil
	}
	t := table.Table{
		table.Numbers("NUMBER"), table.Words("MONTH"), table.Words("OF"), table.Words("ISSUED"), table.Numbers("kWh"), table.Numbers("gCO2eq"),
		table.Numbers("ADJUSTMENTS"), table.Words("SHA-256"),
	}
	for _, kept := range all {
		d, err := statement.Parse(kept.Body)
		if err != nil {
			return err
		}
		energy, emissions := "-", "-"
		if d.Whole != nil {
			energy = fmt.Sprintf("%.3f", float64(d.Whole.Energy.KWh()))
			if d.Whole.Emissions != nil {
				emissions = fmt.Sprintf("%.1f", float64(d.Whole.Emissions.Grams()))
			}
		}
		t.Add(strconv.Itoa(d.Number), d.Month, escape.Name(d.Subject()), kept.IssuedAt.Format(time.RFC3339), energy, emissions,
			strconv.Itoa(len(d.Adjustments)), kept.Hash[:12])
	}
	return t.Write(s.out, "")
}
