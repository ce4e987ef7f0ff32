// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/api"
	"github.com/carbon-exporter/carbon_exporter/internal/door"
)

// doorLimits apply to scrapes, and separately to pages. A client that reads slowly costs
// little: all scrapes share the bytes of the snapshot.
var doorLimits = door.Limits{
	Places: 200, PerClient: 100, Waiting: 500, Wait: 5 * time.Second,
	Stall: 100 * time.Millisecond, Grace: 5 * time.Second, BytesPerSecond: 256 << 10,
}

// maxConnections is how many connections may be open at once, if the limit of file descriptors
// allows that many.
const maxConnections = 2048

// server answers over HTTP. exporter-toolkit adds TLS and authentication, but no limits:
// without them, clients that do not read their answers or do not finish their requests keep
// everybody else out.
func (d *daemon) server() *http.Server {
	mux := http.NewServeMux()
	// Probes and the shutdown request are answered whatever else goes on.
	mux.HandleFunc("GET /-/healthy", say("carbon_exporter is healthy.\n"))
	// The server starts once the store is open and loaded.
	mux.HandleFunc("GET /-/ready", say("carbon_exporter is ready.\n"))
	mux.HandleFunc("/-/quit", d.lifecycle(d.requestQuit))
	mux.Handle("GET "+d.flags.telemetryPath, door.New(doorLimits).Handler(d.exposition))
	pages := door.New(doorLimits)
	mux.Handle("GET /config", pages.Handler(http.HandlerFunc(d.showConfig)))
	mux.Handle("GET /{$}", pages.Handler(http.HandlerFunc(d.landing)))
	mux.Handle(api.Prefix, d.apiHandler(pages))
	mux.Handle("/-/reload", pages.Handler(d.lifecycle(d.requestReload)))
	files := &webFiles{file: d.flags.webConfigFile(), log: d.log}
	return &http.Server{
		Handler:           door.NoBody(mux),
		ConnState:         files.guard(door.NewConnections(door.Affordable(maxConnections)).Changed),
		ErrorLog:          door.ErrorLog(slog.New(webLog{d.log.Handler()})),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Second, // no page reads a body
		WriteTimeout:      30 * time.Second, // until the first byte: a reload may take long
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          32,
			MaxReceiveBufferPerConnection: 64 << 10,
			MaxReceiveBufferPerStream:     16 << 10,
			SendPingTimeout:               30 * time.Second,
			PingTimeout:                   15 * time.Second,
			WriteByteTimeout:              10 * time.Second,
		},
	}
}

// requestReload loads the configuration. It takes effect even if the client has closed the
// connection.
func (d *daemon) requestReload(w http.ResponseWriter, r *http.Request) {
	if err := d.reload(context.WithoutCancel(r.Context())); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (d *daemon) requestQuit(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "Requesting termination... Goodbye!")
	select {
	case d.quit <- struct{}{}:
	default: // already requested
	}
}

// checkTelemetryPath refuses patterns, paths that cannot be requested, and other pages.
func checkTelemetryPath(p string) error {
	switch {
	case len(p) < 2 || p[0] != '/':
		return fmt.Errorf("must start with / and name a page, is %q", p)
	case p != path.Clean(p) || strings.ContainsAny(p, "{}?#% \t\r\n"):
		return fmt.Errorf("must be a plain path, is %q", p)
	case p == "/config" || strings.HasPrefix(p, "/-/") || strings.HasPrefix(p+"/", api.Prefix):
		return fmt.Errorf("%s is used by another page", p)
	}
	return nil
}

func (d *daemon) showConfig(w http.ResponseWriter, _ *http.Request) {
	cfg, _ := d.current()
	text, err := cfg.Redacted()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, text)
}

// lifecycle guards pages that change the running program, as Prometheus does.
func (d *daemon) lifecycle(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !d.flags.enableLifecycle:
			http.Error(w, "Lifecycle API is not enabled; start with --web.enable-lifecycle.", http.StatusForbidden)
		case r.Method != http.MethodPost && r.Method != http.MethodPut:
			w.Header().Set("Allow", "POST, PUT")
			http.Error(w, "Only POST or PUT requests allowed.", http.StatusMethodNotAllowed)
		default:
			next(w, r)
		}
	}
}

func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}
