// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// exporterStore is a store with an interval of alice's and bob's, in use by a
// carbon_exporter.
func exporterStore(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "carbon.db")
	london, err := time.LoadLocation("Europe/London") // as the configuration has it
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), path, store.Options{Exclusive: true, Interval: usage.SlotLength, Timezone: london})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	i := usage.IntervalAt(time.Date(2026, 1, 3, 12, 0, 0, 0, time.UTC), usage.SlotLength)
	r := usage.Record{Interval: i, State: usage.Unpriced, PUE: 1, FetchedAt: i.End()}
	r.Coverage = map[string]usage.Coverage{"ISIS": {Seen: 1800, Capacity: 1800}}
	r.Ratings = []usage.Rating{{Machine: "Muon", Watts: usage.BusyIdle[usage.Watts]{Busy: 12, Idle: 1}, Source: "default"}}
	for _, user := range []string{"alice", "bob"} {
		r.Facts = append(r.Facts, usage.Fact{
			Key:   usage.Key{Project: "ISIS", Machine: "Muon", User: user, Group: "ISIS"},
			Start: i.Start,
			CPU:   usage.BusyIdle[usage.CPUSeconds]{Busy: 900}, Energy: usage.ByMode[usage.KWh]{Busy: 0.003},
		})
	}
	storetest.Commit(t, s, r)
	return path
}

func usersOf(t *testing.T, path string) string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var users string
	if err := db.QueryRowContext(t.Context(), `SELECT group_concat(user_id, ' ')
		FROM (SELECT user_id FROM fact_usage WHERE scope = 'user' ORDER BY user_id)`).Scan(&users); err != nil {
		t.Fatal(err)
	}
	return users
}

func TestForgetUser(t *testing.T) {
	path := exporterStore(t)
	got := call("forget-user", "alice", "--yes", "--storage.path", path)
	users := usersOf(t, path)
	alias := regexp.MustCompile(`^bob (forgotten-[0-9a-f]{8})$`).FindStringSubmatch(users)
	if alias == nil {
		t.Fatalf("the users are %s; %+v", users, got)
	}
	want := called{stdout: fmt.Sprintf(`Removed the user from %s. Past usage now belongs to %s, all totals are unchanged, and future usage is unattributed.
The file was rewritten, so its free pages hold no trace of the user.
Not covered; remove these yourself:
- series in Prometheus that have the label user, from carbon_exporter and from the machines
- backups, copies and exports of the store
- statements that were sent; those that the store keeps show the alias now
`, path, alias[1])}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	called{exitFailed, "", "carbontool forget-user: forget a user in " + path + ": already forgotten; the file was rewritten once more\n"}.
		by(t, "forget-user", "alice", "--yes", "--storage.path", path)
	for _, yes := range [][]string{{"--yes"}, nil} { // nobody is asked about nobody
		called{exitFailed, "", "carbontool forget-user: forget a user in " + path + ": there is no such user; nothing was changed\n"}.
			by(t, append([]string{"forget-user", "carol", "--storage.path", path}, yes...)...)
	}
}

func TestForgetUserSaysWhatMongoDBHolds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "carbon.yml")
	text := "mongodb: {uri: 'mongodb://carbon:hunter2@db', database: cloud, collections: {workspaces: vms}, usage_database: billing}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got := call("forget-user", "alice", "--yes", "--storage.path", exporterStore(t), "--config.file", file)
	for _, line := range []string{
		"- the documents in MongoDB, database cloud (users, groups, vms)\n",
		"- documents of user_usage in MongoDB, database billing, for intervals deleted by --storage.retention;\n" +
			"  carbon_exporter rewrites all others without the user\n",
	} {
		if !strings.Contains(got.stdout, line) {
			t.Errorf("%+v does not say %q", got, line)
		}
	}
	if strings.Contains(got.stdout, "hunter2") || got.code != exitDone || got.stderr != "" {
		t.Errorf("%+v", got)
	}
}

func TestForgetUserSaysWhatADirectoryHolds(t *testing.T) {
	for text, want := range map[string]string{
		"directory: {file: /etc/owners.csv}":                                         "- the rows of /etc/owners.csv that name the user\n",
		"directory: {prometheus: {metric: kube_pod_labels, labels: {owner: owner}}}": "- series of the directory's metrics that name the user\n",
	} {
		file := filepath.Join(t.TempDir(), "carbon.yml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := call("forget-user", "alice", "--yes", "--storage.path", exporterStore(t), "--config.file", file)
		if !strings.Contains(got.stdout, want) || strings.Contains(got.stdout, "MongoDB") || got.code != exitDone {
			t.Errorf("%+v does not say %q", got, want)
		}
	}
}

func TestForgetUserRefuses(t *testing.T) {
	path, absent := exporterStore(t), filepath.Join(t.TempDir(), "data", "carbon.db")
	for _, c := range []struct {
		name string
		args []string
		want called
	}{
		{"to go on where nobody can be asked", []string{"alice", "--storage.path", path}, called{
			exitUsage, "",
			"carbontool forget-user: standard input is not a terminal, so there is nobody to confirm: add --yes; see carbontool forget-user --help\n",
		}},
		{"a store that is not there", []string{"alice", "--yes", "--storage.path", absent}, called{
			exitFailed, "",
			"carbontool forget-user: open store " + absent + ": there is no such file; set --storage.path\n",
		}},
		{"a configuration that is not there", []string{"alice", "--yes", "--storage.path", path, "--config.file", absent}, called{
			exitFailed, "",
			"carbontool forget-user: " + absent + ": open: no such file or directory\n",
		}},
		{"nobody", []string{usage.Unattributed, "--yes", "--storage.path", path}, called{
			exitFailed, "",
			"carbontool forget-user: store: forget a user: the id stands for no person\n",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.by(t, append([]string{"forget-user"}, c.args...)...)
		})
	}
	if users := usersOf(t, path); users != "alice bob" {
		t.Errorf("the users are %s", users)
	}
}
