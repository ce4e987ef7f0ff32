// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/barchart"
	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// panel is a panel without a place. Its methods change a copy.
type panel struct {
	dashboard.Panel
	err error
	// stacked says that it stands under the panel before it, as wide.
	stacked bool
	// to are the pages that its names lead to.
	to []lead
}

// made is a panel of a kind: what it shows in a few words, and in sentences that
// also say why its thresholds are where they are.
func made(kind cog.Builder[dashboard.Panel], title, about string, queries []query) panel {
	p := panel{}
	if p.Panel, p.err = kind.Build(); p.err != nil {
		p.Title = &title
		return p
	}
	p.Title, p.Description, p.GridPos = &title, &about, &dashboard.GridPos{W: 12, H: 8}
	if p.FieldConfig == nil {
		p.FieldConfig = dashboard.NewFieldConfigSource()
	}
	if len(queries) == 0 {
		return p
	}
	p.Datasource = &source
	for i, q := range queries {
		p.Targets = append(p.Targets, q.target(i))
		if label, ok := q.names(); ok {
			p = p.leads(leadOf(label, ""))
		}
	}
	return p
}

// size in columns of 24 and in rows.
func (p panel) size(w, h uint32) panel {
	p.GridPos = &dashboard.GridPos{W: w, H: h}
	return p
}

// change works on a copy of the field configuration.
func (p panel) change(f func(*dashboard.FieldConfigSource)) panel {
	if p.FieldConfig == nil { // it could not be built
		return p
	}
	c := *p.FieldConfig
	c.Overrides = slices.Clone(c.Overrides)
	f(&c)
	p.FieldConfig = &c
	return p
}

// colour gives everything one colour.
func (p panel) colour(name string) panel {
	return p.change(func(c *dashboard.FieldConfigSource) {
		c.Defaults.Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdFixed, FixedColor: &name}
	})
}

// shade colours by value, between the smallest and the largest or by thresholds.
func (p panel) shade(mode dashboard.FieldColorModeId) panel {
	return p.change(func(c *dashboard.FieldConfigSource) { c.Defaults.Color = &dashboard.FieldColor{Mode: mode} })
}

// step is a threshold: from a value on, a colour.
type step struct {
	from   float64
	colour string
}

// steps colours by thresholds. The description says why they are where they are.
func (p panel) steps(base string, steps ...step) panel {
	return p.change(func(c *dashboard.FieldConfigSource) {
		c.Defaults.Thresholds = thresholds(base, steps)
		c.Defaults.Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdThresholds}
	})
}

func thresholds(base string, steps []step) *dashboard.ThresholdsConfig {
	t := &dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: []dashboard.Threshold{{Color: base}}}
	for _, s := range steps {
		t.Steps = append(t.Steps, dashboard.Threshold{Value: new(s.from), Color: s.colour})
	}
	return t
}

// marked draws the thresholds as lines.
func (p panel) marked(steps ...step) panel {
	return p.change(func(c *dashboard.FieldConfigSource) {
		c.Defaults.Thresholds = thresholds("transparent", steps)
		if custom, ok := c.Defaults.Custom.(*timeseries.FieldConfig); ok {
			copied := *custom
			copied.ThresholdsStyle = &common.GraphThresholdsStyleConfig{Mode: common.GraphThresholdsStyleModeDashed}
			c.Defaults.Custom = &copied
		}
	})
}

// said maps a value to a word and a colour.
func (p panel) said(value, word, colour string) panel {
	return p.change(func(c *dashboard.FieldConfigSource) {
		n := int32(len(c.Defaults.Mappings))
		c.Defaults.Mappings = append(slices.Clone(c.Defaults.Mappings), dashboard.ValueMapping{ValueMap: &dashboard.ValueMap{
			Type:    "value",
			Options: map[string]dashboard.ValueMappingResult{value: {Text: &word, Color: &colour, Index: &n}},
		}})
	})
}

func (p panel) decimals(n float64) panel {
	return p.change(func(c *dashboard.FieldConfigSource) { c.Defaults.Decimals = &n })
}

func (p panel) between(low, high float64) panel {
	return p.change(func(c *dashboard.FieldConfigSource) { c.Defaults.Min, c.Defaults.Max = &low, &high })
}

