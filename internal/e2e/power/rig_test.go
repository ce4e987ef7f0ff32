// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package power_test runs carbon_exporter and carbontool against sites whose energy is known, in
// Prometheus' own engine: servers with processors that say what they draw, meters, devices,
// memory, a PUE and hardware that was made. It knows the programs by their flags, files and pages
// alone. Start with TestWattsWithoutConfiguration, then TestASiteWithMeters.
package power_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
)

// programs is the directory of what is built for the tests.
var programs string

func TestMain(m *testing.M) { os.Exit(built.Main(m, &programs, "carbon_exporter", "carbontool")) }

// waitFor is how long anything may take that ends at all.
const waitFor = 40 * time.Second

// place is the directory of one exporter.
type place struct{ config, store string }

func newPlace(t *testing.T, config string) place {
	t.Helper()
	dir := t.TempDir()
	p := place{config: filepath.Join(dir, "carbon.yml"), store: filepath.Join(dir, "data", "carbon.db")}
	if err := os.MkdirAll(filepath.Dir(p.store), 0o700); err != nil { // a backfill makes none
		t.Fatal(err)
	}
	write(t, p.config, config)
	return p
}

func (p place) args() []string {
	return []string{"--config.file=" + p.config, "--storage.path=" + p.store}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tool runs carbontool on a place, and wants it to do what it is told.
func (p place) tool(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	if args[0] == "check" || args[0] == "backup" {
		args = append(args, "--storage.path="+p.store)
	} else {
		args = append(args, p.args()...)
	}
	r := built.Run(t, exec.CommandContext(ctx, filepath.Join(programs, "carbontool"), args...))
	if r.Code != 0 {
		t.Fatalf("carbontool %q ends with %d:\n%s%s", args, r.Code, r.Stdout, r.Stderr)
	}
	return r.Stdout
}

// exporter is a running carbon_exporter.
type exporter struct {
	t *testing.T
	*built.Process
	url string
}

var listening = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

// start starts the exporter of a place on a port of its own.
func (p place) start(t *testing.T) *exporter {
	t.Helper()
	cmd := exec.Command(filepath.Join(programs, "carbon_exporter"), append(p.args(), "--web.listen-address=127.0.0.1:0")...)
	e := &exporter{t: t, Process: built.Start(t, cmd)}
	eventually(t, "the exporter listens", func() error {
		if found := listening.FindStringSubmatch(e.Stderr.String()); found != nil {
			e.url = "http://" + found[1]
			return nil
		}
		select {
		case <-e.Ended:
			t.Fatalf("the exporter ended with %v:\n%s", e.Cmd.ProcessState, e.Stderr.String())
		default:
		}
		return errors.New("it does not say where")
	})
	return e
}

// scrape is one answer of /metrics.
type scrape map[string]*dto.MetricFamily

func (e *exporter) scrape() scrape {
	e.t.Helper()
	client := &http.Client{Timeout: waitFor}
	defer client.CloseIdleConnections()
	r, err := client.Get(e.url + "/metrics")
	if err != nil {
		e.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		e.t.Fatalf("/metrics: http status %d, %v: %s", r.StatusCode, err, body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	return families
}

// by adds up a family by some of its labels, whose values are joined with a space.
func (s scrape) by(family string, labels ...string) map[string]float64 {
	all := map[string]float64{}
	for _, m := range s[family].GetMetric() {
		key := make([]string, len(labels))
		for _, pair := range m.GetLabel() {
			for i, name := range labels {
				if pair.GetName() == name {
					key[i] = pair.GetValue()
				}
			}
		}
		all[strings.Join(key, " ")] += m.GetGauge().GetValue() + m.GetCounter().GetValue() // the one it is not is 0
	}
	return all
}

func (s scrape) sum(family string) float64 { return s.by(family)[""] }

// whole waits until as many intervals have usage and a price, and none is missing.
func (e *exporter) whole(intervals int) scrape {
	e.t.Helper()
	return e.has(intervals, "settled", "provisional")
}

// settled waits until as many intervals are final, and none is missing.
func (e *exporter) settled(intervals int) scrape {
	e.t.Helper()
	return e.has(intervals, "settled")
}

func (e *exporter) has(intervals int, states ...string) (last scrape) {
	e.t.Helper()
	eventually(e.t, fmt.Sprintf("%d intervals are %s", intervals, strings.Join(states, " or ")), func() error {
		last = e.scrape()
		all, got := last.by("carbon_intervals", "state"), 0.0
		for _, state := range states {
			got += all[state]
		}
		if int(got) < intervals || all["missing"]+all["unpriced"] > 0 {
			return fmt.Errorf("intervals by state: %v", all)
		}
		return nil
	})
	return last
}

// eventually asks until there is no error, for so long and no longer.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	deadline := time.NewTimer(waitFor)
	defer deadline.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("%s: not within %v: %v", what, waitFor, err)
		case <-again.C:
		}
	}
}

// exact is how near numbers are that are the same but for the order of a sum.
const exact = 1e-9

// near says whether two numbers are the same but for a relative difference.
func near(got, want, relative float64) bool {
	return math.Abs(got-want) <= relative*max(math.Abs(got), math.Abs(want))
}

// same holds numbers to others, by name.
func same(t *testing.T, what string, got, want map[string]float64, relative float64) {
	t.Helper()
	for name, w := range want {
		if g, ok := got[name]; !ok || !near(g, w, relative) {
			t.Errorf("%s of %q: %v, want %v (off by %.3g)", what, name, g, w, g/w-1)
		}
	}
	for name, g := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s has %q with %v, of which nobody knows", what, name, g)
		}
	}
}
