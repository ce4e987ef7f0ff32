// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/table"
)

// A screen of 800 pixels, as Grafana divides it. On narrower ones it puts every panel on a line
// of its own. The pixels were measured in Chromium.
const (
	narrow    = 800 - 2*16 // between the margins
	gap       = 8          // between two panels
	frameEdge = 16         // left and right of what is in a panel
	infoSign  = 49         // of the description, beside the title
	letter    = 7.2        // mean width of one in titles and headings
	cellEdge  = 12         // left and right in a cell
	scrollbar = 8
	readable  = 8.5 // mean width of a letter of 16 pixels
	sortArrow = 20  // beside the heading that a table is sorted by
)

func pixels(w uint32) float64 { return float64(narrow+gap)*float64(w)/columns - gap }

// titleFits says whether a title stands in its panel, beside the sign of the description.
func titleFits(title string, w uint32) bool {
	return letter*float64(len([]rune(title))) <= pixels(w)-frameEdge-infoSign
}

func TestTitlesFitANarrowScreen(t *testing.T) {
	for _, d := range read(t) {
		for _, p := range panels(d) {
			if *p.Title == "" || !titleFits(spelled(*p.Title), p.GridPos.W) {
				t.Errorf("%s: the title %q does not fit in %.0f pixels, or there is none", *d.Title, *p.Title, pixels(p.GridPos.W))
			}
		}
	}
}

// What a panel says in place of its data is one line as well. That of a number shrinks until it
// fits, but is to be read; that of bars does not.
func TestReasonsFitANarrowScreen(t *testing.T) {
	found := 0
	for _, d := range read(t) {
		for _, p := range panels(d) {
			why := p.FieldConfig.Defaults.NoValue
			if why == nil || !slices.Contains([]string{"stat", "gauge", "bargauge"}, p.Type) {
				continue
			}
			found++
			if need := readable * float64(len([]rune(*why))); need > pixels(p.GridPos.W)-frameEdge {
				t.Errorf("%s, %s: %q needs %.0f of %.0f pixels", *d.Title, *p.Title, *why, need, pixels(p.GridPos.W)-frameEdge)
			}
		}
	}
	if found < 10 {
		t.Errorf("%d reasons", found)
	}
}

// spelled is a title with its variables at what they are at first.
func spelled(title string) string {
	return strings.NewReplacer("$currency", "£", "$timezone", zone, "${period:text}", "this month").Replace(title)
}

// A table whose columns are wider than it is has its last ones out of sight. Columns without a
// width share what is left, and need as much as their heading.
func TestTablesFitANarrowScreen(t *testing.T) {
	found := 0
	for _, d := range read(t) {
		for _, p := range panels(d) {
			if p.Type != "table" {
				continue
			}
			found++
			name := *d.Title + ", " + *p.Title
			least, ok := minWidth(t, p)
			if !ok {
				t.Errorf("%s: columns without a width are at least 150 pixels wide", name)
			}
			left, free := pixels(p.GridPos.W)-frameEdge-scrollbar, []string{}
			for _, heading := range tableColumns(p) {
				width, fixed := tableWidth(p, heading)
				if !fixed {
					free = append(free, heading)
					continue
				}
				left -= width
				if need := headingWidth(p, heading); width < need {
					t.Errorf("%s: %q is %.0f pixels wide and needs %.0f", name, heading, width, need)
				}
			}
			for _, heading := range free {
				if each, need := left/float64(len(free)), max(least, headingWidth(p, heading)); each < need {
					t.Errorf("%s: of %.0f pixels, %.0f are left for %q, which needs %.0f", name, pixels(p.GridPos.W), each, heading, need)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no tables")
	}
}

// minWidth is that of each column.
func minWidth(t *testing.T, p dashboard.Panel) (px float64, ok bool) {
	t.Helper()
	text, err := json.Marshal(p.FieldConfig.Defaults.Custom)
	if err != nil {
		t.Fatal(err)
	}
	var custom struct{ MinWidth *float64 }
	if err := json.Unmarshal(text, &custom); err != nil {
		t.Fatal(err)
	}
	if custom.MinWidth == nil {
		return 0, false
	}
	return *custom.MinWidth, true
}

// tableColumns are the headings of a table, in their order.
func tableColumns(p dashboard.Panel) (headings []string) {
	for _, transformation := range p.Transformations {
		options, _ := transformation.Options.(map[string]any)
		names, _ := options["renameByName"].(map[string]any)
		for _, heading := range names {
			headings = append(headings, heading.(string))
		}
	}
	slices.Sort(headings)
	return headings
}

// property is that of a column, in an override by its name or by a regular expression.
func property(p dashboard.Panel, heading, id string) any {
	var found any
	for _, o := range p.FieldConfig.Overrides {
		matcher, _ := o.Matcher.Options.(string)
		if matcher != heading && !slices.Contains(strings.FieldsFunc(matcher, func(r rune) bool { return strings.ContainsRune("/^()|$", r) }), heading) {
			continue
		}
		for _, property := range o.Properties {
			if property.Id == id {
				found = property.Value
			}
		}
	}
	return found
}

func tableWidth(p dashboard.Panel, heading string) (px float64, ok bool) {
	px, ok = property(p, heading, "custom.width").(float64)
	return px, ok
}

func headingWidth(p dashboard.Panel, heading string) float64 {
	sorted := heading
	if name, ok := property(p, heading, "displayName").(string); ok {
		heading = spelled(name)
	}
	px := letter*float64(len([]rune(heading))) + cellEdge
	if o, ok := p.Options.(*table.Options); ok && len(o.SortBy) > 0 && o.SortBy[0].DisplayName == sorted {
		px += sortArrow
	}
	return px
}
