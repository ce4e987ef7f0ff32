// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

const zone = "Europe/London"

func TestFilesAreWhatTheCodeWrites(t *testing.T) {
	dir := t.TempDir()
	if err := write(dir, zone); err != nil {
		t.Fatal(err)
	}
	made, here := jsonFiles(t, dir), jsonFiles(t, ".")
	if !slices.Equal(made, here) {
		t.Errorf("the code writes %v, here are %v", made, here)
	}
	for _, name := range made {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the code writes (%v); run `make dashboards`", name, err)
		}
	}
}

// A misspelt key, a value of another type and one that is missing are errors here,
// where Grafana would silently draw something else.
func TestFilesReadStrictly(t *testing.T) {
	for _, d := range read(t) {
		if err := d.Validate(); err != nil {
			t.Errorf("%s: %v", *d.Title, err)
		}
	}
}

// read reads the files as they are imported.
func read(t *testing.T) (all []dashboard.Dashboard) {
	t.Helper()
	plugins.RegisterDefaultPlugins()
	for _, name := range jsonFiles(t, ".") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard.Dashboard
		if err := d.UnmarshalJSONStrict(text); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, d)
	}
	if len(all) != len(titles) {
		t.Fatalf("%d dashboards", len(all))
	}
	return all
}

func jsonFiles(t *testing.T, dir string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		names = append(names, filepath.Base(p))
	}
	return names
}

// titles are found together in a list of many dashboards. A uid is the address of links and
// bookmarks, and never changes.
var titles = map[string]string{
	"carbon-overview": "Carbon / Overview",
	"carbon-detail":   "Carbon / Project, group, user",
	"carbon-machine":  "Carbon / Machine",
	"carbon-budgets":  "Carbon / Budgets",
	"carbon-year":     "Carbon / A year",
	"carbon-exporter": "Carbon / Exporter",
}

func TestEveryDashboardHasWhatAllShare(t *testing.T) {
	uids := map[string]bool{}
	for _, d := range read(t) {
		t.Run(*d.Title, func(t *testing.T) {
			if titles[*d.Uid] != *d.Title || uids[*d.Uid] {
				t.Errorf("uid %q, title %q", *d.Uid, *d.Title)
			}
			uids[*d.Uid] = true
			if !slices.Contains(d.Tags, tag) || len(d.Links) != 1 || d.Links[0].Tags[0] != tag {
				t.Errorf("tags %v, links %v", d.Tags, d.Links)
			}
			if *d.Timezone != zone || *d.Description == "" {
				t.Errorf("timezone %q, description %q", *d.Timezone, *d.Description)
			}
			if list := d.Templating.List; list[0].Name != "datasource" || list[1].Name != "timezone" {
				t.Errorf("variables %v", list)
			}
			credits := 0
			for _, p := range panels(d) {
				for _, q := range queries(p) {
					if strings.Contains(q.Expr, "credit, licence") || strings.Contains(q.Expr, "licence, credit") {
						credits++
					}
				}
			}
			if credits != 1 {
				t.Errorf("the credits are there %d times", credits)
			}
		})
	}
}

// panels are those that are not headings.
func panels(d dashboard.Dashboard) (all []dashboard.Panel) {
	for _, p := range d.Panels {
		if p.Panel != nil {
			all = append(all, *p.Panel)
		}
	}
	return all
}

func TestNoPanelStandsOnAnother(t *testing.T) {
	for _, d := range read(t) {
		taken := map[[2]uint32]string{}
		ids := map[uint32]bool{}
		for _, p := range d.Panels {
			place, name, id := place(p)
			if ids[id] || place.W == 0 || place.H == 0 || place.X+place.W > columns {
				t.Errorf("%s, %s: id %d at %+v", *d.Title, name, id, place)
			}
			ids[id] = true
			for x := place.X; x < place.X+place.W; x++ {
				for y := place.Y; y < place.Y+place.H; y++ {
					if other, ok := taken[[2]uint32{x, y}]; ok {
						t.Fatalf("%s: %s stands on %s", *d.Title, name, other)
					}
					taken[[2]uint32{x, y}] = name
				}
			}
		}
	}
}

func place(p dashboard.PanelOrRowPanel) (at dashboard.GridPos, name string, id uint32) {
	if p.RowPanel != nil {
		return *p.RowPanel.GridPos, *p.RowPanel.Title, p.RowPanel.Id
	}
	return *p.Panel.GridPos, *p.Panel.Title, *p.Panel.Id
}

func TestEveryPanelSaysWhatItShows(t *testing.T) {
	coloured := regexp.MustCompile(`\b[Yy]ellow|[Rr]ed\b|[Gg]reen`)
	for _, d := range read(t) {
		for _, p := range panels(d) {
			name := *d.Title + ", " + *p.Title
			if p.Description == nil || len(*p.Description) < 30 || !strings.HasSuffix(*p.Description, ".") {
				t.Errorf("%s: no description", name)
				continue
			}
			if th := p.FieldConfig.Defaults.Thresholds; th != nil && len(th.Steps) > 1 && !coloured.MatchString(*p.Description) {
				t.Errorf("%s: does not say why its thresholds are where they are: %s", name, *p.Description)
			}
		}
	}
}

