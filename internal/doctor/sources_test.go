// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// actual is a half hour that began so long before noon.
func actual(ago time.Duration, v usage.GramsPerKWh) usage.Slot {
	return usage.Slot{From: noon.Add(-ago), Actual: &v}
}

func ahead(in time.Duration, v usage.GramsPerKWh) usage.Slot {
	return usage.Slot{From: noon.Add(in), Forecast: &v}
}

func TestIntensity(t *testing.T) {
	whole := usage.Basis{Signal: usage.Average, Emissions: usage.Direct, Electricity: usage.Consumption}
	fresh := []usage.Slot{actual(time.Hour, 120)}
	refused := func(reason, cause string) error { return &usage.Failure{Reason: reason, Cause: cause} }
	for _, test := range []struct {
		name   string
		source GridSource
		level  Level
		words  string
	}{
		{"an actual value", GridSource{Lately: fresh}, OK, "newest half hour of grid GB: 2026-10-01T11:00:00Z, 120 gCO2eq/kWh, actual"},
		{"only a forecast", GridSource{Lately: []usage.Slot{ahead(-time.Hour, 99)}}, OK, "99 gCO2eq/kWh, forecast"},
		{"old values", GridSource{Lately: []usage.Slot{actual(5*time.Hour, 120)}}, Warning, "which is old"},
		{"old values of a source that is late", GridSource{Lately: []usage.Slot{actual(5*time.Hour, 120)}, Terms: usage.Terms{Late: 24 * time.Hour}}, OK, "07:00:00Z, 120"},
		{"older than late", GridSource{Lately: []usage.Slot{actual(30*time.Hour, 120)}, Terms: usage.Terms{Late: 24 * time.Hour}}, Warning, "which is old"},
		{"no values", GridSource{}, Failure, "answers, and has no intensity of grid GB for the last day; to do: see whether the provider is out of order; energy is recorded and priced later"},
		{"no values of a source that is late", GridSource{Terms: usage.Terms{Late: 24 * time.Hour}}, Failure, "for the last day, nor for the 24 hours before it that its values are late"},
		{"half hours without a value", GridSource{Lately: []usage.Slot{{From: noon.Add(-time.Hour)}}}, Failure, "answers, and has no intensity"},
		{"an unknown region", GridSource{Failed: refused(usage.ReasonBadRequest, "there is no such page")}, Failure, "grid GB: there is no such page; to do: check carbon_intensity.sources[1]: the region"},
		{"a key that is refused", GridSource{Key: "carbon_intensity.sources[1].some.token_file", Failed: refused(usage.ReasonAuth, "wants a login")}, Failure, "wants a login; to do: check carbon_intensity.sources[1].some.token_file, and whether the account may read this zone"},
		{"too many calls", GridSource{Failed: refused(usage.ReasonRateLimited, "too many")}, Failure, "to do: wait; see by carbontool doctor --only=sources"},
		{"nobody answers", GridSource{Failed: refused(usage.ReasonConnection, "nothing listens")}, Failure, "to do: see whether the provider is out of order; check the url of carbon_intensity.sources[1]"},
		{"a dead one of several", GridSource{Others: 2, Failed: refused(usage.ReasonConnection, "nothing listens")}, Failure, "the other sources of its chain stand in meanwhile"},
		{"one that stands in for one that answers", GridSource{Others: 2, Spare: true, Failed: refused(usage.ReasonConnection, "nothing listens")}, Warning, "nothing is missing while the source before it answers"},
		{"one that stands in and has nothing", GridSource{Others: 2, Spare: true}, Warning, "answers, and has no intensity of grid GB"},
		{"one that stands in and cannot be made", GridSource{Others: 2, Spare: true, Failed: errors.New("no such file")}, Failure, "no such file"},
		{"a dead one of other factors", GridSource{For: "also market", Failed: refused(usage.ReasonConnection, "nothing listens")}, Failure, "these factors are missing meanwhile"},
		{"one that cannot be made", GridSource{Failed: errors.New("no such file")}, Failure, "no such file; to do: correct carbon_intensity.sources[1]"},
		{"a part of the day", GridSource{Lately: fresh, Failed: refused(usage.ReasonServer, "out of order")}, Warning, "actual; some of its requests failed: out of order"},
		{"a forecast", GridSource{Lately: fresh, Terms: usage.Terms{Forecasts: true}, Coming: []usage.Slot{ahead(time.Hour, 1)}}, OK, "forecast of grid GB to 2026-10-01T13:30:00Z"},
		{"no forecast", GridSource{Lately: fresh, Terms: usage.Terms{Forecasts: true}}, Warning, "no forecast of grid GB"},
		{"no forecast, with its cause", GridSource{Lately: fresh, Terms: usage.Terms{Forecasts: true}, Ahead: errors.New("out of order")}, Warning, "no forecast of grid GB: out of order"},
		{"one value for all time", GridSource{Fixed: new(24.0), From: "the contract of 2026"}, OK, "24 gCO2eq/kWh for all time, grid GB, from the contract of 2026"},
		{"a basis that nobody declares", GridSource{Lately: fresh, Terms: usage.Terms{Basis: usage.Basis{Signal: usage.Average}}}, Warning, "the values of grid GB are lifecycle or direct, consumption or production; to do: declare it in carbon_intensity.sources[1].basis"},
		{"the same of a value that stands alone", GridSource{Fixed: new(24.0)}, OK, "average or marginal, lifecycle or direct"},
		{"the same of a value that stands in", GridSource{Fixed: new(24.0), Others: 1}, Warning, "average or marginal, lifecycle or direct"},
		{"a remark", GridSource{Lately: fresh, Terms: usage.Terms{Basis: whole}, Remarks: []string{"its values are hourly"}}, Warning, "grid GB: its values are hourly"},
		{"one for which there was no time", GridSource{Unasked: true}, Warning, "not asked, because other sources of its server want time"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.source
			s.Provider, s.Grid, s.Path = "uk", "GB", "carbon_intensity.sources[1]"
			says(t, Intensity(s, noon), test.level, test.words)
		})
	}
	all := Intensity(GridSource{Lately: fresh, Terms: usage.Terms{Basis: whole}}, noon)
	if len(all) != 1 {
		t.Errorf("of a source that is well there is more to say: %+v", all)
	}
}

