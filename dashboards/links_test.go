// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// owners are the labels whose values have a page.
var owners = []string{"project", "group", "user", "machine", "budget"}

// A reader who sees a name may ask about it: each leads to its page.
func TestEveryNameLeadsToItsPage(t *testing.T) {
	found := map[string]int{}
	for _, d := range read(t) {
		for _, p := range panels(d) {
			shown := shownNames(t, p)
			for _, label := range grouped(p) {
				if _, ok := shown[label]; !ok {
					t.Errorf("%s, %s: groups by %s and does not show it", *d.Title, *p.Title, label)
				}
			}
			for label, column := range shown {
				found[label]++
				choice := "var-" + label + "=${__field.labels." + label + ":percentencode}"
				links := seriesLinks(p)
				if column != "" {
					choice, links = "var-"+label+"=${__value.raw:percentencode}", columnLinks(t, p, column)
				}
				if !slices.ContainsFunc(links, func(l string) bool { return strings.Contains(l, choice) }) {
					t.Errorf("%s, %s: no link from %s to its page: %v", *d.Title, *p.Title, label, links)
				}
			}
		}
	}
	for _, label := range owners {
		if found[label] < 2 {
			t.Errorf("%d panels show %s", found[label], label)
		}
	}
}

// grouped are the owners in the first grouping of a panel's queries, which is the outermost.
func grouped(p dashboard.Panel) (labels []string) {
	for _, q := range queries(p) {
		if strings.Contains(q.Expr, "ALERTS{") { // the names are those of alerts
			continue
		}
		m := regexp.MustCompile(`\bby \(([^)]*)\)`).FindStringSubmatch(q.Expr)
		if m == nil {
			continue
		}
		for label := range strings.SplitSeq(m[1], ", ") {
			if slices.Contains(owners, label) && !slices.Contains(labels, label) {
				labels = append(labels, label)
			}
		}
	}
	return labels
}

// shownNames are the owners that name a series of a panel, or by which column of a table.
func shownNames(t *testing.T, p dashboard.Panel) map[string]string {
	t.Helper()
	shown := map[string]string{}
	for _, q := range queries(p) {
		for _, label := range owners {
			if q.LegendFormat != nil && *q.LegendFormat == "{{"+label+"}}" {
				shown[label] = ""
			}
		}
	}
	for _, transformation := range p.Transformations {
		options, _ := transformation.Options.(map[string]any)
		columns, _ := options["renameByName"].(map[string]any)
		for _, label := range owners {
			if name, ok := columns[label].(string); ok {
				shown[label] = name
			}
		}
	}
	return shown
}

func seriesLinks(p dashboard.Panel) (urls []string) {
	for _, l := range p.FieldConfig.Defaults.Links {
		urls = append(urls, *l.Url)
	}
	return urls
}

func columnLinks(t *testing.T, p dashboard.Panel, column string) (urls []string) {
	t.Helper()
	for _, o := range p.FieldConfig.Overrides {
		if o.Matcher.Options == column {
			urls = append(urls, overrideLinks(t, o)...)
		}
	}
	return urls
}

func overrideLinks(t *testing.T, o dashboard.DashboardFieldConfigSourceOverrides) (urls []string) {
	t.Helper()
	for _, property := range o.Properties {
		if property.Id != "links" {
			continue
		}
		text, err := json.Marshal(property.Value)
		if err != nil {
			t.Fatal(err)
		}
		var links []struct{ URL, Title string }
		if err := json.Unmarshal(text, &links); err != nil {
			t.Fatal(err)
		}
		for _, l := range links {
			if l.Title == "" {
				t.Errorf("a link without a title: %s", l.URL)
			}
			urls = append(urls, l.URL)
		}
	}
	return urls
}

