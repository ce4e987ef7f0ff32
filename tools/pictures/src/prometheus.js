// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Prometheus' answers as Grafana's data frames.
import { FieldType, toDataFrame } from '@grafana/data';

export const seconds = (moment) => Math.floor(moment.valueOf() / 1000);

export async function prometheus(path, parameters, method = 'POST') {
  const body = new URLSearchParams(parameters);
  const answer = method === 'GET' ? await fetch(`/api/v1/${path}?${body}`) : await fetch(`/api/v1/${path}`, { method, body });
  const text = await answer.text();
  let content;
  try {
    content = JSON.parse(text);
  } catch {
    throw new Error(`HTTP ${answer.status}: ${text.slice(0, 200)}`);
  }
  if (content.status !== 'success') throw new Error(content.error);
  return content.data;
}

/** metric{label="value"} */
export function selector({ __name__: name = '', ...labels }) {
  const inside = Object.entries(labels).map(([k, v]) => `${k}="${v}"`).join(', ');
  return name + (inside ? `{${inside}}` : '');
}

function legend(format, labels, expr) {
  if (format === '__auto') return Object.keys(labels).length ? undefined : expr;
  if (!format) return selector(labels) || expr;
  return format.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => labels[label] ?? '');
}

const number = (s) => (s === '+Inf' ? Infinity : s === '-Inf' ? -Infinity : Number(s));

/** Runs one target, { refId, expr, legendFormat, format, instant, range }, already interpolated. */
export async function run(target, { from, to }, step, valueName) {
  const { expr } = target;
  const end = Math.floor(seconds(to) / step) * step;
  const start = Math.floor(seconds(from) / step) * step;
  const answers = [];
  if (!target.instant || target.range) answers.push(await prometheus('query_range', { query: expr, start, end, step }));
  if (target.instant) answers.push(await prometheus('query', { query: expr, time: seconds(to) }));
  return answers.flatMap(({ resultType, result }) => {
    if (resultType === 'string') throw new Error('a string is not drawn');
    const series = resultType === 'scalar' ? [{ metric: {}, value: result }] : result;
    if (series.some((s) => !s.values && !s.value)) throw new Error('native histograms are not drawn');
    if (target.format === 'table') return series.length ? [table(target, series, valueName)] : [];
    const frames = series.map((s) => frame(target, s, step));
    return target.format === 'heatmap' ? buckets(frames) : frames;
  });
}

function frame(target, { metric, values, value }, step) {
  const points = values ?? [value];
  return toDataFrame({ refId: target.refId, fields: [
    { name: 'Time', type: FieldType.time, values: points.map((p) => p[0] * 1000), config: values ? { interval: step * 1000 } : {} },
    { name: 'Value', type: FieldType.number, labels: metric, values: points.map((p) => number(p[1])), config: { displayNameFromDS: legend(target.legendFormat, metric, target.expr) } },
  ] });
}

function table(target, series, valueName) {
  const labels = [...new Set(series.flatMap((s) => Object.keys(s.metric)))].sort();
  const rows = series.flatMap((s) => (s.values ?? [s.value]).map(([t, v]) => ({ metric: s.metric, t, v })));
  return toDataFrame({ refId: target.refId, fields: [
    { name: 'Time', type: FieldType.time, values: rows.map((r) => r.t * 1000) },
    ...labels.map((l) => ({ name: l, type: FieldType.string, values: rows.map((r) => r.metric[l] ?? '') })),
    { name: valueName, type: FieldType.number, values: rows.map((r) => number(r.v)) },
  ] });
}

/** Cumulative le buckets to one series per bucket. */
function buckets(frames) {
  const le = (f) => number(f.fields[1].labels.le ?? 'NaN');
  const sorted = [...frames].sort((a, b) => le(a) - le(b));
  return sorted.map((f, i) => {
    if (!i || Number.isNaN(le(f))) return f;
    const [time, value] = sorted[i - 1].fields;
    const below = new Map(time.values.map((t, j) => [t, value.values[j]]));
    const values = f.fields[1].values.map((v, j) => v - (below.get(f.fields[0].values[j]) ?? 0));
    return { ...f, fields: [f.fields[0], { ...f.fields[1], values }] };
  });
}