// day is the last day, from the oldest on: the first half of it provisional, and nothing of the
// last hour.
func day() (slots []usage.Slot) {
	for at := noon.Add(-24 * time.Hour); at.Before(noon.Add(-time.Hour)); at = at.Add(usage.SlotLength) {
		s := actual(noon.Sub(at), 100)
		if at.Before(noon.Add(-12 * time.Hour)) {
			s.Quality = usage.QualityFinal
		}
		slots = append(slots, s)
	}
	return slots
}

func TestASpareHasAnAnswerBeforeIt(t *testing.T) {
	all := []GridSource{
		{Provider: "dead", For: "prices", Failed: errors.New("out of order")},
		{Provider: "second", For: "prices", Failed: errors.New("out of order")},
		{Provider: "well", For: "prices", Lately: day()},
		{Provider: "spare", For: "prices"},
		{Provider: "other", For: "also market"},
	}
	FindSpares(all)
	for _, s := range all {
		if s.Spare != (s.Provider == "spare") {
			t.Errorf("%s is a spare: %v", s.Provider, s.Spare)
		}
	}
}

func TestATableOfSources(t *testing.T) {
	all := []GridSource{
		{
			Provider: "maps", Grid: "FR", For: "prices", Grain: time.Hour, Calls: 192, Lately: day(), Coming: []usage.Slot{ahead(0, 1), ahead(23*time.Hour, 1), ahead(24*time.Hour, 1)},
			Terms: usage.Terms{Forecasts: true, Basis: usage.Basis{Emissions: usage.Lifecycle}, Licence: "CC BY 4.0", Credit: "Some Maps"}, Remarks: []string{"coarse"},
		},
		{Provider: "dead", Grid: "FR", For: "prices", Terms: usage.Terms{Forecasts: true}, Failed: &usage.Failure{Cause: "nothing listens"}},
		{Provider: "mean", Grid: "FR", For: "also market", Fixed: new(56.0), Lately: day()},
		{Provider: "years", Grid: "DE", For: "elsewhere DE", Lately: []usage.Slot{{From: noon.Add(-time.Hour), Actual: new(usage.GramsPerKWh(380)), Quality: usage.QualityYearly}}},
		{Provider: "slow", Grid: "DE", For: "prices", Unasked: true},
	}
	var text, document bytes.Buffer
	text.WriteString(strings.Join(SourceHeads(), " "))
	for _, s := range all {
		text.WriteString("\n" + strings.Join(s.Cells(noon), " "))
		if len(s.Cells(noon)) != len(SourceHeads()) {
			t.Errorf("%s has %d cells", s.Provider, len(s.Cells(noon)))
		}
	}
	if err := WriteJSON(&document, nil, all, noon); err != nil {
		t.Fatal(err)
	}
	want := `SOURCE GRID FOR LAST DAY COMING DAY GRAIN BASIS QUALITY NEWEST CALLS A DAY LICENCE CREDIT
maps FR prices 46 of 48 2 of 48 1h ? lifecycle ? 52 % final, 48 % not said 1 hour ago 192 CC BY 4.0 Some Maps
dead FR prices no answer no answer - ? ? ? - - 0 - -
mean FR also market 46 of 48 - all time ? ? ? 52 % final, 48 % not said - 0 - -
years DE elsewhere DE 1 of 48 - year ? ? ? yearly 30 minutes ago 0 - -
slow DE prices not asked - - ? ? ? - - 0 - -`
	if got := text.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", &text, want)
	}
	var read struct{ Sources []map[string]any }
	if err := json.Unmarshal(document.Bytes(), &read); err != nil || len(read.Sources) != len(all) {
		t.Fatalf("%v: %s", err, &document)
	}
	first, dead := read.Sources[0], read.Sources[1]
	if first["last_day_half_hours"] != 46.0 || first["coming_day_half_hours"] != 2.0 || first["newest"] != "2026-10-01T11:00:00Z" || first["newest_age_seconds"] != 3600.0 || first["grain"] != "1h" {
		t.Errorf("got %v", first)
	}
	if dead["last_day_half_hours"] != nil || dead["newest"] != nil || dead["failure"] != "nothing listens" {
		t.Errorf("got %v", dead)
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		5 * time.Minute: "5m", 30 * time.Minute: "30m", time.Hour: "1h", 10 * time.Hour: "10h", 90 * time.Minute: "1h30m", 30 * time.Second: "30s", 24 * time.Hour: "24h",
	} {
		if got := short(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