// A link leads to a dashboard that there is, to a variable that it has, and takes along what the
// reader has chosen: the range, and each variable that both have and that is not of a name.
func TestLinksArrive(t *testing.T) {
	all := map[string]dashboard.Dashboard{}
	for _, d := range read(t) {
		all[*d.Uid] = d
	}
	tried := 0
	for _, d := range all {
		for _, p := range panels(d) {
			links := seriesLinks(p)
			for _, o := range p.FieldConfig.Overrides {
				links = append(links, overrideLinks(t, o)...)
			}
			for _, link := range links {
				if link == "${__value.raw}" { // the address in a cell
					continue
				}
				tried++
				uid, query, _ := strings.Cut(strings.TrimPrefix(link, "/d/"), "/?")
				to, ok := all[uid]
				if !ok {
					t.Errorf("%s, %s: no dashboard %q: %s", *d.Title, *p.Title, uid, link)
					continue
				}
				choice, _, _ := strings.Cut(query, "=")
				if name := strings.TrimPrefix(choice, "var-"); !strings.HasPrefix(name, "${") && !slices.Contains(variables(to), name) {
					t.Errorf("%s, %s: %s has no variable %s", *d.Title, *p.Title, uid, name)
				}
				if !strings.Contains(query, "&${__url_time_range}") {
					t.Errorf("%s, %s: %s does not keep the time range", *d.Title, *p.Title, link)
				}
				for _, v := range variables(d) {
					keeps := strings.Contains(query, "&${"+v+":queryparam}")
					of := slices.Contains(owners, v)
					if want := slices.Contains(variables(to), v) && !of && v != "timezone"; want && !keeps || of && keeps {
						t.Errorf("%s, %s: %s keeps %s: %v", *d.Title, *p.Title, link, v, keeps)
					}
				}
				for _, m := range regexp.MustCompile(`\$\{(\w+):queryparam\}`).FindAllStringSubmatch(query, -1) {
					if !slices.Contains(variables(d), m[1]) {
						t.Errorf("%s, %s: %s keeps %s, which its dashboard does not have", *d.Title, *p.Title, link, m[1])
					}
				}
			}
		}
	}
	if tried < 20 {
		t.Errorf("%d links", tried)
	}
}

func variables(d dashboard.Dashboard) (names []string) {
	for _, v := range d.Templating.List {
		names = append(names, v.Name)
	}
	return names
}

// The scopes of budgets are variables of the page that their links lead to.
func TestBudgetsLeadToWhatTheyLimit(t *testing.T) {
	found := 0
	for _, d := range read(t) {
		for _, p := range panels(d) {
			links := strings.Join(slices.Concat(seriesLinks(p), columnLinks(t, p, "Of")), " ")
			for _, want := range []string{
				"/d/carbon-detail/?var-${__field.labels.scope}=${__field.labels.target:percentencode}&",
				"/d/carbon-detail/?var-${__data.fields.Scope}=${__value.raw:percentencode}&",
			} {
				if strings.Contains(links, want) {
					found++
				}
			}
		}
	}
	if found != 2 {
		t.Errorf("%d panels of budgets lead to what they limit", found)
	}
	detail := slices.IndexFunc(all(zone), func(f frame) bool { return f.uid == "carbon-detail" })
	d, err := all(zone)[detail].Build()
	if err != nil {
		t.Fatal(err)
	}
	for _, scope := range []string{"project", "group", "user"} {
		if !slices.Contains(variables(d), scope) {
			t.Errorf("no variable %s", scope)
		}
	}
}

// Grafana leaves out the name of a bar that is the only one, unless it is given: on the first
// day there may be one project.
func TestBarsHaveNames(t *testing.T) {
	found := 0
	for _, d := range read(t) {
		for _, p := range panels(d) {
			if p.Type != "bargauge" {
				continue
			}
			found++
			legends := map[string]bool{}
			for _, q := range queries(p) {
				legends[strings.NewReplacer("{{", "${__field.labels.", "}}", "}").Replace(*q.LegendFormat)] = true
			}
			if name := p.FieldConfig.Defaults.DisplayName; name == nil || len(legends) != 1 || !legends[*name] {
				t.Errorf("%s, %s: named %v, and by its queries %v", *d.Title, *p.Title, name, slices.Collect(maps.Keys(legends)))
			}
		}
	}
	if found == 0 {
		t.Error("no bars")
	}
}

// A name in a link is one value, whatever it has in it.
func TestLinksEscapeNames(t *testing.T) {
	l := leadOf("project", "Project").url(nil)
	written := strings.Replace(l, "${__value.raw:percentencode}", url.QueryEscape("R&D, 50 %"), 1)
	parsed, err := url.Parse(written)
	if err != nil {
		t.Fatal(err)
	}
	if got := parsed.Query().Get("var-project"); got != "R&D, 50 %" {
		t.Errorf("%q of %s", got, written)
	}
	if !strings.Contains(l, ":percentencode}") {
		t.Errorf("%s is not escaped", l)
	}
}
