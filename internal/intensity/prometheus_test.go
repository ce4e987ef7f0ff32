// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// lookback is how long Prometheus shows a sample.
const lookback = 5 * time.Minute

// promServer answers query_range from the samples of one series. What is left out of it is in
// internal/e2e, where a real engine answers.
type promServer struct {
	samples []promSample // in order of time
	most    int          // more moments are too many; 0: 11 000
	asked   []url.Values
}

type promSample struct {
	at    time.Time
	value string // "stale": the series ended
}

func (s *promServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.asked = append(s.asked, q)
	number := func(key string) int64 { // in milliseconds
		n, err := strconv.ParseFloat(q.Get(key), 64)
		if err != nil {
			panic(err)
		}
		return int64(math.Round(n * 1000))
	}
	start, end, step := number("start"), number("end"), number("step")
	w.Header().Set("Content-Type", "application/json")
	if most := s.most; (end-start)/step+1 > 11000 || most > 0 && (end-start)/step+1 > int64(most) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprint(w, `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`)
		return
	}
	pairs := [][2]any{}
	for t := start; t <= end; t += step {
		if v, ok := s.at(time.UnixMilli(t)); ok {
			pairs = append(pairs, [2]any{float64(t) / 1000, v})
		}
	}
	result := []any{}
	if len(pairs) > 0 {
		result = append(result, map[string]any{"metric": map[string]string{"location": "FR"}, "values": pairs})
	}
	json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]any{"resultType": "matrix", "result": result}})
}

func (s *promServer) at(t time.Time) (string, bool) {
	i, found := slices.BinarySearchFunc(s.samples, t, func(s promSample, t time.Time) int { return s.at.Compare(t) })
	if !found {
		i--
	}
	if i < 0 || !s.samples[i].at.After(t.Add(-lookback)) || s.samples[i].value == "stale" {
		return "", false
	}
	return s.samples[i].value, true
}

// every samples a truth in the steps in which it is scraped.
func every(from, to time.Time, apart time.Duration, truth func(time.Time) float64) (samples []promSample) {
	for t := from; t.Before(to); t = t.Add(apart) {
		samples = append(samples, promSample{t, strconv.FormatFloat(truth(t), 'g', -1, 64)})
	}
	return samples
}

func promAt(t *testing.T, handler http.Handler, change func(*Prometheus)) *Feed {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	h := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(h.CloseIdleConnections)
	p := &Prometheus{URL: s.URL, Query: "grid_intensity", Unit: 1, Hold: time.Hour, Now: func() time.Time { return now }}
	if change != nil {
		change(p)
	}
	return &Feed{
		API: p, Name: "prometheus", GridName: "FR", Basis: usage.Basis{Emissions: usage.Lifecycle}, Now: p.Now,
		Upstream: &upstream.Client{HTTP: h, UserAgent: "test", Timeout: 30 * time.Second, MaxBytes: 32 << 20},
	}
}

// hourOfDay is a truth that is another each hour.
func hourOfDay(t time.Time) float64 { return 100 + 3*float64(t.Unix()/3600%24) }

func TestEveryHalfHourOfASeriesIsTheTruth(t *testing.T) {
	for _, around := range []string{"2026-02-27T22:30:00Z", "2024-02-28T23:00:00Z", "2025-12-30T11:30:00Z", "2026-03-28T00:00:00Z"} {
		from := at(around)
		to := from.Add(9*24*time.Hour + 30*time.Minute)
		for _, test := range []struct {
			name  string
			apart time.Duration
		}{{"a gauge", time.Minute}, {"a gauge that is scraped rarely", 4 * time.Minute}, {"a sample an hour", time.Hour}} {
			t.Run(around+" "+test.name, func(t *testing.T) {
				s := &promServer{samples: every(from.Add(-time.Hour).Truncate(time.Hour), to, test.apart, hourOfDay)}
				f := promAt(t, s, nil)
				slots, rejects, err := f.Slots(t.Context(), from, to)
				if want := int(to.Sub(from) / usage.SlotLength); len(slots) != want || len(rejects) != 0 || err != nil {
					t.Fatalf("got %d slots, %v, %v, want %d", len(slots), rejects, err, want)
				}
				for _, slot := range slots {
					if want := hourOfDay(slot.From); math.Abs(float64(*slot.Actual)-want) > 1e-9 {
						t.Errorf("%s: got %v, want %v", slot.From, *slot.Actual, want)
					}
				}
				if len(s.asked) != 2 {
					t.Errorf("%d requests for nine days, want 2", len(s.asked))
				}
			})
		}
	}
}

