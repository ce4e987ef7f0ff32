// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// What the charts that @grafana/ui does not have share: text, legends, axes.
import { dateTimeFormat, formattedValueToString, getFieldDisplayName } from '@grafana/data';
import { VizLayout, VizLegend } from '@grafana/ui';

export const FONT = 12;
export const shown = (f) => !f.config.custom?.hideFrom?.viz;
export const textWidth = (s) => String(s).length * FONT * 0.55;
export const write = (field, v) => (v === null || v === undefined ? '' : formattedValueToString(field.display(v)));
export const nameOf = (field, frame, frames) => getFieldDisplayName(field, frame, frames);

/** The colour of the lines behind a chart, as Grafana's uPlot has it. */
export const grid = (theme) => (theme.isDark ? 'rgba(240, 250, 255, 0.09)' : 'rgba(0, 10, 23, 0.09)');

export function Legend({ width, height, legend, items, children }) {
  const element = legend.showLegend && legend.displayMode !== 'hidden' && items.length > 0 && (
    <VizLayout.Legend placement={legend.placement} width={legend.width} maxHeight="35%">
      <VizLegend items={items.map((i) => ({ yAxis: 1, ...i }))} displayMode={legend.displayMode} placement={legend.placement} sortBy={legend.sortBy} sortDesc={legend.sortDesc} />
    </VizLayout.Legend>
  );
  return <VizLayout width={width} height={height} legend={element || null}>{children}</VizLayout>;
}

/** Round numbers from low to high, about count of them. */
export function ticks(low, high, count) {
  const rough = (high - low || 1) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((f) => f * power >= rough) * power;
  const found = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) found.push(Number(v.toPrecision(12)));
  return found;
}

const MINUTE = 60e3, DAY = 1440 * MINUTE;
const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 43200].map((m) => m * MINUTE);

export function TimeAxis({ range, x, top, bottom, width, env }) {
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const step = timeSteps.find((s) => ((to - from) / s) * 90 <= width) ?? timeSteps.at(-1);
  const format = step >= DAY ? 'MM/DD' : to - from > DAY ? 'MM/DD HH:mm' : 'HH:mm';
  const at = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) at.push(t);
  return at.map((t) => (
    <g key={t}>
      <line x1={x(t)} x2={x(t)} y1={top} y2={bottom} stroke={grid(env.theme)} />
      <text x={x(t)} y={bottom + 16} textAnchor="middle">{dateTimeFormat(t, { format, timeZone: env.timeZone })}</text>
    </g>
  ));
}

export const Svg = ({ width, height, env, children }) => (
  <svg width={width} height={height} fontSize={FONT} fill={env.theme.colors.text.primary} style={{ display: 'block' }}>{children}</svg>
);
