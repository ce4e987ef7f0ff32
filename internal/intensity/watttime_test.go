// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate/grids"
	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const wattTimePassword = "hunter2-of-WattTime"

// wattTimeFeed is a feed of an imitated server, with the client that the program makes.
func wattTimeFeed(t *testing.T) (*Feed, *WattTime, *grids.WattTime, *time.Time) {
	t.Helper()
	clock := now
	server := &grids.WattTime{
		Server:   grids.Server{Now: func() time.Time { return clock }, Truth: fiveMinutes},
		Username: "carbon", Password: wattTimePassword, Region: "CAISO_NORTH", Model: "2026-03-01",
	}
	s := httptest.NewServer(server)
	t.Cleanup(s.Close)
	client := config.DefaultHTTPClientConfig
	client.BasicAuth = &config.BasicAuth{Username: "carbon", Password: wattTimePassword}
	h, err := upstream.NewHTTPClient(client, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.CloseIdleConnections)
	api := &WattTime{URL: s.URL, Region: "CAISO_NORTH"}
	return &Feed{
		API: api, Name: "watttime", GridName: "CAISO_NORTH", Now: func() time.Time { return clock },
		Upstream: &upstream.Client{HTTP: h, UserAgent: "test", Timeout: 30 * time.Second, MaxBytes: 32 << 20, Scrubber: upstream.NewScrubber(client)},
	}, api, server, &clock
}

func TestWattTimeHasEachSlotOfAnyStretch(t *testing.T) {
	for _, s := range spansOfTime {
		for signal, factor := range map[string]usage.GramsPerKWh{WattTimeAverage: 1, WattTimeMarginal: 2} {
			t.Run(s.name+" of "+signal, func(t *testing.T) {
				feed, api, _, _ := wattTimeFeed(t)
				api.Signal = signal
				slots, rejects, err := feed.Slots(t.Context(), at(s.from), at(s.to))
				if err != nil || len(rejects) > 0 {
					t.Fatalf("%v, %v", rejects, err)
				}
				wantEachSlot(t, slots, at(s.from), at(s.to), 5*time.Minute, factor)
				if got, want := slots[0].Basis.String(), map[usage.GramsPerKWh]string{1: "average direct", 2: "marginal direct"}[factor]; got != want {
					t.Errorf("the basis is %s, want %s", got, want)
				}
			})
		}
	}
}

func TestWattTimeOfNow(t *testing.T) {
	feed, _, server, _ := wattTimeFeed(t)
	server.Imputed = func(t time.Time) bool { return t.Equal(at("2027-01-31T23:10:00Z")) }
	slots, rejects, err := feed.Slots(t.Context(), at("2027-01-31T22:30:00Z"), at("2027-02-01T00:30:00Z"))
	if err != nil || len(rejects) > 0 || len(slots) != 3 {
		t.Fatalf("%s, %v, %v", say(slots), rejects, err)
	}
	for i, want := range []usage.Quality{"", usage.QualityEstimated, ""} {
		if slots[i].Quality != want {
			t.Errorf("slot %d is %q, want %q", i, slots[i].Quality, want)
		}
	}
	if slots, rejects, err := feed.Slots(t.Context(), at("2027-02-01T00:30:00Z"), at("2027-02-01T01:00:00Z")); err != nil || len(slots)+len(rejects) > 0 {
		t.Errorf("what is not there yet: %s, %v, %v", say(slots), rejects, err)
	}
}

func TestWattTimeLogsInSeldom(t *testing.T) {
	feed, _, server, clock := wattTimeFeed(t)
	ask := func(span time.Duration) {
		t.Helper()
		if _, _, err := feed.Slots(t.Context(), clock.Add(-span), *clock); err != nil {
			t.Fatal(err)
		}
	}
	ask(day)
	if n := len(server.Requests()); n != 2 || feed.Requests(clock.Add(-day), *clock) != 1 {
		t.Errorf("a day took %d requests", n)
	}
	ask(62 * day)
	if server.Logins() != 1 || len(server.Requests()) != 4 {
		t.Errorf("%d logins, %d requests", server.Logins(), len(server.Requests()))
	}
	*clock = clock.Add(31 * time.Minute)
	ask(day)
	if server.Logins() != 2 || len(server.Requests()) != 7 {
		t.Errorf("after half an hour: %d logins, %d requests", server.Logins(), len(server.Requests()))
	}
}

func TestWattTimeForecasts(t *testing.T) {
	feed, _, server, _ := wattTimeFeed(t)
	if slots, _, err := feed.Outlook(t.Context(), now); len(slots) != 0 || err != nil || feed.Terms().Forecasts {
		t.Errorf("of an average that has none: %d slots, %v", len(slots), err)
	}
	asked := len(server.Requests())
	if _, _, err := feed.Outlook(t.Context(), now); err != nil || len(server.Requests()) != asked {
		t.Errorf("asked again, %v", err)
	}
	feed, api, server, _ := wattTimeFeed(t)
	server.AverageForecasts = true
	for _, signal := range []string{WattTimeAverage, WattTimeMarginal} {
		api.Signal = signal
		slots, rejects, err := feed.Outlook(t.Context(), now)
		if err != nil || len(rejects) > 0 || len(slots) != 95 || slots[0].Actual != nil || slots[0].Forecast == nil || slots[0].Quality != "" {
			t.Errorf("%s: %d slots, %v, %v", signal, len(slots), rejects, err)
		}
	}
}

