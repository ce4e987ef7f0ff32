// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// planOf is the plan at a time of forecasts from its slot on, of which a negative
// one stands for none. The window may have " until " and a time in London after it.
func planOf(t *testing.T, now, window string, values []float64, words ...string) *Plan {
	t.Helper()
	at, err := time.Parse(time.RFC3339, now)
	if err != nil {
		t.Fatal(err)
	}
	var slots []usage.Slot
	for n, v := range values {
		slot := usage.Slot{From: usage.SlotAt(at).Add(time.Duration(n) * usage.SlotLength), Forecast: new(usage.GramsPerKWh(v)), FetchedAt: at.Add(-5 * time.Minute)}
		if n < len(words) {
			slot.Index = words[n]
		}
		if v >= 0 {
			slots = append(slots, slot)
		}
	}
	window, until, given := strings.Cut(window, " until ")
	job, err := Forecast{Window: window, Until: until, UntilGiven: given}.Job(london(t), at)
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	grids, err := parts.NewGrids(&cfg, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return newPlan(grids.Priced[0], slots, at, window, job)
}

func london(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestPlanAsText(t *testing.T) {
	for _, c := range []struct {
		name, now, window string
		values            []float64
		words             []string
		want              string
	}{
		{"the usual, over midnight", "2026-01-15T22:40:00Z", "1h", []float64{84, 42, 10.04, 7.25, 2, 0, 84}, []string{"low", "very low", "very low"}, `Forecast for GB (uk), gCO2eq/kWh, fetched Thu 15 Jan 22:35 GMT.

Thu 15 Jan 2026
  22:30 GMT   84  low       ##########################################
  23:00 GMT   42  very low  #####################
  23:30 GMT   10  very low  #####

Fri 16 Jan 2026
  00:00 GMT  7.3            ####
* 00:30 GMT    2            *
* 01:00 GMT    0
  01:30 GMT   84            ##########################################

Best 1h (*): Fri 16 Jan 00:30 GMT to 01:30 GMT, mean 1.
Starting now the mean would be 63: waiting saves 98 %.
`},
		{"a half hour is missing", "2026-07-01T10:00:00Z", "90m", []float64{100, 100, -1, 50, 50, 60}, nil, `Forecast for GB (uk), gCO2eq/kWh, fetched Wed 1 Jul 10:55 BST.

Wed 1 Jul 2026
  11:00 BST  100  ##########################################
  11:30 BST  100  ##########################################
  12:00 BST    -
* 12:30 BST   50  *********************
* 13:00 BST   50  *********************
* 13:30 BST   60  *************************

Best 90m (*): Wed 1 Jul 12:30 BST to 14:00 BST, mean 53.3.
`},
		{"now is the best time", "2026-07-01T22:29:00Z", "1h", []float64{50, 50, 50, 50}, nil, `Forecast for GB (uk), gCO2eq/kWh, fetched Wed 1 Jul 23:24 BST.

Wed 1 Jul 2026
* 23:00 BST  50  ******************************************
* 23:30 BST  50  ******************************************

Thu 2 Jul 2026
  00:00 BST  50  ##########################################
  00:30 BST  50  ##########################################

Best 1h (*): now, Wed 1 Jul 23:00 BST to Thu 2 Jul 00:00 BST, mean 50.
`},
		{"no window is long enough, and nothing has carbon", "2026-01-15T12:00:00Z", "2h", []float64{0, 0, 0}, nil, `Forecast for GB (uk), gCO2eq/kWh, fetched Thu 15 Jan 11:55 GMT.

Thu 15 Jan 2026
  12:00 GMT  0
  12:30 GMT  0
  13:00 GMT  0

Best 2h: none. No window has a forecast for each of its half hours.
`},
		{"the clocks go back: an hour is there twice", "2026-10-25T00:00:00Z", "1h", []float64{40, 30, 20, 20, 30, 40}, nil, `Forecast for GB (uk), gCO2eq/kWh, fetched Sun 25 Oct 00:55 BST.

Sun 25 Oct 2026
  01:00 BST  40  ##########################################
  01:30 BST  30  ################################
* 01:00 GMT  20  *********************
* 01:30 GMT  20  *********************
  02:00 GMT  30  ################################
  02:30 GMT  40  ##########################################

Best 1h (*): Sun 25 Oct 01:00 GMT to 02:00 GMT, mean 20.
Starting now the mean would be 35: waiting saves 43 %.
`},
		{"the clocks go forward: an hour is not there", "2026-03-29T00:10:00Z", "1h", []float64{40, 20, 20, 40}, nil, `Forecast for GB (uk), gCO2eq/kWh, fetched Sun 29 Mar 00:05 GMT.

Sun 29 Mar 2026
  00:00 GMT  40  ##########################################
* 00:30 GMT  20  *********************
* 02:00 BST  20  *********************
  02:30 BST  40  ##########################################

Best 1h (*): Sun 29 Mar 00:30 GMT to 02:30 BST, mean 20.
Starting now the mean would be 30: waiting saves 33 %.
`},
		{"the best would end too late", "2026-07-01T10:00:00Z", "1h until 2026-07-01T12:45", []float64{50, 40, 30, 20, 10, 0}, nil, `Forecast for GB (uk), gCO2eq/kWh, fetched Wed 1 Jul 10:55 BST.

Wed 1 Jul 2026
  11:00 BST  50  ##########################################
* 11:30 BST  40  **********************************
* 12:00 BST  30  *************************
  12:30 BST  20  #################
  13:00 BST  10  ########
  13:30 BST   0

Best 1h until Wed 1 Jul 12:45 BST (*): Wed 1 Jul 11:30 BST to 12:30 BST, mean 35.
Starting now the mean would be 45: waiting saves 22 %.
`},
		{"it ends just in time", "2026-07-01T10:00:00Z", "1h until 2026-07-01T13:00", []float64{50, 40, 30, 20, 10}, nil, `Forecast for GB (uk), gCO2eq/kWh, fetched Wed 1 Jul 10:55 BST.

Wed 1 Jul 2026
  11:00 BST  50  ##########################################
  11:30 BST  40  ##################################
* 12:00 BST  30  *************************
* 12:30 BST  20  *****************
  13:00 BST  10  ########

Best 1h until Wed 1 Jul 13:00 BST (*): Wed 1 Jul 12:00 BST to 13:00 BST, mean 25.
Starting now the mean would be 45: waiting saves 44 %.
`},
		{"there is no time for it", "2026-07-01T10:00:00Z", "1h until 2026-07-01T11:50", []float64{50, 40, 30}, nil, `Forecast for GB (uk), gCO2eq/kWh, fetched Wed 1 Jul 10:55 BST.

Wed 1 Jul 2026
  11:00 BST  50  ##########################################
  11:30 BST  40  ##################################
  12:00 BST  30  #########################

Best 1h until Wed 1 Jul 11:50 BST: none. The first window ends at Wed 1 Jul 12:00 BST.
`},
		{"a half hour is missing until then", "2026-07-01T10:00:00Z", "1h until 2026-07-01T12:30", []float64{50, -1, 30, 30}, nil, `Forecast for GB (uk), gCO2eq/kWh, fetched Wed 1 Jul 10:55 BST.

Wed 1 Jul 2026
  11:00 BST  50  ##########################################
  11:30 BST   -
  12:00 BST  30  #########################
  12:30 BST  30  #########################

Best 1h until Wed 1 Jul 12:30 BST: none. No window that ends by then has a forecast for each of its half hours.
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			planOf(t, c.now, c.window, c.values, c.words...).text(&out, london(t))
			if out.String() != c.want {
				t.Errorf("got\n%s\nwant\n%s", out.String(), c.want)
			}
		})
	}
}

// TestPlanFitsATerminal: 48 hours over each change of the clocks, in zones of all
// kinds, are 96 lines of at most 80 columns, none like another.
func TestPlanFitsATerminal(t *testing.T) {
	values, words := make([]float64, 96), make([]string, 96)
	for i := range values {
		values[i], words[i] = float64(100+i*7%900), "very high"
	}
	for _, name := range []string{"Europe/London", "America/Los_Angeles", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo", "UTC"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, now := range []string{"2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z", "2026-03-07T20:00:00Z", "2026-04-04T01:00:00Z", "2026-12-31T05:00:00Z"} {
			var out bytes.Buffer
			planOf(t, now, "48h", values, words...).text(&out, zone)
			seen, day := map[string]bool{}, ""
			for line := range strings.Lines(out.String()) {
				switch line = strings.TrimSuffix(line, "\n"); {
				case len(line) > 80:
					t.Errorf("%s: wider than a terminal: %s", name, line)
				case strings.HasSuffix(line, " 2026"), strings.HasSuffix(line, " 2027"):
					day = line
				case strings.HasPrefix(line, "* "):
					at := day + strings.Fields(line)[1] + strings.Fields(line)[2]
					if seen[at] {
						t.Errorf("%s: twice %s", name, at)
					}
					seen[at] = true
				}
			}
			if len(seen) != 96 {
				t.Errorf("%s from %s: %d half hours\n%s", name, now, len(seen), out.String())
			}
		}
	}
}

func TestPlanAsJSON(t *testing.T) {
	var out bytes.Buffer
	if err := planOf(t, "2026-01-15T22:40:30.5Z", "1h", []float64{84, -1, 10.25, 0}, "low").json(&out); err != nil {
		t.Fatal(err)
	}
	want := `{
  "provider": "uk",
  "grid": "GB",
  "basis": "average direct consumption",
  "marginal": false,
  "fetched_at": "2026-01-15T22:35:30Z",
  "slots": [
    {
      "from": "2026-01-15T22:30:00Z",
      "gco2eq_per_kwh": 84,
      "index": "low",
      "best": false
    },
    {
      "from": "2026-01-15T23:30:00Z",
      "gco2eq_per_kwh": 10.25,
      "best": true
    },
    {
      "from": "2026-01-16T00:00:00Z",
      "gco2eq_per_kwh": 0,
      "best": true
    }
  ],
  "window": "1h",
  "until": null,
  "now": null,
  "best": {
    "from": "2026-01-15T23:30:00Z",
    "to": "2026-01-16T00:30:00Z",
    "mean_gco2eq_per_kwh": 5.125
  }
}
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestPlanUntilATimeAsJSON(t *testing.T) {
	var out bytes.Buffer
	if err := planOf(t, "2026-07-01T10:00:00Z", "1h until 2026-07-01T11:50", []float64{84, 10}).json(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"until": "2026-07-01T10:50:00Z"`, `"best": null`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %s in %s", want, &out)
		}
	}
}

func TestUntilIsWithinTheComing48Hours(t *testing.T) {
	now := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	for until, want := range map[string]string{
		"2026-07-01T11:00:01":  "",
		"2026-07-03T11:00":     "",
		"1782907200":           "",
		"2026-07-03T11:00:01":  "--until: must be within the coming 48 hours, is 2026-07-03T11:00:01+01:00",
		"2026-07-04":           "--until: must be within the coming 48 hours, is 2026-07-04T00:00:00+01:00",
		"now":                  "--until: must be within the coming 48 hours, is 2026-07-01T11:00:00+01:00",
		"2026-07-01T10:00:00Z": "--until: must be within the coming 48 hours, is 2026-07-01T11:00:00+01:00",
		"-1h":                  "--until: must be within the coming 48 hours, is 2026-07-01T10:00:00+01:00",
		"soon":                 `--until: "soon" is not a time such as 2026-10-01, 2026-10-01T10:30, 2026-10-01T10:30:00Z, 2026-10, yesterday or -1h`,
	} {
		_, err := Forecast{Window: "3h", Until: until, UntilGiven: true}.Job(london(t), now)
		if got := fmt.Sprint(err); err == nil && want != "" || err != nil && got != want {
			t.Errorf("%s: got %v, want %s", until, err, want)
		}
	}
}

func TestForecastOfMarginalValues(t *testing.T) {
	p := planOf(t, "2026-01-15T22:40:30.5Z", "1h", []float64{84, 12, 10, 0}, "low")
	p.Marginal = true
	var out strings.Builder
	p.text(&out, time.UTC)
	if !strings.Contains(out.String(), "marginal values: what one more kWh would emit") {
		t.Errorf("got %s", &out)
	}
}
