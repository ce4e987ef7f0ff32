// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// planned is a site whose provider is a simulated carbon API.
type planned struct {
	api    *simulate.UKAPI
	server *httptest.Server
	config string
	store  string // where nothing is yet
}

func newPlanned(t *testing.T, more string) *planned {
	t.Helper()
	p := &planned{api: simulate.NewUKAPI(5, time.Now), store: filepath.Join(t.TempDir(), "data", "carbon.db")}
	p.server = httptest.NewServer(p.api)
	t.Cleanup(p.server.Close)
	p.config = filepath.Join(t.TempDir(), "carbon.yml")
	if err := os.WriteFile(p.config, fmt.Appendf(nil, "carbon_intensity: {uk: {url: %q%s}}\n", p.server.URL, more), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// fetched makes a store, in use by a carbon_exporter that has fetched a forecast
// of 77 for two days and more so long ago.
func (p *planned) fetched(t *testing.T, ago time.Duration) {
	t.Helper()
	zone, err := time.LoadLocation("Europe/London") // as the configuration has it
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), p.store, store.Options{Exclusive: true, Interval: usage.SlotLength, Timezone: zone})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	now := time.Now()
	var slots []usage.Slot
	for at := usage.SlotAt(now.Add(-3 * time.Hour)); at.Before(now.Add(50 * time.Hour)); at = at.Add(usage.SlotLength) {
		slots = append(slots, usage.Slot{From: at, Forecast: new(usage.GramsPerKWh(77)), Index: "low", Provider: "uk", Grid: "GB", FetchedAt: now.Add(-ago)})
	}
	// The slot of now is asked for more often.
	slots = append(slots, usage.Slot{From: usage.SlotAt(now), Forecast: new(usage.GramsPerKWh(77)), Provider: "uk", Grid: "GB", FetchedAt: now})
	if _, err := s.SaveSlots(t.Context(), slots); err != nil {
		t.Fatal(err)
	}
}

func (p *planned) forecast(args ...string) called {
	return call(append([]string{"forecast", "--config.file", p.config, "--storage.path", p.store}, args...)...)
}

// kept says whether a plan is of the forecast of the store.
func kept(t *testing.T, got called) bool {
	t.Helper()
	var p answers.Plan
	if err := json.Unmarshal([]byte(got.stdout), &p); err != nil || got.code != exitDone {
		t.Fatalf("%v: %+v", err, got)
	}
	if p.Best == nil || len(p.Slots) < 90 || p.Slots[0].From.After(time.Now()) {
		t.Fatalf("not the coming 48 hours: %+v", p)
	}
	for _, s := range p.Slots {
		if s.Intensity != 77 {
			return false
		}
	}
	return true
}

func TestForecastReadsTheStoreBesideARunningExporter(t *testing.T) {
	p := newPlanned(t, "")
	p.fetched(t, 50*time.Minute)
	got := p.forecast("--format", "json")
	if !kept(t, got) || got.stderr != "" || p.api.Requests() != 0 {
		t.Errorf("%+v, after %d requests", got, p.api.Requests())
	}
	text := p.forecast("--window", "48h")
	if lines := strings.Count(text.stdout, "\n* "); text.code != exitDone || lines != 96 || !strings.Contains(text.stdout, "Best 48h (*): now, ") {
		t.Errorf("%d lines of the best window in %s", lines, text.stdout)
	}
}

func TestForecastAsksTheProvider(t *testing.T) {
	for _, c := range []struct {
		name    string
		fetched time.Duration // 0: there is no store
	}{
		{"there is no store", 0},
		{"what it has is old", 70 * time.Minute},
		{"a clock that ran ahead fetched it", -70 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlanned(t, "")
			if c.fetched != 0 {
				p.fetched(t, c.fetched)
			}
			got := p.forecast("--format", "json")
			if kept(t, got) || got.stderr != "" || p.api.Requests() != 1 {
				t.Errorf("%+v, after %d requests", got, p.api.Requests())
			}
			if _, err := os.Stat(p.store); c.fetched == 0 && !os.IsNotExist(err) {
				t.Errorf("a store was made, %v", err)
			}
			p.server.Close()
			got = p.forecast("--format", "json")
			switch {
			case c.fetched == 0:
				if got.code != exitFailed || got.stdout != "" || !strings.HasPrefix(got.stderr, "carbontool forecast: carbon intensity of GB, ") || strings.Count(got.stderr, "\n") != 1 {
					t.Errorf("without a provider there is %+v", got)
				}
			case !kept(t, got) || !strings.Contains(got.stderr, "; showing the forecast fetched at 20") || strings.Count(got.stderr, "\n") != 1:
				t.Errorf("without a provider there is %+v", got)
			}
		})
	}
}

