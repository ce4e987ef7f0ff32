// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// frame is a dashboard before layout. Build adds what all dashboards share.
type frame struct {
	uid, title, about string
	from, to          string // of the time range at first
	refresh           string // empty: 5m
	variables         []dashboard.VariableModel
	sections          []section

	zone string
}

// section is a heading and the panels below it, from left to right, wrapped after 24
// columns.
type section struct {
	title  string
	repeat string // once for each value of this variable; empty: once
	panels []panel
}

const (
	tag     = "carbon"
	columns = 24
)

// source is the Prometheus selected on the dashboard.
var source = common.DataSourceRef{Type: new("prometheus"), Uid: new("${datasource}")}

// Build lays out the panels.
func (f frame) Build() (dashboard.Dashboard, error) {
	if f.refresh == "" {
		f.refresh = "5m"
	}
	b := dashboard.NewDashboardBuilder(f.title).
		Uid(f.uid).Description(f.about).Tags([]string{tag, "carbon_exporter"}).Readonly().
		Timezone(f.zone).WeekStart("monday").
		Time(f.from, f.to).Refresh(f.refresh).
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Link(dashboard.NewDashboardLinkBuilder("Carbon").Type(dashboard.DashboardLinkTypeDashboards).
			Tags([]string{tag}).Icon("external link").Tooltip("The other dashboards of carbon_exporter").IncludeVars(true))
	d, err := b.Build()
	if err != nil {
		return d, err
	}
	// That of Grafana 11: later ones bring it up to date themselves.
	d.SchemaVersion = 39
	d.Templating.List = slices.Concat([]dashboard.VariableModel{datasourceVariable(), zoneVariable(f.zone)}, exporterVariables(), f.variables)
	d.Panels, err = f.lay(d.Templating.List)
	return d, err
}

func (f frame) lay(variables []dashboard.VariableModel) ([]dashboard.PanelOrRowPanel, error) {
	var laid []dashboard.PanelOrRowPanel
	var y, id uint32
	next := func() uint32 { id++; return id }
	credits := section{panels: []panel{creditPanel()}}
	if f.sections[len(f.sections)-1].repeat != "" {
		credits.title = "Data sources" // else the line is repeated too
	}
	for _, s := range append(f.sections, credits) {
		if s.title != "" {
			row := &dashboard.RowPanel{Type: "row", Title: &s.title, Id: next(), GridPos: &dashboard.GridPos{Y: y, W: columns, H: 1}, Panels: []dashboard.Panel{}}
			if s.repeat != "" {
				row.Repeat = &s.repeat
			}
			laid = append(laid, dashboard.PanelOrRowPanel{RowPanel: row})
			y++
		}
		var x, tallest uint32
		var above dashboard.GridPos
		for _, p := range s.panels {
			if p.err != nil {
				return nil, fmt.Errorf("panel %q: %w", *p.Title, p.err)
			}
			made := p.linked(variables).Panel
			made.Id = new(next())
			place := dashboard.GridPos{X: x, Y: y, W: p.GridPos.W, H: p.GridPos.H}
			switch {
			case p.stacked:
				place.X, place.Y = above.X, above.Y+above.H
			case x+p.GridPos.W > columns:
				place.X, place.Y = 0, y+tallest
				x, y, tallest = p.GridPos.W, y+tallest, 0
			default:
				x += p.GridPos.W
			}
			tallest = max(tallest, place.Y+place.H-y)
			made.GridPos, above = &place, place
			laid = append(laid, dashboard.PanelOrRowPanel{Panel: &made})
		}
		y += tallest
	}
	return laid, nil
}
