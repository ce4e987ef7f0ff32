// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// topView is a list of members in words.
type topView struct {
	Title, Head string
	Rows        []rowView
}

type rowView struct {
	Name, Power, Energy, Emissions, Share string
	Bar                                   string // width in percent
	Others                                bool
}

// scopeName is one member of a scope.
func scopeName(s usage.Scope) string {
	switch s {
	case usage.ScopeAda:
		return "site"
	case usage.ScopeMachine:
		return "machine type"
	}
	return string(s)
}

func scopeTitle(s usage.Scope) string {
	return map[usage.Scope]string{
		usage.ScopeProject: "Projects", usage.ScopeGroup: "Groups", usage.ScopeUser: "Users", usage.ScopeMachine: "Machine types",
	}[s]
}

func (n *Numbers) tops() (all []topView) {
	if n == nil {
		return nil
	}
	for _, t := range n.Tops {
		if len(t.Rows) > 0 {
			all = append(all, t.view())
		}
	}
	return all
}

func (t Top) view() topView {
	v := topView{Title: scopeTitle(t.Scope), Head: scopeName(t.Scope)}
	for _, r := range t.Rows {
		row := rowView{
			Name: escape.Name(r.Name), Power: "none", Energy: energyText(r.Energy), Emissions: or(r.Emissions, massText), Others: r.Others > 0,
		}
		if r.Others > 0 {
			row.Name = count(r.Others, "other", "others")
		}
		if r.Power != nil {
			row.Power = powerText(*r.Power)
		}
		if t.Energy > 0 {
			share := float64(r.Energy / t.Energy)
			row.Share, row.Bar = percent(share), percents(100*share)
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}
