// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// What Grafana's core panel plugins fill in where a dashboard is silent.
const palette = { mode: 'palette-classic' };
const legend = { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] };
const reduceOptions = { values: false, calcs: ['lastNotNull'], fields: '' };

export const plugins = {
  timeseries: {
    color: palette, options: { legend },
    custom: {
      drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, gradientMode: 'none', showPoints: 'auto', pointSize: 5,
      spanNulls: false, stacking: { mode: 'none', group: 'A' }, axisPlacement: 'auto', axisColorMode: 'text', barAlignment: 0, barWidthFactor: 0.6,
      thresholdsStyle: { mode: 'off' }, scaleDistribution: { type: 'linear' }, hideFrom: {}, axisLabel: '',
    },
  },
  stat: { options: { reduceOptions, orientation: 'auto', textMode: 'auto', colorMode: 'value', graphMode: 'area', justifyMode: 'auto', wideLayout: true, showPercentChange: false } },
  gauge: { options: { reduceOptions, orientation: 'auto', showThresholdMarkers: true, showThresholdLabels: false } },
  bargauge: { options: { reduceOptions, orientation: 'auto', displayMode: 'gradient', valueMode: 'color', namePlacement: 'auto', showUnfilled: true, minVizWidth: 8, minVizHeight: 16, maxVizHeight: 300, sizing: 'auto' } },
  barchart: {
    color: palette, custom: { fillOpacity: 80, lineWidth: 1, axisPlacement: 'auto', hideFrom: {} },
    options: { legend, orientation: 'auto', xTickLabelRotation: 0, xTickLabelMaxLength: 0, showValue: 'auto', stacking: 'none', groupWidth: 0.7, barWidth: 0.97, barRadius: 0 },
  },
  piechart: { color: palette, custom: { hideFrom: {} }, options: { reduceOptions, pieType: 'pie', displayLabels: [], legend: { ...legend, values: [] } } },
  table: { custom: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false, filterable: false, hideFrom: {} }, options: { showHeader: true, cellHeight: 'sm', frameIndex: 0 } },
  'state-timeline': { color: { mode: 'continuous-GrYlRd' }, custom: { fillOpacity: 70, hideFrom: {} }, options: { legend, mergeValues: true, rowHeight: 0.9, showValue: 'auto' } },
  'status-history': { color: { mode: 'thresholds' }, custom: { fillOpacity: 70, hideFrom: {} }, options: { legend, mergeValues: false, rowHeight: 0.9, showValue: 'auto' } },
  heatmap: { custom: { hideFrom: {} }, options: { calculate: false, legend: { show: true }, color: { scheme: 'Oranges', exponent: 0.5, steps: 64, reverse: false } } },
  text: { options: { mode: 'markdown', content: '' } },
};

/** Core plugins of Grafana 12 that are not drawn here; any other type is a fault of the dashboard. */
export const notDrawn = ['alertlist', 'annolist', 'canvas', 'candlestick', 'dashlist', 'datagrid', 'debug', 'flamegraph', 'geomap', 'gettingstarted',
  'graph', 'histogram', 'live', 'logs', 'news', 'nodeGraph', 'singlestat', 'table-old', 'traces', 'trend', 'welcome', 'xychart'];
