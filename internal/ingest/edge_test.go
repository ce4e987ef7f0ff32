// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// An interval that is attributed again in the same round, since the directory has changed, says
// whose workspaces are active; an older one does not.
func TestTheNewestIntervalIsThatOfTheNewestDirectory(t *testing.T) {
	first, second := &page{}, &page{}
	readings := []attributed{{parts: []usage.Part{{}}}}
	i := usage.Interval{Start: start, Length: 30 * time.Minute}
	older := usage.Interval{Start: start.Add(-30 * time.Minute), Length: 30 * time.Minute}
	var round, run edge
	run.see(first, i, readings)
	round.take(run)
	for _, one := range []usage.Interval{older, i} {
		var again edge
		again.see(second, one, readings)
		round.take(again)
		if one == older && round.page != first {
			t.Error("an older interval takes the place of the newest")
		}
	}
	if round.page != second {
		t.Error("the newest interval is still that of the former directory")
	}
}
