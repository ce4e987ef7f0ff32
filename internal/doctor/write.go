// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
)

// WriteText writes a line for each finding, and below it what to do.
func WriteText(out io.Writer, all []Finding) error {
	area, name := 0, 0
	for _, f := range all {
		area, name = max(area, len(f.Area)), max(name, len(f.Check))
	}
	for _, f := range all {
		if _, err := fmt.Fprintf(out, "%-*s  %-7s  %-*s  %s\n", area, f.Area, f.Level, name, f.Check, escape.Line(f.Seen)); err != nil {
			return err
		}
		if f.Do == "" {
			continue
		}
		if _, err := fmt.Fprintf(out, "%*s  to do: %s\n", area+2+len(Failure), "", escape.Line(f.Do)); err != nil {
			return err
		}
	}
	return nil
}

// WriteJSON writes the findings as one document, with the sources of carbon intensity if they were
// asked.
func WriteJSON(out io.Writer, all []Finding, sources []GridSource, now time.Time) error {
	n := Count(all)
	if all == nil {
		all = []Finding{}
	}
	var rows []SourceRow
	for _, s := range sources {
		rows = append(rows, s.Row(now))
	}
	to := json.NewEncoder(out)
	to.SetEscapeHTML(false)
	to.SetIndent("", "  ")
	return to.Encode(struct {
		OK       int         `json:"ok"`
		Warnings int         `json:"warnings"`
		Failures int         `json:"failures"`
		Findings []Finding   `json:"findings"`
		Sources  []SourceRow `json:"sources,omitempty"`
	}{n[OK], n[Warning], n[Failure], all, rows})
}
