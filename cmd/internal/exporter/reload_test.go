// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/readfile/readfiletest"
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
		{"intervals of another length", "interval: 1h\n", 500, "the store has intervals of 30m", "1.25"},
		{"a CA file that is not there", "prometheus: {tls_config: {ca_file: none.pem}}\n", 500, "none.pem", "1.25"},
		{"a password file that is a directory", "prometheus: {basic_auth: {username: u, password_file: .}}\n", 500, "prometheus.basic_auth.password_file: ", "1.25"},
		{"no text at all", "", 500, path + ": sets no key; was it truncated while being saved?", "1.25"},
		{"only comments", "# power: {pue: 2}\n\n", 500, path + ": sets no key", "1.25"},
		{"an empty document", "---\n...\n", 500, path + ": sets no key", "1.25"},
		{"an empty mapping", "{}\n", 500, path + ": sets no key", "1.25"},
		{"nothing, written out", "null\n", 500, path + ": sets no key", "1.25"},
		{"sections without keys", "prometheus: {}\nattribution: {}\n", 500, path + ": sets no key", "1.25"},
		{"sections of sections without keys", "prometheus: {labels: {}}\n", 500, path + ": sets no key", "1.25"},
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

// TestAReloadWithoutAFile: the defaults are for a start without one.
func TestAReloadWithoutAFile(t *testing.T) {
	for _, test := range []struct {
		name   string
		take   func(path string) error
		reason string
	}{
		{"the file is gone", os.Remove, ": open: no such file or directory"},
		{"its directory is gone", func(path string) error { return os.RemoveAll(filepath.Dir(path)) }, ": open: no such file or directory"},
		{"a directory is in its place", func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) }, ": read: is a directory"},
		{"a pipe is in its place", func(path string) error { return errors.Join(os.Remove(path), readfiletest.Pipe(path)) }, ": read: is a pipe, must be a regular file"},
		{"a link to nothing is in its place", func(path string) error { return errors.Join(os.Remove(path), os.Symlink("nothing", path)) }, ": open: no such file or directory"},
	} {
		for _, given := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, given by a flag: %t", test.name, given), func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "etc")
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
				t.Chdir(dir)
				path := filepath.Join(dir, "carbon.yml")
				args := []string{"--web.enable-lifecycle"}
				if given {
					write(t, path, configText("power: {pue: 1.5}\n"))
					args = append(args, "--config.file="+path)
				}
				d, server := prepared(t, args...)
				if !given { // it comes, and goes again
					path = "carbon.yml"
					write(t, path, configText("power: {pue: 1.5}\n"))
					if status, said := ask(t, "POST", server.URL+"/-/reload"); status != http.StatusOK {
						t.Fatal(said)
					}
				}
				if err := test.take(filepath.Join(dir, "carbon.yml")); err != nil {
					t.Fatal(err)
				}
				status, said := ask(t, "POST", server.URL+"/-/reload")
				if want := path + test.reason + "\n"; status != http.StatusInternalServerError || said != want {
					t.Errorf("status %d: %s; want %s", status, said, want)
				}
				if got := metric(t, server.URL, "carbon_exporter_config_last_reload_successful"); got != "0" {
					t.Errorf("last_reload_successful is %s", got)
				}
				if cfg, _ := d.current(); cfg.Power.PUE.Ratio != 1.5 {
					t.Errorf("PUE is %v", cfg.Power.PUE.Ratio)
				}
			})
		}
	}
}

// TestAReloadWithoutAFileThatNeverWas stays with the defaults.
func TestAReloadWithoutAFileThatNeverWas(t *testing.T) {
	t.Chdir(t.TempDir())
	_, server := prepared(t, "--web.enable-lifecycle")
	if status, said := ask(t, "POST", server.URL+"/-/reload"); status != http.StatusOK {
		t.Errorf("status %d: %s", status, said)
	}
}

