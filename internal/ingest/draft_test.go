// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"reflect"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/attribution"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// TestADraftIsWhatIsStored: whoever looks sees what the exporter would book.
func TestADraftIsWhatIsStored(t *testing.T) {
	b := newBench()
	b.instruments.Power = map[string]usage.Metering{"a:9290": {Meter: "ipmi", Energy: 20 * wattHour, Covered: 1}}
	want := b.record()
	page := attribution.Rules{GroupBy: attribution.ByProject, Directory: attribution.NewIndex(b.directory)}
	got := Draft(b.set, b.model, page, halfHour, []usage.Reading{{Piece: halfHour, Samples: b.samples}}, []usage.Instruments{b.instruments}, start)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if bare := Draft(b.set, b.model, page, halfHour, []usage.Reading{{Piece: halfHour, Samples: b.samples}}, nil, start); bare.Facts[0].Beside != nil {
		t.Errorf("nothing was measured, and %+v is booked", bare.Facts[0].Beside)
	}
}
