// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate/grids"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func energyCharts() *EnergyCharts { return &EnergyCharts{URL: "http://charts.test/", Country: "DE"} }

func imitatedCharts(now func() time.Time, step time.Duration) *grids.EnergyCharts {
	return &grids.EnergyCharts{Server: grids.Server{Now: now, Truth: wave}, Country: "de", Step: step, MinGap: 8 * time.Second}
}

func TestEnergyChartsHasEverySlotOfAnyStretch(t *testing.T) {
	for _, step := range []time.Duration{15 * time.Minute, time.Hour} {
		grain := max(step, usage.SlotLength)
		t.Run(step.String(), func(t *testing.T) {
			wantWave(t, energyCharts(), grain, func(now func() time.Time) http.Handler { return imitatedCharts(now, step) })
		})
	}
}

func TestEnergyChartsIsAskedRarelyAndSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := clockFrom(at("2027-01-10T12:00:00Z"))
		server := imitatedCharts(now, 15*time.Minute)
		f := feedTo(energyCharts(), server, now)
		if _, _, err := f.Slots(t.Context(), now().Add(-24*time.Hour), now()); err != nil || len(server.Requests()) != 1 {
			t.Fatalf("a day: %v, asked %q", err, server.Requests())
		}
		if _, _, err := f.Slots(t.Context(), at("2026-01-01T00:00:00Z"), now()); err != nil || len(server.Requests()) != 6 {
			t.Errorf("a year: %v, asked %q", err, server.Requests())
		}
		if want := "/co2eq?country=de&end=2027-01-10T13%3A00Z&start=2027-01-09T11%3A00Z"; server.Requests()[0] != want {
			t.Errorf("asked for %s, want %s", server.Requests()[0], want)
		}
	})
}

func TestEnergyChartsIsLeftAloneWhenItRefuses(t *testing.T) {
	for _, silent := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			now := clockFrom(at("2027-01-10T12:00:00Z"))
			server := imitatedCharts(now, time.Hour)
			server.MinGap, server.Silent = time.Hour, silent
			slots, _, err := feedTo(energyCharts(), server, now).Slots(t.Context(), at("2026-01-01T00:00:00Z"), now())
			if failed := wantFailure(t, err, usage.ReasonRateLimited); failed.RetryAfter != time.Minute {
				t.Errorf("retry after %s", failed.RetryAfter)
			}
			if len(server.Requests()) != 2 || len(slots) != 92*48 {
				t.Errorf("went on: %d slots of %d requests", len(slots), len(server.Requests()))
			}
		})
	}
}

func TestEnergyChartsForecastsFromTheHalfHourOfNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := clockFrom(at("2027-01-10T12:10:00Z"))
		f := feedTo(energyCharts(), imitatedCharts(now, 15*time.Minute), now)
		slots, rejects, err := f.Outlook(t.Context(), now())
		if err != nil || len(rejects) > 0 || len(slots) != 72 { // to the end of the next day
			t.Fatalf("got %d slots, %v, %v", len(slots), rejects, err)
		}
		for i, s := range slots {
			want := at("2027-01-10T12:00:00Z").Add(time.Duration(i) * usage.SlotLength)
			if !s.From.Equal(want) || s.Forecast == nil || s.Actual != nil || *s.Forecast != waveOver(want, usage.SlotLength) {
				t.Fatalf("slot %d is %s, want %s %v", i, say(slots[i:i+1]), want, waveOver(want, usage.SlotLength))
			}
		}
		// The last that is measured whole, one that is measured by half, and the first of forecasts.
		slots, _, err = f.Slots(t.Context(), at("2027-01-10T09:30:00Z"), at("2027-01-10T11:00:00Z"))
		if err != nil || len(slots) != 3 || slots[0].Actual == nil || slots[1].Actual != nil || slots[1].Forecast == nil ||
			*slots[1].Forecast != waveOver(slots[1].From, usage.SlotLength) || slots[2].Forecast == nil {
			t.Errorf("got %s, %v", say(slots), err)
		}
	})
}

func TestEnergyChartsLeavesAGapOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := clockFrom(at("2027-01-10T12:20:00Z"))
		server := imitatedCharts(now, 15*time.Minute)
		server.GapAfter, server.Gap = at("2026-11-10T12:15:00Z"), 2*time.Hour
		slots, _, err := feedTo(energyCharts(), server, now).Slots(t.Context(), at("2026-11-10T11:30:00Z"), at("2026-11-10T15:00:00Z"))
		if err != nil || len(slots) != 2 || slots[0].From.Hour() != 11 || slots[1].From.Format("15:04") != "14:30" {
			t.Errorf("got %s, %v", say(slots), err)
		}
	})
}

// noonSeconds is of 2026-06-01T12:00:00Z.
const noonSeconds = "1780315200"

