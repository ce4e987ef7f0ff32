// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate/grids"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const australianKey = "oe_hunter2hunter2"

func australia(network, region string) *OpenElectricity {
	return &OpenElectricity{
		URL: "http://australia.test", Network: network, Region: region,
		Token: func() (string, error) { return australianKey, nil },
	}
}

func imitatedAustralia(now func() time.Time) *grids.OpenElectricity {
	return &grids.OpenElectricity{Server: grids.Server{Now: now, Truth: wave}, Key: australianKey}
}

func TestOpenElectricityHasEverySlotOfAnyStretch(t *testing.T) {
	for _, test := range []struct {
		network, region string
		split, naive    bool
	}{{network: "NEM"}, {network: "NEM", region: "NSW1", split: true}, {network: "WEM", split: true, naive: true}} {
		wantWave(t, australia(test.network, test.region), usage.SlotLength, func(now func() time.Time) http.Handler {
			s := imitatedAustralia(now)
			s.Split, s.Naive = test.split, test.naive
			return s
		})
	}
}

func TestOpenElectricityIsAskedInTheTimeOfTheNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := clockFrom(at("2027-01-10T12:00:00Z"))
		server := imitatedAustralia(now)
		f := feedTo(australia("NEM", "NSW1"), server, now)
		if _, _, err := f.Slots(t.Context(), at("2027-01-09T12:00:00Z"), now()); err != nil {
			t.Fatal(err)
		}
		want := "/v4/data/network/NEM?date_end=2027-01-10T22%3A00%3A00&date_start=2027-01-09T22%3A00%3A00&interval=5m&metrics=energy&metrics=emissions&network_region=NSW1"
		if got := server.Requests(); len(got) != 1 || got[0] != want {
			t.Errorf("asked %q, want %s", got, want)
		}
	})
}

func TestOpenElectricityLeavesOpenWhatItCannotDivide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := clockFrom(at("2027-01-10T12:00:00Z"))
		server := imitatedAustralia(now)
		server.Split, server.Unknown, server.Idle = true, at("2026-11-10T12:10:00Z"), at("2026-11-10T13:10:00Z")
		slots, rejects, err := feedTo(australia("NEM", ""), server, now).Slots(t.Context(), at("2026-11-10T12:00:00Z"), at("2026-11-10T14:00:00Z"))
		if err != nil || len(slots) != 2 || slots[0].From.Format("15:04") != "12:30" || slots[1].From.Format("15:04") != "13:30" || rejects[RejectValue] != 1 {
			t.Errorf("got %s, %v, %v", say(slots), rejects, err)
		}
	})
}

func TestOpenElectricityShowsNoKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := clockFrom(at("2027-01-10T12:00:00Z"))
		server := imitatedAustralia(now)
		server.Key = "another"
		_, _, err := feedTo(australia("NEM", ""), server, now).Slots(t.Context(), now().Add(-time.Hour), now())
		if wantFailure(t, err, usage.ReasonAuth); strings.Contains(err.Error(), "hunter2") {
			t.Errorf("shows its key: %v", err)
		}
		for _, no := range []func() (string, error){
			func() (string, error) { return "", nil },
			func() (string, error) { return "", os.ErrNotExist },
		} {
			api := australia("NEM", "")
			api.Token = no
			asked := len(server.Requests())
			_, _, err := feedTo(api, server, now).Slots(t.Context(), now().Add(-time.Hour), now())
			if wantFailure(t, err, usage.ReasonAuth); !strings.Contains(usage.Cause(err), "openelectricity.token_file") || len(server.Requests()) > asked {
				t.Errorf("got %v, %s", err, usage.Cause(err))
			}
			if _, e := no(); e != nil && !strings.Contains(err.Error(), e.Error()) {
				t.Errorf("got %v, want the reason, %v", err, e)
			}
		}
	})
}

