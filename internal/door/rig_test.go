// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package door

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"
)

// generous limits never stand in the way of a test that is about another.
func generous() Limits {
	return Limits{
		Places: 40, PerClient: 20, Waiting: 100, Wait: time.Minute,
		Stall: 250 * time.Millisecond, Grace: time.Minute, BytesPerSecond: 1 << 10,
	}
}

// large is an answer that fits into no socket buffer.
func large() []byte { return make([]byte, 16<<20) }

// eventually polls for at most a minute, which only a machine with much else to do
// needs.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%s: not within a minute\n%s", what, buf[:runtime.Stack(buf, true)])
		}
	}
}

// leakless fails the test if goroutines are left at its end.
func leakless(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		eventually(t, "all goroutines end", func() bool { return runtime.NumGoroutine() <= before })
	})
}

// serve answers every request with the handler behind a door, and what is changed
// of the server.
func serve(t *testing.T, d *Door, h http.HandlerFunc, change ...func(*http.Server)) *httptest.Server {
	t.Helper()
	leakless(t)
	server := httptest.NewUnstartedServer(NoBody(d.Handler(h)))
	for _, f := range change {
		f(server.Config)
	}
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func send(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }
}

// from is a client at an address of this machine, with connections of its own.
func from(t *testing.T, address string) *http.Client {
	t.Helper()
	transport := &http.Transport{
		DialContext:        (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}).DialContext,
		DisableCompression: true, MaxIdleConnsPerHost: 100,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

// dial opens a connection from an address, and sends something over it.
func dial(t *testing.T, server *httptest.Server, address, text string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	conn, err := d.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

const request = "GET / HTTP/1.1\r\nHost: carbon\r\n\r\n"

// status asks and reads the whole answer.
func status(client *http.Client, url string) (int, error) {
	resp, err := client.Get(url)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, fmt.Errorf("status %d: %w", resp.StatusCode, err)
	}
	return resp.StatusCode, nil
}

func wantStatus(t *testing.T, what string, client *http.Client, url string, want int) {
	t.Helper()
	if got, err := status(client, url); err != nil || got != want {
		t.Errorf("%s: status %d, %v; want %d", what, got, err, want)
	}
}

// count is how many are inside and how many wait.
func (d *Door) count() (inside, waiting int) {
	d.places.mu.Lock()
	defer d.places.mu.Unlock()
	return len(d.places.inside), len(d.places.waiting)
}
