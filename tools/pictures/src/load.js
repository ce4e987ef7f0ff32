// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// A panel's data: its targets run, transformed and given its field configuration by Grafana's own code.
import {
  applyFieldOverrides, cacheFieldDisplayNames, dateMath, FieldType, displayNameOverrideProcessor, FieldConfigOptionsRegistry, rangeUtil,
  standardTransformers, standardTransformersRegistry, transformDataFrame,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';
import { plugins } from './plugins.js';
import { run } from './prometheus.js';
import { constant, interpolate } from './variables.js';

const known = Object.fromEntries(Object.values(standardTransformers).map((t) => [t.id, { id: t.id, name: t.name, transformation: t }]));
known.seriesToColumns = { ...known.joinByField, id: 'seriesToColumns' };
standardTransformersRegistry.setInit(() => Object.values(known));

/** Fills in what is missing in value; arrays are taken as a whole. */
function fill(value, defaults) {
  const isObject = (o) => o && typeof o === 'object' && !Array.isArray(o);
  if (!isObject(value) || !isObject(defaults)) return value ?? defaults;
  return Object.fromEntries([...new Set([...Object.keys(defaults), ...Object.keys(value)])].map((k) => [k, fill(value[k], defaults[k])]));
}

/** Grafana writes the lowest threshold, -Infinity, as null. */
const thresholds = (t) => t?.steps && { ...t, steps: t.steps.map((s) => ({ ...s, value: s.value ?? -Infinity })) };

/** The panel with the defaults of its plugin. */
export function normalized(panel) {
  const plugin = plugins[panel.type] ?? {};
  const defaults = fill(panel.fieldConfig?.defaults ?? {}, {
    color: plugin.color ?? { mode: 'thresholds' },
    thresholds: { mode: 'absolute', steps: [{ value: null, color: 'green' }, { value: 80, color: 'red' }] },
    custom: plugin.custom ?? {},
  });
  const overrides = (panel.fieldConfig?.overrides ?? []).map((o) => ({ ...o, properties: o.properties.map((p) => (
    p.id === 'thresholds' ? { ...p, value: thresholds(p.value) } : p.id === 'custom.hidden' ? { id: 'custom.hideFrom.viz', value: p.value } : p)) }));
  return { ...panel, options: fill(panel.options ?? {}, plugin.options ?? {}), fieldConfig: { defaults: { ...defaults, thresholds: thresholds(defaults.thresholds), links: undefined }, overrides } };
}

const standard = ['displayName', 'unit', 'min', 'max', 'fieldMinMax', 'decimals', 'noValue', 'color', 'thresholds', 'mappings', 'filterable', 'description'];

function registry({ defaults, overrides }) {
  const ids = new Set(overrides.flatMap((o) => o.properties.map((p) => p.id)).filter((id) => id.startsWith('custom.')));
  for (const key of Object.keys(defaults.custom)) ids.add(`custom.${key}`);
  const forAxis = (field) => field.type !== FieldType.time && field.type !== FieldType.string;
  const item = (id, path, isCustom) => ({
    id, path, isCustom, name: id, settings: {}, shouldApply: id.startsWith('custom.axis') ? forAxis : () => true,
    process: id === 'displayName' ? displayNameOverrideProcessor : (v) => v,
  });
  return new FieldConfigOptionsRegistry(() => [...standard.map((id) => item(id, id, false)), ...[...ids].map((id) => item(id, id.slice('custom.'.length), true))]);
}

function timeRange(panel, range) {
  if (!panel.timeFrom && !panel.timeShift) return range;
  const shift = panel.timeShift ? `-${panel.timeShift}` : '';
  const raw = panel.timeFrom ? { from: `now-${panel.timeFrom}${shift}`, to: `now${shift}` } : range.raw;
  if (panel.timeFrom) return { from: dateMath.parse(raw.from), to: dateMath.parse(raw.to, true), raw };
  return { from: dateMath.parseDateMath(shift, range.from), to: dateMath.parseDateMath(shift, range.to), raw };
}

function intervals(target, panel, range, width, scrapeInterval) {
  const lowest = target.interval || panel.interval || scrapeInterval;
  const { intervalMs } = rangeUtil.calculateInterval(range, panel.maxDataPoints ?? Math.round(width), lowest.replace(/^>/, ''));
  const span = range.to.valueOf() - range.from.valueOf();
  const step = Math.max(1, Math.ceil(Math.max(intervalMs * (target.intervalFactor ?? 1), span / 11000) / 1000));
  const scrape = rangeUtil.intervalToMs(target.interval || scrapeInterval) / 1000;
  return { step, variables: {
    __interval: constant('__interval', `${step}s`), __interval_ms: constant('__interval_ms', step * 1000),
    __rate_interval: constant('__rate_interval', `${Math.max(step + scrape, 4 * scrape)}s`),
  } };
}

export function rangeVariables({ from, to }) {
  const s = Math.round((to.valueOf() - from.valueOf()) / 1000);
  return Object.fromEntries(Object.entries({ __range: `${s}s`, __range_s: s, __range_ms: s * 1000, __from: from.valueOf(), __to: to.valueOf() })
    .map(([name, value]) => [name, constant(name, value)]));
}

/** Loads a panel. Never throws: what went wrong stands in report.error. */
export async function load({ panel: raw, scope, width }, env) {
  const panel = normalized(raw);
  const range = timeRange(panel, env.range);
  const variables = { ...env.variables, ...rangeVariables(range), ...scope };
  const text = (s, format = 'text') => interpolate(s, variables, format);
  /** Replaces also what a field is called, and its labels. */
  const replace = (s, vars) => {
    const field = vars?.__dataContext?.value?.field;
    return text(String(s).replace(/\$\{__field\.labels\.(\w+)\}/g, (_, l) => field?.labels?.[l] ?? '').replace(/\$\{__(?:field|series)\.(?:name|displayName)\}/g, () => field?.config.displayNameFromDS ?? field?.name));
  };
  const source = (raw.targets ?? []).find((t) => t.datasource?.uid === '-- Dashboard --');
  const targets = (source ? env.panels.find((p) => p.id === source.panelId)?.targets ?? [] : raw.targets ?? []).filter((t) => !t.hide);

  const results = await Promise.all(targets.map(async (t) => {
    const report = { refId: t.refId, expr: t.expr ?? '', series: 0, error: null };
    try {
      const { step, variables: stepVariables } = intervals({ ...t, interval: text(t.interval, 'raw') }, { ...panel, interval: text(panel.interval, 'raw') }, range, width, env.scrapeInterval);
      const unknown = new Set();
      const all = { ...variables, ...stepVariables };
      report.expr = interpolate(t.expr, all, 'promql', (name) => /\D/.test(name) && unknown.add(`$${name}`));
      if (unknown.size) throw new Error(`unknown variable ${[...unknown].join(', ')}`);
      if (!t.expr) throw new Error('has no PromQL expression');
      const target = { ...t, expr: report.expr, legendFormat: interpolate(t.legendFormat, all, 'text') };
      const frames = await run(target, range, step, targets.length > 1 ? `Value #${t.refId}` : 'Value');
      report.series = t.format === 'table' ? frames.reduce((n, f) => n + f.length, 0) : frames.length;
      return { report, frames };
    } catch (e) {
      report.error = e.message;
      return { report, frames: [] };
    }
  }));

  const reports = results.map((r) => r.report);
  const report = {
    id: panel.id, title: text(panel.title), type: panel.type, drawn: true, targets: reports,
    series: reports.reduce((n, r) => n + r.series, 0),
    noValue: panel.fieldConfig.defaults.noValue ?? null,
    error: reports.filter((r) => r.error).map((r) => `${r.refId}: ${r.error}`).join('; ') || null, noData: false,
  };
  let frames = results.flatMap((r) => r.frames);
  try {
    frames = await transformed(frames, panel.transformations ?? [], text);
    frames = applyFieldOverrides({
      data: frames, fieldConfig: panel.fieldConfig, theme: env.theme, timeZone: env.timeZone, fieldConfigRegistry: registry(panel.fieldConfig),
      replaceVariables: replace,
    });
    cacheFieldDisplayNames(frames);
  } catch (e) {
    report.error ??= e.message;
    frames = [];
  }
  const hasValue = (f) => f.fields.some((field) => field.type !== 'time' && field.values.some((v) => v !== null && v !== undefined && !Number.isNaN(v)));
  const wantsData = targets.length > 0 || (plugins[panel.type] && panel.type !== 'text');
  report.noData = !!wantsData && !report.error && !frames.some(hasValue);
  return { panel, frames, range, text, replace, report };
}

function transformed(frames, transformations, text) {
  const used = transformations.filter((t) => !t.disabled);
  for (const t of used) if (!known[t.id]) throw new Error(`transformation ${t.id} is not known here`);
  return used.length ? lastValueFrom(transformDataFrame(used, frames, { interpolate: text })) : frames;
}
