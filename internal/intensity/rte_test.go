// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate/grids"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// laterUntil is where the later list ends in these tests; now is 2027-01-10T12:00:00Z.
const laterUntil = "2026-11-30T23:00:00Z"

func imitatedRTE(now func() time.Time) *grids.RTE {
	return &grids.RTE{Server: grids.Server{Now: now, Truth: wave}, Later: at(laterUntil), Definitive: at("2025-12-31T23:00:00Z")}
}

// asOfJanuary asks for what is known on 10 January 2027.
func asOfJanuary(t *testing.T, change func(*grids.RTE), test func(*testing.T, *Feed, *grids.RTE)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		now := clockFrom(at("2027-01-10T12:00:00Z"))
		server := imitatedRTE(now)
		change(server)
		test(t, feedTo(&RTE{URL: "http://rte.test", Now: now}, server, now), server)
	})
}

func asItIs(*grids.RTE) {}

func TestRTEHasEverySlotOfAnyStretch(t *testing.T) {
	start := at("2027-01-10T12:00:00Z")
	api := &RTE{URL: "http://rte.test/", Now: func() time.Time { return start }}
	wantWave(t, api, usage.SlotLength, func(now func() time.Time) http.Handler { return imitatedRTE(now) })
}

func TestRTEIsAskedInFewPages(t *testing.T) {
	for _, test := range []struct {
		name, from, to string
		want           int // requests
		list           string
	}{
		{name: "the last day, live", from: "2027-01-09T12:00:00Z", to: "2027-01-10T12:00:00Z", want: 1, list: "eco2mix-national-tr/"},
		{name: "a day of last year", from: "2026-02-01T00:00:00Z", to: "2026-02-02T00:00:00Z", want: 1, list: "eco2mix-national-cons-def/"},
		{name: "two weeks of last year", from: "2026-02-01T00:00:00Z", to: "2026-02-15T00:00:00Z", want: 7, list: "eco2mix-national-cons-def/"},
		{name: "a day between, which either may have", from: "2026-12-01T00:00:00Z", to: "2026-12-02T00:00:00Z", want: 2, list: "eco2mix-national-"},
	} {
		t.Run(test.name, func(t *testing.T) {
			asOfJanuary(t, asItIs, func(t *testing.T, f *Feed, server *grids.RTE) {
				_, _, err := f.Slots(t.Context(), at(test.from), at(test.to))
				asked := server.Requests()
				if err != nil || len(asked) != test.want || strings.Count(strings.Join(asked, " "), test.list) != test.want {
					t.Errorf("%v, asked %q", err, asked)
				}
			})
		})
	}
}

func TestRTESaysHowFinalAValueIs(t *testing.T) {
	for _, test := range []struct {
		from string
		want usage.Quality
	}{
		{"2025-11-01T00:00:00Z", usage.QualityFinal},
		{"2026-11-01T00:00:00Z", usage.QualityProvisional},
		{"2026-12-01T00:00:00Z", usage.QualityProvisional},
	} {
		asOfJanuary(t, asItIs, func(t *testing.T, f *Feed, _ *grids.RTE) {
			slots, _, err := f.Slots(t.Context(), at(test.from), at(test.from).Add(time.Hour))
			if err != nil || len(slots) != 2 || slots[0].Quality != test.want || f.Terms().Basis.String() != "average direct production" {
				t.Errorf("%s: got %+v, %v", test.from, slots, err)
			}
		})
	}
}

func TestRTEHasBothListsOfARangeThatSpansThem(t *testing.T) {
	asOfJanuary(t, asItIs, func(t *testing.T, f *Feed, _ *grids.RTE) {
		slots, rejects, err := f.Slots(t.Context(), at(laterUntil).Add(-5*time.Hour), at(laterUntil).Add(5*time.Hour))
		if err != nil || len(rejects) > 0 || len(slots) != 20 {
			t.Errorf("got %d slots, %v, %v", len(slots), rejects, err)
		}
	})
}

func TestTheLaterListOfRTECounts(t *testing.T) {
	later := values("2026-06-01T12:00:00Z", 30*time.Minute, 50)
	live := values("2026-06-01T12:00:00Z", 15*time.Minute, 1, 2, 3, 4)
	slots, _ := halfHours(append(later, notYetIn(later, live)...), usage.Period{From: at("2026-06-01T12:00:00Z"), To: at("2026-06-01T13:00:00Z")}, now)
	if got := say(slots); got != "12:00 - 50, 12:30 - 3.5" {
		t.Errorf("got %s", got)
	}
}

func TestRTELeavesOpenWhatItDoesNotKnow(t *testing.T) {
	asOfJanuary(t, asItIs, func(t *testing.T, f *Feed, _ *grids.RTE) {
		slots, _, err := f.Slots(t.Context(), at("2027-01-10T09:00:00Z"), at("2027-01-10T12:00:00Z"))
		if err != nil || len(slots) != 2 || slots[1].From.Format("15:04") != "09:30" {
			t.Errorf("up to now: got %s, %v", say(slots), err)
		}
		if slots, _, err = f.Slots(t.Context(), at("2027-01-10T11:00:00Z"), at("2027-01-10T12:00:00Z")); err != nil || len(slots) != 0 {
			t.Errorf("nothing yet: got %s, %v", say(slots), err)
		}
	})
	// The second of two hours is missing, and the first is no longer for it.
	asOfJanuary(t, func(s *grids.RTE) { s.Blind = true }, func(t *testing.T, f *Feed, _ *grids.RTE) {
		slots, _, err := f.Slots(t.Context(), at("2026-10-24T23:00:00Z"), at("2026-10-25T03:00:00Z"))
		if got := say(slots); err != nil || len(slots) != 6 || strings.Contains(got, "01:") {
			t.Errorf("the doubled hour: got %s, %v", got, err)
		}
	})
}

