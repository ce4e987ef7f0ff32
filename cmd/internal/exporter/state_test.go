// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"errors"
	"html"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// lineOf is a line of the landing page's table without its tags.
func lineOf(t *testing.T, url, name string) string {
	t.Helper()
	status, page := ask(t, http.MethodGet, url+"/")
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, page)
	}
	for line := range strings.Lines(page) {
		if strings.Contains(line, `<th scope="row">`+name+"</th>") {
			bad := ""
			if strings.Contains(line, `class="bad"`) {
				bad = "BAD "
			}
			cells := strings.Split(strings.NewReplacer("</td>", "", "</tr>", "", "\n", "").Replace(line), "<td>")
			return bad + html.UnescapeString(cells[len(cells)-1])
		}
	}
	t.Fatalf("no line of %s in\n%s", name, page)
	return ""
}

func TestTheLandingPageSaysHowItIs(t *testing.T) {
	uri := filepath.Join(t.TempDir(), "uri")
	write(t, uri, "mongodb://carbon:hunter2@db.example.org/")
	path := filepath.Join(t.TempDir(), "carbon.yml")
	write(t, path, "mongodb: {uri_file: "+uri+", database: ada, usage_database: usage}\n")
	d, server := prepared(t, "--config.file="+path)
	says := func(name string, parts ...string) {
		t.Helper()
		line := lineOf(t, server.URL, name)
		for _, part := range parts {
			if !strings.Contains(line, part) {
				t.Errorf("%s: does not say %q: %s", name, part, line)
			}
		}
	}
	says("Intervals", "none yet")
	says("Prometheus", "no request yet")
	says("MongoDB", "no request yet; directory never read")
	says("MongoDB, usage", "no request yet")
	says("Store", "writable, 0.")
	says("Configuration", "loaded 0s ago (2")

	d.Requested(usage.SourcePrometheus, time.Second, nil)
	d.Requested(usage.SourceMongoDB, time.Second, nil)
	d.Directory(time.Now().Add(-7 * time.Minute))
	d.RejectedRecords([]directory.RecordReject{{Collection: "users", Reason: "duplicate", Count: 2}, {Collection: "hosts", Reason: "bad_type", Count: 1}})
	d.Requested(usage.SourceUsageWriter, time.Second, errors.New("refused"))
	d.RollupsPending(41)
	d.Wrote(errors.New("disk full"))
	d.Reloaded(errors.New("line 3"))
	says("Prometheus", "responded 0s ago (2")
	says("Carbon intensity", "no request yet")
	says("MongoDB", "responded 0s ago", "; directory read 7m0s ago (2", "; 3 records rejected")
	says("MongoDB, usage", "BAD down; 41 intervals pending")
	says("Store", "BAD not writable")
	says("Configuration", "BAD loaded", "the last reload failed")

	d.Requested(usage.SourceMongoDB, time.Second, errors.New("refused"))
	says("MongoDB", "BAD down, last response 0s ago", "directory read 7m0s ago")
	if _, page := ask(t, http.MethodGet, server.URL+"/"); strings.Contains(page, "hunter2") || strings.Contains(page, "db.example.org") {
		t.Error("the page shows an address")
	}
}

func TestTheLandingPageSaysWhatMongoDBWouldBeFor(t *testing.T) {
	_, server := prepared(t, "--config.file="+configFile(t, ""))
	for name, want := range map[string]string{
		"MongoDB": "not configured; users come from a label", "MongoDB, usage": "not configured",
	} {
		if got := lineOf(t, server.URL, name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
