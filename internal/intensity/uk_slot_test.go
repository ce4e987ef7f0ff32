// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The slot of 12:00 is the patient, between two healthy neighbours.
const (
	before = `{"from":"2026-06-01T11:30Z","to":"2026-06-01T12:00Z","intensity":{"forecast":100,"actual":110,"index":"low"}}`
	after  = `{"from":"2026-06-01T12:30Z","to":"2026-06-01T13:00Z","intensity":{"forecast":300,"actual":310,"index":"high"}}`
)

func noon(intensity string) string {
	return `{"from":"2026-06-01T12:00Z","to":"2026-06-01T12:30Z","intensity":` + intensity + `}`
}

func TestOneSlotDoesNotSpoilItsNeighbours(t *testing.T) {
	const none = "" // the slot is absent
	tests := []struct {
		name, slot string
		want       string
		rejects    usage.Rejects
	}{
		{name: "healthy", slot: noon(`{"forecast":266,"actual":263,"index":"moderate"}`), want: "12:00 266 263"},
		{name: "zero is a value", slot: noon(`{"forecast":0,"actual":0}`), want: "12:00 0 0"},
		{name: "the limits are values", slot: noon(`{"forecast":0,"actual":1000}`), want: "12:00 0 1000"},
		{name: "a fraction", slot: noon(`{"forecast":210.89,"actual":2.5e2}`), want: "12:00 210.89 250"},
		{name: "actual is null", slot: noon(`{"forecast":266,"actual":null,"index":"moderate"}`), want: "12:00 266 -"},
		{name: "forecast is null", slot: noon(`{"forecast":null,"actual":263}`), want: "12:00 - 263"},
		{name: "no actual", slot: noon(`{"forecast":266}`), want: "12:00 266 -"},
		{name: "index is a number", slot: noon(`{"forecast":266,"index":5}`), want: "12:00 266 -"},
		{name: "both are null", slot: noon(`{"forecast":null,"actual":null,"index":null}`), want: none},
		{name: "intensity is null", slot: noon(`null`), want: none},
		{name: "intensity is empty", slot: noon(`{}`), want: none},
		{name: "no intensity", slot: `{"from":"2026-06-01T12:00Z","to":"2026-06-01T12:30Z"}`, want: none},

		{name: "negative", slot: noon(`{"forecast":-5,"actual":263}`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "negative actual", slot: noon(`{"forecast":266,"actual":-5}`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "too large", slot: noon(`{"forecast":5000,"actual":263}`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "just too large", slot: noon(`{"forecast":1000.1}`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "larger than a float", slot: noon(`{"forecast":1e999}`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "a number in a string", slot: noon(`{"forecast":"231"}`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "actual in a string", slot: noon(`{"forecast":231,"actual":"231"}`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "NaN in a string", slot: noon(`{"forecast":"NaN"}`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "NaN as some servers write it", slot: noon(`{"forecast":NaN}`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "infinity as some servers write it", slot: noon(`{"forecast":1,"actual":-Infinity}`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "hexadecimal, which JSON does not have", slot: noon(`{"forecast":0x10}`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "an underscore, which JSON does not have", slot: noon(`{"forecast":1_0}`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "None, as Python writes it", slot: noon(`{"forecast":None}`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "an empty string", slot: noon(`{"forecast":""}`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "true", slot: noon(`{"forecast":true}`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "an object", slot: noon(`{"forecast":{"value":231}}`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "intensity is a number", slot: noon(`231`), rejects: usage.Rejects{RejectValue: 1}},
		{name: "intensity is an array", slot: noon(`[231]`), rejects: usage.Rejects{RejectValue: 1}},

		{name: "an hour long", slot: strings.Replace(noon(`{"forecast":1}`), "12:30Z", "13:00Z", 1), rejects: usage.Rejects{RejectSlotLength: 1}},
		{name: "ends as it begins", slot: strings.Replace(noon(`{"forecast":1}`), "12:30Z", "12:00Z", 1), rejects: usage.Rejects{RejectSlotLength: 1}},
		{name: "ends before it begins", slot: strings.Replace(noon(`{"forecast":1}`), "12:30Z", "11:30Z", 1), rejects: usage.Rejects{RejectSlotLength: 1}},

		{name: "not on a half hour", slot: `{"from":"2026-06-01T12:10Z","to":"2026-06-01T12:40Z","intensity":{"forecast":1}}`, rejects: usage.Rejects{RejectTime: 1}},
		{name: "no such day", slot: strings.Replace(noon(`{"forecast":1}`), "2026-06-01T12:00Z", "2026-06-31T12:00Z", 1), rejects: usage.Rejects{RejectTime: 1}},
		{name: "another form of time", slot: strings.Replace(noon(`{"forecast":1}`), "2026-06-01T12:00Z", "2026-06-01 12:00", 1), rejects: usage.Rejects{RejectTime: 1}},
		{name: "another form of end", slot: strings.Replace(noon(`{"forecast":1}`), "12:30Z", "12:30+01:00", 1), rejects: usage.Rejects{RejectTime: 1}},
		{name: "time is a number", slot: `{"from":1780315200,"to":1780317000,"intensity":{"forecast":1}}`, rejects: usage.Rejects{RejectTime: 1}},
		{name: "no end", slot: `{"from":"2026-06-01T12:00Z","intensity":{"forecast":1}}`, rejects: usage.Rejects{RejectTime: 1}},
		{name: "times are null", slot: `{"from":null,"to":null,"intensity":{"forecast":1}}`, rejects: usage.Rejects{RejectTime: 1}},
		{name: "slot is null", slot: `null`, rejects: usage.Rejects{RejectTime: 1}},
		{name: "slot is empty", slot: `{}`, rejects: usage.Rejects{RejectTime: 1}},
		{name: "slot is a number", slot: `5`, rejects: usage.Rejects{RejectTime: 1}},
		{name: "slot is a string", slot: `"2026-06-01T12:00Z"`, rejects: usage.Rejects{RejectTime: 1}},
		{name: "slot is an array", slot: `[[]]`, rejects: usage.Rejects{RejectTime: 1}},

		{name: "outside of the range", slot: strings.ReplaceAll(noon(`{"forecast":-5}`), "06-01", "06-02"), want: none},
		{name: "the slot that ends where the range begins", slot: `{"from":"2026-06-01T11:00Z","to":"2026-06-01T11:30Z","intensity":{"forecast":1}}`, want: none},
		{name: "the slot that begins where the range ends", slot: `{"from":"2026-06-01T13:00Z","to":"2026-06-01T13:30Z","intensity":{"forecast":1}}`, want: none},

		{name: "twice: the last wins", slot: noon(`{"forecast":1,"actual":2}`) + "," + noon(`{"forecast":3}`), want: "12:00 3 -", rejects: usage.Rejects{RejectDuplicate: 1}},
		{name: "three times", slot: noon(`{"forecast":1}`) + "," + noon(`{"forecast":1}`) + "," + noon(`{"forecast":2}`), want: "12:00 2 -", rejects: usage.Rejects{RejectDuplicate: 2}},
		{name: "twice, the last one bad", slot: noon(`{"forecast":1}`) + "," + noon(`{"forecast":-1}`), want: "12:00 1 -", rejects: usage.Rejects{RejectValue: 1}},
		{name: "twice, the last one knows nothing", slot: noon(`{"forecast":1}`) + "," + noon(`{"forecast":null}`), want: "12:00 1 -"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// Out of order, too: the answer is sorted all the same.
			uk := ukSaying(t, http.StatusOK, `{"data":[`+after+","+test.slot+","+before+`]}`)
			slots, rejects, err := uk.Slots(t.Context(), at("2026-06-01T11:30:00Z"), at("2026-06-01T13:00:00Z"))
			if err != nil {
				t.Fatal(err)
			}
			want := "11:30 100 110, 12:30 300 310"
			if test.want != none {
				want = "11:30 100 110, " + test.want + ", 12:30 300 310"
			}
			if got := say(slots); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if !maps.Equal(rejects, test.rejects) {
				t.Errorf("rejects %v, want %v", rejects, test.rejects)
			}
		})
	}
}

func TestIndexIsTheProvidersOwnWord(t *testing.T) {
	tests := []struct{ name, intensity, want string }{
		{name: "a word that the number would not get", intensity: `{"forecast":900,"index":"very low"}`, want: "very low"},
		{name: "a word of next year", intensity: `{"forecast":1,"index":"extraordinary"}`, want: "extraordinary"},
		{name: "null", intensity: `{"forecast":1,"index":null}`},
		{name: "no word", intensity: `{"forecast":1}`},
		{name: "not a word", intensity: `{"forecast":1,"index":["low"]}`},
		{name: "blanks around it", intensity: `{"forecast":1,"index":" low "}`, want: "low"},
		{name: "another alphabet", intensity: `{"forecast":1,"index":"très élevée"}`, want: "très élevée"},
		{name: "a sentence", intensity: `{"forecast":1,"index":"the grid has never been as clean as today"}`},
		{name: "a terminal's orders", intensity: `{"forecast":1,"index":"\u001b[2Jlow"}`},
		{name: "two lines", intensity: `{"forecast":1,"index":"very\nlow"}`},
		{name: "half a character", intensity: `{"forecast":1,"index":"low\ud800"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := span{from: at("2026-06-01T12:00:00Z"), to: at("2026-06-01T12:30:00Z")}
			slots, _, _ := choose([]json.RawMessage{json.RawMessage(noon(test.intensity))}, s, false)
			if len(slots) != 1 || slots[0].Index != test.want {
				t.Errorf("got %+v, want %q", slots, test.want)
			}
		})
	}
}
