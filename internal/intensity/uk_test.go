// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestSlotsAreThoseThatBeginInTheRange(t *testing.T) {
	tests := []struct {
		name     string
		from, to string
		want     int
		asked    []string
	}{
		{
			name: "a single slot", from: "2026-06-01T12:00:00Z", to: "2026-06-01T12:30:00Z", want: 1,
			asked: []string{"/intensity/2026-06-01T12:01Z/2026-06-01T12:31Z"},
		},
		{name: "a piece of a slot has none that begins in it", from: "2026-06-01T12:05:00Z", to: "2026-06-01T12:10:00Z"},
		{
			name: "from and to inside of slots", from: "2026-06-01T12:05:00Z", to: "2026-06-01T13:10:00Z", want: 2,
			asked: []string{"/intensity/2026-06-01T12:31Z/2026-06-01T13:31Z"},
		},
		{
			name: "times of another zone", from: "2026-06-01T13:00:00+01:00", to: "2026-06-01T13:30:00+01:00", want: 1,
			asked: []string{"/intensity/2026-06-01T12:01Z/2026-06-01T12:31Z"},
		},
		{name: "nothing is asked for", from: "2026-06-01T12:00:00Z", to: "2026-06-01T12:00:00Z"},
		{name: "to before from", from: "2026-06-01T12:00:00Z", to: "2026-05-01T12:00:00Z"},
		{
			name: "thirteen days are one request", from: "2026-06-01T00:00:00Z", to: "2026-06-14T00:00:00Z", want: 13 * 48,
			asked: []string{"/intensity/2026-06-01T00:01Z/2026-06-14T00:01Z"},
		},
		{
			name: "a month is three", from: "2026-06-01T00:00:00Z", to: "2026-07-01T00:00:00Z", want: 30 * 48,
			asked: []string{
				"/intensity/2026-06-01T00:01Z/2026-06-14T00:01Z",
				"/intensity/2026-06-14T00:01Z/2026-06-27T00:01Z",
				"/intensity/2026-06-27T00:01Z/2026-07-01T00:01Z",
			},
		},
		{
			name: "over new year", from: "2026-12-31T22:00:00Z", to: "2027-01-01T02:00:00Z", want: 8,
			asked: []string{
				"/intensity/2026-12-31T22:01Z/2026-12-31T23:31Z", "/intensity/2027-01-01T00:00Z/2027-01-01T00:01Z",
				"/intensity/2027-01-01T00:01Z/2027-01-01T02:01Z",
			},
		},
		{
			name: "the last slot of a year", from: "2026-12-31T23:30:00Z", to: "2027-01-01T00:00:00Z", want: 1,
			asked: []string{"/intensity/2027-01-01T00:00Z/2027-01-01T00:01Z"},
		},
		{
			name: "the day London's clocks go forward has 48", from: "2026-03-29T00:00:00Z", to: "2026-03-30T00:00:00Z", want: 48,
			asked: []string{"/intensity/2026-03-29T00:01Z/2026-03-30T00:01Z"},
		},
		{
			name: "the day London's clocks go back has 48", from: "2026-10-25T00:00:00Z", to: "2026-10-26T00:00:00Z", want: 48,
			asked: []string{"/intensity/2026-10-25T00:01Z/2026-10-26T00:01Z"},
		},
		{
			name: "the day after has 48", from: "2026-10-26T00:00:00Z", to: "2026-10-27T00:00:00Z", want: 48,
			asked: []string{"/intensity/2026-10-26T00:01Z/2026-10-27T00:01Z"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			uk, api := behaving(t)
			slots, rejects, err := uk.Slots(t.Context(), at(test.from), at(test.to))
			if err != nil || len(rejects) != 0 {
				t.Fatalf("got %v, rejects %v", err, rejects)
			}
			if !slices.Equal(api.asked, test.asked) {
				t.Errorf("asked %q, want %q", api.asked, test.asked)
			}
			if n := uk.Requests(at(test.from), at(test.to)); n != len(test.asked) {
				t.Errorf("it says %d requests beforehand, want %d", n, len(test.asked))
			}
			if len(slots) != test.want {
				t.Fatalf("got %d slots, want %d", len(slots), test.want)
			}
			next := firstSlot(at(test.from))
			for _, s := range slots {
				if !s.From.Equal(next) || *s.Forecast != usage.GramsPerKWh(value(next)) || *s.Actual != *s.Forecast+1 {
					t.Fatalf("got %s, want the slot of %s", say([]usage.Slot{s}), next)
				}
				next = next.Add(usage.SlotLength)
			}
		})
	}
}