func TestEnergyChartsOddAnswers(t *testing.T) {
	half := func(more string) string { return strings.ReplaceAll(more, "NOON", noonSeconds) }
	for _, test := range []struct{ name, answer, want string }{
		{name: "nothing", want: "!not JSON"},
		{name: "an empty object", answer: `{}`, want: "!no unix_seconds"},
		{name: "null", answer: `null`, want: "!no unix_seconds"},
		{name: "an error with status 200", answer: `{"detail":"there is no data"}`, want: "!no unix_seconds"},
		{name: "html", answer: "<html>\n<body>Under maintenance</body></html>", want: "!a web page"},
		{name: "cut", answer: half(`{"unix_seconds":[NOON,`), want: "!not JSON"},
		{name: "times alone", answer: half(`{"unix_seconds":[NOON]}`), want: "!no unix_seconds"},
		{name: "a word for a list", answer: half(`{"unix_seconds":"NOON","co2eq":[1]}`), want: "!not JSON"},
		{name: "empty lists", answer: `{"unix_seconds":[],"co2eq":[],"co2eq_forecast":[]}`},
		{name: "more times than values", answer: half(`{"unix_seconds":[NOON,1780316100],"co2eq":[1],"co2eq_forecast":[1,2]}`), want: "!2 times and 1 values of co2eq"},
		{name: "more forecasts than times", answer: half(`{"unix_seconds":[NOON],"co2eq":[1],"co2eq_forecast":[1,2]}`), want: "!1 times and 2 values of co2eq_forecast"},
		{name: "nothing but null", answer: half(`{"unix_seconds":[NOON,1780316100],"co2eq":[null,null],"co2eq_forecast":[null,null]}`)},
		{name: "one time alone", answer: half(`{"unix_seconds":[NOON],"co2eq":[1]}`), want: "!1 intensity_slot_length"},
		{name: "days", answer: half(`{"unix_seconds":[NOON,1780401600,1780488000],"co2eq":[1,2,3]}`), want: "!3 intensity_slot_length"},
		{name: "0 is a value", answer: half(`{"unix_seconds":[NOON,1780316100],"co2eq":[0,0]}`), want: "12:00 - 0"},
		{name: "no forecasts at all", answer: half(`{"unix_seconds":[NOON,1780317000],"co2eq":[100,200],"co2eq_forecast":null}`), want: "12:00 - 100, 12:30 - 200"},
		{name: "no actuals at all", answer: half(`{"unix_seconds":[NOON,1780317000],"co2eq":null,"co2eq_forecast":[100,200]}`), want: "12:00 100 -, 12:30 200 -"},
		{name: "an actual beside a forecast", answer: half(`{"unix_seconds":[NOON,1780317000],"co2eq":[100,null],"co2eq_forecast":[90,200]}`), want: "12:00 90 100, 12:30 200 -"},
		{name: "one word", answer: half(`{"unix_seconds":[NOON,1780317000],"co2eq":["low",200]}`), want: "12:30 - 200"},
		{name: "numbers in quotes", answer: half(`{"unix_seconds":["NOON","1780317000"],"co2eq":["100","200.0"]}`), want: "12:00 - 100, 12:30 - 200"},
		{name: "an empty list of forecasts", answer: half(`{"unix_seconds":[NOON,1780317000],"co2eq":[100,200],"co2eq_forecast":[]}`), want: "12:00 - 100, 12:30 - 200"},
		{name: "not a number", answer: half(`{"unix_seconds":[NOON,1780317000],"co2eq":[NaN,200]}`), want: "12:30 - 200"},
		{name: "below 0", answer: half(`{"unix_seconds":[NOON,1780317000],"co2eq":[-1,200]}`), want: "12:30 - 200"},
		{name: "no time", answer: half(`{"unix_seconds":["noon",NOON,1780317000,null,-5,1e300],"co2eq":[1,100,200,3,4,5]}`), want: "12:00 - 100, 12:30 - 200"},
		{name: "backwards", answer: half(`{"unix_seconds":[1780317000,NOON],"co2eq":[200,100]}`), want: "12:00 - 100, 12:30 - 200"},
		{name: "twice", answer: half(`{"unix_seconds":[NOON,NOON,1780317000],"co2eq":[1,100,200]}`), want: "12:00 - 100, 12:30 - 200"},
	} {
		t.Run(test.name, func(t *testing.T) { wantOdd(t, energyCharts(), test.answer, test.want) })
	}
}

func TestEnergyChartsTellsOfItsEnd(t *testing.T) {
	a, err := decodeEnergyCharts([]byte(`{"unix_seconds":[` + noonSeconds + `],"co2eq":[1],"deprecated":true}`))
	if err != nil || len(a.Remarks) != 1 {
		t.Errorf("got %q, %v", a.Remarks, err)
	}
}

func FuzzEnergyCharts(f *testing.F) {
	f.Add([]byte(`{"unix_seconds":[1780315200,1780316100],"co2eq":[100,null],"co2eq_forecast":[null,200],"deprecated":false}`))
	f.Add([]byte(`{"unix_seconds":[1780315200,NaN,"x",1e300],"co2eq":[1,2,3,-4]}`))
	f.Add([]byte(`{"unix_seconds":[],"co2eq":[]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := decodeEnergyCharts(text)
		if err != nil {
			wantFailure(t, err, usage.ReasonMalformed)
		}
		wantSane(t, a)
	})
}
