// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"net/http"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// sightings keep what is shown of grids and of requests.
type sightings struct {
	silent
	grid   usage.GridNow
	failed map[string]bool // by source, whether its last request failed
}

func (s *sightings) Grid(now usage.GridNow) { s.grid = now }

func (s *sightings) Requested(source string, _ time.Duration, err error) {
	if s.failed == nil {
		s.failed = map[string]bool{}
	}
	s.failed[source] = err != nil
}

// outlook is which provider foresees.
func (s *sightings) outlook() string {
	if len(s.grid.Outlook) == 0 {
		return ""
	}
	return s.grid.Outlook[0].Provider
}

// The best time to run goes by marginal values, and without them by those that price usage.
func TestForecastsAreMarginalWhereThereAreSome(t *testing.T) {
	price := &station{name: "price", grain: usage.SlotLength, truth: wave(100), ahead: true}
	more := &station{name: "more", grain: usage.SlotLength, truth: wave(500), ahead: true, status: http.StatusBadGateway}
	r := chained(t, 0, price)
	more.now = func() time.Time { return r.now }
	set := r.spine.current()
	set.Marginal = Chain{more.grid()}
	r.spine.Reload(set)
	seen := &sightings{}
	r.grams.shown = seen

	r.round()
	if got := seen.outlook(); got != "price" {
		t.Errorf("without marginal values the forecast is that of %q", got)
	}
	more.status = 0
	r.elapse(time.Hour)
	if got := seen.outlook(); got != "more" {
		t.Errorf("the forecast is that of %q", got)
	}
	if n := r.providers(); n["more"] != 0 || n["price"] == 0 {
		t.Errorf("usage is priced by %v", n)
	}
}

// A Prometheus that has intensities is another than the one that has CPU seconds: if it fails, the
// other is still well.
func TestASourceThatIsCalledLikeAnotherUpstream(t *testing.T) {
	first := &station{name: usage.SourcePrometheus, grain: usage.SlotLength, truth: wave(100), status: http.StatusBadGateway}
	second := &station{name: "second", grain: usage.SlotLength, truth: wave(500)}
	r := chained(t, 0, first, second)
	seen := &sightings{}
	r.grams.fetcher.observer = seen
	r.round()
	_, confused := seen.failed[usage.SourcePrometheus]
	if confused || !seen.failed["carbon_intensity_prometheus"] || seen.failed["second"] || seen.failed[usage.SourceCarbonIntensity] {
		t.Errorf("by source, whether it fails: %v", seen.failed)
	}
}
