// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package cloud_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/cloud"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// monday is the start of a working week.
var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

const every = time.Minute

// recorded is a cloud of one day, in a Prometheus.
func recorded(t *testing.T, odd simulate.Odd) (*simulate.Cloud, string) {
	t.Helper()
	c, err := simulate.New(simulate.Config{Seed: 7, Hosts: 10, Start: monday, Odd: odd})
	if err != nil {
		t.Fatal(err)
	}
	e, url := enginetest.Serve(t, engine.Options{})
	r := cloud.NewRecorder(c, e, every)
	// Two calls, as history and live data are: the seam must not show.
	seam := monday.Add(13*time.Hour + 20*time.Minute + 7*time.Second)
	for _, part := range [][2]time.Time{{monday, seam}, {seam, monday.Add(24*time.Hour + every)}} {
		if err := r.Record(context.Background(), part[0], part[1]); err != nil {
			t.Fatal(err)
		}
	}
	if r.Samples() == 0 {
		t.Fatal("no samples")
	}
	return c, url
}

// increase asks for the CPU seconds of each half hour of the day, by its start.
func increase(t *testing.T, prometheus string, modes string) map[time.Time]map[usage.Series]float64 {
	t.Helper()
	response, err := http.PostForm(prometheus+"/api/v1/query_range", url.Values{
		"query": {fmt.Sprintf(`sum by (cloud_project_name, machine_name, instance, user) (increase(node_cpu_seconds_total{job="node",mode=~%q}[30m]))`, modes)},
		"start": {monday.Add(30 * time.Minute).Format(time.RFC3339)},
		"end":   {monday.Add(24 * time.Hour).Format(time.RFC3339)},
		"step":  {"1800"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Status string
		Data   struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Status != "success" {
		t.Fatalf("http status %d: %v", response.StatusCode, err)
	}
	seen := make(map[time.Time]map[usage.Series]float64)
	for _, result := range answer.Data.Result {
		m := result.Metric
		series := usage.Series{Project: m["cloud_project_name"], Machine: m["machine_name"], Host: m["instance"], User: m["user"]}
		for _, point := range result.Values {
			start := time.Unix(int64(point[0].(float64)), 0).UTC().Add(-30 * time.Minute)
			if seen[start] == nil {
				seen[start] = make(map[usage.Series]float64)
			}
			v, err := strconv.ParseFloat(point[1].(string), 64)
			if err != nil {
				t.Fatal(err)
			}
			seen[start][series] = v
		}
	}
	return seen
}

func TestAPlainDay(t *testing.T) {
	c, prometheus := recorded(t, simulate.Odd{})
	t.Run("increase over a half hour is the truth", func(t *testing.T) { increaseIsTheTruth(t, c, prometheus) })
	t.Run("a host that goes ends its series", func(t *testing.T) { aHostThatGoesEndsItsSeries(t, c, prometheus) })
}

// With rates that are constant in each half hour, and lives that begin and end
// between two of them, increase() over a half hour is exact, though it sees no
// sample at either border: that is what lets tests of the exporter demand the
// truth and not something near it.
func increaseIsTheTruth(t *testing.T, c *simulate.Cloud, prometheus string) {
	t.Helper()
	busy := increase(t, prometheus, "user|nice|system|irq|softirq")
	idle := increase(t, prometheus, "idle|iowait")
	compared := 0
	for n := range 48 {
		slot := usage.Interval{Start: monday.Add(time.Duration(n) * usage.SlotLength), Length: usage.SlotLength}
		truth := c.Truth(slot)
		if len(busy[slot.Start]) != len(truth) || len(idle[slot.Start]) != len(truth) {
			t.Errorf("%s: %d busy and %d idle series, want %d", slot, len(busy[slot.Start]), len(idle[slot.Start]), len(truth))
		}
		for series, want := range truth {
			for _, mode := range []struct {
				name string
				got  float64
				want usage.CPUSeconds
			}{
				{"busy", busy[slot.Start][series], want.Busy},
				{"idle", idle[slot.Start][series], want.Idle},
			} {
				compared++
				if apart := math.Abs(mode.got - float64(mode.want)); apart > 1e-6*float64(mode.want) {
					t.Errorf("%s %v %s: increase is %v, truth %v", slot, series, mode.name, mode.got, mode.want)
				}
			}
		}
	}
	if compared < 500 {
		t.Errorf("only %d numbers were compared", compared)
	}
}

// The bound that simulate.Odd promises: a core does at most a second a second,
// and one window has at most two borders of lives, a reboot and a gap.
func TestIncreaseOfOddHostsIsNearTheTruth(t *testing.T) {
	c, prometheus := recorded(t, simulate.Odd{Lifetimes: true, Reboots: true, Gaps: true})
	busy := increase(t, prometheus, "user|nice|system|irq|softirq")
	inexact := 0
	for n := range 48 {
		slot := usage.Interval{Start: monday.Add(time.Duration(n) * usage.SlotLength), Length: usage.SlotLength}
		truth := c.Truth(slot)
		bounds := make(map[usage.Series]time.Duration)
		for _, h := range c.Hosts() {
			bounds[h.Series()] += time.Duration(h.Cores) * (6*every + unseen(h, slot))
		}
		for series, got := range busy[slot.Start] {
			if _, ok := truth[series]; !ok {
				t.Errorf("%s %v: increase is %v of a host that did not live", slot, series, got)
			}
		}
		for series, want := range truth {
			apart := math.Abs(busy[slot.Start][series] - float64(want.Busy))
			if apart > 1e-6*float64(want.Busy) {
				inexact++
			}
			if apart > bounds[series].Seconds() {
				t.Errorf("%s %v: increase is %v, truth %v", slot, series, busy[slot.Start][series], want.Busy)
			}
		}
	}
	if inexact == 0 {
		t.Error("nothing was odd")
	}
}

// unseen is for how long scrapes of a host are missing in a slot.
func unseen(h *simulate.Host, slot usage.Interval) time.Duration {
	var missing time.Duration
	for at := slot.Start; slot.Holds(at); at = at.Add(every) {
		if h.Alive(at) && !h.Scraped(at) {
			missing += every
		}
	}
	return missing
}

func aHostThatGoesEndsItsSeries(t *testing.T, c *simulate.Cloud, prometheus string) {
	t.Helper()
	day := usage.Interval{Start: monday, Length: 23 * time.Hour}
	ended := 0
	for _, h := range c.Hosts() {
		if !day.Holds(h.End) {
			continue
		}
		ended++
		for _, moment := range []struct {
			name string
			at   time.Time
			want int
		}{
			{"at its end", h.End, 1},
			{"a scrape later", h.End.Add(every), 0},
		} {
			query := fmt.Sprintf(`up{instance=%q,user=%q}`, h.Instance, h.User)
			response, err := http.PostForm(prometheus+"/api/v1/query", url.Values{
				"query": {query}, "time": {moment.at.Format(time.RFC3339)},
			})
			if err != nil {
				t.Fatal(err)
			}
			var answer struct{ Data struct{ Result []any } }
			err = json.NewDecoder(response.Body).Decode(&answer)
			response.Body.Close()
			if err != nil || len(answer.Data.Result) != moment.want {
				t.Errorf("%s %s: %d series, want %d, error %v", query, moment.name, len(answer.Data.Result), moment.want, err)
			}
		}
	}
	if ended == 0 {
		t.Error("no host goes in a day")
	}
}
