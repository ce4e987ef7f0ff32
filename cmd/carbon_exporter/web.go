package main

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
)

// server answers over HTTP. exporter-toolkit adds TLS and authentication, and
// sets no timeouts: without them a client that stops in mid-sentence keeps its
// connection for ever.
func (d *daemon) server() *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET "+d.flags.telemetryPath, d.exposition)
	mux.HandleFunc("GET /-/healthy", say("carbon_exporter is healthy.\n"))
	// The server starts once the store is open and loaded.
	mux.HandleFunc("GET /-/ready", say("carbon_exporter is ready.\n"))
	mux.HandleFunc("GET /config", d.showConfig)
	mux.HandleFunc("/-/reload", d.lifecycle(func(w http.ResponseWriter, r *http.Request) {
		// What is loaded is shown, also if whoever asked has hung up.
		if err := d.reload(context.WithoutCancel(r.Context())); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	mux.HandleFunc("/-/quit", d.lifecycle(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "Requesting termination... Goodbye!")
		select {
		case d.quit <- struct{}{}:
		default: // somebody has asked before
		}
	}))
	mux.HandleFunc("GET /{$}", d.landing)
	return &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

// checkTelemetryPath refuses what would be a pattern, could never be asked for or
// is another page of ours.
func checkTelemetryPath(p string) error {
	switch {
	case len(p) < 2 || p[0] != '/':
		return fmt.Errorf("must begin with / and name a page, is %q", p)
	case p != path.Clean(p) || strings.ContainsAny(p, "{}?#% \t\r\n"):
		return fmt.Errorf("must be a plain path, is %q", p)
	case p == "/config" || strings.HasPrefix(p, "/-/"):
		return fmt.Errorf("%s is another page", p)
	}
	return nil
}

// landing is the page for people: where to go on, and how the exporter is now.
func (d *daemon) landing(w http.ResponseWriter, r *http.Request) {
	var state strings.Builder
	parts, err := d.state(time.Now())
	if err == nil {
		err = stateTable.Execute(&state, parts)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	page, err := web.NewLandingPage(web.LandingConfig{
		Name:        "carbon_exporter",
		Description: "Energy and carbon of a research cloud, by project, machine, user and group",
		Version:     version.Info(),
		Profiling:   "false",
		Links: []web.LandingLinks{
			{Address: d.flags.telemetryPath, Text: "Metrics"},
			{Address: "/config", Text: "Configuration", Description: "in force, secrets redacted"},
			{Address: "/-/healthy", Text: "Healthy"},
			{Address: "/-/ready", Text: "Ready"},
		},
		ExtraHTML: state.String() + `<p>Carbon intensity: National Energy System Operator, Carbon Intensity API, CC BY 4.0.</p>`,
		ExtraCSS:  stateCSS,
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	page.ServeHTTP(w, r)
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

// lifecycle guards what changes the program, as Prometheus does.
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
