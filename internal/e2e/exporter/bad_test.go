// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"database/sql"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What the exit codes say.
const (
	failed  = 1
	badUse  = 2
	refused = 3
)

// checkRefusal wants a program that ends by itself, with one line that says what
// is wrong, and that leaves the store, or that there is none, as it was.
func checkRefusal(t *testing.T, where place, code int, args []string, says ...string) {
	t.Helper()
	before, unread := os.ReadFile(where.store)
	checkOneLine(t, code, args, says...)
	after, err := os.ReadFile(where.store)
	if string(after) != string(before) || (err == nil) != (unread == nil) {
		t.Errorf("the store has changed: it had %d bytes, %v, and has %d, %v", len(before), unread, len(after), err)
	}
}

// checkOneLine wants a program that ends by itself and says why, once.
func checkOneLine(t *testing.T, code int, args []string, says ...string) {
	t.Helper()
	p := launch(t, args...)
	if got := p.exit(20 * time.Second); got != code {
		t.Errorf("exit code is %d, want %d", got, code)
	}
	var plain []string
	for line := range strings.Lines(p.Stderr.String()) {
		if !strings.Contains(line, "level=INFO") && !strings.Contains(line, "level=WARN") {
			plain = append(plain, line)
		}
	}
	if len(plain) != 1 {
		t.Fatalf("%d lines on stderr, want one: %q", len(plain), plain)
	}
	for _, part := range says {
		if !strings.Contains(plain[0], part) {
			t.Errorf("stderr does not say %q: %s", part, plain[0])
		}
	}
}

func TestABadConfigurationIsRefused(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		says       []string
	}{
		{"an unknown key", "interval: 30m\nintervall: 30m\n", []string{"carbon.yml", "2", "intervall"}},
		{"an unknown key below", "prometheus:\n  urll: http://127.0.0.1:9\n", []string{"carbon.yml", "2", "urll"}},
		{"a duration of nothing", "lookback: often\n", []string{"carbon.yml", "lookback", "often"}},
		{"a duration without a unit", "settle_after: 30\n", []string{"carbon.yml", "settle_after", "30"}},
		{"negative watts", "power: {busy_watts: -3}\n", []string{"carbon.yml", "power.busy_watts", "-3"}},
		{"negative watts of a machine", "power: {machines: {Muon: {busy_watts: -3}}}\n", []string{"carbon.yml", "power.machines.Muon.busy_watts", "-3"}},
		{"a number of words", "power: {pue: high}\n", []string{"carbon.yml", "pue", "high"}},
		{"a PUE below 1", "power: {pue: 0.9}\n", []string{"carbon.yml", "power.pue", "0.9"}},
		{"an interval that does not divide a day", "interval: 7m\n", []string{"carbon.yml", "interval", "7m"}},
		{"an interval below a minute", "interval: 30s\n", []string{"carbon.yml", "interval", "30s"}},
		{"a provider nobody knows", "carbon_intensity: {provider: moon}\n", []string{"carbon.yml", "carbon_intensity.provider", "moon"}},
		{"a URL without a scheme", "prometheus: {url: localhost}\n", []string{"carbon.yml", "prometheus.url"}},
		{"no YAML at all", "interval: [30m\n", []string{"carbon.yml"}},
		{"a list", "- interval\n", []string{"carbon.yml"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			where := emptyPlace(t)
			write(t, where.config, tc.text)
			checkRefusal(t, where, badUse, where.args(), tc.says...)
			checkRefusal(t, where, badUse, append(where.args(), "--config.check"), tc.says...)
		})
	}
}

// emptyPlace is a place with a good configuration that asks nobody.
func emptyPlace(t *testing.T) place {
	t.Helper()
	return settings{prometheus: "http://127.0.0.1:9", uk: "http://127.0.0.1:9"}.place(t, spanOf(30*time.Minute, time.Hour))
}

