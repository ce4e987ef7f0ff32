// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package door

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

// bounded is a server with at most so many connections.
func bounded(t *testing.T, most int, h http.HandlerFunc) (*Connections, *httptest.Server) {
	t.Helper()
	c := NewConnections(most)
	return c, serve(t, New(generous()), h, func(s *http.Server) { s.ConnState = c.Changed })
}

func (c *Connections) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}

// inState is how many connections are in a state.
func (c *Connections) inState(state http.ConnState) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, is := range c.open {
		if is.state == state {
			n++
		}
	}
	return n
}

func TestCrowdsOfConnections(t *testing.T) {
	for _, test := range []struct {
		name, sent string
		state      http.ConnState
	}{
		{"that say nothing", "", http.StateNew},
		{"that stop inside the headers", "GET / HTTP/1.1\r\nHost: car", http.StateNew},
		{"that are idle", "HEAD / HTTP/1.1\r\nHost: carbon\r\n\r\n", http.StateIdle},
		{"that stop inside the headers of a second request", "HEAD / HTTP/1.1\r\nHost: carbon\r\n\r\nGET / HTTP/1.1\r\nHo", http.StateIdle},
		{"that do not read", request, http.StateActive},
	} {
		for _, theirs := range []string{"127.0.0.1", "127.0.0.2"} {
			t.Run(test.name+" from "+theirs, func(t *testing.T) {
				const most = 10
				body := large()
				c, server := bounded(t, most, func(w http.ResponseWriter, _ *http.Request) { w.Write(body) })
				for range 5 * most {
					dial(t, server, theirs, test.sent)
					if n := c.count(); n > most {
						t.Fatalf("%d connections are open", n)
					}
				}
				eventually(t, "all are as they shall be", func() bool { return c.inState(test.state) == most })
				client := from(t, "127.0.0.1")
				for range 20 {
					wantStatus(t, "a client that reads", client, server.URL, http.StatusOK)
					client.CloseIdleConnections()
				}
			})
		}
	}
}

// TestWhoLosesAConnection: not those who have few.
func TestWhoLosesAConnection(t *testing.T) {
	c, server := bounded(t, 6, func(http.ResponseWriter, *http.Request) {})
	quiet := dial(t, server, "127.0.0.1", request)
	answers := bufio.NewReader(quiet)
	answered := func() error {
		quiet.SetReadDeadline(time.Now().Add(time.Minute))
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
	if err := answered(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is idle", func() bool { return c.inState(http.StateIdle) == 1 })
	for range 50 {
		dial(t, server, "127.0.0.2", "")
	}
	eventually(t, "all are in", func() bool { return c.count() == 6 })
	if _, err := io.WriteString(quiet, request); err != nil {
		t.Fatal(err)
	}
	if err := answered(); err != nil {
		t.Errorf("the only connection of its address: %v", err)
	}
}

func TestIdleGoesFirst(t *testing.T) {
	now := time.Now()
	first := []*connection{
		{state: http.StateIdle, since: now.Add(-time.Hour)},
		{state: http.StateIdle, since: now},
		{state: http.StateNew, since: now.Add(-2 * time.Hour)},
		{state: http.StateNew, since: now},
		{state: http.StateActive, since: now.Add(-3 * time.Hour)},
		{state: http.StateActive, since: now},
	}
	order := slices.SortedFunc(slices.Values([]*connection{first[4], first[1], first[5], first[0], first[3], first[2]}), func(a, b *connection) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	if !slices.Equal(order, first) {
		t.Errorf("another order: %v", order)
	}
}

// TestTLSConnections: closing one whose client does not read must not wait for it.
func TestTLSConnections(t *testing.T) {
	leakless(t)
	const most = 4
	c := NewConnections(most)
	server := httptest.NewUnstartedServer(New(generous()).Handler(send(large())))
	server.Config.ConnState = c.Changed
	server.StartTLS()
	defer server.Close()
	trust := server.Client().Transport.(*http.Transport).TLSClientConfig
	for range 5 * most {
		conn, err := tls.Dial("tcp", server.Listener.Addr().String(), trust)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, request); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
	}
	began := time.Now()
	wantStatus(t, "a client that reads", server.Client(), server.URL, http.StatusOK)
	if n := c.count(); n > most {
		t.Errorf("%d connections are open", n)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestAffordable(t *testing.T) {
	if n := Affordable(1); n != 1 {
		t.Errorf("of one wanted: %d", n)
	}
	if files, n := descriptors(), Affordable(1<<40); files > 0 && n >= files {
		t.Errorf("%d of %d descriptors", n, files)
	}
}
