// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package door

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestClientsThatDoNotRead(t *testing.T) {
	for _, test := range []struct {
		name, theirs, ours string
	}{
		{"from another address", "127.0.0.2", "127.0.0.1"},
		{"from the same address, as behind a proxy", "127.0.0.1", "127.0.0.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := New(generous())
			server := serve(t, d, send(large()))
			client := from(t, test.ours)
			for range 60 {
				dial(t, server, test.theirs, request)
			}
			eventually(t, "as many as may are inside", func() bool { inside, _ := d.count(); return inside == 20 })
			for range 10 {
				wantStatus(t, "a client that reads", client, server.URL, http.StatusOK)
			}
		})
	}
}

func TestEveryAddressIsTaken(t *testing.T) {
	limits := generous()
	limits.Places, limits.PerClient = 8, 2
	d := New(limits)
	server := serve(t, d, send(large()))
	for _, address := range []string{"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6"} {
		for range 3 {
			dial(t, server, address, request)
		}
	}
	eventually(t, "all places are taken", func() bool { inside, _ := d.count(); return inside == 8 })
	wantStatus(t, "a client that reads", from(t, "127.0.0.1"), server.URL, http.StatusOK)
}

// TestSlowReadersAreCutOff: nobody else is there, and they take a little.
func TestSlowReadersAreCutOff(t *testing.T) {
	limits := generous()
	limits.Grace, limits.BytesPerSecond = 50*time.Millisecond, 64<<20
	ended := make(chan error, 1)
	body := large()
	server := serve(t, New(limits), func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(body)
		ended <- err
	})
	conn := dial(t, server, "127.0.0.1", request)
	stop := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for one := make([]byte, 1); ; <-tick.C {
			if _, err := conn.Read(one); err != nil {
				return
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	var timeout net.Error
	if err := <-ended; !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("a byte a millisecond: %v, want a timeout", err)
	}
	close(stop)
	reader.Wait()
}

// TestSlowButSteady: a client that keeps the rate has all the time that it needs.
func TestSlowButSteady(t *testing.T) {
	limits := generous()
	limits.Grace, limits.BytesPerSecond = time.Second, 4<<20 // 16 MiB: 5 s
	server := serve(t, New(limits), send(large()), func(s *http.Server) { s.WriteTimeout = 10 * time.Millisecond })
	wantStatus(t, "a client that reads", from(t, "127.0.0.1"), server.URL, http.StatusOK)
}

func TestBeyondTheLimits(t *testing.T) {
	limits := generous()
	limits.Places, limits.PerClient, limits.Waiting = 4, 2, 3
	d := New(limits)
	gate, inside := make(chan struct{}), atomic.Int32{}
	server := serve(t, d, func(http.ResponseWriter, *http.Request) {
		inside.Add(1)
		<-gate
	})
	client, other := from(t, "127.0.0.1"), from(t, "127.0.0.2")
	var crowd sync.WaitGroup
	ask := func(client *http.Client, n int) {
		for range n {
			crowd.Go(func() {
				if code, err := status(client, server.URL); err != nil || code != http.StatusOK {
					t.Errorf("within the limits: status %d, %v", code, err)
				}
			})
		}
	}
	ask(client, 5)
	eventually(t, "two are inside and three wait", func() bool { in, out := d.count(); return in == 2 && out == 3 })
	for range 100 {
		resp, err := client.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "1" {
			t.Errorf("beyond the limits: status %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
		}
	}
	ask(other, 2)
	eventually(t, "the other address is inside", func() bool { return inside.Load() == 4 })
	close(gate)
	crowd.Wait()
	if in, out := d.count(); in != 0 || out != 0 {
		t.Errorf("afterwards %d are inside and %d wait", in, out)
	}
}

// TestAFullQueue: the client that waits most often gives way to one that has not
// waited.
func TestAFullQueue(t *testing.T) {
	limits := generous()
	limits.Places, limits.PerClient, limits.Waiting = 2, 2, 3
	d := New(limits)
	gate := make(chan struct{})
	server := serve(t, d, func(http.ResponseWriter, *http.Request) { <-gate })
	client := from(t, "127.0.0.2")
	codes := make(chan int, 5)
	var crowd sync.WaitGroup
	for range 5 {
		crowd.Go(func() { code, _ := status(client, server.URL); codes <- code })
	}
	eventually(t, "the queue is full", func() bool { _, out := d.count(); return out == 3 })
	crowd.Go(func() { wantStatus(t, "another client", from(t, "127.0.0.1"), server.URL, http.StatusOK) })
	if code := <-codes; code != http.StatusServiceUnavailable {
		t.Errorf("the first answer has status %d, want 503", code)
	}
	close(gate)
	crowd.Wait()
	for range 4 {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("one that still waited: status %d", code)
		}
	}
}

