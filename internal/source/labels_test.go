package source

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
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
		{"1 KiB", strings.Repeat("x", 1024), strings.Repeat("x", 1024)},
		{"64 KiB", long + "1", long[:1023] + "#"},
		{"another of 64 KiB", long + "2", long[:1023] + "#"},
	}
	var list []string
	for _, test := range tests {
		list = append(list, host(test.json, "1"))
	}
	reading, rejects := read(t, &server{busy: says(matrix(list...)), idle: says(matrix(list...))})
	if len(reading.Samples) != len(tests) || len(rejects) > 0 {
		t.Fatalf("%d hosts, want %d; rejects %v", len(reading.Samples), len(tests), rejects)
	}
	seen := map[string]bool{}
	for i, test := range tests {
		got := reading.Samples[i].Host
		if seen[got] || !utf8.ValidString(got) || strings.Contains(got, "\x00") || len(got) > maxLabelBytes+17 {
			t.Errorf("%s: %.100q is not its own, or not fit to be served", test.name, got)
		}
		seen[got] = true
		const hash = 16
		if rest, ok := strings.CutPrefix(got, test.want); !ok || strings.HasSuffix(test.want, "#") != (len(rest) == hash) || rest != "" && len(rest) != hash {
			t.Errorf("%s: got %.100q, want %.100q", test.name, got, test.want)
		}
	}
	again, _ := read(t, &server{busy: says(matrix(list...)), idle: says(matrix(list...))})
	if fmt.Sprint(again) != fmt.Sprint(reading) {
		t.Error("the same answer is named otherwise the second time")
	}
}