func TestWattTimeFailures(t *testing.T) {
	for _, test := range []struct {
		name, reason, cause string
		permanent           bool
		change              func(*WattTime, *grids.WattTime)
	}{
		{name: "another password", reason: usage.ReasonAuth, permanent: true, cause: "WattTime does not take the account: correct basic_auth", change: func(_ *WattTime, s *grids.WattTime) { s.Password = "other" }},
		{name: "a region of another plan", reason: usage.ReasonAuth, permanent: true, cause: "not co2_aoer of region PJM_DC", change: func(w *WattTime, _ *grids.WattTime) { w.Region = "PJM_DC" }},
		{name: "another region", reason: usage.ReasonMalformed, permanent: true, cause: "WattTime answers with co2_aoer of region PJM_DC in place of co2_aoer of CAISO_NORTH", change: func(_ *WattTime, s *grids.WattTime) { s.Other = "PJM_DC" }},
		{name: "another unit", reason: usage.ReasonMalformed, permanent: true, cause: "only pounds per MWh can be read", change: func(_ *WattTime, s *grids.WattTime) { s.Units = "percentile" }},
		{name: "a hiccup", reason: usage.ReasonServer, change: func(_ *WattTime, s *grids.WattTime) { s.Failing = 1 }},
		{name: "an outage", reason: usage.ReasonConnection, change: func(_ *WattTime, s *grids.WattTime) { s.Break(grids.Dead) }},
		{name: "too many logins", reason: usage.ReasonRateLimited, change: func(_ *WattTime, s *grids.WattTime) { s.Break(http.StatusTooManyRequests) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			feed, api, server, _ := wattTimeFeed(t)
			test.change(api, server)
			slots, _, err := feed.Slots(t.Context(), at("2027-01-10T00:00:00Z"), at("2027-01-11T00:00:00Z"))
			f := wantFailure(t, err, test.reason)
			if len(slots) > 0 || f.Permanent != test.permanent || !strings.Contains(f.Cause, test.cause) {
				t.Errorf("got %d slots, %+v", len(slots), f)
			}
		})
	}
}

func TestWattTimeShowsNeitherPasswordNorToken(t *testing.T) {
	for _, answer := range []string{
		`{"token":"t0ken-to-hide"}`, `{"token":"t0ken-to-hide\n"}`, `{"tokens":["t0ken-to-hide"]}`, `t0ken-to-hide`, `{"token":7,"was":"t0ken-to-hide"}`,
	} {
		feed, api, _, _ := wattTimeFeed(t)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				fmt.Fprint(w, answer)
				return
			}
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, "what is %s %s", r.Header.Get("Authorization"), wattTimePassword)
		}))
		t.Cleanup(s.Close)
		api.URL = s.URL + "/v3/"
		_, _, err := feed.Slots(t.Context(), at("2027-01-10T00:00:00Z"), at("2027-01-11T00:00:00Z"))
		if text := fmt.Sprintf("%v %+v", err, usage.FailureOf(err)); err == nil || strings.Contains(text, "t0ken") || strings.Contains(text, "hunter2") {
			t.Errorf("%s: %s", answer, text)
		}
	}
}

func TestWattTimeSaysThatItsModelIsNew(t *testing.T) {
	feed, _, server, _ := wattTimeFeed(t)
	from, to := at("2027-01-10T00:00:00Z"), at("2027-01-10T00:30:00Z")
	var values []usage.GramsPerKWh
	for i, model := range []string{"2026-03-01", "2026-03-01", "2027-01-15", "soon"} {
		server.Model, server.Bias = model, float64(i)
		slots, _, err := feed.Slots(t.Context(), from, to)
		if err != nil || len(slots) != 1 {
			t.Fatalf("%s, %v", say(slots), err)
		}
		values = append(values, *slots[0].Actual)
		if got := feed.Remarks(); (len(got) > 0) != (i == 2) || i == 2 && !strings.Contains(got[0], "a new model, of 2027-01-15,") {
			t.Errorf("model %s: %q", model, got)
		}
	}
	if values[2] == values[1] {
		t.Errorf("the past is still %v", values)
	}
}

