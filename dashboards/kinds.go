// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/barchart"
	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/gauge"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// The kinds of panels.

// stats are numbers, as large as they fit: so is the text where there is none.
func stats(title, about, unit string, queries ...query) panel {
	return made(stat.NewPanelBuilder().
		Unit(unit).GraphMode(common.BigValueGraphModeNone).ColorMode(common.BigValueColorModeValue).
		JustifyMode(common.BigValueJustifyModeAuto).TextMode(common.BigValueTextModeAuto).WideLayout(true).
		Orientation(common.VizOrientationAuto).ReduceOptions(last()).Text(common.NewVizTextDisplayOptionsBuilder().TitleSize(14)),
		title, about, queries).size(8, 3).colour("text")
}

// lines are series over time, one line each.
func lines(title, about, unit string, queries ...query) panel {
	return made(seriesBuilder(unit).FillOpacity(0).LineWidth(2), title, about, queries)
}

// areas are series over time that add up.
func areas(title, about, unit string, queries ...query) panel {
	return made(seriesBuilder(unit).LineInterpolation(common.LineInterpolationStepAfter).FillOpacity(70).LineWidth(0).Stacking(stacked()), title, about, queries)
}

// columnsOf are amounts of stretches of time that add up, one bar each, which
// begins where its stretch does.
func columnsOf(title, about, unit string, queries ...query) panel {
	return made(seriesBuilder(unit).DrawStyle(common.GraphDrawStyleBars).BarAlignment(common.BarAlignmentAfter).
		BarWidthFactor(0.9).FillOpacity(85).LineWidth(0).Stacking(stacked()), title, about, queries).fromZero()
}

func seriesBuilder(unit string) *timeseries.PanelBuilder {
	return timeseries.NewPanelBuilder().
		Unit(unit).DrawStyle(common.GraphDrawStyleLine).LineInterpolation(common.LineInterpolationLinear).
		ShowPoints(common.VisibilityModeNever).SpanNulls(common.BoolOrFloat64{Bool: new(false)}).
		AxisBorderShow(false).Legend(legend()).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
}

// ranking is the largest of something, from the top.
func ranking(title, about, unit string, queries ...query) panel {
	return made(bargauge.NewPanelBuilder().
		Unit(unit).Min(0).DisplayMode(common.BarGaugeDisplayModeGradient).ValueMode(common.BarGaugeValueModeText).
		NamePlacement(common.BarGaugeNamePlacementLeft).ShowUnfilled(true).Sizing(common.BarGaugeSizingAuto).
		MinVizWidth(8).MinVizHeight(16).MaxVizHeight(32).Orientation(common.VizOrientationHorizontal).
		Legend(hiddenLegend()).ReduceOptions(last()).Text(common.NewVizTextDisplayOptionsBuilder().ValueSize(16)),
		title, about, queries).called(queries)
}

// chart is bars by a name: the field x.
func chart(title, about, unit, x string, queries ...query) panel {
	return made(barchart.NewPanelBuilder().
		Unit(unit).XField(x).Orientation(common.VizOrientationVertical).ShowValue(common.VisibilityModeNever).
		Stacking(common.StackingModeNormal).BarWidth(0.9).GroupWidth(0.8).BarRadius(0).XTickLabelRotation(0).XTickLabelSpacing(60).
		FillOpacity(85).LineWidth(0).GradientMode(common.GraphGradientModeNone).FullHighlight(false).
		AxisBorderShow(false).Legend(legend()).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderNone)),
		title, about, queries)
}

func gauges(title, about, unit string, queries ...query) panel {
	return made(gauge.NewPanelBuilder().
		Unit(unit).ShowThresholdLabels(false).ShowThresholdMarkers(true).Sizing(common.BarGaugeSizingAuto).
		MinVizWidth(75).MinVizHeight(75).Orientation(common.VizOrientationAuto).ReduceOptions(last()),
		title, about, queries)
}