func TestWaitingEnds(t *testing.T) {
	limits := generous()
	limits.Places, limits.PerClient, limits.Wait = 1, 1, 20*time.Millisecond
	d := New(limits)
	gate := make(chan struct{})
	server := serve(t, d, func(http.ResponseWriter, *http.Request) { <-gate })
	client := from(t, "127.0.0.1")
	var first sync.WaitGroup
	first.Go(func() { wantStatus(t, "the first", client, server.URL, http.StatusOK) })
	eventually(t, "it is inside", func() bool { in, _ := d.count(); return in == 1 })
	wantStatus(t, "the second", client, server.URL, http.StatusServiceUnavailable)
	close(gate)
	first.Wait()
}

func TestWhoHangsUpWaitsNoMore(t *testing.T) {
	limits := generous()
	limits.Places, limits.PerClient = 1, 1
	d := New(limits)
	gate := make(chan struct{})
	server := serve(t, d, func(http.ResponseWriter, *http.Request) { <-gate })
	dial(t, server, "127.0.0.1", request)
	eventually(t, "one is inside", func() bool { in, _ := d.count(); return in == 1 })
	second := dial(t, server, "127.0.0.1", request)
	eventually(t, "another waits", func() bool { _, out := d.count(); return out == 1 })
	second.Close()
	eventually(t, "nobody waits", func() bool { _, out := d.count(); return out == 0 })
	close(gate)
}

// TestHTTP2Streams: many requests in one connection, none of which is read.
func TestHTTP2Streams(t *testing.T) {
	leakless(t)
	d := New(generous())
	server := httptest.NewUnstartedServer(d.Handler(send(large())))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	for range 60 {
		resp, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		if resp.ProtoMajor != 2 {
			t.Fatalf("HTTP/%d", resp.ProtoMajor)
		}
		defer resp.Body.Close()
	}
	for range 10 {
		wantStatus(t, "a client that reads", server.Client(), server.URL, http.StatusOK)
	}
}

// TestBodiesThatDoNotCome: no handler reads one, so none is waited for.
func TestBodiesThatDoNotCome(t *testing.T) {
	server := serve(t, New(generous()), send([]byte("here you are")))
	for _, head := range []string{"Content-Length: 100\r\n", "Content-Length: 1000000000\r\n", "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\nContent-Length: 5\r\n"} {
		for _, method := range []string{"GET", "POST"} {
			conn := dial(t, server, "127.0.0.1", method+" / HTTP/1.1\r\nHost: carbon\r\n"+head+"\r\n")
			conn.SetReadDeadline(time.Now().Add(time.Minute))
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("%s, %q: %v", method, head, err)
			}
			text, err := io.ReadAll(resp.Body)
			if err != nil || string(text) != "here you are" || !resp.Close {
				t.Errorf("%s, %q: %q, closes %v, %v", method, head, text, resp.Close, err)
			}
			conn.Close()
		}
	}
}

func TestClientOf(t *testing.T) {
	for _, test := range []struct {
		name, a, b string
		same       bool
	}{
		{"two ports of an address", "192.0.2.1:1", "192.0.2.1:2", true},
		{"two addresses", "192.0.2.1:1", "192.0.2.2:1", false},
		{"an IPv4 address written as IPv6", "192.0.2.1:1", "[::ffff:192.0.2.1]:1", true},
		{"two addresses of an IPv6 network", "[2001:db8::1]:1", "[2001:db8::ffff:2]:1", true},
		{"two IPv6 networks", "[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false},
		{"a zone", "[fe80::1%eth0]:1", "[fe80::2%eth1]:1", true},
		{"two sockets without addresses", "@", "", true},
		{"a socket and an address", "@", "192.0.2.1:1", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := clientOf(test.a) == clientOf(test.b); got != test.same {
				t.Errorf("one client: %v, want %v", got, test.same)
			}
		})
	}
}
