// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// crowd answers with a text, and counts how many it answers at the same time.
type crowd struct {
	mu        sync.Mutex
	now, most int
	asked     int
}

func (c *crowd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.now++
	c.asked++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	time.Sleep(5 * time.Millisecond) // an answer takes time, in which another question would be seen
	if r.URL.Path == "/bad" {
		w.WriteHeader(http.StatusBadRequest)
	}
	io.WriteString(w, "well")
	c.mu.Lock()
	c.now--
	c.mu.Unlock()
}

func (c *crowd) client(t *testing.T, turns *Turns) (*Client, string) {
	t.Helper()
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	return &Client{HTTP: s.Client(), UserAgent: "test", Timeout: time.Minute, MaxBytes: 1 << 10, Turns: turns}, s.URL
}

func get(t *testing.T, c *Client, url string) (io.ReadCloser, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Do(r)
}

// Two clients of a server share turns: it sees one question at a time, whether it answers well
// or not, and whether its answers are read or not.
func TestTurns(t *testing.T) {
	turns, server := &Turns{}, &crowd{}
	one, url := server.client(t, turns)
	two := &Client{HTTP: one.HTTP, UserAgent: "test", Timeout: time.Minute, MaxBytes: 1 << 10, Turns: turns}
	var all sync.WaitGroup
	for i := range 12 {
		client, path := one, "/"
		if i%2 == 0 {
			client = two
		}
		if i%3 == 0 {
			path = "/bad"
		}
		all.Go(func() {
			body, err := get(t, client, url+path)
			if (err != nil) != (path == "/bad") {
				t.Errorf("%s: %v", path, err)
			}
			if err == nil && i%4 != 0 {
				io.Copy(io.Discard, body)
			}
			if err == nil {
				body.Close()
				body.Close() // more often than needed
			}
		})
	}
	all.Wait()
	if server.most != 1 || server.asked != 12 {
		t.Errorf("%d questions, %d at the same time", server.asked, server.most)
	}
}

// Who waits gives up when its own time ends; another server is asked meanwhile.
func TestWaitingForATurn(t *testing.T) {
	turns, server := &Turns{}, &crowd{}
	client, url := server.client(t, turns)
	body, err := get(t, client, url)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Do(r); !errors.Is(err, context.DeadlineExceeded) || server.asked != 1 {
		t.Errorf("while another answer is read: %v, asked %d times", err, server.asked)
	}
	other, elsewhere := (&crowd{}).client(t, turns)
	if body, err := get(t, other, elsewhere); err != nil {
		t.Error(err)
	} else {
		body.Close()
	}
	body.Close()
	if body, err = get(t, client, url); err != nil {
		t.Error(err)
	} else {
		body.Close()
	}
}
