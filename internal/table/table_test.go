// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package table

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	for _, test := range []struct {
		name   string
		table  Table
		indent string
		rows   [][]string
		want   string
	}{
		{
			"words to the left, numbers to the right",
			Table{Words("PROJECT"), Numbers("kWh"), Words("WHY")},
			"",
			[][]string{{"ISIS", "1.5", "-"}, {"Größe", "1000.0", ""}},
			"PROJECT     kWh  WHY\nISIS        1.5  -\nGröße    1000.0\n",
		},
		{
			"no heads, after an indent",
			Table{Words(""), Numbers("")},
			"  ",
			[][]string{{"stored", "1"}, {"x", "20"}},
			"  stored   1\n  x       20\n",
		},
		{
			"names that would break it",
			Table{Words("NAME"), Numbers("N")},
			"",
			[][]string{{"a\x1b[2J\nb", "1"}},
			"NAME           N\n\"a\\x1b[2J\\nb\"  1\n",
		},
		{"no rows", Table{Words("NAME")}, "", nil, "NAME\n"},
		{"no columns", Table{}, "", nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, row := range test.rows {
				test.table.Add(row...)
			}
			var out strings.Builder
			if err := test.table.Write(&out, test.indent); err != nil {
				t.Fatal(err)
			}
			if out.String() != test.want {
				t.Errorf("got\n%swant\n%s", out.String(), test.want)
			}
		})
	}
}
