// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func january() time.Time { return at("2027-01-10T12:00:00Z") }

func anyKey() (string, error) { return "k", nil }

// barest is an answer of every source with nothing in it but what is needed to understand it, for
// noon to one, of 100 and 300 g/kWh: no labels, no totals, no units.
var barest = []struct {
	name   string
	api    API
	answer string
	want   string
}{
	{
		name: "electricity_maps", api: &ElectricityMaps{URL: "http://maps.test/v3/", Zone: "FR", Step: 15 * time.Minute, Estimates: true, Token: anyKey, Now: january},
		answer: `{"data":[` + each(15*time.Minute, `{"datetime":"TIMEZ","carbonIntensity":VALUE}`) + `]}`, want: "12:00 - 100, 12:30 - 300",
	},
	{
		name: "electricity_maps, measured", api: &ElectricityMaps{URL: "http://maps.test", Zone: "FR", Token: anyKey, Now: january},
		answer: `{"history":[{"datetime":"2026-06-01T12:00:00.000+00:00","carbonIntensity":"100"}]}`, want: "12:00 - 100, 12:30 - 100",
	},
	{
		name: "watttime", api: &WattTime{URL: "http://watt.test/v3/", Region: "CAISO_NORTH"},
		answer: `{"token":"t","data":[` + each(5*time.Minute, `{"point_time":"TIME:00+00:00","value":POUNDS}`) + `]}`, want: "12:00 - 100, 12:30 - 300",
	},
	{
		name: "energy_charts", api: &EnergyCharts{URL: "http://charts.test/co2eq/", Country: "DE"},
		answer: `{"unix_seconds":[1780315200,1780317000],"co2eq":[100,300]}`, want: "12:00 - 100, 12:30 - 300",
	},
	{
		name: "rte", api: &RTE{URL: "http://rte.test/api/explore/v2.1/", Now: january},
		answer: `{"results":[` + each(15*time.Minute, `{"date_heure":"TIME:00.000+00:00","taux_co2":VALUE}`) + `]}`, want: "12:00 - 100, 12:30 - 300",
	},
	{
		name: "energinet", api: &Energinet{URL: "http://denmark.test/", Area: "DK1"},
		answer: `{"records":[` + each(5*time.Minute, `{"Minutes5UTC":"TIME:00","CO2Emission":VALUE}`) + `]}`, want: "12:00 - 100, 12:30 - 300",
	},
	{
		name: "openelectricity", api: &OpenElectricity{URL: "http://australia.test/v4/", Network: "NEM", Token: anyKey},
		answer: `{"data":[{"metric":"energy","results":[{"data":[` + each(5*time.Minute, `["TIMEZ",1000]`) + `]}]},{"metric":"emissions","results":[{"data":[` + each(5*time.Minute, `["TIME:00Z",VALUE]`) + `]}]}]}`, want: "12:00 - 100, 12:30 - 300",
	},
	{
		name: "entsoe", api: &ENTSOE{URL: "http://entsoe.test", Zone: "FR", Token: anyKey},
		answer: `<GL_MarketDocument><TimeSeries><MktPSRType><psrType>B04</psrType></MktPSRType><Period><timeInterval><start>2026-06-01T12:00Z</start><end>2026-06-01T13:00Z</end></timeInterval>
			<resolution>PT60M</resolution><Point><position>1</position><quantity>5</quantity></Point></Period></TimeSeries></GL_MarketDocument>`, want: "12:00 - 490, 12:30 - 490",
	},
	{
		name: "eia", api: &EIA{URL: "http://eia.test/v2/", Respondent: "CISO", Token: anyKey, Now: january},
		answer: `{"response":{"data":[{"period":"2026-06-01T13","fueltype":"NG","value":5}]}}`, want: "12:00 - 490, 12:30 - 490",
	},
	{
		name: "prometheus", api: &Prometheus{URL: "http://prometheus.test", Query: "x", Unit: 1, Hold: usage.SlotLength, Now: january},
		answer: `{"status":"success","data":{"resultType":"matrix","result":[{"values":[[1780315200,"100"],[1780317000,"300"]]}]}}`, want: "12:00 - 100, 12:30 - 300",
	},
}

// each is a list with an element for every step from noon to one, the newest first.
func each(step time.Duration, element string) string {
	var all []string
	for d := time.Hour - step; d >= 0; d -= step {
		value := 100.0
		if d >= usage.SlotLength {
			value = 300
		}
		all = append(all, strings.NewReplacer("TIME", at("2026-06-01T12:00:00Z").Add(d).Format("2006-01-02T15:04"),
			"VALUE", fmt.Sprint(value), "POUNDS", fmt.Sprintf("%q", fmt.Sprintf("%.17g", value/0.45359237))).Replace(element))
	}
	return strings.Join(all, ",")
}

