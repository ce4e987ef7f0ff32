// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package intensity

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const testZone = "10Y1001A1001A82H"

// generationOf is a document with these time series.
func generationOf(series ...string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><GL_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0"><mRID>1</mRID>` + strings.Join(series, "") + `</GL_MarketDocument>`
}

// seriesOf is a type with a carried curve.
func seriesOf(code string, periods ...string) string {
	return `<TimeSeries><mRID>1</mRID><inBiddingZone_Domain.mRID codingScheme="A01">` + testZone + `</inBiddingZone_Domain.mRID><quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name><curveType>A03</curveType><MktPSRType><psrType>` + code + `</psrType></MktPSRType>` + strings.Join(periods, "") + `</TimeSeries>`
}

// periodOf is a stretch on the day that the tests are about, with points such as 1:100.
func periodOf(from, to, resolution, points string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<Period><timeInterval><start>2026-06-01T%sZ</start><end>2026-06-01T%sZ</end></timeInterval><resolution>%s</resolution>`, from, to, resolution)
	for p := range strings.FieldsSeq(points) {
		position, quantity, _ := strings.Cut(p, ":")
		fmt.Fprintf(&b, `<Point><position>%s</position><quantity>%s</quantity></Point>`, position, quantity)
	}
	return b.String() + `</Period>`
}

// gasAllHour is 100 MW of gas from noon to one.
var gasAllHour = seriesOf("B04", periodOf("12:00", "13:00", "PT60M", "1:100"))

// solar has these points from noon on.
func solar(to, resolution, points string) string {
	return seriesOf("B16", periodOf("12:00", to, resolution, points))
}

// entsoeAnswers are documents, and the intensities of the half hours from noon to one.
var entsoeAnswers = []struct{ name, text, want, rejects string }{
	{name: "one type", text: generationOf(gasAllHour), want: "490 490"},
	{name: "another namespace", text: strings.Replace(generationOf(gasAllHour), "generationloaddocument:3:0", "generationloaddocument:9:1", 1), want: "490 490"},
	{name: "no namespace", text: strings.Replace(generationOf(gasAllHour), ` xmlns="urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0"`, "", 1), want: "490 490"},
	{name: "a namespace with a prefix", text: `<n:GL_MarketDocument xmlns:n="urn:x">` + strings.NewReplacer("</", "</n:", "<", "<n:").Replace(gasAllHour) + `</n:GL_MarketDocument>`, want: "490 490"},
	{name: "resolutions that mix", text: generationOf(gasAllHour, solar("13:00", "PT15M", "1:0 2:200 3:100 4:100"), seriesOf("B14", periodOf("12:00", "13:00", "PT30M", "1:200 2:300"))), want: "140.5 114.8"},
	{name: "points that repeat are left out", text: generationOf(gasAllHour, solar("13:00", "PT15M", "1:100")), want: "269 269"},
	{name: "carried to the next, and to the end", text: generationOf(gasAllHour, solar("13:00", "PT15M", "1:300 3:100")), want: "158.5 269"},
	{name: "not carried over the end", text: generationOf(gasAllHour, solar("12:45", "PT15M", "1:100")), want: "269 -"},
	{name: "a curve that does not carry", text: strings.Replace(generationOf(gasAllHour, solar("13:00", "PT15M", "1:100")), "A03</curveType><MktPSRType><psrType>B16", "A01</curveType><MktPSRType><psrType>B16", 1), want: "- -"},
	{name: "the first is missing", text: generationOf(gasAllHour, solar("13:00", "PT15M", "3:100")), want: "- 269"},
	{name: "out of order", text: generationOf(gasAllHour, solar("13:00", "PT15M", "3:100 1:300")), want: "158.5 269"},
	{name: "several periods", text: generationOf(gasAllHour, seriesOf("B16", periodOf("12:00", "12:30", "PT15M", "1:300"), periodOf("12:30", "13:00", "PT30M", "1:100"))), want: "158.5 269"},
	{name: "several series of a type", text: generationOf(gasAllHour, solar("12:30", "PT15M", "1:300"), seriesOf("B16", periodOf("12:30", "13:00", "PT30M", "1:100"))), want: "158.5 269"},
	{name: "a series again", text: generationOf(gasAllHour, solar("13:00", "PT30M", "1:300"), solar("13:00", "PT60M", "1:100")), want: "269 269", rejects: "map[intensity_duplicate:1]"},
	{name: "a point again", text: generationOf(gasAllHour, solar("13:00", "PT30M", "1:300 1:100")), want: "269 269", rejects: "map[intensity_duplicate:1]"},
	{name: "pumps", text: generationOf(gasAllHour, strings.NewReplacer("inBiddingZone", "outBiddingZone", "B16", "B10").Replace(solar("12:30", "PT15M", "1:300"))), want: "490 490"},
	{name: "what another type takes", text: generationOf(gasAllHour, strings.ReplaceAll(solar("13:00", "PT15M", "1:300"), "inBiddingZone", "outBiddingZone")), want: "490 490"},
	{name: "a number that is none", text: generationOf(gasAllHour, solar("13:00", "PT30M", "1:300 2:n/e")), want: "158.5 -", rejects: "map[intensity_value:1]"},
	{name: "a number that is none does not carry what was before", text: generationOf(gasAllHour, solar("13:00", "PT15M", "1:300 2:NaN 3:100")), want: "- 269", rejects: "map[intensity_value:1]"},
	{name: "an empty quantity", text: generationOf(gasAllHour, solar("13:00", "PT30M", "1: 2:100")), want: "- 269", rejects: "map[intensity_value:1]"},
	{name: "infinite", text: generationOf(gasAllHour, solar("13:00", "PT30M", "1:Inf 2:1e300")), want: "- -", rejects: "map[intensity_value:2]"},
	{name: "a position that is none", text: generationOf(gasAllHour, solar("12:30", "PT15M", "1:300 x:4"), seriesOf("B16", periodOf("12:30", "13:00", "PT30M", "1:100"))), want: "- 269", rejects: "map[intensity_time:1]"},
	{name: "a position behind the end", text: generationOf(gasAllHour, solar("13:00", "PT30M", "1:300 3:4")), want: "- -", rejects: "map[intensity_time:1]"},
	{name: "a position before the start", text: generationOf(gasAllHour, solar("13:00", "PT30M", "0:300")), want: "- -", rejects: "map[intensity_time:1]"},
	{name: "days", text: generationOf(gasAllHour, solar("13:00", "P1D", "1:300")), want: "- -", rejects: "map[intensity_slot_length:1]"},
	{name: "no resolution", text: generationOf(gasAllHour, solar("13:00", "", "1:300")), want: "- -", rejects: "map[intensity_slot_length:1]"},
	{name: "a resolution of nothing", text: generationOf(gasAllHour, solar("13:00", "PT0M", "1:300")), want: "- -", rejects: "map[intensity_slot_length:1]"},
	{name: "two hours", text: generationOf(gasAllHour, solar("13:00", "PT2H", "1:300")), want: "- -", rejects: "map[intensity_slot_length:1]"},
	{name: "an hour in other words", text: generationOf(gasAllHour, solar("13:00", "PT1H", "1:300")), want: "158.5 158.5"},
	{name: "an end before the start", text: generationOf(gasAllHour, solar("11:00", "PT15M", "1:300")), want: "- -", rejects: "map[intensity_time:1]"},
	{name: "a time that is none", text: generationOf(gasAllHour, solar("25:00", "PT15M", "1:300")), want: "- -", rejects: "map[intensity_time:1]"},
	{name: "seconds", text: generationOf(gasAllHour, solar("13:00:30", "PT15M", "1:300")), want: "- -", rejects: "map[intensity_time:1]"},
	{name: "seconds that are 0", text: generationOf(gasAllHour, solar("13:00:00", "PT15M", "1:300")), want: "158.5 158.5"},
	{name: "kilowatts", text: strings.Replace(generationOf(solar("13:00", "PT15M", "1:300"), gasAllHour), "MAW", "KWT", 1), want: "- -", rejects: "map[intensity_value:1]"},
	{name: "a series without a type", text: generationOf(gasAllHour, seriesOf("", periodOf("12:00", "12:15", "PT15M", "1:300"))), want: "- 490", rejects: "map[intensity_value:1]"},
	{name: "a type that is no code", text: generationOf(gasAllHour, seriesOf("sun & moon", periodOf("12:30", "13:00", "PT15M", "1:300"))), want: "malformed"},
	{name: "a type that is too long", text: generationOf(gasAllHour, seriesOf(strings.Repeat("B", 17), periodOf("12:30", "13:00", "PT15M", "1:300"))), want: "490 -", rejects: "map[intensity_value:1]"},
	{name: "a period without points", text: generationOf(gasAllHour, solar("13:00", "PT15M", "")), want: "- -"},
	{name: "a series without periods", text: generationOf(gasAllHour, seriesOf("B16")), want: "- -"},
	{name: "centuries", text: generationOf(strings.Replace(gasAllHour, "2026-06-01T12", "0001-01-01T00", 1), solar("13:00", "PT60M", "1:1")), want: "- -", rejects: "map[intensity_time:1]"},
	{name: "another zone", text: strings.Replace(generationOf(gasAllHour), testZone, "10YFR-RTE------C", 1), want: "malformed: asked for the zone 10Y1001A1001A82H and got 10YFR-RTE------C"},
	{name: "an acknowledgement", text: `<Acknowledgement_MarketDocument xmlns="urn:x"><Reason><code>999</code><text> No matching data found. </text></Reason><Reason><text>And more</text></Reason></Acknowledgement_MarketDocument>`, want: "partial: no data: No matching data found.; And more"},
	{name: "an acknowledgement without a reason", text: `<Acknowledgement_MarketDocument/>`, want: "partial: no data: and no reason for that"},
	{name: "half an acknowledgement", text: `<Acknowledgement_MarketDocument><Reason>`, want: "malformed: the answer is not a whole XML document"},
	{name: "prices", text: `<Publication_MarketDocument><TimeSeries/></Publication_MarketDocument>`, want: "malformed: the answer is a document of another kind: Publication_MarketDocument"},
	{name: "a page", text: `<!DOCTYPE html><html><body>Sign in</body></html>`, want: "malformed: the answer is a document of another kind: html"},
	{name: "JSON", text: `{}`, want: "malformed: the answer is not a whole XML document"},
	{name: "nothing at all", text: ``, want: "malformed: the answer is not a whole XML document"},
	{name: "a document without series", text: generationOf(), want: "malformed: the document has no time series"},
	{name: "only what is taken", text: generationOf(strings.ReplaceAll(gasAllHour, "inBiddingZone", "outBiddingZone")), want: "partial: the answer has nothing that generates"},
	{name: "half a document", text: generationOf(gasAllHour, gasAllHour)[:900], want: "malformed: the answer is not a whole XML document"},
	{name: "a document that does not end", text: strings.TrimSuffix(generationOf(gasAllHour), "</GL_MarketDocument>"), want: "malformed: the answer is not a whole XML document"},
	{name: "another encoding", text: strings.Replace(generationOf(gasAllHour), "UTF-8", "UTF-7", 1), want: "malformed: the answer is not a whole XML document"},
	{name: "a series deep down", text: generationOf("<Other><TimeSeries/></Other>", gasAllHour), want: "490 490"},
}

func TestENTSOEAnswers(t *testing.T) {
	noon := at("2026-06-01T12:00:00Z")
	for _, test := range entsoeAnswers {
		t.Run(test.name, func(t *testing.T) {
			a, err := decodeENTSOE([]byte(test.text), testZone, noon, noon.Add(time.Hour), "")
			if err != nil {
				if failed := usage.FailureOf(err); failed == nil || failed.Permanent || !strings.HasPrefix(err.Error(), test.want) {
					t.Errorf("got %v, want %s", err, test.want)
				}
				return
			}
			got := []string{"-", "-"}
			for _, v := range a.Values {
				got[int(v.From.Sub(noon)/usage.SlotLength)] = fmt.Sprint(math.Round(float64(v.Intensity)*1e6) / 1e6)
			}
			if text := strings.Join(got, " "); text != test.want {
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

func FuzzENTSOE(f *testing.F) {
	for _, test := range entsoeAnswers {
		f.Add([]byte(test.text))
	}
	noon := at("2026-06-01T12:00:00Z")
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := decodeENTSOE(text, testZone, noon, noon.Add(3*time.Hour), usage.Direct)
		sane(t, a, err, noon, noon.Add(3*time.Hour))
	})
}

// sane holds what is true of any answer of half hours between two times.
func sane(t *testing.T, a Answer, err error, from, to time.Time) {
	t.Helper()
	if err != nil && usage.FailureOf(err) == nil {
		t.Fatalf("no failure: %v", err)
	}
	for i, v := range a.Values {
		if v.To.Sub(v.From) != usage.SlotLength || !v.From.Equal(usage.SlotAt(v.From)) || v.From.Before(from) || v.To.After(to) {
			t.Fatalf("value %d is of %s to %s", i, v.From, v.To)
		}
		if !(v.Intensity >= 0 && v.Intensity <= 1100) { // no factor is larger
			t.Fatalf("value %d is %v", i, v.Intensity)
		}
	}
	for _, remark := range a.Remarks {
		if len(remark) > 300 {
			t.Fatalf("a remark of %d bytes", len(remark))
		}
	}
}
