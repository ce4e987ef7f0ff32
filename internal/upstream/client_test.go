// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// soon is a deadline for tests that run into it, late one for those that
// must not.
const (
	soon = 100 * time.Millisecond
	late = 30 * time.Second
)

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func newClient(t *testing.T, cfg config.HTTPClientConfig) *Client {
	t.Helper()
	h, err := NewHTTPClient(cfg, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.CloseIdleConnections)
	return &Client{HTTP: h, UserAgent: "carbon_exporter/test", Timeout: late, MaxBytes: 1 << 20}
}

func plain(t *testing.T) *Client {
	t.Helper()
	return newClient(t, config.DefaultHTTPClientConfig)
}

// ask does the whole exchange, to the end of the body.
func ask(ctx context.Context, c *Client, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	body, err := c.Do(req)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(body)
	return string(text), errors.Join(err, body.Close())
}

// failure asks what is expected to fail.
func failure(t *testing.T, c *Client, url string) *usage.Failure {
	t.Helper()
	text, err := ask(t.Context(), c, url)
	var f *usage.Failure
	if !errors.As(err, &f) {
		t.Fatalf("got %q and error %v, want a failure", text, err)
	}
	return f
}

func TestRequestNamesProgramAndAsksForGzip(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		fmt.Fprintf(z, "%s, %s", r.UserAgent(), r.Header.Get("Accept-Encoding"))
	})
	got, err := ask(t.Context(), plain(t), url)
	if want := "carbon_exporter/test, gzip"; got != want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestRequestOfTheCallerIsNotChanged(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := plain(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if len(req.Header) != 0 {
		t.Errorf("headers were added to the caller's request: %v", req.Header)
	}
}

func TestClientWithoutBoundsIsRefused(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	for name, c := range map[string]*Client{
		"no deadline": {HTTP: http.DefaultClient, MaxBytes: 1},
		"no limit":    {HTTP: http.DefaultClient, Timeout: late},
	} {
		if _, err := ask(t.Context(), c, url); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestConnectionRefused(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	f := failure(t, plain(t), s.URL)
	if f.Reason != usage.ReasonConnection || f.Permanent || f.TooLarge {
		t.Errorf("got %+v", f)
	}
}

func TestOneDeadlineOverTheWholeExchange(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
	}{
		{name: "no byte at all", answer: func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		}},
		{name: "headers, then nothing", answer: func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}},
		{name: "a byte now and then, for ever", answer: drip},
		{name: "gzip, a byte now and then", answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			z.Write([]byte("{"))
			z.Flush()
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			server := httptest.NewServer(test.answer)
			c := plain(t)
			c.Timeout = soon
			f := failure(t, c, server.URL)
			if f.Reason != usage.ReasonTimeout || !f.TooLarge || f.Permanent {
				t.Errorf("got %+v", f)
			}
			c.HTTP.CloseIdleConnections()
			server.Close() // returns when the last handler has
			settle(t, before)
		})
	}
}

func TestStatusIsKnownThoughItsTextNeverEnds(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		drip(w, r)
	})
	c := plain(t)
	c.Timeout = soon
	if f := failure(t, c, url); f.Reason != usage.ReasonServer || f.Status != http.StatusBadGateway {
		t.Errorf("got %+v", f)
	}
}

func TestCallersOwnContextIsNobodysFault(t *testing.T) {
	tests := []struct {
		name string
		want error
		end  func(context.Context) (context.Context, context.CancelFunc)
	}{
		{name: "cancelled", want: context.Canceled, end: context.WithCancel},
		{name: "past its own deadline", want: context.DeadlineExceeded, end: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, soon)
		}},
	}
	places := map[string]bool{"before the answer": false, "in the body": true}
	for _, test := range tests {
		for place, flush := range places {
			t.Run(test.name+" "+place, func(t *testing.T) {
				ctx, cancel := test.end(t.Context())
				defer cancel()
				url := serve(t, func(w http.ResponseWriter, r *http.Request) {
					if flush {
						w.(http.Flusher).Flush()
					}
					if errors.Is(test.want, context.Canceled) {
						cancel()
					}
					<-r.Context().Done()
				})
				_, err := ask(ctx, plain(t), url)
				var f *usage.Failure
				if !errors.Is(err, test.want) || errors.As(err, &f) {
					t.Errorf("got %#v, want %v and no failure", err, test.want)
				}
			})
		}
	}
}

func TestCloseEndsAnExchangeThatIsNotReadToItsEnd(t *testing.T) {
	before := runtime.NumGoroutine()
	server := httptest.NewServer(http.HandlerFunc(drip))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := plain(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
	server.Close()
	settle(t, before)
}

// drip writes a byte at a time until the client has gone.
func drip(w http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(soon / 20)
	defer tick.Stop()
	for {
		io.WriteString(w, " ")
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// settle waits until no more goroutines run than before.
func settle(t *testing.T, before int) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 5000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		<-tick.C
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}
