// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestDebianChangelog(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	got, err := debianChangelog("# Changelog\n\n* not of a version\n\n## 0.2.0-rc.1 / unreleased\n\n* [FEATURE] a: "+
		strings.Repeat("word ", 20)+"\n\n## 0.1.0 / 2026-10-02\n\n* [BUGFIX] b: short.\n", at)
	if err != nil {
		t.Fatal(err)
	}
	want := `carbon-exporter (0.2.0~rc.1) stable; urgency=medium

  * [FEATURE] a: word word word word word word word word word word word word
    word word word word word word word word

 -- ` + maintainer + `  Sun, 01 Nov 2026 12:00:00 +0000

carbon-exporter (0.1.0) stable; urgency=medium

  * [BUGFIX] b: short.

 -- ` + maintainer + `  Fri, 02 Oct 2026 00:00:00 +0000
`
	if string(got) != want {
		t.Errorf("got\n%s", got)
	}
	for _, wrong := range []string{"", "## 0.1.0 / soon\n"} {
		if _, err := debianChangelog(wrong, at); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

func TestUnitsOfPackagesFollowTheExamples(t *testing.T) {
	for name, text := range map[string]string{
		"new.service":                  "[Service]\n",
		"carbon_exporter.service":      "[Service]\nExecStart=/usr/bin/carbon_exporter\n",
		"carbon_exporter-backup.timer": "",
	} {
		_, err := unit(name, []byte(text))
		if wrong := name != "carbon_exporter-backup.timer"; (err != nil) != wrong {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAModuleWithoutALicenceIsRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		ok    bool
	}{
		{"a licence", []string{"LICENSE", "main.go"}, true},
		{"a licence of a kind", []string{"LICENCE-MIT.md", "NOTICE"}, true},
		{"a notice alone", []string{"NOTICE", "license.go"}, false},
		{"nothing", nil, false},
	} {
		dir := fstest.MapFS{"doc/LICENSE": {Data: []byte("of the documentation")}}
		for _, f := range c.files {
			dir[f] = &fstest.MapFile{Data: []byte("text of " + f + "\r\n")}
		}
		var b bytes.Buffer
		if err := licence(&b, dir); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		for _, f := range c.files {
			if has := strings.Contains(b.String(), "text of "+f+"\n"); has == strings.HasSuffix(f, ".go") {
				t.Errorf("%s: %s in it is %v", c.name, f, has)
			}
		}
	}
}
