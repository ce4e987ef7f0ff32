// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// rowOf is a fuel in an hour that ends.
func rowOf(end, fuel, value string) string {
	return fmt.Sprintf(`{"period":"2026-06-01T%s","respondent":"CISO","fueltype":%q,"type-name":"x","value":%s,"value-units":"megawatthours"}`, end, fuel, value)
}

// rowsOf is an answer with these rows.
func rowsOf(rows ...string) string {
	return fmt.Sprintf(`{"response":{"total":"%d","data":[%s]},"apiVersion":"2.1.10"}`, len(rows), strings.Join(rows, ","))
}

var gasRows = rowOf("13", "NG", `"100"`) + "," + rowOf("14", "NG", `100`)

// eiaAnswers are answers, and the intensities of the hours from noon to two. Those with gasRows
// say that there is a row more than there are commas between them.
var eiaAnswers = []struct{ name, text, want, rejects string }{
	{name: "texts and numbers", text: rowsOf(rowOf("13", "NG", `"100"`), rowOf("14", "NG", "100"), rowOf("13", "SUN", `"300"`), rowOf("14", "SUN", "100.0")), want: "158.5 269"},
	{name: "hours are named by their end", text: rowsOf(rowOf("12", "COL", "100"), rowOf("13", "NG", "100"), rowOf("14", "NUC", "100"), rowOf("13", "COL", "0"), rowOf("14", "COL", "0"), rowOf("14", "NG", "0"), rowOf("13", "NUC", "0")), want: "490 12"},
	{name: "not known yet", text: rowsOf(gasRows, rowOf("13", "SUN", "300"), rowOf("14", "SUN", "null")), want: "158.5 -"},
	{name: "no value at all", text: rowsOf(gasRows, rowOf("13", "SUN", "300"), `{"period":"2026-06-01T14","respondent":"CISO","fueltype":"SUN"}`), want: "158.5 -"},
	{name: "a late fuel", text: rowsOf(gasRows, rowOf("13", "SUN", "300")), want: "158.5 -"},
	{name: "a battery", text: rowsOf(gasRows, rowOf("13", "BAT", "-300"), rowOf("13", "PS", "900"), rowOf("14", "UES", "1")), want: "490 490"},
	{name: "the sun at night", text: rowsOf(gasRows, rowOf("13", "SUN", "-3"), rowOf("14", "SUN", `"-3"`)), want: "490 490"},
	{name: "a park with a battery", text: rowsOf(gasRows, rowOf("13", "SNB", "300"), rowOf("14", "SNB", "100")), want: "158.5 269"},
	{name: "a fuel without a factor", text: rowsOf(gasRows, rowOf("13", "H2", "100"), rowOf("14", "H2", "0")), want: "595 490"},
	{name: "a row again, the last counts", text: rowsOf(gasRows, rowOf("13", "SUN", "1"), rowOf("13", "SUN", "300"), rowOf("14", "SUN", "100")), want: "158.5 269", rejects: "map[intensity_duplicate:1]"},
	{name: "a number that is none", text: rowsOf(gasRows, rowOf("13", "SUN", "NaN"), rowOf("14", "SUN", `"100"`)), want: "- 269", rejects: "map[intensity_value:1]"},
	{name: "a number in a list", text: rowsOf(gasRows, rowOf("13", "SUN", "[300]"), rowOf("14", "SUN", "100")), want: "- 269", rejects: "map[intensity_value:1]"},
	{name: "no text", text: rowsOf(gasRows, rowOf("13", "SUN", `""`), rowOf("14", "SUN", "100")), want: "- 269", rejects: "map[intensity_value:1]"},
	{name: "another unit", text: rowsOf(gasRows, rowOf("13", "SUN", "300"), strings.Replace(rowOf("14", "SUN", "100"), "mega", "giga", 1)), want: "158.5 -", rejects: "map[intensity_value:1]"},
	{name: "a period that is none", text: rowsOf(gasRows, rowOf("13", "SUN", "300"), rowOf("14-07", "SUN", "100")), want: "158.5 -", rejects: "map[intensity_time:1]"},
	{name: "no fuel", text: rowsOf(gasRows, rowOf("14", "", "100")), want: "490 -", rejects: "map[intensity_value:1]"},
	{name: "a fuel that is no code", text: rowsOf(gasRows, rowOf("13", "NG<br>", "100")), want: "- 490", rejects: "map[intensity_value:1]"},
	{name: "a row that is none", text: rowsOf(gasRows, "7"), want: "490 490", rejects: "map[intensity_time:1]"},
	{name: "the total is a number", text: strings.NewReplacer(`"1"`, `1`).Replace(rowsOf(gasRows)), want: "490 490"},
	{name: "nothing generates", text: rowsOf(rowOf("13", "NG", "0"), rowOf("14", "NG", "5")), want: "- 490"},
	{name: "another respondent", text: strings.ReplaceAll(rowsOf(gasRows), "CISO", "PJM"), want: `malformed: asked for the respondent CISO and got "PJM"`},
	{name: "an error", text: `{"error":"Invalid frequency","code":400}`, want: `malformed: the answer is an error: "Invalid frequency"`},
	{name: "an error that is an object", text: `{"error":{"code":"API_KEY_MISSING"}}`, want: `malformed: the answer is an error: {"code"`},
	{name: "an empty object", text: `{}`, want: "malformed: the answer has no rows"},
	{name: "no data", text: `{"response":{"total":"3"}}`, want: "malformed: the answer has no rows"},
	{name: "null data", text: `{"response":{"total":"3","data":null}}`, want: "malformed: the answer has no rows"},
	{name: "no total", text: strings.Replace(rowsOf(gasRows), "total", "sum", 1), want: "490 490"},
	{name: "another respondent among ours", text: rowsOf(gasRows, strings.Replace(rowOf("13", "COL", "100"), "CISO", "PJM", 1)), want: "490 490"},
	{name: "nothing but what the table names", text: `{"response":{"data":[{"period":"2026-06-01T13:00:00Z","fueltype":"NG","value":"100"},{"period":"2026-06-01T14:00+00:00","fueltype":"NG","value":100}]}}`, want: "490 490"},
	{name: "a page", text: "<html>", want: "malformed: the answer is not JSON"},
	{name: "a list", text: "[]", want: "malformed: the answer is not JSON"},
	{name: "half an answer", text: rowsOf(gasRows)[:90], want: "malformed: the answer is not JSON"},
}

