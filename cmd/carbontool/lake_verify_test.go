// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/lake/audit"
)

func TestLakeVerify(t *testing.T) {
	d, a, _ := lakeOf(t)
	verify := func(args ...string) called {
		return call(append([]string{"lake", "verify", "--objstore.config-file", d.Config()}, args...)...)
	}
	got := verify("--site=a", "--storage.path", a.path)
	want := `a
  manifests   ok      5
  days        ok      5, 2026-10-23 to 2026-10-27, without a hole or an overlap
  intervals   ok      ? settled, ? empty, 25 unknown
              note    2026-10-25: 25 intervals are unknown: 25h0m0s of usage were never read
  objects     ok      10 of 5 revisions, ? bytes
  rows        ok      ?
  sums        ok      facts, members and manifests agree
  publisher   ok      one
  unnamed     ok      none
  store       ok      5 days are the same
`
	if !matches(got.stdout, want) || got.code != exitDone || got.stderr != "" {
		t.Errorf("got %+v", got)
	}
	a.use(restate, "2026-10-24", "2026-10-25")
	d.Remove("manifest/site=b/day=2026-10-25.json")
	facts := "facts/site=b/day=2026-10-24/facts.parquet"
	d.Write(facts, d.Read(facts)[1:])

	file := d.Path + ".carbon.yml"
	if err := os.WriteFile(file, []byte("prometheus: {url: 'http://127.0.0.1:1'}\ninterval: 1h\ntimezone: Europe/London\nlake: {objstore_config_file: bucket.yml, site: a}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got = call("lake", "verify", "--config.file", file, "--storage.path", a.path, "--format=json")
	var doc struct {
		Failed int
		Sites  []audit.Result
	}
	if err := json.Unmarshal([]byte(got.stdout), &doc); err != nil || got.code != exitFailed {
		t.Fatalf("%v: %+v", err, got)
	}
	if want := "carbontool lake verify: FILESYSTEM " + d.Path + ": 3 of 17 checks failed\n"; got.stderr != want || doc.Failed != 3 {
		t.Errorf("stderr %s, and %d failed", got.stderr, doc.Failed)
	}
	for _, want := range []string{
		"a store 2026-10-24: the store has ",
		"b days 2026-10-25: it has no manifest, and days before and after it have one",
		"b objects 2026-10-24, revision 1: facts/site=b/day=2026-10-24/facts.parquet: it has ",
	} {
		found := false
		for _, r := range doc.Sites {
			for _, c := range r.Checks {
				for _, text := range c.Faults {
					found = found || strings.HasPrefix(r.Site+" "+c.Name+" "+text, want)
				}
			}
		}
		if !found {
			t.Errorf("nothing is said like %q: %s", want, got.stdout)
		}
	}
	if got := verify("--storage.path", a.path); got.code != exitUsage || got.stderr != "carbontool lake verify: --storage.path: give --site, the site that this store publishes, one of a, b; see carbontool lake verify --help\n" {
		t.Errorf("no site for the store: %+v", got)
	}
	if got := verify(); got.code != exitFailed || !strings.Contains(got.stdout, "\n  days        FAILED  2026-10-25: it has no manifest") {
		t.Errorf("as text: %+v", got)
	}
}

// matches compares text with a pattern in which ? is a number.
func matches(text, pattern string) bool {
	for i, part := range strings.Split(pattern, "?") {
		if i > 0 {
			text = strings.TrimLeft(text, "0123456789")
		}
		var ok bool
		if text, ok = strings.CutPrefix(text, part); !ok {
			return false
		}
	}
	return text == ""
}
