// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// screen is what a program writes while a test reads it.
type screen struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// eventually polls for at most a minute, which only a machine with much else to do
// needs.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// down is the URL of a server that is not there any more.
func down() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	// Nobody listens at the other end of a connection, and nobody else gets its port while it is open.
	c, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		panic(err)
	}
	go io.Copy(io.Discard, c) //nolint:errcheck // for as long as the tests run
	return "http://" + c.LocalAddr().String()
}

// broken is a server that fails at everything.
func broken(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "out of order", http.StatusInternalServerError)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// configFile is one that asks a Prometheus that is down and no grid at all, with
// more lines behind.
func configFile(t testing.TB, more string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "carbon.yml")
	write(t, path, configText(more))
	return path
}

func configText(more string) string {
	return fmt.Sprintf("prometheus: {url: %q}\ncarbon_intensity: {provider: static, static: {gco2eq_per_kwh: 210.89, grid: GB}}\n%s", down(), more)
}

// program is a run of the exporter inside the test.
type program struct {
	url    string
	stderr *screen
	code   chan int
}

var listening = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

// storage is the flag of a new store.
func storage(t testing.TB) string {
	t.Helper()
	return "--storage.path=" + filepath.Join(t.TempDir(), "carbon.db")
}

// start runs the exporter on a free port until its end or the test's.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	p := &program{stderr: &screen{}, code: make(chan int, 1)}
	args = append([]string{"--web.listen-address=127.0.0.1:0", "--web.enable-lifecycle"}, args...)
	code := p.code
	go func() { code <- Run(args, io.Discard, p.stderr) }()
	eventually(t, "the exporter listens", func() bool {
		if m := listening.FindStringSubmatch(p.stderr.String()); m != nil {
			p.url = "http://" + m[1]
			return true
		}
		return len(p.code) > 0
	})
	if p.url == "" {
		t.Fatalf("the exporter has ended: %s", p.stderr)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(p.stderr)
		}
		if p.code != nil {
			p.quit(t)
		}
	})
	return p
}

// quit asks the exporter to end and gives its exit code.
func (p *program) quit(t *testing.T) int {
	t.Helper()
	if status, text := ask(t, http.MethodPost, p.url+"/-/quit"); status != http.StatusOK {
		t.Errorf("quit: status %d: %s", status, text)
	}
	return p.end(t)
}

func (p *program) end(t *testing.T) int {
	t.Helper()
	done := p.code
	p.code = nil
	select {
	case code := <-done:
		return code
	case <-time.After(10 * time.Second):
		t.Fatal("the exporter does not end")
		return 0
	}
}

// prepared is a daemon whose loops do not run, and its web server.
func prepared(t testing.TB, args ...string) (*daemon, *httptest.Server) {
	t.Helper()
	return preparedOn(t, storage(t), args...)
}

// preparedOn is one with a store that may be there already; path is its flag.
func preparedOn(t testing.TB, path string, args ...string) (*daemon, *httptest.Server) {
	t.Helper()
	f, err := parse(append([]string{path}, args...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	cfg, _, err := load(f)
	if err != nil {
		t.Fatal(err)
	}
	keeper, err := store.Open(t.Context(), f.storagePath, store.Options{Exclusive: true, Interval: time.Duration(cfg.Interval), Timezone: cfg.Location()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keeper.Close() })
	d, err := newDaemon(context.Background(), f, cfg, keeper, slog.New(slog.DiscardHandler), clock.Real{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.closeAPI(); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewUnstartedServer(nil)
	server.Config = d.server()
	server.Start()
	t.Cleanup(server.Close)
	return d, server
}

func ask(t *testing.T, method, url string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// metric is the value of a family's first sample, or "absent".
func metric(t *testing.T, url, name string) string {
	t.Helper()
	status, text := ask(t, http.MethodGet, url+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("metrics: status %d: %s", status, text)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if families[name] == nil {
		return "absent"
	}
	m := families[name].Metric[0]
	return strconv.FormatFloat(m.GetGauge().GetValue()+m.GetCounter().GetValue(), 'g', -1, 64)
}
