// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
)

func TestADirectoryInAFile(t *testing.T) {
	_, prometheus := scraped(t, machine{}, machine{})
	for _, test := range []struct {
		name, text   string // no text: there is no file
		level, check string
		words        string
	}{
		{"all is well", "host,owner,group\n10.0.0.1,ada,muons\n10.0.0.2:9100,bob,muons\n", "ok", "owners", "100 % of 2 machines have an owner now"},
		{"all is well, by what was read", "host,owner,group\n10.0.0.1,ada,muons\n10.0.0.2:9100,bob,muons\n", "ok", "reachable", "2 machines, 2 owners, 1 group"},
		{"hosts by other names", "host,owner\nws-1.example.org,ada\n", "warning", "owners", "the server calls them such as 10.0.0.1:9100, the directory such as ws-1.example.org"},
		{"projects alone", "host,project\n10.0.0.1,ISIS\n", "ok", "owners", "no owners"},
		{"a row that is none", "host,owner,from\n10.0.0.1,ada,\n10.0.0.2,bob,yesterday\n", "failure", "file", "line 3: from and to must be a date"},
		{"a file that is gone", "", "failure", "file", "no such file"},
		{"a column that is none", "host,owned_by\n10.0.0.1,ada\n", "failure", "reachable", "owned_by"},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "owners.csv")
			if test.text != "" {
				if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
					t.Fatal(err)
				}
				before := time.Now().Add(-time.Minute) // one that changes just now is waited for
				if err := os.Chtimes(file, before, before); err != nil {
					t.Fatal(err)
				}
			}
			r := examine(t, fmt.Sprintf("prometheus: {url: %q}\ndirectory: {file: %q}\nattribution: {group_by: directory}\n", prometheus, file), "--only=prometheus,directory,config")
			r.wants(test.level, test.check, test.words)
			for _, name := range []string{"ada", "bob", "muons"} {
				if strings.Contains(r.String(), name) {
					t.Errorf("it names %s:\n%s", name, r)
				}
			}
		})
	}
}

func TestADirectoryInPrometheus(t *testing.T) {
	e, prometheus := scraped(t, machine{}, machine{})
	info := engine.NewSeries(map[string]string{"__name__": "vm_info", "vm": "10.0.0.1:9100", "who": "ada"})
	var samples []engine.Sample
	for at := now.Add(-25 * time.Hour); at.Before(now); at = at.Add(time.Minute) {
		samples = append(samples, engine.At(at, 1))
	}
	if err := e.Append(t.Context(), info, samples...); err != nil {
		t.Fatal(err)
	}
	config := func(metric string) string {
		return fmt.Sprintf("prometheus: {url: %q}\ndirectory: {prometheus: {metric: %s, labels: {host: vm, owner: who}}}\n", prometheus, metric)
	}
	examine(t, config("vm_info"), "--only=prometheus,directory").wants("ok", "owners", "50 % of 2 machines have an owner now")
	examine(t, config("wm_info"), "--only=prometheus,directory").wants("failure", "reachable", "wm_info")
}