func tables(title, about string, queries ...query) panel {
	return made(table.NewPanelBuilder().ShowHeader(true).CellHeight(common.TableCellHeightSm).
		Align(common.FieldTextAlignmentAuto).MinWidth(48).Filterable(false).Inspect(false).
		Footer(common.NewTableFooterOptionsBuilder().Show(false).CountRows(false).Reducer([]string{"sum"})), title, about, queries).colour("text")
}

// calendar is a heat map with a row for each query.
func calendar(title, about, unit string, queries ...query) panel {
	return made(heatmap.NewPanelBuilder().
		Calculate(false).CellGap(2).CellRadius(2).ShowValue(common.VisibilityModeNever).
		CellValues(heatmap.NewCellValuesBuilder().Unit(unit)).Unit(unit).
		Color(heatmap.NewHeatmapColorOptionsBuilder().Mode(heatmap.HeatmapColorModeScheme).Scheme("Oranges").Fill("dark-orange").
			Scale(heatmap.HeatmapColorScaleExponential).Exponent(1.2).Steps(64).Reverse(false)).
		FilterValues(heatmap.NewFilterValueRangeBuilder().Le(1e-9)).
		RowsFrame(heatmap.NewRowsHeatmapOptionsBuilder().Layout(common.HeatmapCellLayoutAuto)).
		YAxis(heatmap.NewYAxisConfigBuilder().AxisPlacement(common.AxisPlacementLeft).Unit("none").Reverse(false)).
		Tooltip(heatmap.NewHeatmapTooltipBuilder().Mode(common.TooltipDisplayModeSingle)).
		ExemplarsColor("text").ShowLegend(),
		title, about, queries)
}

// states are coloured stretches of time, a row for each series.
func states(title, about string, queries ...query) panel {
	return made(statetimeline.NewPanelBuilder().
		ShowValue(common.VisibilityModeNever).RowHeight(0.8).MergeValues(true).AlignValue(common.TimelineValueAlignmentLeft).
		FillOpacity(80).LineWidth(0).Legend(legend()).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeSingle).Sort(common.SortOrderNone)),
		title, about, queries)
}

// creditPanel names whom the licences of the carbon intensities ask to name, and says what the
// values of each source count.
func creditPanel() panel {
	return tables("Carbon intensity: sources, licences and credits", "Each configured source of carbon intensity, what its values count, their licence, and whom it asks to name. Energy is modelled from CPU usage: see the README of carbon_exporter.",
		rows("max by (provider, grid, basis, licence, credit, link) (carbon_intensity_source_info)")).
		columns([2]string{"provider", "Source"}, [2]string{"grid", "Grid"}, [2]string{"basis", "Counts"},
			[2]string{"credit", "Credit"}, [2]string{"licence", "Licence"}, [2]string{"link", "Page"}).
		field("Source", wide(130)).field("Grid", wide(70)).field("Licence", wide(110)).
		// A licence asks for the whole of it.
		field("Credit", set{Id: "custom.cellOptions", Value: map[string]any{"type": "auto", "wrapText": true}}).
		field("Page", wide(90), set{Id: "links", Value: []map[string]any{{"title": "The page of the source", "url": "${__value.raw}", "targetBlank": true}}}).
		the("1h"). // as now: a dashboard may end in the future
		size(columns, 4)
}

func last() *common.ReduceDataOptionsBuilder {
	return common.NewReduceDataOptionsBuilder().Values(false).Calcs([]string{"lastNotNull"})
}

func stacked() *common.StackingConfigBuilder {
	return common.NewStackingConfigBuilder().Mode(common.StackingModeNormal).Group("A")
}

func legend() *common.VizLegendOptionsBuilder {
	return common.NewVizLegendOptionsBuilder().ShowLegend(true).DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom)
}

func hiddenLegend() *common.VizLegendOptionsBuilder {
	return legend().ShowLegend(false).DisplayMode(common.LegendDisplayModeList)
}