func TestBadFlagsAreRefused(t *testing.T) {
	for _, tc := range []struct {
		name string
		args func(dir string) []string
		code int
		says []string
	}{
		{"a configuration that is not there", func(dir string) []string { return []string{"--config.file=" + dir + "/none.yml"} }, badUse, []string{"none.yml", "no such file"}},
		{"a configuration that cannot be read", func(dir string) []string { return []string{"--config.file=" + dir} }, badUse, []string{"is a directory"}},
		{"a web configuration that is not there", func(dir string) []string { return []string{"--web.config.file=" + dir + "/web.yml"} }, badUse, []string{"web.yml"}},
		{"an unknown flag", func(string) []string { return []string{"--intervall=1h"} }, badUse, []string{"intervall"}},
		{"a level of logging nobody knows", func(string) []string { return []string{"--log.level=loud"} }, badUse, []string{"log level", "loud"}},
		{"a retention of nothing", func(string) []string { return []string{"--storage.retention=soon"} }, badUse, []string{"storage.retention", "soon"}},
		{"a path of metrics without a slash", func(string) []string { return []string{"--web.telemetry-path=metrics"} }, badUse, []string{"telemetry-path", "metrics"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			where := emptyPlace(t)
			args := append([]string{"--storage.path=" + where.store, "--web.listen-address=127.0.0.1:0"}, tc.args(filepath.Dir(where.config))...)
			checkRefusal(t, where, tc.code, args, tc.says...)
		})
	}
}

func TestAPortInUseIsRefused(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	s, uk := sharedSite(t), newGrid(t)
	where := settings{prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL}.place(t, spanOf(30*time.Minute, time.Hour))
	address := busy.Addr().String()
	checkOneLine(t, failed, append(where.args(), "--web.listen-address="+address), address, "in use")
}

// madeStore lets the program make a store and end.
func madeStore(t *testing.T, where place) {
	t.Helper()
	start(t, where.args()...).terminate()
}

func execute(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func TestABadStoreIsRefused(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(t *testing.T, where place) // an existing store
		says  []string
	}{
		{"garbage", func(t *testing.T, where place) { write(t, where.store, strings.Repeat("garbage", 4096)) }, []string{"not a SQLite database"}},
		{"read-only", func(t *testing.T, where place) {
			if err := os.Chmod(where.store, 0o444); err != nil {
				t.Fatal(err)
			}
		}, []string{"read-only"}},
		{"of a newer program", func(t *testing.T, where place) { execute(t, where.store, "PRAGMA user_version=99") }, []string{"newer", "99"}},
		{"of another program", func(t *testing.T, where place) {
			execute(t, where.store, "PRAGMA application_id=1")
		}, []string{"another program"}},
		{"cut short", func(t *testing.T, where place) {
			if err := os.Truncate(where.store, 4096*3+100); err != nil {
				t.Fatal(err)
			}
		}, []string{"damaged"}},
		{"a directory", func(t *testing.T, where place) {
			if err := os.Remove(where.store); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(where.store, 0o700); err != nil {
				t.Fatal(err)
			}
		}, []string{"not a regular file"}},
		{"of another interval", func(t *testing.T, where place) {
			write(t, where.config, "interval: 15m\n")
		}, []string{"30m", "15m"}},
		{"of another exporter that runs", func(t *testing.T, where place) {
			start(t, where.args()...)
		}, []string{"another carbon_exporter"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			where := emptyPlace(t)
			madeStore(t, where)
			tc.spoil(t, where)
			checkRefusal(t, where, refused, append(where.args(), "--web.listen-address=127.0.0.1:0"), append(tc.says, where.store)...)
		})
	}
}

// A store that another program has locked may be free at the next start, which a
// supervisor must not be kept from.
func TestAStoreThatIsLockedAtTheStart(t *testing.T) {
	t.Parallel()
	where := emptyPlace(t)
	madeStore(t, where)
	db, err := sql.Open("sqlite", "file:"+where.store+"?_txlock=exclusive")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing was done
	checkRefusal(t, where, failed, append(where.args(), "--web.listen-address=127.0.0.1:0"), "locked by another program", where.store)
}