// empty is what is shown where there is no data. In a table that is not for its cells.
func (p panel) empty(why string) panel {
	if p.Type == "table" {
		p = p.field("/.*/", blank())
	}
	return p.change(func(c *dashboard.FieldConfigSource) { c.Defaults.NoValue = &why })
}

// the last so much, whatever the dashboard's range is.
func (p panel) the(last string) panel {
	p.TimeFrom, p.HideTimeOverride = &last, new(true)
	return p
}

// points is how many a query may have, so that its step is the shortest allowed.
func (p panel) points(n float64) panel {
	p.MaxDataPoints = &n
	return p
}

// then adds a transformation.
func (p panel) then(id string, options map[string]any) panel {
	p.Transformations = append(append([]dashboard.DataTransformerConfig{}, p.Transformations...),
		dashboard.DataTransformerConfig{Id: id, Options: options})
	return p
}

// sortedBy sorts the rows of charts by a field, and shows that and the value alone.
func (p panel) sortedBy(field string) panel {
	return p.then("sortBy", map[string]any{"sort": []map[string]any{{"field": field}}}).
		then("filterFieldsByName", map[string]any{"include": map[string]any{"names": []string{field, "Value"}}})
}

// columns names the columns of a table, in their order: what a field is called,
// and what it is to be called. All other fields are left out.
func (p panel) columns(names ...[2]string) panel {
	var keep []string
	order, rename := map[string]any{}, map[string]any{}
	for i, n := range names {
		keep = append(keep, n[0])
		order[n[0]], rename[n[0]] = i, n[1]
		if _, ok := pages[n[0]]; ok {
			p = p.leads(leadOf(n[0], n[1]))
		}
	}
	return p.then("filterFieldsByName", map[string]any{"include": map[string]any{"names": keep}}).
		then("organize", map[string]any{"indexByName": order, "renameByName": rename, "excludeByName": map[string]any{}})
}

// modes colours busy, idle and measured.
func (p panel) modes() panel {
	return p.field("busy", painted(busyColour)).field("idle", painted(idleColour)).field("measured", painted(measuredColour))
}

// The rest changes what only some kinds have.

// lit draws bars as cells in the colours of the thresholds, dim where the value does not reach:
// each bar shows where its limit is, also those far below.
func (p panel) lit() panel {
	o := *p.Options.(*bargauge.Options)
	o.DisplayMode = common.BarGaugeDisplayModeLcd
	p.Options = &o
	return p
}

// called names bars by their label. Without that, Grafana leaves out the name of a bar that is
// the only one.
func (p panel) called(queries []query) panel {
	name := strings.NewReplacer("{{", "${__field.labels.", "}}", "}").Replace(queries[0].legend)
	return p.change(func(c *dashboard.FieldConfigSource) { c.Defaults.DisplayName = &name })
}

// named shows the name of a value beside it.
func (p panel) named() panel {
	o := *p.Options.(*stat.Options)
	o.TextMode = common.BigValueTextModeValueAndName
	p.Options = &o
	return p
}

// legendless hides a legend that says no more than the title.
func (p panel) legendless() panel {
	switch o := p.Options.(type) {
	case *barchart.Options:
		c := *o
		c.Legend.ShowLegend = false
		p.Options = &c
	case *timeseries.Options:
		c := *o
		c.Legend.ShowLegend = false
		p.Options = &c
	}
	return p
}

// ordered puts the largest of a column first.
func (p panel) ordered(column string) panel {
	o := *p.Options.(*table.Options)
	o.SortBy = []common.TableSortByFieldState{{DisplayName: column, Desc: new(true)}}
	p.Options = &o
	return p
}

// soft is what an axis shows at least.
func (p panel) soft(low, high float64) panel {
	return p.change(func(c *dashboard.FieldConfigSource) {
		custom := *c.Defaults.Custom.(*timeseries.FieldConfig)
		custom.AxisSoftMin, custom.AxisSoftMax = &low, &high
		c.Defaults.Custom = &custom
	})
}

// fromZero is an axis that does not exaggerate.
func (p panel) fromZero() panel {
	return p.change(func(c *dashboard.FieldConfigSource) { c.Defaults.Min = new(0.0) })
}

// below puts a panel under the one on its left rather than beside it.
func (p panel) below() panel { p.stacked = true; return p }
