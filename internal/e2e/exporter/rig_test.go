// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package exporter_test runs the program carbon_exporter against Prometheus' own
// engine and a simulated carbon API, and compares what it says and stores with
// the simulation's truth. It knows the program by its flags, its files and its
// HTTP pages alone. Start with TestTheSimulationsTruthComesOut.
package exporter_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// scratch is the directory of what all tests share, with the programs.
var scratch string

func TestMain(m *testing.M) { os.Exit(built.Main(m, &scratch, "carbon_exporter", "carbontool")) }

// program is a running carbon_exporter.
type program struct {
	t *testing.T
	*built.Process
	client  *http.Client
	address string // where it listens
	URL     string
	request func(*http.Request) // what every request gets, such as a password
}

// launch starts the program and does not wait for anything.
func launch(t *testing.T, args ...string) *program { return launchIn(t, nil, args...) }

// launchIn is launch with more in the environment.
func launchIn(t *testing.T, environment []string, args ...string) *program {
	t.Helper()
	cmd := exec.Command(filepath.Join(scratch, "carbon_exporter"), args...)
	cmd.Env = append(os.Environ(), environment...)
	p := &program{t: t, Process: built.Start(t, cmd), client: &http.Client{Timeout: 20 * time.Second}}
	t.Cleanup(p.client.CloseIdleConnections)
	return p
}

var listening = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

// start starts the program on a port of its own and waits until it serves.
func start(t *testing.T, args ...string) *program { return startIn(t, nil, args...) }

// startIn is start with more in the environment.
func startIn(t *testing.T, environment []string, args ...string) *program {
	t.Helper()
	p := launchIn(t, environment, append(args, "--web.listen-address=127.0.0.1:0")...)
	eventually(t, 20*time.Second, "the program listens", func() error {
		if found := listening.FindStringSubmatch(p.Stderr.String()); found != nil {
			p.address, p.URL = found[1], "http://"+found[1]
			return nil
		}
		select {
		case <-p.Ended:
			t.Fatalf("the program ended with %v:\n%s", p.Cmd.ProcessState, p.Stderr.String())
		default:
		}
		return errors.New("it does not say where")
	})
	return p
}

// secure lets the client speak TLS, as somebody.
func (p *program) secure(config *tls.Config, user, password string) {
	p.client.Transport = &http.Transport{TLSClientConfig: config}
	p.URL = "https://" + p.address
	p.request = func(r *http.Request) { r.SetBasicAuth(user, password) }
}

func (p *program) signal(s os.Signal) {
	p.t.Helper()
	if err := p.Cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("send %v: %v", s, err)
	}
}

// kill is kill -9.
func (p *program) kill() { p.End(os.Kill) }

// exit waits for the end and gives the exit code.
func (p *program) exit(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.Ended:
	case <-time.After(within):
		p.t.Fatalf("the program has not ended after %v:\n%s", within, built.Tail(p.Stderr.String()))
	}
	return p.Cmd.ProcessState.ExitCode()
}

// terminate ends the program as a service manager does, and holds it to its word.
func (p *program) terminate() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if code := p.exit(10 * time.Second); code != 0 {
		p.t.Fatalf("after SIGTERM the exit code is %d", code)
	}
}

// get asks for a page, with an Accept header if there is one.
func (p *program) get(path, accept string) (*http.Response, []byte, error) {
	r, err := http.NewRequest(http.MethodGet, p.URL+path, nil)
	if err != nil {
		return nil, nil, err
	}
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	if p.request != nil {
		p.request(r)
	}
	answer, err := p.client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, body, err
}

// page is the text of a page that must be there.
func (p *program) page(path, accept string) (contentType string, body []byte) {
	p.t.Helper()
	answer, body, err := p.get(path, accept)
	if err != nil {
		p.t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		p.t.Fatalf("GET %s: http status %d: %s", path, answer.StatusCode, body)
	}
	return answer.Header.Get("Content-Type"), body
}

// eventually asks until there is no error, for so long and no longer.
func eventually(t *testing.T, within time.Duration, what string, try func() error) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	again := time.NewTicker(10 * time.Millisecond)
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

// upstream is a server that the program asks, and that can be out of order.
type upstream struct {
	*httptest.Server
	status atomic.Int32 // every answer has this http status, if it is not 0
}

func serve(t *testing.T, h http.Handler) *upstream {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, listener, h)
}

func serveOn(t *testing.T, listener net.Listener, h http.Handler) *upstream {
	t.Helper()
	u := &upstream{}
	u.Server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status := int(u.status.Load()); status != 0 {
			http.Error(w, "out of order", status)
			return
		}
		h.ServeHTTP(w, r)
	})}}
	u.Start()
	t.Cleanup(func() {
		u.CloseClientConnections()
		u.Close()
	})
	return u
}

// grid is a simulated carbon API whose clock stands still, so that a test knows
// what it says.
type grid struct {
	*simulate.UKAPI
	*upstream
	now time.Time
}

func newGrid(t *testing.T) *grid {
	t.Helper()
	now := time.Now().UTC()
	api := simulate.NewUKAPI(11, func() time.Time { return now })
	return &grid{UKAPI: api, upstream: serve(t, api), now: now}
}

// price is what the API says of a slot: the actual once there is one.
func (g *grid) price(at time.Time) usage.GramsPerKWh {
	if actual, ok := g.Grid(0).ActualAt(at, g.now); ok {
		return actual
	}
	return g.forecast(at)
}

func (g *grid) forecast(at time.Time) usage.GramsPerKWh { return g.Grid(0).ForecastAt(at, g.now) }

var background = context.Background()
