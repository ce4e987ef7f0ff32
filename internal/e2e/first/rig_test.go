// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package first_test is the first hour of a new user: carbontool and carbon_exporter, told
// nothing but the address of a Prometheus, which is the real engine. It knows the programs by
// their flags, files and pages alone. Start with TestInitFindsItsWay.
package first_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/profiles"
)

// programs is the directory of what is built for the tests.
var programs string

func TestMain(m *testing.M) {
	// The sites' noon is two hours ago, and the newest half hour that is over is among those that
	// their other tests hold to the truth.
	profiles.Noon = time.Now().UTC().Truncate(halfHour).Add(-2 * time.Hour)
	os.Exit(built.Main(m, &programs, "carbontool", "carbon_exporter"))
}

// program is a call of one of the programs, in a directory.
func program(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(programs, name), args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TZ=Europe/Paris")
	return cmd
}

// run runs a program in a directory, without a terminal.
func run(t *testing.T, dir, name string, args ...string) built.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return built.Run(t, program(ctx, dir, name, args...))
}

const (
	// history is how long the machines have been scraped, scrape how often.
	history = 20 * time.Minute
	scrape  = 15 * time.Second
)

// machine is a machine with an exporter, whose cores are busy a quarter of the time.
type machine struct {
	metric string
	labels map[string]string
	cores  int
	core   string             // the label of the core; empty: cpu
	state  string             // the label of the mode; empty: mode
	modes  map[string]float64 // share of the time; nil: user and idle
	ran    float64            // CPU seconds in each mode before, which tell machines apart
}

// cloud serves an engine that has scraped some machines.
func cloud(t *testing.T, machines ...machine) string {
	t.Helper()
	return cloudFor(t, history, machines)
}

// cloudFor is cloud since some time.
func cloudFor(t *testing.T, history time.Duration, machines []machine) string {
	t.Helper()
	e, url := enginetest.Serve(t, engine.Options{})
	start := time.Now().Add(-history)
	for i, m := range machines {
		for cpu := range m.cores {
			for mode, share := range m.shares() {
				l := map[string]string{"__name__": m.metric, or(m.core, "cpu"): fmt.Sprint(cpu), or(m.state, "mode"): mode}
				maps.Copy(l, m.labels)
				counter := func(at time.Time) float64 { return m.ran + share*at.Sub(start).Seconds() }
				scraped(t, e, l, start.Add(time.Duration(i)*time.Second/10), counter)
			}
		}
	}
	return url
}

// scraped gives a series samples up to now.
func scraped(t *testing.T, e *engine.Engine, labels map[string]string, since time.Time, value func(time.Time) float64) {
	t.Helper()
	now := time.Now()
	var samples []engine.Sample
	for at := since; at.Before(now); at = at.Add(scrape) {
		samples = append(samples, engine.At(at, value(at)))
	}
	if err := e.Append(context.Background(), engine.NewSeries(labels), samples...); err != nil {
		t.Fatal(err)
	}
}

func (m machine) shares() map[string]float64 {
	if m.modes == nil {
		return map[string]float64{"user": 0.25, "idle": 0.75}
	}
	return m.modes
}

func or(text, usual string) string {
	if text == "" {
		return usual
	}
	return text
}

// nodes are machines with node_exporter in one job.
func nodes(job string, n int, labels func(i int) map[string]string) []machine {
	var all []machine
	for i := range n {
		l := map[string]string{"job": job, "instance": fmt.Sprintf("10.0.0.%d:9100", i)}
		maps.Copy(l, labels(i))
		all = append(all, machine{metric: "node_cpu_seconds_total", labels: l, cores: 2, ran: 10_000 * float64(i+1)})
	}
	return all
}

// proxy hands requests on to a server.
func proxy(t *testing.T, to string) http.Handler {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	return httputil.NewSingleHostReverseProxy(u)
}