func TestOpenElectricityOddAnswers(t *testing.T) {
	series := func(metric, more, points string) string {
		return `{"metric":"` + metric + `",` + more + `"results":[{"columns":{},"data":[` + points + `]}]}`
	}
	// Noon in UTC is ten in the evening. Half hours are enough.
	energy := `["2026-06-01T22:00:00+10:00",10],["2026-06-01T22:30:00+10:00",20]`
	emissions := `["2026-06-01T22:00:00+10:00",5],["2026-06-01T22:30:00+10:00",5]`
	both := func(energy, emissions string) string {
		return `{"success":true,"data":[` + series("energy", "", energy) + `,` + series("emissions", "", emissions) + `]}`
	}
	for _, test := range []struct{ name, answer, want string }{
		{name: "nothing", want: "!not JSON"},
		{name: "an empty object", answer: `{}`, want: "!no data"},
		{name: "an error with status 200", answer: `{"success":false,"error":"no"}`, want: "!no data"},
		{name: "a failure with data", answer: `{"success":false,"data":[]}`, want: "!no data"},
		{name: "no series", answer: `{"data":[]}`},
		{name: "energy alone", answer: `{"data":[` + series("energy", "", energy) + `]}`},
		{name: "both", answer: both(energy, emissions), want: "12:00 - 500, 12:30 - 250"},
		{name: "times of the network", answer: both(strings.ReplaceAll(energy, "+10:00", ""), strings.ReplaceAll(emissions, "+10:00", "")), want: "12:00 - 500, 12:30 - 250"},
		{name: "times in UTC", answer: both(strings.ReplaceAll(energy, "T22:", "T12:"), emissions), want: ""},
		{name: "emissions of one time", answer: both(energy, `["2026-06-01T22:30:00+10:00",5]`), want: "12:30 - 250"},
		{name: "null", answer: both(energy, strings.Replace(emissions, ",5", ",null", 1)), want: "12:30 - 250"},
		{name: "a word", answer: both(energy, strings.Replace(emissions, ",5", `,"few"`, 1)), want: "12:30 - 250"},
		{name: "a number in quotes", answer: both(energy, strings.Replace(emissions, ",5", `,"5"`, 1)), want: "12:00 - 500, 12:30 - 250"},
		{name: "not a number", answer: both(strings.Replace(energy, ",10", `,NaN`, 1), emissions), want: "12:30 - 250"},
		{name: "no energy", answer: both(strings.Replace(energy, ",10", `,0`, 1), emissions), want: "12:30 - 250"},
		{name: "energy below 0", answer: both(strings.Replace(energy, ",10", `,-10`, 1), emissions), want: "12:30 - 250"},
		{name: "no point", answer: both(energy+`,7,["soon",1],["2026-06-01T22:00:00+10:00"],[1,2]`, emissions), want: "12:00 - 500, 12:30 - 250"},
		{name: "a point twice", answer: both(energy+`,["2026-06-01T22:30:00+10:00",10]`, emissions), want: "12:00 - 500, 12:30 - 500"},
		{name: "no emissions are a value", answer: both(energy, strings.Replace(emissions, ",5", ",0", 1)), want: "12:00 - 0, 12:30 - 250"},
		{name: "a metric twice", answer: `{"data":[` + series("energy", "", energy) + `,` + series("emissions", "", emissions) + `,` + series("emissions", "", emissions) + `]}`, want: "12:00 - 500, 12:30 - 250"},
		{name: "two parts, one of which lacks a time", answer: `{"data":[` + series("energy", "", energy) + `,{"metric":"emissions","results":[{"columns":{"fueltech":"coal"},"data":[` + emissions + `]},{"columns":{"fueltech":"gas"},"data":[["2026-06-01T22:30:00+10:00",5]]}]}]}`, want: "12:30 - 500"},
		{name: "kg", answer: `{"data":[` + series("energy", `"unit":"MWh",`, energy) + `,` + series("emissions", `"unit":"kg",`, strings.ReplaceAll(emissions, ",5", ",5000")) + `]}`, want: "12:00 - 500, 12:30 - 250"},
		{name: "a unit that is none", answer: `{"data":[` + series("energy", `"unit":"$",`, energy) + `]}`, want: "!no unit"},
		{name: "another network", answer: `{"data":[` + series("energy", `"network_code":"WEM",`, energy) + `]}`, want: "!asked for NEM"},
		{name: "another region", answer: strings.ReplaceAll(both(energy, emissions), `"columns":{}`, `"columns":{"region":"QLD1"}`), want: "!asked for NSW1"},
	} {
		t.Run(test.name, func(t *testing.T) { wantOdd(t, australia("NEM", "NSW1"), test.answer, test.want) })
	}
}

func TestOpenElectricityTellsOfCoarserSteps(t *testing.T) {
	a, err := decodeOpenElectricity([]byte(`{"data":[{"metric":"energy","interval":"1h","results":[]},{"metric":"emissions","interval":"1h","results":[]}]}`), "NEM", "")
	if err != nil || len(a.Remarks) != 1 {
		t.Errorf("got %q, %v", a.Remarks, err)
	}
}

func FuzzOpenElectricity(f *testing.F) {
	f.Add([]byte(`{"data":[{"metric":"energy","results":[{"data":[["2026-06-01T22:00:00+10:00",10]]}]},{"metric":"emissions","unit":"t","results":[{"data":[["2026-06-01T22:00:00",5]]}]}]}`))
	f.Add([]byte(`{"data":[{"metric":"energy","results":[{"columns":{"region":"QLD1"},"data":[1,[],["x",NaN]]}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := decodeOpenElectricity(text, "NEM", "NSW1")
		if err != nil {
			wantFailure(t, err, usage.ReasonMalformed)
		}
		wantSane(t, a)
	})
}
