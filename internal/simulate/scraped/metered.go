// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package scraped

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Metered is a Prometheus with hosts of several machine types, of two cores each, and meters of
// what they draw. Each half hour has another load, and after eight it begins again.
type Metered struct {
	Hosts map[string][]string // by machine type
	// Meters are by the expression of the query that asks for their watts, whatever is around it.
	Meters map[string]Meter
}

// Meter is a measurement of the power of hosts.
type Meter struct {
	Label string                                         // that names the host
	Name  func(host string) string                       // what it is called there
	Watts func(machine string, busy float64) (w float64) // of a host, at a share of busy time; NaN: nothing
}

// MeterOf measures the hosts of one machine type, and calls them what they are called.
func MeterOf(machine string, watts func(machine string, busy float64) float64) Meter {
	return Meter{
		Label: Usual.Host, Name: func(host string) string { return host },
		Watts: func(m string, busy float64) float64 {
			if m != machine {
				return math.NaN()
			}
			return watts(m, busy)
		},
	}
}

// DrawnWatts are the watts per core of machine types.
var DrawnWatts = map[string]usage.BusyIdle[usage.Watts]{"Muon": {Busy: 7.25, Idle: 2.5}, "SANS": {Busy: 3.5, Idle: 0.5}}

const (
	meteredCores = 2
	loads        = 8 // half hours until the loads begin again
)

// Drawn is what a host draws, by DrawnWatts.
func Drawn(machine string, busy float64) float64 {
	w := DrawnWatts[machine]
	return meteredCores * (float64(w.Busy)*busy + float64(w.Idle)*(1-busy))
}

// busyShare is the share of busy time in a half hour.
func busyShare(slot int64) float64 { return 0.1 + 0.8*float64(slot%loads)/loads }

// busyTime is the busy seconds of a core until a time.
func busyTime(at time.Time) (sum float64) {
	length := int64(usage.SlotLength / time.Second)
	slot := at.Unix() / length
	for i := range int64(loads) {
		sum += busyShare(i) * float64(length) * float64((slot-i+loads-1)/loads)
	}
	return sum + busyShare(slot)*at.Sub(time.Unix(slot*length, 0)).Seconds()
}

// ServeHTTP answers queries for what a meter shows, and those of Server.
func (m *Metered) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.FormValue("query")
	for expr, of := range m.Meters {
		if strings.Contains(query, expr) {
			m.measured(w, r, of)
			return
		}
	}
	server := Server{}
	for machine, hosts := range m.Hosts {
		for _, host := range hosts {
			server.Hosts = append(server.Hosts, &Host{
				Series: usage.Series{Project: "CLF", Machine: machine, Host: host, User: "ada"},
				Cores:  meteredCores, Modes: []string{"user", "idle"},
				Counter: func(_ int, mode string, at time.Time) float64 {
					if mode == "user" {
						return busyTime(at)
					}
					return at.Sub(time.Unix(0, 0)).Seconds() - busyTime(at)
				},
			})
		}
	}
	slices.SortFunc(server.Hosts, func(a, b *Host) int { return strings.Compare(a.Series.Host, b.Series.Host) })
	server.ServeHTTP(w, r)
}

// measured answers what a meter shows in the half hours before each evaluation: the mean, the
// lowest, and the number of values.
func (m *Metered) measured(w http.ResponseWriter, r *http.Request, of Meter) {
	var times [3]int64
	for i, name := range []string{"start", "end", "step"} {
		if _, err := fmt.Sscan(r.FormValue(name), &times[i]); err != nil {
			http.Error(w, name+": "+err.Error(), http.StatusBadRequest)
			return
		}
	}
	var series []string
	for machine, hosts := range m.Hosts {
		for _, host := range hosts {
			for _, part := range []string{"mean", "least", "points"} {
				var points []string
				for end := times[0]; end <= times[1]; end += times[2] {
					v := of.Watts(machine, busyShare((end-1)/int64(usage.SlotLength/time.Second)))
					if math.IsNaN(v) {
						continue
					}
					if part == "points" {
						v = 30
					}
					points = append(points, fmt.Sprintf(`[%d,"%v"]`, end, v))
				}
				if points != nil {
					series = append(series, fmt.Sprintf(`{"metric":{%q:%q,"carbon_exporter_part":%q},"values":[%s]}`, of.Label, of.Name(host), part, strings.Join(points, ",")))
				}
			}
		}
	}
	fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[%s]}}`, strings.Join(series, ","))
}
