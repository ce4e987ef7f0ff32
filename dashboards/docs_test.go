// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// docs/dashboards.md lists every row and panel, as it is called.
func TestDocsListEveryPanel(t *testing.T) {
	text, err := os.ReadFile("../docs/dashboards.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, f := range all(zone) {
		d, err := f.Build()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "["+f.title+"](../dashboards/"+f.uid+".json)") {
			t.Errorf("no line about %s", f.title)
		}
		want = append(want, listed(d)...)
	}
	if list := strings.ReplaceAll(strings.Join(want, "\n"), "|  |", "| |"); !strings.Contains(string(text), list) {
		t.Errorf("the table of rows and panels is to be\n%s", list)
	}
}

// listed are the lines of a dashboard in that table, without the credits that each ends with.
func listed(d dashboard.Dashboard) (lines []string) {
	name, row, titles := strings.TrimPrefix(*d.Title, "Carbon / "), "", []string{}
	end := func() {
		if len(titles) > 0 {
			lines = append(lines, fmt.Sprintf("| %s | %s | %s |", name, row, strings.Join(titles, ", ")))
			name = ""
		}
		titles = nil
	}
	plain := strings.NewReplacer(", in $timezone", "", "${period:text}", "in the chosen period", ", $currency", "", "$budget", "one for each budget")
	for _, p := range d.Panels {
		switch {
		case p.RowPanel != nil:
			end()
			row = plain.Replace(*p.RowPanel.Title)
		case *p.Panel.Title != *creditPanel().Title:
			// A comma within a title would part it.
			titles = append(titles, strings.ReplaceAll(plain.Replace(*p.Panel.Title), ", ", ": "))
		}
	}
	end()
	return lines
}
