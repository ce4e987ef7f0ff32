// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"slices"
	"testing"
	"time"
)

func TestTheFirstSourceThatHasAValueCounts(t *testing.T) {
	noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	slot := func(n int, provider string, forecast, actual *GramsPerKWh) Slot {
		return Slot{From: noon.Add(time.Duration(n) * SlotLength), Provider: provider, Forecast: forecast, Actual: actual}
	}
	v := new(GramsPerKWh(100))
	counts := map[time.Time]Slot{}
	Complete(counts, slices.Values([]Slot{slot(0, "first", v, nil), slot(1, "first", nil, nil)}))
	Complete(counts, slices.Values([]Slot{slot(0, "second", nil, v), slot(1, "second", nil, v), slot(2, "second", nil, nil)}))
	var got []string
	for n := range 3 {
		got = append(got, counts[noon.Add(time.Duration(n)*SlotLength)].Provider)
	}
	if want := []string{"first", "second", ""}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