func TestForecastOfOtherGrids(t *testing.T) {
	p := newPlanned(t, ", region_id: 13")
	p.fetched(t, time.Minute) // of the nation
	if got := p.forecast("--format", "json"); kept(t, got) || !strings.Contains(got.stdout, `"grid": "GB-region-13"`) {
		t.Errorf("of a region there is %+v", got)
	}
	if err := os.WriteFile(p.config, []byte("carbon_intensity: {provider: static, static: {gco2eq_per_kwh: 12.5, grid: X}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	asked := p.api.Requests()
	want := called{exitFailed, "", "carbontool forecast: carbon_intensity.provider is static: 12.5 gCO2eq/kWh for all time has no forecast, so no time to run is better than another\n"}
	for _, format := range []string{"text", "json"} {
		if got := p.forecast("--format", format); got != want || p.api.Requests() != asked {
			t.Errorf("of a static value there is %+v", got)
		}
	}
}

func TestForecastUntil(t *testing.T) {
	p := newPlanned(t, "")
	p.fetched(t, time.Minute)
	until := func(ahead time.Duration) string {
		return "--until=" + usage.SlotAt(time.Now()).Add(ahead).UTC().Format(time.RFC3339)
	}
	got := p.forecast("--window=1h", until(3*time.Hour), "--format=json")
	var said answers.Plan
	if err := json.Unmarshal([]byte(got.stdout), &said); err != nil || got.code != exitDone || said.Until == nil || said.Best == nil || said.Best.To.After(*said.Until) {
		t.Errorf("%v: %+v", err, got)
	}
	if got := p.forecast("--window=3h", until(2*time.Hour)); got.code != exitDone || got.stderr != "" || !strings.Contains(got.stdout, ": none. The first window ends at ") {
		t.Errorf("no window fits, and it says %+v", got)
	}
	for _, ahead := range []time.Duration{-time.Minute, 49 * time.Hour} {
		if got := p.forecast(until(ahead)); got.code != exitUsage || got.stdout != "" || !strings.HasPrefix(got.stderr, "carbontool forecast: --until: must be within the coming 48 hours, is 20") {
			t.Errorf("%s ahead: %+v", ahead, got)
		}
	}
	if p.api.Requests() != 0 {
		t.Error("the provider was asked")
	}
}

func TestForecastRefuses(t *testing.T) {
	p := newPlanned(t, "")
	wrong := func(said string) called {
		return called{exitUsage, "", "carbontool forecast: --window: " + said + "; see carbontool forecast --help\n"}
	}
	for _, c := range []struct {
		window string
		want   called
	}{
		{"3", wrong(`"3" is not a duration such as 3h or 90m`)},
		{"", wrong(`"" is not a duration such as 3h or 90m`)},
		{"-3h", wrong(`"-3h" is not a duration such as 3h or 90m`)},
		{"1.5h", wrong(`"1.5h" is not a duration such as 3h or 90m`)},
		{"three hours", wrong(`"three hours" is not a duration such as 3h or 90m`)},
		{"0", wrong("must be a multiple of 30m, at most 48h, is 0")},
		{"45m", wrong("must be a multiple of 30m, at most 48h, is 45m")},
		{"1800001ms", wrong("must be a multiple of 30m, at most 48h, is 1800001ms")},
		{"49h", wrong("must be a multiple of 30m, at most 48h, is 49h")},
		{"2d1h", wrong("must be a multiple of 30m, at most 48h, is 2d1h")},
	} {
		t.Run("a window of "+c.window, func(t *testing.T) {
			if got := p.forecast("--window=" + c.window); got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
	if got := p.forecast("--format=xml"); got.code != exitUsage || got.stdout != "" || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("another format: %+v", got)
	}
	if p.api.Requests() != 0 {
		t.Error("the provider was asked")
	}
	p.api.SetFault(simulate.NoValues)
	if got, want := p.forecast(), (called{exitFailed, "", "carbontool forecast: carbon intensity of GB: the provider has no forecast\n"}); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if err := os.MkdirAll(filepath.Dir(p.store), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.store, []byte("not a store"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := p.forecast(); got.code != exitFailed || !strings.HasPrefix(got.stderr, "carbontool forecast: open store "+p.store+": ") {
		t.Errorf("another file in place of the store: %+v", got)
	}
}
