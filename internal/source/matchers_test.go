// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"slices"
	"testing"
)

func TestMatchers(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"none", "  ", nil},
		{"one", `job="node"`, []string{`job="node"`}},
		{"spaces, other quotes and a comma at the end", " job = 'node' ,\n project =~ `a.*`, ", []string{`job="node"`, `project=~"a.*"`}},
		{"commas, quotes and braces in values", `a="x,y\"z",b='it"s',c=~"[0-9]{1,3}"`, []string{`a="x,y\"z"`, `b="it\"s"`, `c=~"[0-9]{1,3}"`}},
		{"an apostrophe", `a='it\'s'`, []string{`a="it's"`}},
		{"a backslash", "a=~`\\d+`,b=~\"\\\\d+\"", []string{`a=~"\\d+"`, `b=~"\\d+"`}},
		{"names with dots", `"host.name"!="x"`, []string{`"host.name"!="x"`}},
		{"every operator", `a="1",b!="1",c=~"1",d!~"1"`, []string{`a="1"`, `b!="1"`, `c=~"1"`, `d!~"1"`}},
		{"what is not understood", `job=node, x`, []string{`job=node, x`}},
	} {
		if got := Matchers(test.text); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestDivide(t *testing.T) {
	for _, test := range []struct {
		name   string
		texts  []string
		common string
		own    []string
	}{
		{"a job in common, in another place and with other quotes", []string{`job="node",project=~"a.*"`, `project!~"a.*", job='node'`}, `job="node"`, []string{`project=~"a.*"`, `project!~"a.*"`}},
		{"nothing in common", []string{`dc="x"`, `dc="y"`, `dc!~"x|y"`}, "", []string{`dc="x"`, `dc="y"`, `dc!~"x|y"`}},
		{"one of them is all", []string{`job="node"`, `job="node",dc="x"`}, `job="node"`, []string{"", `dc="x"`}},
		{"all the same", []string{`job="node"`, `job="node"`}, `job="node"`, []string{"", ""}},
		{"another operator is another matcher", []string{`dc="x"`, `dc=~"x"`}, "", []string{`dc="x"`, `dc=~"x"`}},
	} {
		common, own := Divide(test.texts)
		if common != test.common || !slices.Equal(own, test.own) {
			t.Errorf("%s: %s and %q, want %s and %q", test.name, common, own, test.common, test.own)
		}
	}
}