// A panel that would be empty without a key of the configuration names the key, in its
// description and in place of its data.
func TestPanelsThatNeedAConfigurationSaySo(t *testing.T) {
	for _, c := range []struct {
		name  string
		needs *regexp.Regexp
		key   string
	}{
		{"a meter of a zone", regexp.MustCompile(`carbon_(measured|unexplained)_energy_kwh`), "power.reconcile"},
		{"embodied emissions", regexp.MustCompile(`carbon_embodied_`), "embodied"},
		{"bounds of energy", regexp.MustCompile(`_energy_(low|high)_kwh`), "power.error"},
		{"budgets", regexp.MustCompile(`carbon_budget_`), "budgets"},
		{"a forecast", regexp.MustCompile(`carbon_intensity_(forecast_gco2eq|best_window_)`), "forecast"},
		{"single machines", regexp.MustCompile(`carbon_workspace_`), "--collector.workspace"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := 0
			for _, d := range read(t) {
				for _, p := range panels(d) {
					without := func(q prometheus.Dataquery) bool { return !c.needs.MatchString(q.Expr) }
					if all := queries(p); len(all) == 0 || slices.ContainsFunc(all, without) {
						continue
					}
					found++
					said := p.FieldConfig.Defaults.NoValue
					if said == nil || !strings.Contains(*said, c.key) || !strings.Contains(*p.Description, c.key) {
						t.Errorf("%s, %s does not say that it needs %s", *d.Title, *p.Title, c.key)
					}
				}
			}
			if found < 2 {
				t.Errorf("%d panels", found)
			}
		})
	}
}

// rawLabels are legends that would be {label="value", ...}: Grafana's own, and
// what a query by other labels than its legend's would leave empty.
func TestLegendsAreWords(t *testing.T) {
	label := regexp.MustCompile(`\{\{(\w+)\}\}`)
	for _, d := range read(t) {
		for _, p := range panels(d) {
			for _, q := range queries(p) {
				name := *d.Title + ", " + *p.Title + ", " + *q.RefId
				if q.Format != nil && *q.Format == prometheus.PromQueryFormatTable {
					continue
				}
				if q.LegendFormat == nil || *q.LegendFormat == "" || strings.HasPrefix(*q.LegendFormat, "__") {
					t.Errorf("%s: no legend", name)
					continue
				}
				for _, l := range label.FindAllStringSubmatch(*q.LegendFormat, -1) {
					if !strings.Contains(q.Expr, l[1]) && !strings.Contains(q.Expr, "carbon_budget") {
						t.Errorf("%s: the legend %s is of a label that the query does not name", name, *q.LegendFormat)
					}
				}
			}
		}
	}
}

func queries(p dashboard.Panel) (all []prometheus.Dataquery) {
	for _, target := range p.Targets {
		switch q := target.(type) {
		case prometheus.Dataquery:
			all = append(all, q)
		case *prometheus.Dataquery:
			all = append(all, *q)
		}
	}
	return all
}

func TestOnlyCountersAreIncreased(t *testing.T) {
	counted := regexp.MustCompile(`\b(increase|rate|irate|resets)\(([a-zA-Z_:]\w*)`)
	found := 0
	for _, d := range read(t) {
		for _, p := range panels(d) {
			for _, q := range queries(p) {
				for _, m := range counted.FindAllStringSubmatch(q.Expr, -1) {
					found++
					if !strings.HasSuffix(m[2], "_total") && !strings.HasSuffix(m[2], "_bucket") {
						t.Errorf("%s, %s: %s of %s, which may fall", *d.Title, *p.Title, m[1], m[2])
					}
				}
			}
		}
	}
	if found == 0 {
		t.Error("no counter was found")
	}
}

// Units are written as Grafana spells them: of one that it does not know it makes a
// word behind the number.
func TestUnitsAreKnown(t *testing.T) {
	known := []string{
		watts, kWh, grams, gramsPerHour, gramsPerKWh, share, plain, whole, "s", "none", "string", "bytes", "dateTimeFromNow", weekdayAndTime,
	}
	for _, d := range read(t) {
		for _, p := range panels(d) {
			c := p.FieldConfig
			if c == nil {
				continue
			}
			if u := c.Defaults.Unit; u != nil && !slices.Contains(known, *u) {
				t.Errorf("%s, %s: unit %q", *d.Title, *p.Title, *u)
			}
			for _, o := range c.Overrides {
				for _, property := range o.Properties {
					if u, ok := property.Value.(string); ok && property.Id == "unit" && !slices.Contains(known, u) {
						t.Errorf("%s, %s: unit %q", *d.Title, *p.Title, u)
					}
				}
			}
		}
	}
}

// What is not known is a gap: no panel connects what is before with what is after it.
func TestGapsStayOpen(t *testing.T) {
	found := 0
	for _, d := range read(t) {
		for _, p := range panels(d) {
			if p.Type != "timeseries" {
				continue
			}
			found++
			var custom struct {
				SpanNulls any `json:"spanNulls"`
			}
			text, err := json.Marshal(p.FieldConfig.Defaults.Custom)
			if err == nil {
				err = json.Unmarshal(text, &custom)
			}
			if err != nil || custom.SpanNulls != false {
				t.Errorf("%s, %s connects over gaps: %v (%v)", *d.Title, *p.Title, custom.SpanNulls, err)
			}
			for _, o := range p.FieldConfig.Overrides {
				for _, property := range o.Properties {
					if property.Id == "custom.spanNulls" {
						t.Errorf("%s, %s connects one series over gaps", *d.Title, *p.Title)
					}
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("%d panels over time", found)
	}
}
