// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// One function per panel type: Grafana's components where @grafana/ui has them, charts/ where it has not.
import { FieldType, getDisplayProcessor, getDisplayValueAlignmentFactors, getFieldDisplayValues, renderTextPanelMarkdown, textUtil, VizOrientation } from '@grafana/data';
import { BarGauge, BigValue, TimeSeries, VizRepeater } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { BarChart } from './charts/bars.jsx';
import { GaugeArc } from './charts/gauge.jsx';
import { Heatmap } from './charts/heatmap.jsx';
import { PieChart } from './charts/pie.jsx';
import { StateTimeline } from './charts/timeline.jsx';

const types = {
  timeseries: TimeSeriesPanel, stat: Stat, gauge: GaugePanel, bargauge: BarGaugePanel, table: TablePanel, text: TextPanel,
  barchart: BarChart, piechart: PiePanel, heatmap: Heatmap, 'state-timeline': StateTimeline, 'status-history': StateTimeline,
};

export function Visualization(props) {
  const Type = types[props.panel.type];
  return <Type {...props} options={props.panel.options} />;
}

const displayValues = ({ panel, options, frames, replace, env }, sparkline) => getFieldDisplayValues({
  fieldConfig: panel.fieldConfig, reduceOptions: options.reduceOptions, replaceVariables: replace, theme: env.theme, data: frames, sparkline, timeZone: env.timeZone, percentChange: options.showPercentChange,
});

const withoutNameIfSingle = (count, { fieldConfig }, display) => (count === 1 && !fieldConfig.defaults.displayName ? { ...display, title: undefined } : display);

function Repeater({ source, values, renderValue, ...props }) {
  return <VizRepeater source={source} getValues={() => values} renderCounter={0} renderValue={renderValue}
    getAlignmentFactors={getDisplayValueAlignmentFactors} {...props} />;
}

function TimeSeriesPanel({ options, frames, width, height, range, env }) {
  const drawable = frames.filter((f) => f.fields.some((x) => x.type === FieldType.time) && f.fields.some((x) => x.type === FieldType.number));
  if (!drawable.length) throw new Error('Data is missing a time field or a number field');
  const { displayMode, showLegend } = options.legend;
  const legend = { ...options.legend, showLegend: showLegend && displayMode !== 'hidden' };
  return <TimeSeries frames={drawable} structureRev={1} timeRange={range} timeZone={env.timeZone} width={width} height={height} legend={legend} options={options} />;
}

function Stat(props) {
  const { panel, options, frames, width, height, range, env } = props;
  const named = options.textMode === 'auto' && (panel.fieldConfig.defaults.displayName || !panel.title);
  return (
    <Repeater source={frames} values={displayValues(props, options.graphMode !== 'none')} width={width} height={height} itemSpacing={3} autoGrid orientation={options.orientation}
      renderValue={({ value, alignmentFactors, width: w, height: h, count, orientation }) => (
        <BigValue value={value.display} count={count} sparkline={value.sparkline && { ...value.sparkline, timeRange: range }} colorMode={options.colorMode} graphMode={options.graphMode}
          justifyMode={options.justifyMode} textMode={named ? 'value_and_name' : options.textMode} alignmentFactors={alignmentFactors} parentOrientation={orientation}
          text={options.text} wideLayout={options.wideLayout} width={w} height={h} theme={env.theme} percentChangeColorMode={options.percentChangeColorMode} />
      )} />
  );
}

/** Gauges of percentages go from 0 to 100 unless told otherwise. */
function percentRange({ frames, env }) {
  for (const field of frames.flatMap((f) => f.fields)) {
    const { unit, min = 0, max = unit === 'percent' ? 100 : 1 } = field.config;
    if (unit !== 'percent' && unit !== 'percentunit') continue;
    field.state = { ...field.state, range: { min, max, delta: max - min } };
    field.display = getDisplayProcessor({ field, theme: env.theme, timeZone: env.timeZone });
  }
}

function GaugePanel(props) {
  percentRange(props);
  const { panel, options, frames, width, height, env } = props;
  return (
    <Repeater source={frames} values={displayValues(props)} width={width} height={height} autoGrid orientation={options.orientation}
      renderValue={({ value, width: w, height: h, count }) => (
        <GaugeArc field={value.field} value={withoutNameIfSingle(count, panel, value.display)} options={options} width={w} height={h} theme={env.theme} />
      )} />
  );
}

function BarGaugePanel(props) {
  percentRange(props);
  const { panel, options, frames, width, height, env } = props;
  const orientation = options.orientation !== 'auto' ? options.orientation : width > height ? VizOrientation.Vertical : VizOrientation.Horizontal;
  const itemSpacing = options.displayMode === 'lcd' ? 2 : 10;
  return (
    <Repeater source={frames} values={displayValues(props)} width={width} height={height} itemSpacing={itemSpacing} orientation={orientation}
      minVizWidth={options.minVizWidth} minVizHeight={options.minVizHeight} maxVizHeight={options.maxVizHeight}
      renderValue={({ value, alignmentFactors, width: w, height: h, count }) => (
        <BarGauge value={withoutNameIfSingle(count, panel, value.display)} width={w} height={h} orientation={orientation} field={value.field} text={options.text}
          display={value.view?.getFieldDisplayProcessor(value.colIndex)} theme={env.theme} itemSpacing={itemSpacing} displayMode={options.displayMode}
          alignmentFactors={count > 1 ? alignmentFactors : undefined} showUnfilled={options.showUnfilled} valueDisplayMode={options.valueMode} namePlacement={options.namePlacement} />
      )} />
  );
}

function PiePanel(props) {
  return <PieChart {...props} values={displayValues(props).filter((v) => !v.field.custom?.hideFrom?.viz)} />;
}

function TablePanel({ options, frames, width, height, range }) {
  const frame = frames[options.frameIndex] ?? frames[0];
  const { show, reducer } = options.footer ?? {};
  if (show) for (const f of frame.fields) if (f.type === FieldType.number) f.config.custom = { ...f.config.custom, footer: { reducers: reducer } };
  return <TableNG data={frame} width={width} height={height} noHeader={!options.showHeader} initialSortBy={options.sortBy} cellHeight={options.cellHeight}
    frozenColumns={options.frozenColumns?.left} enablePagination={options.enablePagination} timeRange={range} structureRev={1} enableVirtualization />;
}

function TextPanel({ options, text }) {
  const content = text(options.content, 'html');
  if (options.mode === 'code') return <pre>{content}</pre>;
  const html = options.mode === 'html' ? textUtil.sanitizeTextPanelContent(content) : renderTextPanelMarkdown(content, {});
  return <div className="markdown-html" style={{ height: '100%', overflow: 'hidden' }} dangerouslySetInnerHTML={{ __html: html }} />;
}
