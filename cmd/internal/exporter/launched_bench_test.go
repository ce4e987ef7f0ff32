// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package exporter

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// patience is how long a program may take to do what is measured.
const patience = 30 * time.Minute

// launched is a program that was started to be measured.
type launched struct {
	cmd   *exec.Cmd
	url   string
	ended chan struct{} // closed when it has ended
	err   error         // how, once it has
	log   bytes.Buffer  // what it wrote, once it has
}

// compiled builds a program of cmd.
func compiled(b *testing.B, name string) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", program, "../../"+name).CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

// launch starts a program whose store is in a folder.
func launch(b *testing.B, program, dir, prometheus string) *launched {
	b.Helper()
	config := filepath.Join(dir, "carbon.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil,
		"prometheus: {url: %s, lag: 0s}\ncarbon_intensity: {provider: static, static: {gco2eq_per_kwh: 210.89, grid: GB}}\n", prometheus), 0o600); err != nil {
		b.Fatal(err)
	}
	address := freePort(b)
	p := &launched{url: "http://" + address, ended: make(chan struct{}), cmd: exec.Command(program, "--config.file="+config,
		"--storage.path="+filepath.Join(dir, "carbon.db"), "--web.listen-address="+address, "--web.enable-api")}
	p.cmd.Stderr = &p.log
	if err := p.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	b.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
	})
	return p
}

// seen is a condition on what /metrics says.
type seen struct {
	what string
	is   func(text string) bool
}

// someUsage is met when /metrics has usage.
var someUsage = seen{"usage", func(text string) bool { return strings.Contains(text, "\ncarbon_energy_kwh{") }}

// wholeDay is met when the 48 intervals of a day have usage and a price; another may end meanwhile.
// How many of them are settled by then does not matter: with a static value those settle that have
// been read twice.
var wholeDay = seen{"a day of priced intervals", func(text string) bool {
	states := intervalsIn(text)
	return states[usage.Provisional]+states[usage.Settled] >= 48
}}

// intervalsIn returns how many intervals /metrics has in each state.
func intervalsIn(text string) map[usage.State]int {
	states := map[usage.State]int{}
	for line := range strings.Lines(text) {
		var state string
		var n int
		if _, err := fmt.Sscanf(line, "carbon_intervals{state=%q} %d", &state, &n); err == nil {
			states[usage.State(state)] = n
		}
	}
	return states
}

// until waits until /metrics says something. Each look is a scrape, which costs: looking takes a
// tenth of the time at most.
func (p *launched) until(b *testing.B, s seen) {
	b.Helper()
	text := ""
	for end := time.Now().Add(patience); time.Now().Before(end); {
		began := time.Now()
		if text = p.text(); s.is(text) {
			return
		}
		select {
		case <-time.After(max(10*time.Since(began), 10*time.Millisecond)):
		case <-p.ended:
			b.Fatalf("the program has ended before %s was on /metrics: %v\n%s", s.what, p.err, p.log.String())
		}
	}
	b.Fatalf("%s was not on /metrics within %v; at the end there were intervals %v", s.what, patience, intervalsIn(text))
}

func (p *launched) text() string {
	resp, err := http.Get(p.url + "/metrics")
	if err != nil {
		return "" // it has not begun to listen
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return string(text)
}

// scrape returns how long a compressed scrape takes, in seconds.
func (p *launched) scrape(b *testing.B) float64 {
	b.Helper()
	began := time.Now()
	p.get(b, "/metrics")
	return time.Since(began).Seconds()
}

func (p *launched) get(b *testing.B, path string) {
	b.Helper()
	req, err := http.NewRequest(http.MethodGet, p.url+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s, %.200q: %v", path, resp.Status, body, err)
	}
}

// cpuSeconds is what the program has used of its processors so far.
func (p *launched) cpuSeconds(b *testing.B) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	const perSecond = 100 // USER_HZ, which is the same on every platform of Linux that Go supports
	_, after, _ := strings.Cut(string(text), ") ")
	ticks := 0.0
	for _, field := range strings.Fields(after)[11:13] { // of the user and of the system
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return ticks / perSecond
}

// end ends the program and returns its CPU seconds and its largest resident memory in MB.
func (p *launched) end(b *testing.B) (cpu, peak float64) {
	b.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.Fatal(err)
	}
	if <-p.ended; p.err != nil {
		b.Fatalf("%v\n%s", p.err, p.log.String())
	}
	used := p.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return (p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()).Seconds(), float64(used.Maxrss) / 1024
}

func fileMB(b *testing.B, dir string) float64 {
	b.Helper()
	info, err := os.Stat(filepath.Join(dir, "carbon.db"))
	if err != nil {
		b.Fatal(err)
	}
	return float64(info.Size()) / (1 << 20)
}

func freePort(b *testing.B) string {
	b.Helper()
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	return s.Listener.Addr().String()
}