func TestTwoHalvesOfARangeAreTheWhole(t *testing.T) {
	uk, _ := behaving(t)
	from, to := at("2026-12-01T00:00:00Z"), at("2027-01-20T00:00:00Z")
	whole, _, err := uk.Slots(t.Context(), from, to)
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []time.Time{at("2026-12-13T23:30:00Z"), at("2026-12-31T23:45:00Z"), at("2027-01-01T00:00:00Z")} {
		first, _, errFirst := uk.Slots(t.Context(), from, cut)
		second, _, errSecond := uk.Slots(t.Context(), cut, to)
		if err := errors.Join(errFirst, errSecond); err != nil {
			t.Fatal(err)
		}
		if got, want := say(append(first, second...)), say(whole); got != want {
			t.Errorf("cut at %s: the halves are not the whole", cut)
		}
	}
}

func TestSlotSaysWhereItIsFrom(t *testing.T) {
	uk, _ := behaving(t)
	slots, _, err := uk.Slots(t.Context(), at("2026-06-01T12:00:00Z"), at("2026-06-01T12:30:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	if s := slots[0]; s.Provider != "uk" || s.Grid != "GB" || s.Index != "moderate" || !s.FetchedAt.Equal(now) {
		t.Errorf("got %+v", s)
	}
}

func TestRequestAsksForJSON(t *testing.T) {
	var accept string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		accept = r.Header.Get("Accept")
	}))
	t.Cleanup(s.Close)
	_, _, err := ukAt(t, s.URL).Outlook(t.Context(), now)
	wantFailure(t, err, usage.ReasonMalformed)
	if accept != "application/json" {
		t.Errorf("got %q", accept)
	}
}

func TestOutlookBeginsWithTheSlotOfNow(t *testing.T) {
	uk, api := behaving(t)
	slots, rejects, err := uk.Outlook(t.Context(), at("2026-06-01T12:10:00Z"))
	if err != nil || len(rejects) != 0 {
		t.Fatal(err, rejects)
	}
	if want := []string{"/intensity/2026-06-01T12:01Z/fw48h"}; !slices.Equal(api.asked, want) {
		t.Errorf("asked %q, want %q", api.asked, want)
	}
	if len(slots) != 96 || !slots[0].From.Equal(at("2026-06-01T12:00:00Z")) {
		t.Errorf("got %d slots, %s", len(slots), say(slots[:1]))
	}
}

func TestOutlookMayBeShort(t *testing.T) {
	uk, _ := behaving(t)
	slots, _, err := uk.Outlook(t.Context(), at("2026-12-31T12:00:00Z")) // the API stops before the new year
	if err != nil || len(slots) == 0 || len(slots) >= 96 {
		t.Errorf("got %d slots, %v", len(slots), err)
	}
}

func TestSlotsAroundAFailureAreKept(t *testing.T) {
	good := &api{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/2026-06-14") && strings.Contains(r.URL.Path, "/2026-06-27") {
			http.Error(w, `{"error":{"code":"500","message":"later"}}`, http.StatusInternalServerError)
			return
		}
		good.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	slots, rejects, err := ukAt(t, s.URL).Slots(t.Context(), at("2026-06-01T00:00:00Z"), at("2026-07-01T00:00:00Z"))
	f := wantFailure(t, err, usage.ReasonServer)
	if len(slots) != (13+4)*48 || rejects == nil || f.Permanent {
		t.Errorf("got %d slots, rejects %v, %v", len(slots), rejects, err)
	}
	if want := "carbon intensity of GB, 2026-06-14T00:01Z/2026-06-27T00:01Z: server_error: http status 500"; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got  %s\nwant %s...", err, want)
	}
	if len(good.asked) != 2 {
		t.Errorf("asked %q, want what is before and after the failure", good.asked)
	}
}

func TestBadRequestIsPermanent(t *testing.T) {
	uk := ukSaying(t, http.StatusBadRequest, `{"error":{"code":"400 Bad Request","message":"no"}}`)
	_, _, err := uk.Slots(t.Context(), at("2026-06-01T00:00:00Z"), at("2026-06-02T00:00:00Z"))
	if f := wantFailure(t, err, usage.ReasonBadRequest); !f.Permanent {
		t.Errorf("got %+v", f)
	}
}

func TestCancelledContextAsksNothing(t *testing.T) {
	uk, api := behaving(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := uk.Slots(ctx, at("2026-06-01T00:00:00Z"), at("2026-07-01T00:00:00Z"))
	if !errors.Is(err, context.Canceled) || len(api.asked) != 0 {
		t.Errorf("got %v after %q", err, api.asked)
	}
}

func TestURLOfTheConfiguration(t *testing.T) {
	uk, api := behaving(t)
	uk.URL += "//"
	if _, _, err := uk.Outlook(t.Context(), now); err != nil || !strings.HasPrefix(api.asked[0], "/intensity/") {
		t.Errorf("slashes at the end: got %v after %q", err, api.asked)
	}
	uk.URL = "http://user:sesame@bad host"
	_, _, err := uk.Outlook(t.Context(), now)
	if f := wantFailure(t, err, usage.ReasonBadRequest); !f.Permanent || strings.Contains(err.Error(), "sesame") {
		t.Errorf("not a url: got %v", err)
	}
}