func TestRTEOddAnswers(t *testing.T) {
	rows := func(rows ...string) string { return `{"total_count":0,"results":[` + strings.Join(rows, ",") + `]}` }
	row := func(time, value string) string {
		return `{"date_heure":"2026-06-01T` + time + `","taux_co2":` + value + `}`
	}
	for _, test := range []struct{ name, answer, want string }{
		{name: "nothing", want: "!not JSON"},
		{name: "an empty object", answer: `{}`, want: "!no results"},
		{name: "null", answer: `null`, want: "!no results"},
		{name: "an error with status 200", answer: `{"error_code":"ODSQLError","message":"bad"}`, want: "!no results"},
		{name: "a list", answer: `[]`, want: "!not JSON"},
		{name: "a word for rows", answer: `{"results":"none"}`, want: "!not JSON"},
		{name: "no rows", answer: rows()},
		{name: "nothing but null", answer: rows(row("12:00:00Z", "null"))},
		{name: "half hours", answer: rows(row("12:00:00Z", "20"), row("12:30:00Z", "40")), want: "12:00 - 20, 12:30 - 40"},
		{name: "in the time of Paris", answer: rows(row("14:00:00+02:00", "20"), row("14:30:00+02:00", "40")), want: "12:00 - 20, 12:30 - 40"},
		{name: "half hours between rows of nothing", answer: rows(row("12:00:00Z", "20"), row("12:15:00Z", "null"), row("12:30:00Z", "40"), row("12:45:00Z", "null")), want: "12:00 - 20, 12:30 - 40"},
		{name: "a quarter of nothing", answer: rows(row("12:00:00Z", "20"), row("12:15:00Z", "20"), row("12:30:00Z", "40"), row("12:45:00Z", "null")), want: "12:00 - 20"},
		{name: "no offset", answer: rows(row("12:00:00", "20"), row("12:30:00Z", "40")), want: "12:30 - 40"},
		{name: "a word", answer: rows(row("12:00:00Z", `"low"`), row("12:30:00Z", "40")), want: "12:30 - 40"},
		{name: "a number in quotes", answer: rows(row("12:00:00Z", `"20"`), row("12:30Z", "40")), want: "12:00 - 20, 12:30 - 40"},
		{name: "not a number", answer: rows(row("12:00:00Z", `NaN`), row("12:30:00Z", "40")), want: "12:30 - 40"},
		{name: "no row", answer: rows(`5`, `[]`, `{"date_heure":7,"taux_co2":1}`, row("12:30:00Z", "40")), want: "12:30 - 40"},
		{name: "below 0", answer: rows(row("12:00:00Z", "-1"), row("12:30:00Z", "40")), want: "12:30 - 40"},
		{name: "nothing usable", answer: rows(row("12:00:00Z", "-1")), want: "!1 intensity_value"},
		{name: "0 is a value", answer: rows(row("12:00:00Z", "0"), row("12:30:00Z", "40")), want: "12:00 - 0, 12:30 - 40"},
	} {
		t.Run(test.name, func(t *testing.T) {
			start := at("2027-01-10T12:00:00Z")
			wantOdd(t, &RTE{URL: "http://rte.test", Now: func() time.Time { return start }}, test.answer, test.want)
		})
	}
}

func FuzzRTE(f *testing.F) {
	f.Add([]byte(`{"total_count":1,"results":[{"date_heure":"2026-06-01T14:00:00+02:00","nature":"Données définitives","taux_co2":20}]}`))
	f.Add([]byte(`{"results":[{"date_heure":"2026-06-01T14:00:00Z","taux_co2":NaN},5,{"nature":7}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := readRTEPage(text)
		if err != nil {
			wantFailure(t, err, usage.ReasonMalformed)
		}
		wantSane(t, decodeRTE(p.rows, 15*time.Minute))
	})
}

func TestPagesEnd(t *testing.T) {
	for _, test := range []struct {
		name              string
		rows, total, asks int
		first, whole      bool // all pages are the first
	}{
		{name: "all", rows: 100, total: 1000, asks: 10, whole: true},
		{name: "a server that has no more", rows: 0, total: 1000, asks: 1},
		{name: "a server that never ends", rows: 1, total: 1000, asks: maxPages},
		{name: "no total and a page with room", rows: 99, total: -1, asks: 1, whole: true},
		{name: "no total and full pages", rows: 100, total: -1, asks: maxPages},
		{name: "a server that knows no second page", rows: 100, total: 1000, first: true, asks: 2},
	} {
		ask := 0
		get := func(n int) func([]byte) (page, error) {
			return func([]byte) (page, error) {
				ask++
				rows := make([]json.RawMessage, n)
				for i := range rows {
					rows[i] = json.RawMessage(strconv.Itoa(i))
					if !test.first {
						rows[i] = json.RawMessage(strconv.Itoa(ask*n + i))
					}
				}
				return page{rows: rows, total: test.total}, nil
			}
		}
		_, whole, err := allPages(t.Context(), func(_ context.Context, _ string, _ http.Header) ([]byte, error) { return nil, nil },
			100, func(int) string { return "" }, get(test.rows))
		if err != nil || whole != test.whole || ask != test.asks {
			t.Errorf("%s: %v, %v, %d requests", test.name, whole, err, ask)
		}
	}
}
