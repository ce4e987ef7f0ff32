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

func energinet() *Energinet { return &Energinet{URL: "http://denmark.test", Area: "DK1"} }

func imitatedEnerginet(now func() time.Time) *grids.Energinet {
	return &grids.Energinet{Server: grids.Server{Now: now, Truth: wave}}
}

func TestEnerginetHasEverySlotOfAnyStretch(t *testing.T) {
	for _, danish := range []bool{false, true} {
		wantWave(t, energinet(), usage.SlotLength, func(now func() time.Time) http.Handler {
			s := imitatedEnerginet(now)
			s.Danish = danish
			return s
		})
	}
}

func TestEnerginetIsAskedOnceForWeeks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := clockFrom(at("2027-01-10T12:00:00Z"))
		server := imitatedEnerginet(now)
		f := feedTo(energinet(), server, now)
		slots, _, err := f.Slots(t.Context(), at("2026-12-01T00:00:00Z"), at("2027-01-01T00:00:00Z"))
		if err != nil || len(slots) != 31*48 || len(server.Requests()) != 1 || len(f.Remarks()) > 0 {
			t.Errorf("got %d slots, %v, asked %q", len(slots), err, server.Requests())
		}
	})
}

func TestEnerginetGoesOnWhereAnAnswerIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := clockFrom(at("2027-01-10T12:00:00Z"))
		server := imitatedEnerginet(now)
		server.Most = 100
		f := feedTo(energinet(), server, now)
		slots, rejects, err := f.Slots(t.Context(), at("2026-12-01T00:00:00Z"), at("2026-12-02T00:00:00Z"))
		if err != nil || len(slots) != 48 || len(rejects) > 0 || len(server.Requests()) != 4 {
			t.Errorf("got %d slots, %v, %v, asked %q", len(slots), rejects, err, server.Requests())
		}
	})
}

func TestEnerginetForecasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := clockFrom(at("2027-01-10T12:20:00Z"))
		slots, rejects, err := feedTo(energinet(), imitatedEnerginet(now), now).Outlook(t.Context(), now())
		if err != nil || len(rejects) > 0 || len(slots) != 18 {
			t.Fatalf("got %d slots, %v, %v", len(slots), rejects, err)
		}
		for _, s := range slots {
			if s.Actual != nil || s.Forecast == nil || *s.Forecast != waveOver(s.From, usage.SlotLength) {
				t.Errorf("got %s", say([]usage.Slot{s}))
			}
		}
	})
}

func TestEnerginetDoesNotKnowTheLastQuarter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := clockFrom(at("2027-01-10T12:40:00Z"))
		slots, _, err := feedTo(energinet(), imitatedEnerginet(now), now).Slots(t.Context(), at("2027-01-10T11:30:00Z"), at("2027-01-10T12:30:00Z"))
		if err != nil || len(slots) != 1 {
			t.Errorf("got %s, %v", say(slots), err)
		}
	})
}

func TestEnerginetOddAnswers(t *testing.T) {
	// noon is the half hour from noon on, with one value replaced.
	noon := func(time, rest string) string {
		var rows []string
		for _, minute := range []string{"00", "05", "10", "15", "20", "25", "30", "35", "40", "45", "50", "55"} {
			if time == minute {
				rows = append(rows, rest)
				continue
			}
			rows = append(rows, `{"Minutes5UTC":"2026-06-01T12:`+minute+`:00","PriceArea":"DK1","CO2Emission":20}`)
		}
		return `{"total":12,"records":[` + strings.Join(rows, ",") + `]}`
	}
	for _, test := range []struct{ name, answer, want string }{
		{name: "nothing", want: "!not JSON"},
		{name: "an empty object", answer: `{}`, want: "!no records"},
		{name: "an error with status 200", answer: `{"statusCode":400,"message":"no"}`, want: "!no records"},
		{name: "a word for rows", answer: `{"records":"none"}`, want: "!not JSON"},
		{name: "no rows", answer: `{"total":0,"records":[]}`},
		{name: "all", answer: noon("", ""), want: "12:00 - 20, 12:30 - 20"},
		{name: "null", answer: noon("05", `{"Minutes5UTC":"2026-06-01T12:05:00","CO2Emission":null}`), want: "12:30 - 20"},
		{name: "a word", answer: noon("05", `{"Minutes5UTC":"2026-06-01T12:05:00","CO2Emission":"low"}`), want: "12:30 - 20"},
		{name: "a number in quotes", answer: noon("05", `{"Minutes5UTC":"2026-06-01T12:05","CO2Emission":"20"}`), want: "12:00 - 20, 12:30 - 20"},
		{name: "a total in quotes", answer: strings.Replace(noon("", ""), ":12,", `:"12",`, 1), want: "12:00 - 20, 12:30 - 20"},
		{name: "no total", answer: strings.Replace(noon("", ""), `"total":12,`, "", 1), want: "12:00 - 20, 12:30 - 20"},
		{name: "no row", answer: noon("35", `7`), want: "12:00 - 20"},
		{name: "no time", answer: noon("35", `{"Minutes5UTC":"soon","CO2Emission":1}`), want: "12:00 - 20"},
		{name: "the other area among ours", answer: noon("35", `{"Minutes5UTC":"2026-06-01T12:35:00","PriceArea":"DK2","CO2Emission":900}`), want: "12:00 - 20"},
		{name: "a time with its zone", answer: noon("05", `{"Minutes5UTC":"2026-06-01T12:05:00Z","CO2Emission":20}`), want: "12:00 - 20, 12:30 - 20"},
		{name: "the other area alone", answer: `{"records":[{"Minutes5UTC":"2026-06-01T12:05:00","PriceArea":"DK2","CO2Emission":900}]}`, want: "!asked for DK1 and got DK2"},
	} {
		t.Run(test.name, func(t *testing.T) { wantOdd(t, energinet(), test.answer, test.want) })
	}
}

func FuzzEnerginet(f *testing.F) {
	f.Add([]byte(`{"total":1,"records":[{"Minutes5UTC":"2026-06-01T12:05:00","PriceArea":"DK1","CO2Emission":20}]}`))
	f.Add([]byte(`{"records":[{"Minutes5UTC":"2026-06-01T12:05:00Z","CO2Emission":NaN},5,{"PriceArea":"DK2"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := readEnerginetPage(text)
		if err != nil {
			wantFailure(t, err, usage.ReasonMalformed)
		}
		a, err := decodeEnerginet(p.rows, "DK1", usage.Actual)
		if err != nil {
			wantFailure(t, err, usage.ReasonMalformed)
		}
		wantSane(t, a)
	})
}
