// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package scraped

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Crowd is a Prometheus that has scraped 1 000 hosts of 600 users, 10 projects and as many
// machine types as said, of eight cores each, that counts in hundredths of a second as Linux
// does. It is for benchmarks.
func Crowd(machines int) *Server {
	boot := time.Date(2024, 12, 1, 0, 0, 0, 0, time.UTC)
	shares := map[string]float64{"user": 0.7, "nice": 0.02, "system": 0.25, "irq": 0.01, "softirq": 0.02, "idle": 0.98, "iowait": 0.015, "steal": 0.005}
	s := &Server{}
	for host := range 1000 {
		key := host % 600
		s.Hosts = append(s.Hosts, &Host{
			Series: usage.Series{
				Project: fmt.Sprintf("project-%d", key%10), Machine: fmt.Sprintf("machine-%d", key%machines),
				Host: fmt.Sprintf("10.0.%d.%d:9100", host/250, host%250), User: fmt.Sprintf("user-%d", key),
			},
			Cores: 8, Modes: slices.Sorted(maps.Keys(shares)),
			Counter: func(core int, mode string, at time.Time) float64 {
				all := at.Sub(boot).Seconds()
				v := (0.2+float64(host)/12345+float64(core)/100)*all + 50*math.Sin(all/86400*2*math.Pi)
				if mode == "idle" || mode == "iowait" || mode == "steal" {
					v = all - v
				}
				return math.Round(v*shares[mode]*100) / 100
			},
		})
	}
	return s
}
