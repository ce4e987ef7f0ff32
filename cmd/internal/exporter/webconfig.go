// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
)

// webFiles keeps clients out while exporter-toolkit would wait for its files. It
// reads them again for each connection and each request, and every one that waits
// holds a thread, for ever.
type webFiles struct {
	file string
	log  *slog.Logger

	mu   sync.Mutex
	said string // the fault that was logged; none is said twice in a row
}

// guard gives what http.Server calls as its ConnState.
func (f *webFiles) guard(next func(net.Conn, http.ConnState)) func(net.Conn, http.ConnState) {
	if f.file == "" {
		return next
	}
	return func(conn net.Conn, state http.ConnState) {
		next(conn, state)
		// Before the handshake, and before each request.
		if (state == http.StateNew || state == http.StateActive) && !f.fine() {
			if secure, ok := conn.(*tls.Conn); ok {
				conn = secure.NetConn() // its own Close waits for the client
			}
			conn.Close() //nolint:errcheck // nobody is there to be told
		}
	}
}

func (f *webFiles) fine() bool {
	err := parts.LookAtWebFiles(f.file)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.said = ""
		return true
	}
	if f.said != err.Error() {
		f.said = err.Error()
		f.log.Error("Reading --web.config.file failed; closing all connections until it can be read", "err", err)
	}
	return false
}
