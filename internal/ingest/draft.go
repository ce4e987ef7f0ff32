// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Draft is the record of an interval as it would be stored, without prices, for who only wants to
// look: usage is that of owners by a page of the directory, and hosts that change hands within the
// interval are split by elapsed time. beside has what instruments say of each piece; nil: nothing
// is known. It asks nobody.
func Draft(set Settings, power Power, page Attribution, i usage.Interval, readings []usage.Reading, beside []usage.Instruments, at time.Time) usage.Record {
	all := make([]attributed, len(readings))
	for n, r := range readings {
		all[n] = attributed{Reading: r, page: page, parts: page.Parts(r, nil)}
		if n < len(beside) {
			all[n].instruments = &beside[n]
		}
	}
	return facts(set, power, i, all, at)
}
