// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// What a field of a panel looks like where it differs from the others.

// set is a property of an override.
type set = dashboard.DynamicConfigValue

// field overrides what a field by that name, or by a regular expression between
// slashes, looks like.
func (p panel) field(name string, properties ...set) panel {
	matcher := dashboard.MatcherConfig{Id: "byName", Options: name}
	if len(name) > 2 && name[0] == '/' {
		matcher.Id = "byRegexp"
	}
	return p.change(func(c *dashboard.FieldConfigSource) {
		c.Overrides = append(c.Overrides, dashboard.DashboardFieldConfigSourceOverrides{Matcher: matcher, Properties: properties})
	})
}

func unit(id string) set { return set{Id: "unit", Value: id} }
func decimals(n int) set { return set{Id: "decimals", Value: n} }
func wide(px int) set    { return set{Id: "custom.width", Value: px} }
func dashed() set {
	return set{Id: "custom.lineStyle", Value: map[string]any{"fill": "dash", "dash": []int{8, 6}}}
}
func blank() set { return set{Id: "noValue", Value: "–"} }

// worded writes one value of a column as a word.
func worded(value, word string) set {
	return set{Id: "mappings", Value: []map[string]any{{"type": "value", "options": map[string]any{value: map[string]any{"text": word, "index": 0}}}}}
}

// titled is what a column is called, with variables, which its own name may not have.
func titled(name string) set { return set{Id: "displayName", Value: name} }

func thin() set { return set{Id: "custom.lineWidth", Value: 1} }
func painted(colour string) set {
	return set{Id: "color", Value: map[string]any{"mode": "fixed", "fixedColor": colour}}
}

// inWords colours the text of a column by thresholds.
func inWords(base string, steps ...step) []set {
	return []set{
		{Id: "custom.cellOptions", Value: map[string]any{"type": "color-text"}},
		{Id: "thresholds", Value: thresholds(base, steps)},
		{Id: "color", Value: map[string]any{"mode": "thresholds"}},
	}
}

// gauged draws a column of a table as bars, from 0 to top.
func gauged(mode common.BarGaugeDisplayMode, top float64, base string, steps ...step) []set {
	return []set{
		{Id: "custom.cellOptions", Value: map[string]any{"type": "gauge", "mode": mode, "valueDisplayMode": "text"}},
		{Id: "min", Value: 0},
		{Id: "max", Value: top},
		{Id: "thresholds", Value: thresholds(base, steps)},
		{Id: "color", Value: map[string]any{"mode": "thresholds"}},
	}
}
