// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package door

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// record is a log in JSON that a test reads while it is written.
type record struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

// lines are those of a level.
func (r *record) lines(t *testing.T, level string) (all []map[string]any) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for line := range strings.Lines(r.text.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("not in the log's format: %q", line)
		}
		if entry["level"] == level {
			all = append(all, entry)
		}
	}
	return all
}

func TestLinesOfTheServer(t *testing.T) {
	var said record
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("out of order") }))
	server.Config.ErrorLog = ErrorLog(slog.New(slog.NewJSONHandler(&said, nil)))
	server.StartTLS()
	defer server.Close()
	for range 20 {
		conn := dial(t, server, "127.0.0.1", "GET / HTTP/1.1\r\n\r\n") // no TLS
		io.Copy(io.Discard, conn)
	}
	eventually(t, "what clients do wrong is a warning", func() bool { return len(said.lines(t, "WARN")) > 0 })
	if n := len(said.lines(t, "WARN")); n != 1 {
		t.Errorf("%d warnings at once", n)
	}
	if resp, err := server.Client().Get(server.URL); err == nil {
		resp.Body.Close()
	}
	eventually(t, "a panic is an error", func() bool { return len(said.lines(t, "ERROR")) > 0 })
	if text := said.lines(t, "ERROR")[0]["err"].(string); !strings.Contains(text, "out of order") {
		t.Errorf("says %q", text)
	}
}
