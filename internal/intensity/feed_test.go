// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// plain is an API whose answers are the times asked for, a number for each hour.
type plain struct {
	url   string
	terms usage.Terms
	read  func(text string, from, to time.Time) (Answer, error)
}

func (p plain) Terms() usage.Terms { return p.terms }

func (p plain) Values(ctx context.Context, get Get, from, to time.Time) (Answer, error) {
	text, err := get(ctx, p.url+"?from="+from.Format(time.RFC3339)+"&to="+to.Format(time.RFC3339), http.Header{"Auth-Token": {"t"}})
	if err != nil {
		return Answer{}, err
	}
	return p.read(string(text), from, to)
}

func (p plain) Outlook(ctx context.Context, get Get, from, to time.Time) (Answer, error) {
	return p.Values(ctx, get, from, to)
}

// hourly has the number 100 for each hour.
func hourly(_ string, from, to time.Time) (Answer, error) {
	var a Answer
	for at := from.Truncate(time.Hour); at.Before(to); at = at.Add(time.Hour) {
		a.Values = append(a.Values, Value{From: at, To: at.Add(time.Hour), Intensity: 100, Kind: usage.Actual})
	}
	return a, nil
}

func feedAt(t *testing.T, api plain, handle http.HandlerFunc) *Feed {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	api.url = s.URL
	h := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(h.CloseIdleConnections)
	return &Feed{
		API: api, Name: "some", GridName: "FR", Now: func() time.Time { return now },
		Upstream: &upstream.Client{HTTP: h, UserAgent: "test", Timeout: 30 * time.Second, MaxBytes: 1 << 20},
	}
}

func TestFeedAsksInPiecesThatTheAPIAllows(t *testing.T) {
	var asked []string
	f := feedAt(t, plain{read: hourly, terms: usage.Terms{Longest: 10 * 24 * time.Hour, Basis: usage.Basis{Signal: usage.Average}}}, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("from")+" "+r.URL.Query().Get("to")+" "+r.Header.Get("Auth-Token"))
		io.WriteString(w, "{}")
	})
	f.Basis = usage.Basis{Signal: usage.Marginal, Emissions: usage.Lifecycle}
	from, to := at("2026-12-25T00:10:00Z"), at("2027-01-10T00:00:00Z")
	slots, rejects, err := f.Slots(t.Context(), from, to)
	if want := int(to.Sub(from) / usage.SlotLength); len(slots) != want || len(rejects) != 0 || err != nil {
		t.Fatalf("got %d slots, %v, %v, want %d", len(slots), rejects, err, want)
	}
	want := "2026-12-25T00:30:00Z 2027-01-04T00:30:00Z t\n2027-01-04T00:30:00Z 2027-01-10T00:00:00Z t"
	if got := strings.Join(asked, "\n"); got != want || f.Requests(from, to) != 2 {
		t.Errorf("asked\n%s\nwant\n%s", got, want)
	}
	if f.Grain() != time.Hour {
		t.Errorf("the values are of %s", f.Grain())
	}
	s := slots[0]
	if s.Provider != "some" || s.Grid != "FR" || s.Basis.String() != "average lifecycle" || !s.FetchedAt.Equal(now) {
		t.Errorf("got %+v", s)
	}
}