func TestTheBarestAnswerIsOne(t *testing.T) {
	for _, test := range barest {
		t.Run(test.name, func(t *testing.T) { wantOdd(t, test.api, test.answer, test.want) })
	}
}

// TestAnAnswerOfAnotherTimeIsNone asks servers that do not look at what is asked for.
func TestAnAnswerOfAnotherTimeIsNone(t *testing.T) {
	for _, test := range barest {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := feedTo(test.api, saying(test.answer), clockFrom(january()))
				if slots, _, _ := f.Slots(t.Context(), at("2026-07-01T12:00:00Z"), at("2026-07-01T13:00:00Z")); len(slots) > 0 {
					t.Errorf("got %s", say(slots))
				}
				slots, _, err := f.Slots(t.Context(), at("2026-06-01T12:30:00Z"), at("2026-06-01T14:00:00Z"))
				_, rest, _ := strings.Cut(test.want, "12:30")
				if want := "12:30" + rest; err != nil || say(slots) != want {
					t.Errorf("of the hour and the next: got %s, %v, want %s", say(slots), err, want)
				}
			})
		})
	}
}

// TestNothingIsNoNumber holds every source to what no server that works would say.
func TestNothingIsNoNumber(t *testing.T) {
	for _, test := range barest {
		for _, text := range []string{
			``, `{}`, `[]`, `null`, `0`, `"x"`, `<html><body>504</body></html>`, `{"data":null}`, `{"data":[null]}`, `{"data":[{}]}`,
			`{"records":[{}]}`, `{"results":[null]}`, `{"unix_seconds":[1780315200],"co2eq":[null]}`, `{"response":{"data":[null]}}`,
			`{"token":"t","data":[]}`, `{"status":"success","data":{"resultType":"matrix","result":[]}}`,
			`<Acknowledgement_MarketDocument><Reason><code>999</code></Reason></Acknowledgement_MarketDocument>`, `<GL_MarketDocument/>`,
			strings.ReplaceAll(test.answer, "carbonIntensity", "other"), test.answer[:len(test.answer)/2],
		} {
			synctest.Test(t, func(t *testing.T) {
				f := feedTo(test.api, saying(text), clockFrom(january()))
				slots, _, err := f.Slots(t.Context(), at("2026-06-01T12:00:00Z"), at("2026-06-01T13:00:00Z"))
				if text != test.answer && len(slots) > 0 {
					t.Errorf("%s makes %s of %s, %v", test.name, say(slots), text, err)
				}
			})
		}
	}
}

// TestHoursBeginAtAnyQuarter: the clocks of India are ahead of UTC by five and a half hours, those
// of South Australia by nine and a half, those of Nepal by five and three quarters, and their hours
// begin accordingly.
func TestHoursBeginAtAnyQuarter(t *testing.T) {
	for _, test := range []struct{ zone, minute, want string }{
		{zone: "FR", minute: "00", want: "12:00 - 20, 12:30 - 20, 13:00 - 30, 13:30 - 30"},
		{zone: "IN-NO", minute: "30", want: "12:00 - 10, 12:30 - 20, 13:00 - 20, 13:30 - 30"},
		{zone: "AUS-SA", minute: "30", want: "12:00 - 10, 12:30 - 20, 13:00 - 20, 13:30 - 30"},
		{zone: "NP", minute: "15", want: "12:00 - 15, 12:30 - 20, 13:00 - 25, 13:30 - 30"},
	} {
		t.Run(test.zone, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := clockFrom(january())
				api := &ElectricityMaps{URL: "http://maps.test", Zone: test.zone, Estimates: true, Token: anyKey, Now: now}
				f := feedTo(api, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					from, to := at(r.URL.Query().Get("start")), at(r.URL.Query().Get("end"))
					var values []string
					for hour, value := range map[string]int{"11": 10, "12": 20, "13": 30, "14": 40} {
						when := "2026-06-01T" + hour + ":" + test.minute + ":00Z"
						if !at(when).Before(from) && at(when).Before(to) {
							values = append(values, fmt.Sprintf(`{"datetime":%q,"carbonIntensity":%d}`, when, value))
						}
					}
					fmt.Fprintf(w, `{"data":[%s]}`, strings.Join(values, ","))
				}), now)
				slots, rejects, err := f.Slots(t.Context(), at("2026-06-01T12:00:00Z"), at("2026-06-01T14:00:00Z"))
				if say(slots) != test.want || len(rejects) > 0 || err != nil {
					t.Errorf("got %s, %v, %v", say(slots), rejects, err)
				}
			})
		})
	}
}
