// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Heatmaps, drawn as SVG after Grafana's core plugin.
import { FieldType } from '@grafana/data';
import * as chromatic from 'd3-scale-chromatic';
import { nameOf, shown, Svg, textWidth, ticks, TimeAxis, write } from './frame.jsx';

/** Series over time counted into cells: 'calculate from data'. */
function calculated(frames, range) {
  const points = frames.flatMap((f) => {
    const time = f.fields.find((x) => x.type === FieldType.time), value = f.fields.find((x) => x.type === FieldType.number);
    return time && value ? time.values.map((t, i) => [t, value.values[i]]) : [];
  }).filter(([, v]) => Number.isFinite(v));
  const numbers = points.map((p) => p[1]).sort((a, b) => a - b);
  const edges = ticks(numbers[0], numbers.at(-1), 20), step = edges.length > 1 ? edges[1] - edges[0] : 1, low = Math.floor(numbers[0] / step) * step;
  const width = (range.to.valueOf() - range.from.valueOf()) / 60;
  const rows = Array.from({ length: Math.floor((numbers.at(-1) - low) / step) + 1 }, (_, i) => ({ name: Number((low + i * step).toPrecision(6)), cells: new Map() }));
  for (const [t, v] of points) {
    const { cells } = rows[Math.floor((v - low) / step)], from = Math.floor(t / width) * width;
    cells.set(from, (cells.get(from) ?? 0) + 1);
  }
  return { rows, step: width };
}

function bucketed(frames) {
  const rows = frames.flatMap((frame) => {
    const time = frame.fields.find((f) => f.type === FieldType.time);
    return frame.fields.filter((f) => time && f.type === FieldType.number && shown(f)).map((f) => ({ name: nameOf(f, frame, frames), field: f, cells: new Map(time.values.map((t, i) => [t, f.values[i]])) }));
  });
  const all = [...new Set(rows.flatMap((r) => [...r.cells.keys()]))].sort((a, b) => a - b);
  return { rows, step: frames[0].fields[0].config.interval ?? all[1] - all[0] };
}

export function Heatmap({ options, frames, width, height, range, env }) {
  const { rows, step } = options.calculate ? calculated(frames, range) : bucketed(frames);
  if (!rows.length) throw new Error('Data is missing a time field');
  const counts = rows.flatMap((r) => [...r.cells.values()]).filter((v) => v > 0);
  const [low, high] = [options.color.min ?? 0, options.color.max ?? counts.reduce((a, b) => Math.max(a, b), 0)];
  const scheme = chromatic[`interpolate${options.color.scheme}`] ?? chromatic.interpolateOranges;
  const color = (v) => {
    const t = Math.min(1, Math.max(0, (v - low) / (high - low || 1))) ** (options.color.exponent ?? 0.5);
    return scheme(env.theme.isDark !== !!options.color.reverse ? 1 - t : t);
  };
  const legend = options.legend.show ? 40 : 0, left = Math.max(...rows.map((r) => textWidth(r.name))) + 14, bottom = height - 24 - legend, slot = bottom / rows.length;
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const x = (t) => left + ((Math.min(to, Math.max(t, from)) - from) / (to - from)) * (width - left);
  const gap = (x(from + step) - left) > 4 ? 1 : 0;
  const number = (v) => (rows[0].field ? write(rows[0].field, v) : String(Number(v.toPrecision(3))));
  return (
    <Svg width={width} height={height} env={env}>
      <TimeAxis range={range} x={x} top={0} bottom={bottom} width={width - left} env={env} />
      {rows.map((row, i) => (
        <g key={i}>
          {i % Math.ceil(14 / slot) === 0 && <text x={left - 8} y={bottom - slot * (i + 0.5) + 4} textAnchor="end">{row.name}</text>}
          {[...row.cells].filter(([t, v]) => v > 0 && t + step > from && t < to).map(([t, v]) => <rect key={t} x={x(t)} y={bottom - slot * (i + 1) + 0.5} width={Math.max(0.5, x(t + step) - x(t) - gap)} height={Math.max(0.5, slot - 1)} fill={color(v)} />)}
        </g>
      ))}
      {legend > 0 && Array.from({ length: 64 }, (_, i) => <rect key={i} x={left + i * 4} y={height - 26} width={4} height={8} fill={color(low + ((high - low) * i) / 63)} />)}
      {legend > 0 && [low, (low + high) / 2, high].map((v, i) => <text key={i} x={left + i * 128} y={height - 4} textAnchor="middle">{number(v)}</text>)}
    </Svg>
  );
}
