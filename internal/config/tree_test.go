// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestAnchorsAndMergeKeys(t *testing.T) {
	for _, test := range []struct{ name, text, same string }{
		{
			"a key of its own wins over one that is merged, wherever it stands",
			"power:\n  machines:\n    A: &a\n      busy_watts: 9\n      idle_watts: 1\n    B:\n      busy_watts: 8\n      <<: *a\n    C:\n      <<: *a\n      busy_watts: 7\n",
			"power: {machines: {A: {busy_watts: 9, idle_watts: 1}, B: {busy_watts: 8, idle_watts: 1}, C: {busy_watts: 7, idle_watts: 1}}}",
		},
		{
			"of several merges the first wins",
			"power: {machines: {A: &a {busy_watts: 9}, B: &b {busy_watts: 8, idle_watts: 2}, C: {<<: [*a, *b]}, D: {<<: [*b, *a]}}}",
			"power: {machines: {A: {busy_watts: 9}, B: {busy_watts: 8, idle_watts: 2}, C: {busy_watts: 9, idle_watts: 2}, D: {busy_watts: 8, idle_watts: 2}}}",
		},
		{
			"a merge of a merge",
			"power: {machines: {A: &a {busy_watts: 9}, B: &b {<<: *a, idle_watts: 2}, C: {<<: *b}}}",
			"power: {machines: {A: {busy_watts: 9}, B: {busy_watts: 9, idle_watts: 2}, C: {busy_watts: 9, idle_watts: 2}}}",
		},
		{
			"a merge of what is written there and then",
			"<<: {interval: 1h}\npower: {pue: 1.5}",
			"interval: 1h\npower: {pue: 1.5}",
		},
		{
			"in the HTTP client, and in a section with defaults of its own",
			"prometheus:\n  tls_config: &tls {ca_file: /ca}\n  oauth2: {client_id: i, token_url: http://t, tls_config: {<<: *tls, server_name: s}}\nmongodb: {<<: {uri: mongodb://localhost, database: other}, database: mine}",
			"prometheus:\n  tls_config: {ca_file: /ca}\n  oauth2: {client_id: i, token_url: http://t, tls_config: {ca_file: /ca, server_name: s}}\nmongodb: {uri: mongodb://localhost, database: mine}",
		},
		{
			"an anchor in a list and an alias in a text",
			"attribution: {groups: [{name: &isis ISIS, projects: &p [A]}]}\nbudgets: [{name: b, scope: group, target: *isis, period: day, kwh: 1}]",
			"attribution: {groups: [{name: ISIS, projects: [A]}]}\nbudgets: [{name: b, scope: group, target: ISIS, period: day, kwh: 1}]",
		},
		{
			"a quoted << is a name like any other",
			`power: {machines: {"<<": {busy_watts: 3}}}`,
			`power: {machines: {'<<': {busy_watts: 3}}}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := Parse("carbon.yml", []byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			want, err := Parse("carbon.yml", []byte(test.same))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestFaultsOfTheText(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"a key that is merged is unknown", "power:\n  machines:\n    A: {<<: {busy: 1}}", `carbon.yml:3: unknown key "busy" in power.machines.A`},
		{"a merge of no mapping", "power:\n  <<: 12", "carbon.yml:2: <<: must be a mapping or a list of mappings"},
		{"a merge of a list of no mappings", "power:\n  <<: [12]", "carbon.yml:2: <<: must be a mapping or a list of mappings"},
		{"two merges", "power:\n  <<: {pue: 1}\n  <<: {pue: 2}", `carbon.yml:3: duplicate key "<<"`},
		{"a merge of itself", "power: &p\n  <<: *p", "carbon.yml:2: not valid YAML: anchor 'p' value contains itself"},
		{"a key that is a list", "power:\n  ? [a, b]\n  : 1", "carbon.yml:2: power: a key must be text, is a list"},
		{"a key that is nothing", "~: 1", "carbon.yml:1: the file: a key must be text, is nothing"},
		{"a password that begins with *", "prometheus:\n  basic_auth:\n    username: u\n    password: *hunter2", "carbon.yml:4: not valid YAML: an alias without an anchor; quote text that begins with *"},
		{"a password that is no text", "prometheus: {basic_auth: {username: u, password: !!binary hunter2}}", "carbon.yml:1: prometheus.basic_auth.password: must be text"},
		{"an empty document and another", "---\n---\ninterval: 1h", "carbon.yml: has several YAML documents, but only one is allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("carbon.yml", []byte(test.text))
			if err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

// TestBombs are small files that stand for much.
func TestBombs(t *testing.T) {
	layers := func(first, next string) string {
		text := "power: {machines: {a0: &a0 " + first
		for i := 1; i <= 30; i++ {
			text += fmt.Sprintf(", a%d: &a%d "+strings.ReplaceAll(next, "*", fmt.Sprintf("*a%d", i-1)), i, i)
		}
		return text + "}}"
	}
	merges := "power: {machines: {a: &a {" + strings.Repeat("x", 1)
	for i := range 20000 {
		merges += fmt.Sprintf(": 1, k%d", i)
	}
	merges += ": 1}, b: {<<: [" + strings.Repeat("*a, ", 20000) + "*a]}}}"
	for _, test := range []struct{ name, text, want string }{
		{"a billion lists", layers("[x]", "[*, *, *, *]"), errBomb.Error()},
		{"a billion mappings", layers("{x: 1}", "{a: *, b: *, c: *}"), errBomb.Error()},
		{"one mapping merged over and over", merges, errBomb.Error()},
		{"lists in lists", "budgets: " + strings.Repeat("[", maxSize/2), "carbon.yml:"},
		{"mappings in mappings", strings.Repeat("{a: ", maxSize/8), "carbon.yml:"},
		{"keys and keys", strings.Repeat("? ", maxSize/4), "carbon.yml:"},
		{"faults without end", "budgets: [" + strings.Repeat("1,", maxSize/64) + "1]", "carbon.yml:"},
		{"a value without end", "timezone: " + strings.Repeat("é", maxSize/4), "carbon.yml:1: timezone: must be a time zone"},
		{"a key without end", strings.Repeat("k", 100) + "\n: 1", "carbon.yml:"},
		{"comments without end", strings.Repeat("#\n", maxSize/2-20) + "a: 1", "carbon.yml:"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("carbon.yml", []byte(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %.200v, want %s", err, test.want)
			}
			if n := len(err.Error()); n > maxFaults*2*maxFaultBytes {
				t.Errorf("an error of %d bytes", n)
			}
		})
	}
}
