package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// prometheus is a server that knows two hosts of the project CLF and one of ISIS:
// of a half hour 900 busy and 900 idle seconds each.
type prometheus struct {
	retention time.Time                         // nothing is known of what begins before
	fault     func(end time.Time) (text string) // of a query that asks up to there; "": none
	asked     atomic.Int32
}

func (p *prometheus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked.Add(1)
	if strings.HasSuffix(r.URL.Path, "/values") {
		fmt.Fprint(w, `{"status":"success","data":["CLF","ISIS"]}`)
		return
	}
	if r.URL.Path != "/api/v1/query_range" {
		http.NotFound(w, r)
		return
	}
	query := r.PostFormValue("query")
	at := func(name string) int64 {
		v, err := strconv.ParseInt(r.PostFormValue(name), 10, 64)
		if err != nil {
			panic(err)
		}
		return v
	}
	if p.fault != nil {
		for end := at("start"); end <= at("end"); end += at("step") {
			if text := p.fault(time.Unix(end, 0).UTC()); text != "" {
				http.Error(w, text, http.StatusUnprocessableEntity)
				return
			}
		}
	}
	result := []any{}
	for host, project := range []string{"CLF", "CLF", "ISIS"} {
		if strings.Contains(query, "carbon_exporter_part") || strings.Contains(query, "cloud_project_name=") && !strings.Contains(query, strconv.Quote(project)) {
			continue
		}
		var values [][2]any
		for end := at("start"); end <= at("end"); end += at("step") {
			if !time.Unix(end-at("step"), 0).Before(p.retention) {
				values = append(values, [2]any{end, "900"})
			}
		}
		if values != nil {
			result = append(result, map[string]any{"values": values, "metric": map[string]string{
				"cloud_project_name": project, "machine_name": "Muon", "instance": fmt.Sprintf("10.0.0.%d:9100", host), "user": "ada",
			}})
		}
	}
	json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]any{"resultType": "matrix", "result": result}}) //nolint:errcheck // the test would fail
}

// newSite is a directory with a configuration that asks a server, and no store.
// FILE and STORE in arguments and texts are its own.
type newSite struct {
	t           *testing.T
	server      *prometheus
	url         string
	file, store string
}

func siteOf(t *testing.T, p *prometheus, more string) *newSite {
	t.Helper()
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	s := &newSite{t: t, server: p, url: server.URL}
	s.file, s.store = filepath.Join(t.TempDir(), "carbon.yml"), filepath.Join(t.TempDir(), "carbon.db")
	s.configure(more)
	return s
}

// configure writes the configuration anew. Of a section that is not in it, the
// usual is added.
func (s *newSite) configure(more string) {
	s.t.Helper()
	for section, usual := range map[string]string{
		"prometheus": "prometheus: {url: URL}\n", "carbon_intensity": "carbon_intensity: {provider: static, static: {gco2eq_per_kwh: 100, grid: contract}}\n",
		"timezone": "timezone: UTC\n",
	} {
		if !strings.Contains(more, section+":") {
			more += usual
		}
	}
	if err := os.WriteFile(s.file, []byte(strings.ReplaceAll(more, "URL", s.url)), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *newSite) call(args ...string) called {
	s.t.Helper()
	return call(append(args, "--config.file="+s.file, "--storage.path="+s.store)...)
}

// named puts the names of the site into a text.
func (s *newSite) named(text string) string {
	return strings.NewReplacer("FILE", s.file, "STORE", s.store, "URL", s.url).Replace(text)
}

// says wants a call to end so, whatever it says of its progress.
func (s *newSite) says(want called, args ...string) {
	s.t.Helper()
	got := s.call(args...)
	var lines []string
	for line := range strings.Lines(got.stderr) {
		if !strings.Contains(line, " intervals, ") || !strings.Contains(line, "/s, took ") {
			lines = append(lines, line)
		}
	}
	got.stderr = strings.Join(lines, "")
	want.stdout, want.stderr = s.named(want.stdout), s.named(want.stderr)
	if got != want {
		s.t.Errorf("%s\ncode %d, want %d\nstdout\n%s\nwant\n%s\nstderr\n%s\nwant\n%s", args, got.code, want.code, got.stdout, want.stdout, got.stderr, want.stderr)
	}
}
