package main

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestReload(t *testing.T) {
	path := configFile(t, "power: {pue: 1.5}\n")
	_, server := prepared(t, "--config.file="+path, "--web.enable-lifecycle")
	shown := func(successful, pue string) {
		t.Helper()
		if got := metric(t, server.URL, "carbon_exporter_config_last_reload_successful"); got != successful {
			t.Errorf("last_reload_successful is %s, want %s", got, successful)
		}
		if got := metric(t, server.URL, "carbon_pue_ratio"); got != pue {
			t.Errorf("PUE is %s, want %s", got, pue)
		}
		if _, text := ask(t, "GET", server.URL+"/config"); !strings.Contains(text, "pue: "+pue+"\n") {
			t.Errorf("/config does not have PUE %s: %s", pue, text)
		}
	}
	shown("1", "1.5")
	for _, step := range []struct {
		name, text string
		status     int
		said       string
		pue        string // after it
	}{
		{"a value that cannot be", "power: {pue: 0.5}\n", 500, path + ":1: power.pue: ", "1.5"},
		{"another good file", configText("power: {pue: 1.25}\n"), 200, "", "1.25"},
		{"no YAML", "{", 500, path + ":1: ", "1.25"},
		{"a key nobody knows", "watts: 3\n", 500, path + `:1: unknown key "watts"`, "1.25"},
		{"intervals of another length", "interval: 1h\n", 500, "the store holds intervals of 30m", "1.25"},
		{"a CA file that is not there", "prometheus: {tls_config: {ca_file: none.pem}}\n", 500, "none.pem", "1.25"},
		{"all is well again", configText("power: {pue: 1.75}\n"), 200, "", "1.75"},
	} {
		t.Run(step.name, func(t *testing.T) {
			write(t, path, step.text)
			status, said := ask(t, "POST", server.URL+"/-/reload")
			if status != step.status || !strings.Contains(said, step.said) {
				t.Errorf("status %d: %s; want %d: %s", status, said, step.status, step.said)
			}
			shown(map[int]string{200: "1", 500: "0"}[step.status], step.pue)
		})
	}
}

func TestLifecycleMethods(t *testing.T) {
	d, server := prepared(t, "--config.file="+configFile(t, ""), "--web.enable-lifecycle")
	for _, page := range []string{"/-/reload", "/-/quit"} {
		for method, want := range map[string]int{"GET": 405, "HEAD": 405, "DELETE": 405, "POST": 200, "PUT": 200} {
			if status, text := ask(t, method, server.URL+page); status != want {
				t.Errorf("%s %s: status %d, want %d: %s", method, page, status, want, text)
			}
		}
	}
	if len(d.quit) != 1 {
		t.Error("asked twice to quit, and will not")
	}
}

// TestReloadsAtOnce: what is in force in the end is one file as a whole.
func TestReloadsAtOnce(t *testing.T) {
	path := configFile(t, "")
	d, server := prepared(t, "--config.file="+path, "--web.enable-lifecycle")
	var crowd sync.WaitGroup
	for range 10 {
		crowd.Go(func() {
			resp, err := http.Post(server.URL+"/-/reload", "", nil)
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				t.Errorf("status %d", resp.StatusCode)
			}
		})
		crowd.Go(func() { d.Changed(t.Context()) })
	}
	crowd.Wait()
	write(t, path, configText("power: {pue: 1.5}\n"))
	if status, text := ask(t, "POST", server.URL+"/-/reload"); status != http.StatusOK {
		t.Errorf("status %d: %s", status, text)
	}
	if got := metric(t, server.URL, "carbon_pue_ratio"); got != "1.5" {
		t.Errorf("PUE is %s", got)
	}
}

// TestStoreIsShown: what the store holds is on /metrics from the first scrape,
// and what is committed later from the commit on.
func TestStoreIsShown(t *testing.T) {
	d, server := prepared(t, "--config.file="+configFile(t, ""))
	if got := metric(t, server.URL, "carbon_energy_kwh"); got != "absent" {
		t.Errorf("energy of an empty store is %s", got)
	}
	i := usage.IntervalAt(time.Now().Add(-time.Hour), 30*time.Minute)
	rec := usage.Record{
		Interval: i, State: usage.Unpriced, PUE: 1, FetchedAt: time.Now(),
		Facts: []usage.Fact{{
			Key:    usage.Key{Project: "IDAaaS", Machine: "Laser", User: usage.Unattributed, Group: "ISIS"},
			Start:  i.Start,
			CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: 18000, Idle: 54000},
			Energy: usage.BusyIdle[usage.KWh]{Busy: 0.06, Idle: 0.015},
		}},
		Ratings: []usage.Rating{{Machine: "Laser", Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}, Source: "default"}},
	}
	storetest.Commit(t, d.store, rec)
	d.Changed(t.Context())
	for name, want := range map[string]string{
		"carbon_energy_kwh": "0.06", "carbon_power_watts": "120", "carbon_unpriced_energy_kwh": "0.075",
		"carbon_emissions_gco2eq": "absent", "carbon_machine_power_watts": "12",
	} {
		if got := metric(t, server.URL, name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}