func TestRequestAsksForEveryMinute(t *testing.T) {
	s := &promServer{}
	f := promAt(t, s, func(p *Prometheus) { p.Query, p.URL = `avg(x{a="b"})`, p.URL+"/prom/" })
	_, _, err := f.Slots(t.Context(), at("2027-01-31T00:00:00Z"), at("2027-02-01T00:00:00Z"))
	wantFailure(t, err, usage.ReasonMalformed)
	if len(s.asked) != 1 {
		t.Fatalf("%d requests for a day", len(s.asked))
	}
	q := s.asked[0]
	if q.Get("query") != `avg(x{a="b"})` || q.Get("step") != "60" || q.Get("partial_response") != "false" ||
		q.Get("start") != queryTime(at("2027-01-30T23:00:59.999Z")) || q.Get("end") != queryTime(at("2027-01-31T23:59:59.999Z")) || !strings.HasSuffix(q.Get("end"), ".999") {
		t.Errorf("asked %v", q)
	}
	if f.Requests(at("2026-12-01T00:00:00Z"), at("2027-02-01T00:00:00Z")) != 9 {
		t.Error("two months are not nine weeks")
	}
}

func TestAnswerOfTheLongestRangeIsNotTooMany(t *testing.T) {
	from := at("2027-01-20T00:00:00Z")
	s := &promServer{samples: every(from, from.Add(7*24*time.Hour), time.Hour, hourOfDay)}
	f := promAt(t, s, func(p *Prometheus) { p.Hold = MaxHold })
	slots, _, err := f.Slots(t.Context(), from, from.Add(7*24*time.Hour))
	if len(slots) != 7*48 || len(s.asked) != 1 || err != nil {
		t.Errorf("got %d slots in %d requests, %v", len(slots), len(s.asked), err)
	}
}

func TestWhatIsTooMuchAtOnceIsAskedInHalves(t *testing.T) {
	from := at("2027-01-20T00:00:00Z")
	for _, test := range []struct {
		name                  string
		most, slots, requests int
	}{
		{"two days at once", 2 * 1440, 7 * 48, 7},
		{"a day at once", 1440 + 60, 7 * 48, 15},
		{"an hour at once", 60, 0, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &promServer{samples: every(from, from.Add(7*24*time.Hour), time.Minute, hourOfDay), most: test.most}
			slots, _, err := promAt(t, s, nil).Slots(t.Context(), from, from.Add(7*24*time.Hour))
			if len(slots) != test.slots || len(s.asked) != test.requests || (err == nil) != (test.slots > 0) {
				t.Errorf("got %d slots in %d requests, %v, want %d in %d", len(slots), len(s.asked), err, test.slots, test.requests)
			}
			if test.slots == 0 && !strings.Contains(usage.Cause(err), "it says: execution: query processing would load too many samples") {
				t.Errorf("got %q", usage.Cause(err))
			}
		})
	}
}

