// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package twins_test

import (
	"maps"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
)

// newSite is a Prometheus with what two servers have scraped of the hosts of a cloud.
func newSite(t *testing.T, over span) *engine.Engine {
	t.Helper()
	e, _ := enginetest.Serve(t, engine.Options{})
	record(t, e, over, "a", map[string]string{"replica": "a"})
	record(t, e, over, "b", map[string]string{"replica": "b"})
	return e
}

// record adds what one server of a pair has scraped: as node_exporter counts, in hundredths of a
// second, at moments of its own, with hosts that come, go and boot, scrapes that are missing, and
// times in which the server is down, sometimes together with the other. The second ends for good:
// whoever reads little at a time sees a pair, and whoever reads a day does not.
func record(t *testing.T, e *engine.Engine, over span, server string, more map[string]string) {
	t.Helper()
	from, to := over.first.Add(-time.Hour), over.end.Add(time.Hour)
	cloud, err := simulate.New(simulate.Config{
		Seed: 958, Hosts: 4, Start: over.first.Add(-48 * time.Hour), End: over.end.Add(14 * 24 * time.Hour),
		Odd: simulate.Odd{Lifetimes: true, Reboots: true, Gaps: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	minutes := func(a, b time.Duration) [2]time.Time { return [2]time.Time{over.first.Add(a), over.first.Add(b)} }
	down := map[string][][2]time.Time{
		"a": {minutes(3*time.Hour+10*time.Minute, 3*time.Hour+25*time.Minute), minutes(9*time.Hour-4*time.Minute, 9*time.Hour+7*time.Minute)},
		"b": {minutes(5*time.Hour-5*time.Minute, 6*time.Hour+5*time.Minute), minutes(9*time.Hour-2*time.Minute, 9*time.Hour+12*time.Minute), minutes(10*time.Hour, 2*history)},
	}[server]
	shift := map[string]time.Duration{"b": 17 * time.Second}[server]
	for _, host := range cloud.Hosts() {
		scrapes := scrapesOf(host, from, to, shift, down)
		if len(scrapes) == 0 {
			continue
		}
		for cpu := range host.Cores {
			for _, mode := range simulate.CPUModes() {
				labels := map[string]string{
					"__name__": "node_cpu_seconds_total", "job": "node", "instance": host.Instance,
					"cloud_project_name": host.Project, "machine_name": host.Machine, "user": host.User,
					"cpu": strconv.Itoa(cpu), "mode": mode.String(),
				}
				maps.Copy(labels, more)
				samples := make([]engine.Sample, 0, len(scrapes)+1)
				for _, at := range scrapes {
					seconds, _ := host.Counter(cpu, mode, at) // it is alive
					samples = append(samples, engine.At(at, math.Floor(seconds*100)/100))
				}
				if host.End.Before(to) {
					samples = append(samples, engine.At(scrapes[len(scrapes)-1].Add(time.Minute), engine.Stale()))
				}
				if err := e.Append(t.Context(), engine.NewSeries(labels), samples...); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// scrapesOf are the moments at which a server that is not down has scraped a host.
func scrapesOf(host *simulate.Host, from, to time.Time, shift time.Duration, down [][2]time.Time) (all []time.Time) {
	for at := from.Add(host.Phase(time.Minute) + shift); at.Before(to); at = at.Add(time.Minute) {
		seen := host.Alive(at) && host.Scraped(at)
		for _, d := range down {
			seen = seen && (at.Before(d[0]) || at.After(d[1]))
		}
		if seen {
			all = append(all, at)
		}
	}
	return all
}