func TestAReloadSaysWhatItChanged(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	write(t, key, strings.Repeat("k", 32))
	pseudonym := "attribution: {user_label: pseudonym, pseudonym_key_file: " + key + "}\n"
	const mongo = "mongodb: {uri: 'mongodb://carbon:hunter2@127.0.0.1:1', fields: {users: {platform_name: %s}}}\n"
	const ownerMongo = "mongodb: {uri: 'mongodb://carbon:hunter2@127.0.0.1:1', fields: {users: {platform_name: id}, workspaces: {owner: %s}}}\n"
	for _, test := range []struct {
		name, was, is string
		want          []string // log lines of the reload
	}{
		{"nothing", "", "", []string{`msg="Loaded configuration" file=FILE changed=nothing`}},
		{"other values, without them", "power: {pue: 1.5}\n", "power: {pue: 1.25}\nmetrics: {keep: 1d}\n", []string{`msg="Loaded configuration" file=FILE changed="power.pue, metrics.keep"`}},
		{"pseudonyms become ids", pseudonym, "", []string{
			`changed="attribution.user_label, attribution.pseudonym_key_file"`, `level=WARN msg="Configuration now shows more about users than before" key=attribution.user_label was=pseudonym is=id`,
		}},
		{"nobody becomes pseudonyms", "attribution: {user_label: none}\n", pseudonym, []string{"changed=", "key=attribution.user_label was=none is=pseudonym"}},
		{"ids become pseudonyms", "", pseudonym, []string{"changed="}},
		{"more are named", "attribution: {max_users: 5}\n", "attribution: {max_users: 6}\n", []string{"changed=attribution.max_users", "key=attribution.max_users was=5 is=6"}},
		{"all are named", "attribution: {max_users: 5}\n", "", []string{"changed=attribution.max_users", "key=attribution.max_users was=5 is=0"}},
		{"fewer are named", "", "attribution: {max_users: 5}\n", []string{"changed=attribution.max_users"}},
		{"all of nobody", "attribution: {user_label: none, max_users: 5}\n", "attribution: {user_label: none}\n", []string{"changed=attribution.max_users"}},
		{"people of long ago", "metrics: {keep: 40d}\n", "metrics: {keep: 41d}\n", []string{"changed=metrics.keep", "key=metrics.keep was=40d is=41d"}},
		{"people of long ago, of whom nobody is shown", "attribution: {user_label: none}\n", "attribution: {user_label: none}\nmetrics: {keep: 50d}\n", []string{"changed=metrics.keep"}},
		{"not as long ago", "metrics: {keep: 50d}\n", "metrics: {keep: 41d}\n", []string{"changed=metrics.keep"}},
		{"another field names owners", fmt.Sprintf(mongo, "id"), fmt.Sprintf(ownerMongo, "mail"), []string{"changed=mongodb.fields.workspaces.owner", "key=mongodb.fields.workspaces.owner was=owner is=mail"}},
		{"another label names users", "power: {pue: 1}\n", "prometheus: {labels: {user: mail}}\n", []string{"changed=", "key=prometheus.labels.user was=user is=mail"}},
		{"a directory names users", "", fmt.Sprintf(mongo, "id"), []string{"changed=mongodb", `key=mongodb was="not configured"`}},
		{"another field names users", fmt.Sprintf(mongo, "id"), fmt.Sprintf(mongo, "mail"), []string{"changed=mongodb.fields.users.platform_name", "key=mongodb.fields.users.platform_name was=id is=mail"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			base := configText("")
			if strings.Contains(test.is, "prometheus:") {
				base = "carbon_intensity: {provider: static, static: {gco2eq_per_kwh: 210.89, grid: GB}}\n"
			}
			path := configFile(t, "")
			write(t, path, base+test.was)
			d, _ := prepared(t, "--config.file="+path)
			said := &screen{}
			d.log = slog.New(slog.NewTextHandler(said, nil))
			write(t, path, base+test.is)
			if err := d.reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(said.String()), "\n")
			if len(lines) != len(test.want) {
				t.Fatalf("%d lines, want %d:\n%s", len(lines), len(test.want), said)
			}
			for i, want := range test.want {
				if want = strings.ReplaceAll(want, "FILE", path); !strings.Contains(lines[i], want) {
					t.Errorf("got %s, want %s", lines[i], want)
				}
			}
			if strings.Contains(said.String(), "hunter2") {
				t.Error("a secret is logged")
			}
		})
	}
}

// TestMongoDBThatIsRemoved is forgotten, also by a question that is under way.
func TestMongoDBThatIsRemoved(t *testing.T) {
	path := configFile(t, "mongodb: {uri: 'mongodb://127.0.0.1:1', usage_database: usage}\n")
	d, server := prepared(t, "--config.file="+path)
	ended := func() {
		for _, source := range []string{usage.SourceMongoDB, usage.SourceUsageWriter} {
			d.Requested(source, time.Second, nil)
		}
		d.Directory(time.Now())
		d.RollupsPending(7)
	}
	shown := func() bool {
		_, text := ask(t, "GET", server.URL+"/metrics")
		return strings.Contains(text, `source="mongodb`) || strings.Contains(text, "\ncarbon_exporter_directory_timestamp_seconds") ||
			strings.Contains(text, "\ncarbon_exporter_usage_writer_pending_intervals")
	}
	ended()
	if !shown() {
		t.Fatal("MongoDB is not shown")
	}
	write(t, path, configText(""))
	if err := d.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended()
	if shown() {
		t.Error("MongoDB is still shown")
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

// TestReloadsThatWaitAreOne: however many ask while one is under way, one more follows.
func TestReloadsThatWaitAreOne(t *testing.T) {
	d, _ := prepared(t, "--config.file="+configFile(t, ""))
	logged := &screen{}
	d.log = slog.New(slog.NewTextHandler(logged, nil))
	var crowd sync.WaitGroup
	var asking atomic.Int32
	const most = 100
	d.reloading.Lock()
	for range most {
		crowd.Go(func() {
			asking.Add(1)
			if err := d.reload(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "all ask", func() bool { return asking.Load() == most })
	d.reloading.Unlock()
	crowd.Wait()
	// A few goroutines may be between saying that they ask and asking.
	if n := strings.Count(logged.String(), "Loaded configuration"); n == 0 || n > most/4 {
		t.Errorf("%d reloads", n)
	}
}

// TestStoreIsShown: what the store holds is on /metrics from the first scrape,
// and what is committed later from the commit on.
func TestStoreIsShown(t *testing.T) {
	d, server := prepared(t, "--config.file="+configFile(t, "power: {busy_watts: 12, idle_watts: 1}\n"))
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
			Energy: usage.ByMode[usage.KWh]{Busy: 0.06, Idle: 0.015},
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