func TestAValueHoldsUntilTheNext(t *testing.T) {
	noon := at("2026-06-01T12:00:00Z")
	after := func(d time.Duration, value string) promSample { return promSample{noon.Add(d), value} }
	for _, test := range []struct {
		name    string
		samples []promSample
		hold    time.Duration
		want    string
	}{
		{"a sample before the range", []promSample{after(-time.Hour+6*time.Minute, "100")}, time.Hour, ""},
		{"a sample before the range that covers a half hour", []promSample{after(-20*time.Minute, "100")}, time.Hour, "12:00 - 100"},
		{"one that is older than it holds", []promSample{after(-2*time.Hour, "100"), after(31*time.Minute, "7")}, time.Hour, "13:00 - 7"},
		{"a longer hold", []promSample{after(-2*time.Hour, "100")}, 4 * time.Hour, "12:00 - 100, 12:30 - 100, 13:00 - 100, 13:30 - 100"},
		{"no hold, and a sample each five minutes", every(noon, noon.Add(time.Hour), 5*time.Minute, func(time.Time) float64 { return 9 }), 0, "12:00 - 9, 12:30 - 9"},
		{"no hold, and a sample each seven minutes", every(noon, noon.Add(time.Hour), 7*time.Minute, func(time.Time) float64 { return 9 }), 0, ""},
		{"a gap that a value bridges", []promSample{after(0, "10"), after(20*time.Minute, "40")}, 15 * time.Minute, "12:00 - 20"},
		{"a gap that is too long", []promSample{after(0, "10"), after(20*time.Minute, "40"), after(35*time.Minute, "40")}, 14 * time.Minute, ""},
		{"a series that ended is a gap", []promSample{after(0, "10"), after(time.Minute, "stale"), after(15*time.Minute, "30")}, time.Hour, "12:00 - 20, 12:30 - 30"},
		{"a value that is none is a gap", []promSample{after(0, "10"), after(time.Minute, "NaN"), after(15*time.Minute, "30")}, time.Hour, "12:00 - 20, 12:30 - 30"},
		{"0 is a value", []promSample{after(0, "0")}, time.Hour, "12:00 - 0, 12:30 - 0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := promAt(t, &promServer{samples: test.samples}, func(p *Prometheus) { p.Hold = test.hold })
			slots, _, err := f.Slots(t.Context(), noon, noon.Add(2*time.Hour))
			if got := say(slots); got != test.want || (err != nil) != (len(test.samples) == 0) {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestTheMinuteOfNowIsNotOver(t *testing.T) {
	noon := at("2026-06-01T12:00:00Z")
	s := &promServer{samples: every(noon.Add(-time.Hour), noon.Add(2*time.Hour), time.Minute, hourOfDay)}
	for _, test := range []struct{ now, want string }{
		{"2026-06-01T12:00:20Z", ""},
		{"2026-06-01T12:29:59Z", ""},
		{"2026-06-01T12:30:00Z", "12:00 - 136"},
		{"2026-06-01T13:00:59Z", "12:00 - 136, 12:30 - 136"},
		{"2026-06-01T11:00:00Z", ""}, // the clock was set back
		{"2020-06-01T11:00:00Z", ""},
	} {
		f := promAt(t, s, func(p *Prometheus) { p.Now = func() time.Time { return at(test.now) } })
		if slots, _, _ := f.Slots(t.Context(), noon, noon.Add(time.Hour)); say(slots) != test.want {
			t.Errorf("at %s: got %q, want %q", test.now, say(slots), test.want)
		}
	}
}

func TestUnitsOfASeries(t *testing.T) {
	noon := at("2026-06-01T12:00:00Z")
	for unit, want := range map[string]string{"g/kWh": "12:00 - 0.5", "kg/kWh": "12:00 - 500", "kg/MWh": "12:00 - 0.5", "t/MWh": "12:00 - 500", "lb/MWh": "12:00 - 0.226796185"} {
		f := promAt(t, &promServer{samples: []promSample{{noon, "0.5"}}}, func(p *Prometheus) { p.Unit = usage.IntensityUnits[unit] })
		slots, _, err := f.Slots(t.Context(), noon, noon.Add(30*time.Minute))
		if say(slots) != want || err != nil {
			t.Errorf("%s: got %s, %v, want %s", unit, say(slots), err, want)
		}
	}
	if len(usage.IntensityUnits) != 5 {
		t.Error("not every unit is tested")
	}
}

func TestTermsOfASeriesAreTheOperators(t *testing.T) {
	f := promAt(t, &promServer{}, nil)
	if terms := f.Terms(); terms.Basis.String() != usage.Lifecycle || terms.Forecasts || terms.Credit != "" {
		t.Errorf("got %+v", terms)
	}
	if slots, _, err := f.Outlook(t.Context(), now); len(slots) != 0 || err != nil {
		t.Errorf("got %v, %v", slots, err)
	}
	if answer, err := f.API.Outlook(t.Context(), nil, now, now); len(answer.Values) != 0 || err != nil {
		t.Errorf("got %v, %v", answer, err)
	}
}

func TestAnErrorOfASeriesShowsNoPassword(t *testing.T) {
	f := promAt(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		http.Error(w, "no: "+user+" "+password+" "+r.Header.Get("Authorization"), http.StatusBadRequest)
	}), func(p *Prometheus) { p.URL = strings.Replace(p.URL, "://", "://carbon:hunter2hunter2@", 1) })
	_, _, err := f.Slots(t.Context(), now.Add(-24*time.Hour), now)
	wantFailure(t, err, usage.ReasonBadRequest)
	if text := fmt.Sprintf("%v %+v %s", err, err, usage.Cause(err)); strings.Contains(text, "hunter2") || !strings.Contains(text, "run it in the server's own page") {
		t.Errorf("got %s", text)
	}
	f.API.(*Prometheus).URL = "http://carbon:hunter2hunter2@[::1"
	if _, _, err = f.Slots(t.Context(), now.Add(-time.Hour), now); strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

// TestJoinedMinutesAreFewAndShort: a constant is a value for each half hour, and no value is longer.
func TestJoinedMinutesAreFewAndShort(t *testing.T) {
	all := joined(slices.Repeat([]usage.GramsPerKWh{7}, 24*60), at("2026-06-01T00:10:00Z"))
	if len(all) != 49 {
		t.Errorf("a day of one value is %d values, want 49", len(all))
	}
	lengths := map[time.Duration]int{}
	for _, v := range all {
		lengths[v.To.Sub(v.From)]++
	}
	if want := map[time.Duration]int{20 * time.Minute: 1, 30 * time.Minute: 47, 10 * time.Minute: 1}; !maps.Equal(lengths, want) {
		t.Errorf("got %v, want %v", lengths, want)
	}
}