func TestAnAnswerThatIsRefusedAsAWholeIsAFailure(t *testing.T) {
	for _, test := range []struct {
		name, want string
		read       func(string, time.Time, time.Time) (Answer, error)
	}{
		{name: "days", want: "none of the 1 slots of the answer can be used: 1 intensity_slot_length", read: func(_ string, from, _ time.Time) (Answer, error) {
			return Answer{Values: []Value{{From: from, To: from.Add(24 * time.Hour), Intensity: 1, Kind: usage.Actual}}}, nil
		}},
		{name: "nothing", want: "none of the 0 slots", read: func(string, time.Time, time.Time) (Answer, error) { return Answer{}, nil }},
		{name: "other times", want: "2 intensity_time", read: func(string, time.Time, time.Time) (Answer, error) {
			return Answer{Rejects: usage.Rejects{RejectTime: 2}}, nil
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := feedAt(t, plain{read: test.read}, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") })
			slots, _, err := f.Slots(t.Context(), at("2026-06-01T12:00:00Z"), at("2026-06-01T13:00:00Z"))
			wantFailure(t, err, usage.ReasonMalformed)
			if len(slots) != 0 || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "carbon intensity of FR from some, 2026-06-01T12:00Z/2026-06-01T13:00Z") {
				t.Errorf("got %s, %v", say(slots), err)
			}
		})
	}
}

func TestAHalfHourThatIsNotYetWholeIsNoFailure(t *testing.T) {
	f := feedAt(t, plain{read: func(_ string, from, _ time.Time) (Answer, error) {
		return Answer{Values: values(from.Format(time.RFC3339), 5*time.Minute, 1, 2)}, nil
	}}, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") })
	slots, rejects, err := f.Slots(t.Context(), at("2026-06-01T12:00:00Z"), at("2026-06-01T12:30:00Z"))
	if len(slots) != 0 || len(rejects) != 0 || err != nil {
		t.Errorf("got %s, %v, %v", say(slots), rejects, err)
	}
}

func TestAProviderThatKnowsNothingYetIsNoFailure(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer Answer
		fails  bool
	}{
		{name: "nothing at all", answer: Answer{Nothing: true}},
		{name: "nothing, but for what cannot be read", answer: Answer{Nothing: true, Rejects: usage.Rejects{RejectValue: 1}}, fails: true},
	} {
		f := feedAt(t, plain{read: func(string, time.Time, time.Time) (Answer, error) { return test.answer, nil }},
			func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") })
		slots, _, err := f.Slots(t.Context(), at("2026-06-01T12:00:00Z"), at("2026-06-01T12:30:00Z"))
		if len(slots) != 0 || (err != nil) != test.fails {
			t.Errorf("%s: got %s, %v", test.name, say(slots), err)
		}
	}
}

func TestFeedWithoutForecastsIsNotAskedForAny(t *testing.T) {
	f := feedAt(t, plain{}, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	if slots, _, err := f.Outlook(t.Context(), now); len(slots) != 0 || err != nil {
		t.Errorf("got %v, %v", slots, err)
	}
}

func TestFeedStopsAtAnOutage(t *testing.T) {
	n := 0
	f := feedAt(t, plain{read: hourly, terms: usage.Terms{Longest: 24 * time.Hour}}, func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 2 {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		io.WriteString(w, "{}")
	})
	slots, _, err := f.Slots(t.Context(), at("2026-06-01T00:00:00Z"), at("2026-06-05T00:00:00Z"))
	if failed := wantFailure(t, err, usage.ReasonRateLimited); len(slots) != 48 || failed.RetryAfter != time.Minute || n != 2 {
		t.Errorf("got %d slots after %d requests, %v", len(slots), n, err)
	}
}

// idle answers at once, without a connection.
type idle struct{}

func (idle) Do(*http.Request) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("{}")), nil
}
func (idle) Failed(_ string, err error) error { return err }
func (idle) Text(text string) string          { return text }

func TestFeedLeavesTheGapThatTheAPILikes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &Feed{API: plain{url: "http://grid.test", read: hourly, terms: usage.Terms{Longest: 24 * time.Hour, Gap: 8 * time.Second}}, Upstream: idle{}, Now: time.Now}
		began := time.Now()
		from := began.Add(-5 * 24 * time.Hour)
		if _, _, err := f.Slots(t.Context(), from, from.Add(4*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 24*time.Second {
			t.Errorf("four requests took %s, want three gaps of 8 s", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := f.Slots(ctx, from, from.Add(time.Hour)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}
