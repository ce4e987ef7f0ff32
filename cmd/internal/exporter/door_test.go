// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/collector"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// crowded is a daemon whose metrics fit into no socket buffer, and its server.
func crowded(t *testing.T) *httptest.Server {
	t.Helper()
	d, server := prepared(t, "--config.file="+configFile(t, ""), "--web.enable-lifecycle")
	d.exposition.Show(collector.NewUsage(&collector.Snapshot{Drift: []usage.Drift{{Project: strings.Repeat("x", 12<<20)}}}))
	return server
}

// TestTheDoorStaysFree: whatever others do, probes, pages and a scrape at a time
// are answered.
func TestTheDoorStaysFree(t *testing.T) {
	const clients = 150
	for _, test := range []struct {
		name, text string
	}{
		{"scrapes that are not read", "GET /metrics HTTP/1.1\r\nHost: carbon\r\n\r\n"},
		{"scrapes with a body that does not come", "GET /metrics HTTP/1.1\r\nHost: carbon\r\nContent-Length: 100\r\n\r\n"},
		{"pages that are not read, one after another", strings.Repeat("GET /config HTTP/1.1\r\nHost: carbon\r\n\r\n", 500)},
		{"reloads with a body that does not come", "POST /-/reload HTTP/1.1\r\nHost: carbon\r\nContent-Length: 100\r\n\r\n"},
		{"scrapes with a long query", "GET /metrics?" + strings.Repeat("x", 20<<10) + " HTTP/1.1\r\nHost: carbon\r\n\r\n"},
		{"headers that do not end", "GET /metrics HTTP/1.1\r\nHost: carbon\r\nX-Slow: "},
		{"connections that say nothing", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := crowded(t)
			for range clients {
				conn, err := net.Dial("tcp", server.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				go io.WriteString(conn, test.text) // ends when the connection is closed
			}
			for range 3 {
				for _, page := range []string{"/metrics", "/-/healthy", "/-/ready", "/", "/config"} {
					if status, text := ask(t, http.MethodGet, server.URL+page); status != http.StatusOK {
						t.Errorf("%s: status %d: %.200s", page, status, text)
					}
				}
			}
			if status, text := ask(t, http.MethodPost, server.URL+"/-/reload"); status != http.StatusOK {
				t.Errorf("reload: status %d: %s", status, text)
			}
			if status, _ := ask(t, http.MethodPost, server.URL+"/-/quit"); status != http.StatusOK {
				t.Errorf("quit: status %d", status)
			}
		})
	}
}

func FuzzRoutes(f *testing.F) {
	for _, path := range []string{"/", "/metrics", "/-/healthy", "/-/ready", "/-/reload", "/-/quit", "/config", "//", "/../config", "/%2e%2e/config", "*", "http://carbon/config", "/metrics?a=%zz;b"} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "OPTIONS", "CONNECT", "get"} {
			f.Add(method, path, "Accept-Encoding: gzip\r\n")
		}
	}
	f.Add("GET", "/metrics", "Accept: application/openmetrics-text;version=1.0.0;escaping=\"\r\nAccept-Encoding: gzip;q=,,\r\n")
	f.Add("POST", "/-/reload", "Content-Length: 5\r\nExpect: 100-continue\r\n")
	d, _ := prepared(f, "--config.file="+configFile(f, ""), "--web.enable-lifecycle")
	handler := d.server().Handler
	f.Fuzz(func(t *testing.T, method, target, headers string) {
		text := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: carbon\r\n%s\r\n", method, target, headers)
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			return // no handler ever sees it
		}
		r.RemoteAddr = "127.0.0.1:1"
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		if got := w.Result().Header.Get("Location"); strings.HasPrefix(got, "//") || strings.Contains(got, "://") {
			t.Errorf("leads elsewhere: %s", got)
		}
	})
}
