// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package twins_test runs two carbon_exporter programs with one configuration, as
// docs/high-availability.md has it, lets each have accidents of its own, and compares their numbers
// to the last bit. It knows the programs by their flags, their stores and their pages alone. Start
// with TestTwinsEndInTheSameNumbers.
package twins_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// scratch is the directory of the programs.
var scratch string

func TestMain(m *testing.M) { os.Exit(built.Main(m, &scratch, "carbon_exporter", "carbontool")) }

// waitFor bounds every wait.
const waitFor = 40 * time.Second

// door is the way of one twin to a server that both use.
type door struct {
	*httptest.Server
	open   http.Handler
	refuse atomic.Pointer[refusal] // nil: nothing is refused
}

// refusal returns the http status with which a request is refused; 0: it is not.
type refusal func(r *http.Request) int

func newDoor(t *testing.T, open http.Handler) *door {
	t.Helper()
	d := &door{open: open}
	d.Server = httptest.NewServer(d)
	t.Cleanup(func() {
		d.CloseClientConnections()
		d.Close()
	})
	return d
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if refuse := d.refuse.Load(); refuse != nil {
		switch status := (*refuse)(r); status {
		case 0:
		case http.StatusUnprocessableEntity:
			w.WriteHeader(status)
			io.WriteString(w, `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`)
			return
		default:
			http.Error(w, "out of order", status)
			return
		}
	}
	d.open.ServeHTTP(w, r)
}

// lets replaces what a door refuses.
func (d *door) lets(refuse refusal) { d.refuse.Store(&refuse) }

func nothing(*http.Request) int    { return http.StatusBadGateway }
func everything(*http.Request) int { return 0 }

// twin is one of a pair: a configuration, a store and, at times, a program.
type twin struct {
	t             *testing.T
	name          string
	config, store string
	settings      func(changes string) string
	program       *built.Process
	URL           string
	kills         int
}

// newTwin writes the configuration of a twin. What is in more is added to it.
func newTwin(t *testing.T, name string, settings func(more string) string) *twin {
	t.Helper()
	dir := t.TempDir()
	w := &twin{t: t, name: name, config: filepath.Join(dir, "carbon.yml"), store: filepath.Join(dir, "data", "carbon.db"), settings: settings}
	w.configure("")
	return w
}

func (w *twin) configure(more string) { write(w.t, w.config, w.settings(more)) }

func (w *twin) args(command ...string) []string {
	return append(command, "--config.file="+w.config, "--storage.path="+w.store)
}

var listening = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

// start starts the program, on an address of its own.
func (w *twin) start() {
	w.t.Helper()
	w.launch("127.0.0.1:0")
	w.URL = "http://" + w.listens()
}

func (w *twin) launch(address string) {
	w.t.Helper()
	w.program = built.Start(w.t, exec.Command(filepath.Join(scratch, "carbon_exporter"), w.args("--web.listen-address="+address)...))
}

// listens is where the program listens, once it does.
func (w *twin) listens() (address string) {
	w.t.Helper()
	eventually(w.t, waitFor, w.name+" listens", func() error {
		if found := listening.FindStringSubmatch(w.program.Stderr.String()); found != nil {
			address = found[1]
			return nil
		}
		select {
		case <-w.program.Ended:
			w.t.Fatalf("%s ended:\n%s", w.name, w.program.Stderr.String())
		default:
		}
		return errors.New("it does not say where")
	})
	return address
}

// kill is kill -9.
func (w *twin) kill() {
	w.program.End(os.Kill)
	w.kills++
}

// metrics are the lines of /metrics.
func (w *twin) metrics() ([]string, error) {
	answer, err := http.Get(w.URL + "/metrics")
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return strings.Split(string(text), "\n"), err
}

// says waits for lines of /metrics.
func (w *twin) says(wanted ...string) {
	w.t.Helper()
	eventually(w.t, waitFor, w.name+" is as it should be", func() error {
		lines, err := w.metrics()
		if err != nil {
			return err
		}
		for _, line := range wanted {
			if !slices.Contains(lines, line) {
				states := slices.DeleteFunc(lines, func(l string) bool { return !strings.HasPrefix(l, "carbon_intervals{") })
				return fmt.Errorf("it does not say %q: %q", line, states)
			}
		}
		return nil
	})
}

// tool runs carbontool on a twin's store.
func (w *twin) tool(command ...string) string {
	w.t.Helper()
	got := built.Run(w.t, exec.Command(filepath.Join(scratch, "carbontool"), w.args(command...)...))
	if got.Code != 0 {
		w.t.Fatalf("carbontool %v of %s: exit code %d: %s", command, w.name, got.Code, got.Stderr)
	}
	return got.Stdout
}

// span is what an empty store begins with and how far it is filled now.
type span struct {
	first, end    time.Time
	lookback, lag time.Duration
}

// spanOf chooses lookback and lag so that the span stays as it is for a quarter of an hour, whenever
// the test runs.
func spanOf(length time.Duration) span {
	now := time.Now().UTC()
	s := span{end: usage.SlotAt(now)}
	s.first = s.end.Add(-length)
	s.lookback = now.Sub(s.first.Add(usage.SlotLength / 2)).Truncate(time.Second)
	if s.end.Add(usage.SlotLength).Sub(now) < usage.SlotLength/2 {
		s.lag = usage.SlotLength / 2
	}
	return s
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// eventually asks until there is no error, for so long and no longer.
func eventually(t *testing.T, within time.Duration, what string, try func() error) {
	t.Helper()
	deadline := time.NewTimer(within)
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
			t.Fatalf("%s: not within %v: %v", what, within, err)
		case <-again.C:
		}
	}
}