func TestEIAAnswers(t *testing.T) {
	noon := at("2026-06-01T12:00:00Z")
	for _, test := range eiaAnswers {
		t.Run(test.name, func(t *testing.T) {
			a, err := decodeEIA([]byte(test.text), noon, noon.Add(2*time.Hour))
			if err != nil {
				if failed := usage.FailureOf(err); failed == nil || failed.Permanent || !strings.HasPrefix(err.Error(), test.want) {
					t.Errorf("got %v, want %s", err, test.want)
				}
				return
			}
			got := []string{"-", "-"}
			for _, v := range a.Values {
				got[int(v.From.Sub(noon)/time.Hour)] = fmt.Sprint(math.Round(float64(v.Intensity)*1e6) / 1e6)
			}
			if text := strings.Join(got, " "); text != test.want || len(a.Values)%2 > 0 {
				t.Errorf("got %s, want %s", text, test.want)
			}
			rejects := ""
			if len(a.Rejects) > 0 {
				rejects = fmt.Sprint(map[string]int(a.Rejects))
			}
			if rejects != test.rejects {
				t.Errorf("rejects %s, want %s", rejects, test.rejects)
			}
		})
	}
}

// decodeEIA reads an answer as if it were the only page.
func decodeEIA(text []byte, from, to time.Time) (Answer, error) {
	rows, _, err := eiaRowsOf(text)
	if err != nil {
		return Answer{}, err
	}
	m := newMix(from, to, eiaKinds)
	if err := addEIA(m, rows, "CISO"); err != nil {
		return Answer{}, err
	}
	return m.answer("")
}

func TestEIAReadsEachPageAndNoticesACut(t *testing.T) {
	noon := at("2026-06-01T12:00:00Z")
	page := func(total string, rows ...string) string {
		return `{"response":{"total":` + total + `,"data":[` + strings.Join(rows, ",") + `]}}`
	}
	gas, sun := rowOf("13", "NG", "100"), rowOf("13", "SUN", "300")
	for _, test := range []struct {
		name    string
		pages   []string // by offset
		want    string
		offsets string
	}{
		{name: "one page", pages: []string{page(`"2"`, gas, sun)}, want: "158.5", offsets: "0"},
		{name: "no total", pages: []string{`{"response":{"data":[` + gas + "," + sun + `]}}`}, want: "158.5", offsets: "0"},
		{name: "no total and a full page", pages: []string{`{"response":{"data":[` + strings.Repeat("7,", eiaRows-1) + gas + `]}}`, `{"response":{"data":[` + sun + `]}}`}, want: "158.5", offsets: "0 5000"},
		{name: "two pages", pages: []string{page(`"2"`, gas), page(`"2"`, sun)}, want: "158.5", offsets: "0 1"},
		{name: "the second is empty", pages: []string{page("2", gas), page("2")}, want: "partial: the answer is cut off: 1 of 2 rows came", offsets: "0 1"},
		{name: "more pages than there is time for", pages: strings.Split(strings.Repeat(page("999", gas)+"\n", 20), "\n"), want: "partial: the answer is cut off: 10 of 999 rows came", offsets: "0 1 2 3 4 5 6 7 8 9"},
		{name: "the second is broken", pages: []string{page("2", gas), "{"}, want: "malformed", offsets: "0 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var offsets []string
			get := func(_ context.Context, address string, _ http.Header) ([]byte, error) {
				u, err := url.Parse(address)
				if err != nil {
					t.Fatal(err)
				}
				offsets = append(offsets, u.Query().Get("offset"))
				return []byte(test.pages[len(offsets)-1]), nil
			}
			e := &EIA{URL: "http://grid.test", Respondent: "CISO", Token: func() (string, error) { return "k", nil }, Now: func() time.Time { return noon }}
			a, err := e.Values(t.Context(), get, noon, noon.Add(usage.SlotLength))
			got := fmt.Sprint(err)
			if err == nil && len(a.Values) == 1 {
				got = fmt.Sprint(a.Values[0].Intensity)
			}
			if !strings.HasPrefix(got, test.want) || strings.Join(offsets, " ") != test.offsets {
				t.Errorf("got %s at %v, want %s", got, offsets, test.want)
			}
		})
	}
}

func FuzzEIA(f *testing.F) {
	for _, test := range eiaAnswers {
		f.Add([]byte(test.text))
	}
	noon := at("2026-06-01T12:00:00Z")
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := decodeEIA(text, noon, noon.Add(3*time.Hour))
		sane(t, a, err, noon, noon.Add(3*time.Hour))
	})
}
