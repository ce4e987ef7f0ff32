// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// dashboard is what Grafana reads of a file to know what to ask.
type dashboard struct {
	Title      string
	Time       struct{ From, To string }
	Templating struct{ List []variable }
	Panels     []panel
}

type variable struct {
	Name, Type string
	Query      any
	IncludeAll bool
	Multi      bool
	AllValue   string
	Current    struct{ Value any }
}

type panel struct {
	Title, Type   string
	Targets       []target
	TimeFrom      string
	MaxDataPoints float64
}

type target struct {
	RefID   string `json:"refId"`
	Expr    string
	Instant bool
	Step    string `json:"interval"`
}

func dashboards(t *testing.T) []dashboard {
	t.Helper()
	paths, err := filepath.Glob("../../../dashboards/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	var all []dashboard
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, d)
	}
	return all
}

// choices gives the values that a variable may have in a query, the first one at
// first: all of a label, as Grafana writes that, or each of a list.
func (v variable) choices(t *testing.T) []string {
	t.Helper()
	text, _ := v.Query.(string)
	switch v.Type {
	case "query":
		// Grafana begins with All where there is that, else with the first value.
		if v.IncludeAll && v.AllValue != ".*" || !v.IncludeAll && v.AllValue != ".+" {
			t.Fatalf("variable %s: all are %q", v.Name, v.AllValue)
		}
		return []string{v.AllValue}
	case "custom":
		var values []string
		for option := range strings.SplitSeq(text, ",") {
			if _, value, ok := strings.Cut(option, " : "); ok {
				option = value
			}
			values = append(values, strings.TrimSpace(option))
		}
		return values
	case "textbox", "datasource":
		return []string{text}
	}
	t.Fatalf("variable %s is of type %s", v.Name, v.Type)
	return nil
}

// written gives a query as it is asked, once for each choice of the variables that
// it has.
func (d dashboard) written(t *testing.T, expr string, builtIn map[string]string) []string {
	t.Helper()
	all := []string{expr}
	for _, v := range d.Templating.List {
		if v.Type == "datasource" || !mentions(expr, v.Name) {
			continue
		}
		var next []string
		for _, e := range all {
			for _, value := range v.choices(t) {
				next = append(next, replace(e, v.Name, value))
			}
		}
		all = next
	}
	for i := range all {
		for name, value := range builtIn {
			all[i] = replace(all[i], name, value)
		}
		// What is left is nobody's variable, or the end of a regular expression.
		if left := regexp.MustCompile(`\$\{?[a-zA-Z_]\w*`).FindString(all[i]); left != "" {
			t.Fatalf("%s: nothing is known of %s", all[i], left)
		}
	}
	return all
}

func mentions(expr, name string) bool {
	return regexp.MustCompile(`\$` + name + `\b|\$\{` + name + `[:}]`).MatchString(expr)
}

func replace(expr, name, value string) string {
	return regexp.MustCompile(`\$`+name+`\b|\$\{`+name+`(:\w+)?\}`).ReplaceAllLiteralString(expr, value)
}

func (d dashboard) name(p panel, q target) string {
	return fmt.Sprintf("%s/%s/%s", d.Title, p.Title, q.RefID)
}
