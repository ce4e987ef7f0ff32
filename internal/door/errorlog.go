// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package door

import (
	"context"
	stdlog "log"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// ErrorLog writes the lines of net/http to the program's log, in its format: faults of the
// server as errors; faults of clients (no TLS where it is required, a broken HTTP/2 frame) as
// warnings, at most one in ten seconds, so that no client can fill the log.
func ErrorLog(log *slog.Logger) *stdlog.Logger {
	return stdlog.New(&lines{log: log}, "", 0)
}

// warnEvery is the least time between two warnings.
const warnEvery = 10 * time.Second

type lines struct {
	log *slog.Logger

	mu     sync.Mutex
	warned time.Time
	unsaid int // warnings not logged since the last one
}

func (l *lines) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	if strings.HasPrefix(text, "http: panic") || strings.HasPrefix(text, "http: Accept error") {
		l.log.Error("HTTP server failed", "err", text)
		return len(line), nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.warned) < warnEvery {
		l.unsaid++
		l.log.Log(context.Background(), slog.LevelDebug, "HTTP request failed", "err", text)
		return len(line), nil
	}
	attrs := []any{"err", text}
	if l.unsaid > 0 {
		attrs = append(attrs, "not_logged", l.unsaid)
	}
	l.warned, l.unsaid = time.Now(), 0
	l.log.Warn("HTTP request failed", attrs...)
	return len(line), nil
}
