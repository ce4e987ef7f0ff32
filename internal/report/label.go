// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The periods a report can be split into.
const (
	ByDay   = "day"
	ByWeek  = "week"
	ByMonth = "month"
)

// label is the usual name of a period: 2026-10-25, 2026-W43, 2026-10.
func (r *Report) label(kind Kind, p usage.Period) string {
	from := p.From.In(r.Zone)
	switch {
	case kind == Total:
		return "all"
	case r.By == ByMonth:
		return from.Format("2006-01")
	case r.By == ByWeek:
		year, week := from.ISOWeek()
		return fmt.Sprintf("%d-W%02d", year, week)
	}
	return from.Format(time.DateOnly)
}
