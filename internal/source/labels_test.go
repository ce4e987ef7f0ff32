// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestLabelValues(t *testing.T) {
	long := strings.Repeat("€", 64<<10/3)
	tests := []struct{ name, json, want string }{ // want: the beginning, and # if there is a hash
		{"plain", `plain`, "plain"},
		{"quotes", `a\"b`, `a"b`},
		{"backslash", `a\\b`, `a\b`},
		{"line break", `a\nb`, "a\nb"},
		{"emoji", `⚡`, "⚡"},
		{"emoji as two escapes", `\ud83d\ude00`, "😀"},
		{"NUL", `a\u0000b`, "a\uFFFDb#"},
		{"not UTF-8", "a\xffb", "a\uFFFDb#"},
		{"not UTF-8 in another way", "a\xfeb", "a\uFFFDb#"},
		{"not UTF-8, with an escape", "a\xff\\\"b", "a\uFFFD\\\"b\uFFFD#"},
		{"half a character", `a\ud800b`, `a\ud800b` + "\uFFFD#"},
		{"the other half", `a\udc00b`, `a\udc00b` + "\uFFFD#"},
		{"just not too long", strings.Repeat("x", usage.MaxHost), strings.Repeat("x", usage.MaxHost)},
		{"a byte too long", strings.Repeat("x", usage.MaxHost+1), strings.Repeat("x", usage.MaxHost) + "#"},
		{"64 KiB", long + "1", long[:usage.MaxHost-usage.MaxHost%3] + "#"},
		{"another of 64 KiB", long + "2", long[:usage.MaxHost-usage.MaxHost%3] + "#"},
	}
	var list []string
	for _, test := range tests {
		list = append(list, host(test.json, "1"))
	}
	reading, rejects := read(t, (&server{busy: says(matrix(list...)), idle: says(matrix(list...))}).given(t))
	if len(reading.Samples) != len(tests) || len(rejects) > 0 {
		t.Fatalf("%d hosts, want %d; rejects %v", len(reading.Samples), len(tests), rejects)
	}
	seen := map[string]bool{}
	for i, test := range tests {
		got := reading.Samples[i].Host
		if seen[got] || !utf8.ValidString(got) || strings.Contains(got, "\x00") || len(got) > usage.MaxHost+17 {
			t.Errorf("%s: %.100q is not its own, or not fit to be served", test.name, got)
		}
		seen[got] = true
		const hash = 16
		if rest, ok := strings.CutPrefix(got, test.want); !ok || strings.HasSuffix(test.want, "#") != (len(rest) == hash) || rest != "" && len(rest) != hash {
			t.Errorf("%s: got %.100q, want %.100q", test.name, got, test.want)
		}
	}
	again, _ := read(t, (&server{busy: says(matrix(list...)), idle: says(matrix(list...))}).given(t))
	if fmt.Sprint(again) != fmt.Sprint(reading) {
		t.Error("the same answer is named otherwise the second time")
	}
}

// A thousand hosts whose names have a kilobyte each are as many lines of /metrics as
// any thousand hosts, and not much longer ones.
func TestNamesAreBoundedInBytes(t *testing.T) {
	var list []string
	for i := range 1000 {
		name := func(what string) string { return fmt.Sprintf("%s-%s-%d", what, strings.Repeat("x", 1024), i) }
		list = append(list, fmt.Sprintf(`{"metric":{"cloud_project_name":"%s","machine_name":"%s","instance":"%s","user":"%s"},"values":[[%d,"1"]]}`,
			name("project"), name("machine"), name("host"), name("user"), noonEnd))
	}
	reading, _ := read(t, (&server{busy: says(matrix(list...)), idle: says(matrix(list...))}).given(t))
	seen := map[usage.Series]bool{}
	for _, s := range reading.Samples {
		seen[s.Series] = true
		for _, name := range []string{s.Series.Project, s.Series.Machine, s.Series.User} {
			if len(name) > usage.MaxName+len("#0123456789abcdef") {
				t.Fatalf("a name of %d bytes", len(name))
			}
		}
	}
	if len(seen) != 1000 {
		t.Errorf("%d names are left of 1000", len(seen))
	}
}
