// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestAnswersThatAreNone(t *testing.T) {
	tests := []struct{ name, answer string }{
		{name: "nothing", answer: ``},
		{name: "empty object", answer: `{}`},
		{name: "null", answer: `null`},
		{name: "no slots", answer: `{"data":[]}`},
		{name: "null for slots", answer: `{"data":null}`},
		{name: "object for slots", answer: `{"data":{"from":"2026-06-01T12:00Z"}}`},
		{name: "word for slots", answer: `{"data":"none"}`},
		{name: "array", answer: `[1,2]`},
		{name: "html", answer: "<!DOCTYPE html>\n<html><body>Under maintenance</body></html>"},
		{name: "cut in the middle", answer: `{"data":[{"from":"2026-06-01T12:00Z","to":"2026-06-01T12:30Z","intensity":{"fore`},
		{name: "cut in a string", answer: `{"data":[{"from":"2026-06`},
		{name: "cut behind a backslash", answer: `{"data":[{"from":"\`},
		{name: "cut before the last brace", answer: `{"data":[{"from":"2026-06-01T12:00Z","to":"2026-06-01T12:30Z","intensity":{"forecast":1}}]`},
		{name: "more behind the end", answer: `{"data":[{"from":"2026-06-01T12:00Z","to":"2026-06-01T12:30Z","intensity":{"forecast":1}}]}}`},
		{name: "error with status 200", answer: `{"error":{"code":"500","message":"There was an\nerror"}}`},
		{name: "error beside slots", answer: `{"data":[{"from":"2026-06-01T12:00Z","to":"2026-06-01T12:30Z","intensity":{"forecast":1}}],"error":"partial"}`},
	}
	for _, test := range tests {
		for _, region := range []int{0, 13} {
			uk := ukSaying(t, http.StatusOK, test.answer)
			uk.RegionID = region
			t.Run(test.name+" from "+uk.Grid(), func(t *testing.T) {
				slots, _, err := uk.Slots(t.Context(), at("2026-06-01T12:00:00Z"), at("2026-06-01T13:00:00Z"))
				if len(slots) != 0 || err == nil || strings.Contains(err.Error(), "\n") {
					t.Errorf("got %s and %v", say(slots), err)
				}
				wantFailure(t, err, usage.ReasonMalformed)
				_, _, err = uk.Outlook(t.Context(), at("2026-06-01T12:00:00Z"))
				wantFailure(t, err, usage.ReasonMalformed)
			})
		}
	}
}

func TestAnswersWithNothingUsableAreMalformed(t *testing.T) {
	const slot = `{"from":"2026-06-01T12:00Z","to":"2026-06-01T12:30Z","intensity":{"forecast":1}}`
	tests := []struct {
		name, slots string
		rejects     usage.Rejects
		want        string
	}{
		{name: "half a time", slots: `{"from":"2026"}`, rejects: usage.Rejects{RejectTime: 1}, want: "none of the 1 slots of the answer can be used: 1 intensity_time"},
		{name: "no slot at all", slots: `5,"x",[],null`, rejects: usage.Rejects{RejectTime: 4}, want: "4 intensity_time"},
		{name: "no number", slots: strings.Replace(slot, "1}", `"1"}`, 1), rejects: usage.Rejects{RejectValue: 1}, want: "1 intensity_value"},
		{name: "hours", slots: strings.Replace(slot, "12:30Z", "13:00Z", 1), rejects: usage.Rejects{RejectSlotLength: 1}, want: "1 intensity_slot_length"},
		{name: "of another day", slots: strings.ReplaceAll(slot, "06-01", "06-02"), want: "1 of another time than requested"},
		{name: "one of another day, one refused", slots: strings.ReplaceAll(slot, "06-01", "06-02") + "," + strings.Replace(slot, "1}", "-1}", 1), rejects: usage.Rejects{RejectValue: 1}, want: "1 intensity_value, 1 of another time than requested"},
	}
	for _, test := range tests {
		for _, region := range []int{0, 13} {
			uk := ukSaying(t, http.StatusOK, `{"data":[`+test.slots+`]}`)
			uk.RegionID = region
			slots, rejects, err := uk.Slots(t.Context(), at("2026-06-01T12:00:00Z"), at("2026-06-01T13:00:00Z"))
			wantFailure(t, err, usage.ReasonMalformed)
			if len(slots) != 0 || !maps.Equal(rejects, test.rejects) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s from %s: got %s, %v, %v", test.name, uk.Grid(), say(slots), rejects, err)
			}
		}
	}
}

func TestSlotsWithoutNumbersYetAreAnAnswer(t *testing.T) {
	uk := ukSaying(t, http.StatusOK, `{"data":[{"from":"2026","intensity":{}},{"from":"2026-06-01T12:00Z","to":"2026-06-01T12:30Z","intensity":{"forecast":null,"actual":null}}]}`)
	slots, rejects, err := uk.Slots(t.Context(), at("2026-06-01T12:00:00Z"), at("2026-06-01T13:00:00Z"))
	if len(slots) != 0 || rejects[RejectTime] != 1 || err != nil {
		t.Errorf("got %s, %v, %v", say(slots), rejects, err)
	}
}

func TestErrorBesideNullIsNone(t *testing.T) {
	uk := ukSaying(t, http.StatusOK, `{"error":null,"data":[{"from":"2026-06-01T12:00Z","to":"2026-06-01T12:30Z","intensity":{"forecast":1}}]}`)
	slots, _, err := uk.Slots(t.Context(), at("2026-06-01T12:00:00Z"), at("2026-06-01T13:00:00Z"))
	if say(slots) != "12:00 1 -" || err != nil {
		t.Errorf("got %s, %v", say(slots), err)
	}
}

func TestAnswerThatBreaksOffIsNoAnswer(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, `{"data":[]}`)
	}))
	t.Cleanup(s.Close)
	_, _, err := ukAt(t, s.URL).Outlook(t.Context(), now)
	wantFailure(t, err, usage.ReasonConnection)
}

func TestAnswerIsBounded(t *testing.T) {
	uk := ukSaying(t, http.StatusOK, `{"data":[`+strings.Repeat(" ", maxAnswer)+`]}`)
	_, _, err := uk.Outlook(t.Context(), now)
	wantFailure(t, err, usage.ReasonLimit)
}

func TestRegions(t *testing.T) {
	const slots = `[{"from":"2026-06-01T11:30Z","to":"2026-06-01T12:00Z","intensity":{"forecast":7,"index":"low"}},
		{"from":"2026-06-01T12:00Z","to":"2026-06-01T12:30Z","intensity":{"forecast":8,"actual":9,"index":"very low"},"generationmix":[{"fuel":"wind","perc":90}]},
		{"from":"2026-06-01T12:30Z","to":"2026-06-01T13:00Z","intensity":{"forecast":10,"actual":"nonsense","index":"low"}}]`
	region := UK{RegionID: 13}
	postcode := UK{Postcode: "OX11"}
	tests := []struct {
		name, answer, path string
		of                 UK
		malformed          bool
	}{
		{name: "object that holds the slots", of: region, answer: `{"data": {"regionid":13,"shortname":"London","data": ` + slots + `}}`},
		{name: "array with one such object", of: region, answer: `{"data": [ {"regionid":13,"data": ` + slots + `}]}`},
		{name: "array of slots", of: region, answer: `{"data": ` + slots + `}`},
		{name: "object without a number", of: region, answer: `{"data":{"data":` + slots + `}}`},
		{name: "postcode", of: postcode, answer: `{"data":{"regionid":12,"postcode":"OX11","data":` + slots + `}}`},
		{name: "another region than was asked for", of: region, answer: `{"data":{"regionid":3,"data":` + slots + `}}`, malformed: true},
		{name: "another region in an array", of: region, answer: `{"data":[{"regionid":3,"data":` + slots + `}]}`, malformed: true},
		{name: "region without slots", of: region, answer: `{"data":{"regionid":13,"data":[]}}`, malformed: true},
		{name: "region without slots in an array", of: region, answer: `{"data":[{"regionid":13,"data":[]}]}`, malformed: true},
	}
	paths := map[string]string{
		"GB-region-13":     "/regional/intensity/2026-06-01T12:01Z/2026-06-01T13:01Z/regionid/13",
		"GB-postcode-OX11": "/regional/intensity/2026-06-01T12:01Z/2026-06-01T13:01Z/postcode/OX11",
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				test.path = r.URL.Path
				io.WriteString(w, test.answer)
			}))
			t.Cleanup(s.Close)
			uk := ukAt(t, s.URL)
			uk.RegionID, uk.Postcode = test.of.RegionID, test.of.Postcode
			got, rejects, err := uk.Slots(t.Context(), at("2026-06-01T12:00:00Z"), at("2026-06-01T13:00:00Z"))
			if test.malformed {
				wantFailure(t, err, usage.ReasonMalformed)
				return
			}
			if want := "12:00 8 -, 12:30 10 -"; say(got) != want || len(rejects) != 0 || err != nil {
				t.Fatalf("got %s, %v, %v, want %s", say(got), rejects, err, want)
			}
			if got[0].Index != "very low" || got[0].Grid != uk.Grid() || test.path != paths[uk.Grid()] {
				t.Errorf("got %+v from %s", got[0], test.path)
			}
			if price, ok := got[0].Price(); !ok || price.Kind != usage.Forecast {
				t.Errorf("got %+v, want a forecast", price)
			}
		})
	}
}

func TestRegionsOutlook(t *testing.T) {
	var asked string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.EscapedPath()
		io.WriteString(w, `{"data":{"data":[{"from":"2026-06-01T12:00Z","to":"2026-06-01T12:30Z","intensity":{"forecast":8,"index":"low"}}]}}`)
	}))
	t.Cleanup(s.Close)
	uk := ukAt(t, s.URL)
	uk.Postcode = "OX 1/?"
	slots, _, err := uk.Outlook(t.Context(), at("2026-06-01T12:29:59Z"))
	if say(slots) != "12:00 8 -" || err != nil {
		t.Errorf("got %s, %v", say(slots), err)
	}
	if want := "/regional/intensity/2026-06-01T12:01Z/fw48h/postcode/OX%201%2F%3F"; asked != want {
		t.Errorf("asked %s, want %s", asked, want)
	}
}

func TestStrictJSON(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{name: "what is right is left alone", in: `{"a": "NaN", "b": [1]}`, want: `{"a": "NaN", "b": [1]}`},
		{name: "NaN", in: `{"a":NaN,"b":"a NaN"}`, want: `{"a":"NaN","b":"a NaN"}`},
		{name: "infinities", in: `[Infinity,-Infinity,-1]`, want: `["Infinity","-Infinity",-1]`},
		{name: "other words", in: `[0x10, 1_000, None, nan, true, null, -1.5e3, 01, .5, +1]`, want: `["0x10", "1_000", "None", "nan", true, null, -1.5e3, "01", ".5", "+1"]`},
		{name: "a quote in a string", in: `{"a":"\"NaN","b":NaN}`, want: `{"a":"\"NaN","b":"NaN"}`},
		{name: "a backslash at the end of a string", in: `{"a":"\\","b":NaN}`, want: `{"a":"\\","b":"NaN"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := string(strictJSON([]byte(test.in))); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"data":[{"from":"2026-06-01T12:00Z","to":"2026-06-01T12:30Z","intensity":{"forecast":NaN}}]}`, `{"data":{"data":[]}}`, `{"a":"\`,
		`{"data":[{"from":"2026-06-01T12:00Z","to":"2026-06-01T12:30Z","intensity":{"forecast":0x10,"actual":1_000}},{"from":"2026"}]}`,
		`{"data":[{"regionid":13,"data":[{"from":"2026-06-01T12:00Z","to":"2026-06-01T12:30Z","intensity":{"forecast":None,"index":"low"}}]}]}`,
	} {
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, regional bool) {
		uk := &UK{}
		if regional {
			uk.RegionID = 13
		}
		raw, err := uk.rawSlots(text)
		if (err == nil) != (len(raw) > 0) {
			t.Errorf("%d slots and error %v", len(raw), err)
		}
		s := span{from: at("2026-06-01T00:00:00Z"), to: at("2026-06-02T00:00:00Z")}
		slots, _, err := choose(raw, s, regional)
		if err != nil && len(slots) > 0 {
			t.Errorf("%d slots beside %v", len(slots), err)
		}
		for _, slot := range slots {
			if price, ok := slot.Price(); !ok || price.Intensity < 0 || price.Intensity > maxUK {
				t.Errorf("%s: price %+v", json.RawMessage(text), price)
			}
		}
	})
}
