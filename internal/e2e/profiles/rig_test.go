// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package profiles_test

import (
	"database/sql"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine/enginetest"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/profiles"
)

// programs is the directory with carbontool.
var programs string

func TestMain(m *testing.M) { os.Exit(built.Main(m, &programs, "carbontool")) }

// tool runs carbontool, which has to succeed, and returns what it printed.
func tool(t *testing.T, args ...string) string {
	t.Helper()
	said, _ := run(t, args...)
	return said
}

func run(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	got := built.Run(t, exec.Command(filepath.Join(programs, "carbontool"), args...))
	if got.Code != 0 {
		t.Fatalf("carbontool %s: exit code %d\n%s%s", strings.Join(args, " "), got.Code, got.Stdout, got.Stderr)
	}
	return got.Stdout, got.Stderr
}

// place is a site behind a Prometheus, with a configuration for it and a store.
type place struct {
	site          *profiles.Site
	config, store string
}

// halfHours is how many intervals the tests read.
const halfHours = 4

func newPlace(t *testing.T, site *profiles.Site, more ...string) place {
	t.Helper()
	e, url := enginetest.Serve(t, engine.Options{})
	if err := site.Record(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := place{site: site, config: filepath.Join(dir, "carbon.yml"), store: filepath.Join(dir, "carbon.db")}
	text := fmt.Sprintf("prometheus:\n  url: %s\n  profile: %s\n%s\n"+
		"carbon_intensity: {provider: static, static: {gco2eq_per_kwh: 100, grid: XX}}\n%s\n%s",
		url, site.Profile, indented(site.Section), site.Power(), strings.Join(more, "\n"))
	if err := os.WriteFile(p.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func indented(section string) string {
	if section == "" {
		return ""
	}
	return "  " + strings.ReplaceAll(section, "\n", "\n  ")
}

// read collects half hours, from one to another, as they would have been collected then.
func (p place) read(t *testing.T, from, to int, more ...string) {
	t.Helper()
	p.readLoudly(t, from, to, more...)
}

// readLoudly is read and returns what was logged.
func (p place) readLoudly(t *testing.T, from, to int, more ...string) string {
	t.Helper()
	_, log := run(t, append([]string{
		"backfill", "--config.file=" + p.config, "--storage.path=" + p.store,
		"--from=" + start(from), "--to=" + start(to),
	}, more...)...)
	return log
}

// during is the time of a half hour.
func during(i int) profiles.Span {
	return profiles.Span{From: time.Duration(i) * 30 * time.Minute, To: time.Duration(i+1) * 30 * time.Minute}
}

func start(i int) string { return moment(during(i).From) }

func moment(at time.Duration) string { return profiles.Noon.Add(at).Format(time.RFC3339) }

// open opens the store to look into it.
func (p place) open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+p.store+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// facts are what is stored of a half hour.
func (p place) facts(t *testing.T, i int) map[profiles.Key]profiles.Amount {
	t.Helper()
	return p.between(t, during(i))
}

// between is what is stored of all intervals that begin in a time.
func (p place) between(t *testing.T, s profiles.Span) map[profiles.Key]profiles.Amount {
	t.Helper()
	rows, err := p.open(t).Query(`SELECT cloud_project_name, machine_name, user_id, sum(busy_cpu_seconds), sum(idle_cpu_seconds)
		FROM v_usage WHERE ts >= ? AND ts < ? GROUP BY 1, 2, 3`, moment(s.From), moment(s.To))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[profiles.Key]profiles.Amount{}
	for rows.Next() {
		var k profiles.Key
		var a profiles.Amount
		if err := rows.Scan(&k.Project, &k.Machine, &k.User, &a.Busy, &a.Idle); err != nil {
			t.Fatal(err)
		}
		all[k] = a
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// scoped is fact_usage of a half hour, by scope and member.
func (p place) scoped(t *testing.T, i int) map[string]map[string]profiles.Amount {
	t.Helper()
	rows, err := p.open(t).Query(`SELECT scope, COALESCE(cloud_project_name, machine_name, user_id, ''), busy_cpu_seconds_total, idle_cpu_seconds_total
		FROM fact_usage LEFT JOIN dim_project USING (project_id) LEFT JOIN dim_machine USING (machine_id) WHERE ts = ?`, start(i))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]map[string]profiles.Amount{}
	for rows.Next() {
		var scope, member string
		var a profiles.Amount
		if err := rows.Scan(&scope, &member, &a.Busy, &a.Idle); err != nil {
			t.Fatal(err)
		}
		if all[scope] == nil {
			all[scope] = map[string]profiles.Amount{}
		}
		all[scope][member] = a
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// hosts are how many were there in a half hour, and their cores, of all projects.
func (p place) hosts(t *testing.T, i int) (hosts, cores int) {
	t.Helper()
	if err := p.open(t).QueryRow(`SELECT COALESCE(SUM(hosts), 0), COALESCE(SUM(cores), 0) FROM interval_hosts WHERE start = ?`,
		profiles.Noon.Add(during(i).From).Unix()).Scan(&hosts, &cores); err != nil {
		t.Fatal(err)
	}
	return hosts, cores
}

// doubts are the hosts of a half hour that are not exact, and why.
func (p place) doubts(t *testing.T, i int) (all []string) {
	t.Helper()
	rows, err := p.open(t).Query(`SELECT host || ' is ' || state || ': ' || reason || ', ' || detail FROM interval_doubt WHERE start = ?`,
		profiles.Noon.Add(during(i).From).Unix())
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var doubt string
		if err := rows.Scan(&doubt); err != nil {
			t.Fatal(err)
		}
		all = append(all, doubt)
	}
	return all
}

func near(a, b, relative, absolute float64) bool {
	return math.Abs(a-b) <= max(absolute, relative*max(math.Abs(a), math.Abs(b)))
}
