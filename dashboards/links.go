// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// What a reader sees of a project, group, user, machine type or budget leads to its page: a
// series by its label, a row of a table by the cell with the name.

// pages are the dashboards on which a variable, by the name of a label, chooses of what they are.
var pages = map[string]string{
	"project": "carbon-detail", "group": "carbon-detail", "user": "carbon-detail", "machine": "carbon-machine",
	"budget": "carbon-budgets",
}

// entireSite is the name of all projects in a column of projects. A link with it chooses all
// of them, as Grafana reads that word.
const entireSite = "All"

// kept are the variables that a link takes along, of those that its dashboard has.
var kept = []string{"datasource", "job", "instance", "site", "period", "currency", "price"}

// lead is a link of all series, or of a column of a table.
type lead struct {
	column, title, page string
	choice              string // which variable gets which value
}

// leadOf leads from a value of a label to its page. The value is written for a URL: a name
// may have an ampersand.
func leadOf(label, column string) lead {
	value := "__field.labels." + label
	if column != "" {
		value = "__value.raw"
	}
	return lead{column, "The page of ${" + value + "}", pages[label], "var-" + label + "=${" + value + ":percentencode}"}
}

// leads adds a link to that of the names of the panel.
func (p panel) leads(to lead) panel {
	p.to = append(slices.Clone(p.to), to)
	return p
}

// leadsNowhere is for a series of the panel that is nobody's.
func (p panel) leadsNowhere(series string) panel {
	return p.field(series, set{Id: "links", Value: []map[string]any{}})
}

// linked writes the links of a panel, on a dashboard with these variables.
func (p panel) linked(variables []dashboard.VariableModel) panel {
	for _, to := range p.to {
		url := to.url(variables)
		if to.column != "" {
			continue
		}
		p = p.change(func(c *dashboard.FieldConfigSource) {
			c.Defaults.Links = append(slices.Clone(c.Defaults.Links), dashboard.DashboardLink{
				Title: to.title, Type: dashboard.DashboardLinkTypeLink, Url: &url, Tags: []string{},
			})
		})
	}
	for _, column := range p.leadingColumns() {
		var links []map[string]any
		for _, to := range p.to {
			if to.column == column {
				links = append(links, map[string]any{"title": to.title, "url": to.url(variables)})
			}
		}
		p = p.field(column, set{Id: "links", Value: links})
	}
	return p
}

// leadingColumns are the columns with links, each once, in their order.
func (p panel) leadingColumns() (columns []string) {
	for _, to := range p.to {
		if to.column != "" && !slices.Contains(columns, to.column) {
			columns = append(columns, to.column)
		}
	}
	return columns
}

func (l lead) url(variables []dashboard.VariableModel) string {
	parts := []string{l.choice, "${__url_time_range}"}
	for _, name := range kept {
		if slices.ContainsFunc(variables, func(v dashboard.VariableModel) bool { return v.Name == name }) {
			parts = append(parts, "${"+name+":queryparam}")
		}
	}
	return fmt.Sprintf("/d/%s/?%s", l.page, strings.Join(parts, "&"))
}

// names is the label that names the series of a query, if that has a page.
func (q query) names() (label string, ok bool) {
	label = strings.TrimSuffix(strings.TrimPrefix(q.legend, "{{"), "}}")
	_, ok = pages[label]
	return label, ok && q.legend == "{{"+label+"}}"
}
