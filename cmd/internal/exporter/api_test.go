// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestTheAPIIsOnThePage(t *testing.T) {
	const link = `href="/api/v1/openapi.yml"`
	for _, test := range []struct {
		name string
		args []string
		want bool
	}{
		{"off", nil, false},
		{"on", []string{"--web.enable-api"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, server := prepared(t, append(test.args, "--config.file="+configFile(t, ""))...)
			if _, page := ask(t, http.MethodGet, server.URL+"/"); strings.Contains(page, link) != test.want {
				t.Errorf("the page: %s", page)
			}
			status, text := ask(t, http.MethodGet, server.URL+"/api/v1/openapi.yml")
			if (status == http.StatusOK) != test.want || strings.Contains(text, "openapi: 3.1.0") != test.want {
				t.Errorf("%d %s", status, text)
			}
		})
	}
	for _, path := range []string{"/api/v1", "/api/v1/report"} {
		if err := checkTelemetryPath(path); err == nil {
			t.Errorf("metrics may be at %s", path)
		}
	}
}

// TestTheAPIShowsUsersAsMetricsDo, also after a reload.
func TestTheAPIShowsUsersAsMetricsDo(t *testing.T) {
	file := configFile(t, "attribution: {user_label: id, max_users: 1}\n")
	d, server := prepared(t, "--web.enable-api", "--config.file="+file)
	i := usage.IntervalAt(time.Now().Add(-2*time.Hour), usage.SlotLength)
	rec := usage.Record{
		Interval: i, State: usage.Unpriced, PUE: 1, FetchedAt: i.End(), Queries: usage.Queries{Busy: "busy", Idle: "idle"},
		Ratings: []usage.Rating{{Machine: "Muon", Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}, Source: "default"}},
	}
	for user, kwh := range map[string]usage.KWh{"alice": 0.012, "bob": 0.006} {
		rec.Facts = append(rec.Facts, usage.Fact{
			Key: usage.Key{Project: "ISIS", Machine: "Muon", User: user, Group: "Muons"}, Start: i.Start,
			Energy: usage.ByMode[usage.KWh]{Busy: kwh}, CPU: usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(kwh * 300_000)},
		})
	}
	storetest.Commit(t, d.store, rec)
	d.Changed(t.Context())
	rows := func() string {
		t.Helper()
		status, text := ask(t, http.MethodGet, server.URL+"/api/v1/report?scope=user&format=csv&from=-1d")
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, text)
		}
		return text
	}
	if text := rows(); !strings.Contains(text, ",user,alice,") || !strings.Contains(text, "other,") || strings.Contains(text, "bob") {
		t.Errorf("one user: %s", text)
	}
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("0123456789abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, attribution string
		want              int // lines with a user
	}{
		{"nobody", "{user_label: none}", 0},
		{"by pseudonym", "{user_label: pseudonym, pseudonym_key_file: " + key + "}", 2},
	} {
		write(t, file, configText("attribution: "+test.attribution+"\n"))
		if err := d.reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if text := rows(); strings.Contains(text, "alice") || strings.Contains(text, "bob") || strings.Count(text, "\nmember,") != test.want {
			t.Errorf("%s: %s", test.name, text)
		}
	}
	write(t, file, configText(""))
	if err := d.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text := rows(); !strings.Contains(text, ",user,alice,") || !strings.Contains(text, ",user,bob,") {
		t.Errorf("by id: %s", text)
	}
}