// wattTimeOdd are answers as servers, proxies and mistakes make them.
var wattTimeOdd = []struct {
	name, text string
	want       string
	rejects    usage.Rejects
	fails      string
}{
	{name: "pounds", text: wattTimeText(`{"point_time":"2026-06-01T12:00:00Z","value":1000,"last_updated":"2026-06-02T00:00:00Z"}`, ``), want: "12:00/5 453.59237"},
	{name: "another offset, in quarters", text: wattTimeText(`{"point_time":"2026-06-01T05:00:00-07:00","value":0}`, `"data_point_period_seconds":"900",`), want: "12:00/15 0"},
	{name: "filled in", text: wattTimeText(`{"point_time":"2026-06-01T12:00:00+00:00","value":1000,"imputed_data_used":true}`, ``), want: "12:00/5 453.59237 estimated"},
	{name: "not known yet", text: wattTimeText(`{"point_time":"2026-06-01T12:00:00Z","value":null}`, ``), want: "nothing"},
	{name: "no values", text: wattTimeText(``, ``), want: "nothing"},
	{
		name: "each bad value spoils itself", rejects: usage.Rejects{RejectTime: 2, RejectValue: 3}, want: "12:05/5 453.59237",
		text: wattTimeText(`{"point_time":"soon","value":1},{"value":1},{"point_time":"2026-06-01T12:00:00Z","value":"low"},{"point_time":"2026-06-01T12:00:00Z","value":NaN},[],{"point_time":"2026-06-01T12:05:00Z","value":1000}`, ``),
	},
	{
		name: "a time twice", rejects: usage.Rejects{RejectDuplicate: 1}, want: "12:00/5 453.59237",
		text: wattTimeText(`{"point_time":"2026-06-01T12:00:00Z","value":1000,"last_updated":"2026-06-03T00:00:00Z"},{"point_time":"2026-06-01T12:00:00Z","value":1,"last_updated":"2026-06-02T00:00:00Z"}`, ``),
	},
	{name: "nothing", text: `{}`, fails: "no list of values"},
	{name: "no text", text: ``, fails: "not JSON"},
	{name: "an error", text: `{"error":"Internal","message":"try again"}`, fails: "try again"},
	{name: "no meta", text: `{"data":[{"point_time":"2026-06-01T12:00Z","value":"1000"}]}`, want: "12:00/5 453.59237"},
	{name: "no meta, in hours", text: `{"data":[{"point_time":"2026-06-01T14:00:00Z","value":0},{"point_time":"2026-06-01T13:00:00Z","value":null},{"point_time":"2026-06-01T12:00:00Z","value":1000}]}`, want: "12:00/60 453.59237, 14:00/60 0"},
	{name: "another region and no signal", text: `{"data":[],"meta":{"region":"PJM_DC"}}`, fails: "got co2_aoer of region PJM_DC"},
	{name: "the other signal", text: strings.Replace(wattTimeText(``, ``), "co2_aoer", "co2_moer", 1), fails: "asked for co2_aoer of region CAISO_NORTH and got co2_moer of region CAISO_NORTH"},
	{name: "kilograms", text: strings.Replace(wattTimeText(``, ``), "lbs_co2_per_mwh", "kg_co2_per_mwh", 1), fails: "the values are in kg_co2_per_mwh"},
}

func wattTimeText(values, meta string) string {
	return `{"data":[` + values + `],"meta":{` + meta + `"region":"CAISO_NORTH","signal_type":"co2_aoer","units":"lbs_co2_per_mwh","model":{"date":"2026-03-01"}}}`
}

func TestWattTimeAnswers(t *testing.T) {
	for _, test := range wattTimeOdd {
		t.Run(test.name, func(t *testing.T) {
			a, _, err := decodeWattTime([]byte(test.text), "CAISO_NORTH", WattTimeAverage, usage.Actual)
			if test.fails != "" {
				if wantFailure(t, err, usage.ReasonMalformed); !strings.Contains(err.Error(), test.fails) || len(a.Values) > 0 {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || saysAnswer(a) != test.want || !maps.Equal(a.Rejects, test.rejects) && len(a.Rejects)+len(test.rejects) > 0 {
				t.Errorf("got %s, %v, %v", saysAnswer(a), a.Rejects, err)
			}
		})
	}
}

// FuzzWattTime holds an answer to what Feed relies on: each value that it does not refuse is sane,
// and there are no more than objects.
func FuzzWattTime(f *testing.F) {
	for _, test := range wattTimeOdd {
		f.Add([]byte(test.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		decodeWattTimeLogin(text)
		a, _, err := decodeWattTime(text, "CAISO_NORTH", WattTimeAverage, usage.Actual)
		if err != nil {
			wantFailure(t, err, usage.ReasonMalformed)
			return
		}
		if n := strings.Count(string(text), "{"); len(a.Values) > n {
			t.Errorf("made %d values of %d objects", len(a.Values), n)
		}
		for _, v := range a.Values {
			if reason := refuse(v, at("2026-06-02T00:00:00Z")); reason == "" && (!v.From.Before(v.To) || v.From.IsZero() || v.Kind != usage.Actual) {
				t.Errorf("takes %+v", v)
			}
		}
	})
}
