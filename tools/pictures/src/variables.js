// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Template variables: what values they have and how they are put into text, as Grafana and its Prometheus data source do it.
import { dateTimeFormat, stringToJsRegex } from '@grafana/data';
import { prometheus, selector, seconds } from './prometheus.js';

const pattern = /\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}/g; // Grafana's own
const regexEscape = (s) => s.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
const inPromQLString = (s) => s.replace(/["\\]/g, '\\$&');
const one = (values, join) => (values.length === 1 ? values[0] : join(values));

const formats = {
  promql: (values, v) => v.multi
    ? one(values.map((s) => inPromQLString(regexEscape(s).replaceAll('\\/', '/'))), (l) => `(${l.join('|')})`)
    : inPromQLString(values[0] ?? ''),
  regex: (values) => one(values.map(regexEscape), (l) => `(${l.join('|')})`),
  glob: (values) => one(values, (l) => `{${l.join(',')}}`),
  pipe: (values) => values.join('|'),
  csv: (values) => values.join(','),
  raw: (values) => values.join(','),
  json: (values) => JSON.stringify(values),
  text: (_, v) => v.texts.join(' + '),
  html: (values) => values.join(', ').replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`),
  singlequote: (values) => values.map((s) => `'${s}'`).join(','),
  doublequote: (values) => values.map((s) => `"${s}"`).join(','),
  queryparam: (values, v) => values.map((s) => `var-${v.name}=${encodeURIComponent(s)}`).join('&'),
  percentencode: (values) => encodeURIComponent(values.join(',')),
  date: (values, _, arg) => arg === 'seconds' ? String(Math.floor(values[0] / 1000))
    : arg ? dateTimeFormat(+values[0], { format: arg, timeZone: 'utc' }) : new Date(+values[0]).toISOString(),
};

/** Replaces $name, [[name]] and ${name:format} by the variables' values; unknown(name) is told what stays as it is. */
export function interpolate(text, variables, format = 'glob', unknown = () => {}) {
  return String(text ?? '').replace(pattern, (whole, a, b, bFormat, c, path, cFormat) => {
    const name = a ?? b ?? c;
    const v = variables[name];
    if (!v) return unknown(name), whole;
    const [id, ...arg] = (bFormat ?? cFormat ?? format).split(':');
    if (path === 'text') return formats.text([], v);
    if (v.all && v.allValue && id !== 'text') return v.allValue;
    return (formats[id] ?? formats.glob)(v.values, v, arg.join(':'));
  });
}

export const constant = (name, value, text = value) => ({ name, values: [String(value)], texts: [String(text)] });

/** Resolves the dashboard's variables in their order. @returns {Object<string, {name, values, texts, options, all, multi, error}>} */
export async function resolve(definitions, given, builtIn, range) {
  const resolved = {};
  for (const d of definitions) {
    const v = { name: d.name, label: d.label || d.name, hide: d.hide ?? 0, multi: !!(d.multi || d.includeAll), allValue: d.allValue };
    try {
      v.options = await optionsOf(d, { ...builtIn, ...resolved }, range);
      choose(v, d, given[d.name]);
    } catch (e) {
      Object.assign(v, { values: given[d.name] ?? [], texts: given[d.name] ?? [], error: e.message });
    }
    resolved[d.name] = v;
  }
  for (const name of Object.keys(given)) if (!resolved[name]) resolved[name] = { ...constant(name, given[name]), error: 'the dashboard has no such variable' };
  return resolved;
}

function choose(v, d, given) {
  const isAll = (value) => value === '$__all' || (value === 'All' && !v.options.some((o) => o.value === 'All'));
  const saved = [d.current?.value ?? []].flat().map(String);
  const known = saved.filter((s) => v.options.some((o) => o.value === s));
  const wanted = given ?? (saved.some(isAll) && d.includeAll ? ['$__all'] : known.length ? known : d.includeAll ? ['$__all'] : v.options.slice(0, 1).map((o) => o.value));
  v.all = wanted.some(isAll);
  v.values = v.all ? v.options.map((o) => o.value) : wanted;
  v.texts = v.all ? ['All'] : wanted.map((w) => v.options.find((o) => o.value === w)?.text ?? w);
  if (!v.values.length && !(v.all && v.allValue) && d.type !== 'adhoc') throw new Error('no values');
}

async function optionsOf(d, variables, range) {
  const text = typeof d.query === 'string' ? d.query : d.query?.query ?? d.definition ?? '';
  const plain = (values) => values.map((value) => ({ value, text: value }));
  switch (d.type) {
    case 'query': return filtered(await query(interpolate(text, variables, 'promql'), range), d);
    case 'custom':
    case 'interval': return (text.match(/(?:\\,|[^,])+/g) ?? []).map((s) => {
      const [, key, value] = s.match(/^\s*(.+?)\s+:\s+(.+?)\s*$/) ?? [null, s.trim(), s.trim()];
      return { text: key, value: value.replaceAll('\\,', ',') };
    });
    case 'datasource': return plain(['prometheus']);
    case 'adhoc': return [];
    default: return plain([String([d.current?.value ?? text].flat()[0] ?? '')]);
  }
}

async function query(text, range) {
  const between = { start: seconds(range.from), end: seconds(range.to) };
  const call = (name) => text.match(new RegExp(`^\\s*${name}\\(\\s*([^]*?)\\s*\\)\\s*$`))?.[1];
  const labels = call('label_values')?.match(/^(?:([^]+),\s*)?(\w+)$/);
  if (labels) return prometheus(`label/${labels[2]}/values`, { ...between, ...(labels[1] && { 'match[]': labels[1] }) }, 'GET');
  if (call('label_names') !== undefined) return prometheus('labels', between);
  if (call('metrics')) return (await prometheus('label/__name__/values', between, 'GET')).filter((n) => new RegExp(call('metrics')).test(n));
  const result = call('query_result');
  if (result) {
    const { resultType, result: answer } = await prometheus('query', { query: result, time: between.end });
    if (resultType === 'scalar') return [`${answer[1]}`];
    return answer.map((s) => `${selector(s.metric)} ${s.value[1]} ${s.value[0] * 1000}`);
  }
  return (await prometheus('series', { ...between, 'match[]': text })).map(selector);
}

function filtered(found, d) {
  const regex = d.regex ? stringToJsRegex(d.regex) : null;
  const options = new Map();
  for (const s of found) {
    const m = regex ? new RegExp(regex.source, regex.flags.replace('g', '')).exec(s) : [s];
    if (!m) continue;
    const value = m.groups?.value ?? m.groups?.text ?? m[1] ?? m[0];
    options.set(value, m.groups?.text ?? value);
  }
  const list = [...options].map(([value, text]) => ({ value, text }));
  const number = (o) => Number(o.text.match(/\d+(\.\d+)?/)?.[0] ?? -1);
  const orders = [null, (a, b) => (a.text < b.text ? -1 : 1), (a, b) => number(a) - number(b), (a, b) => a.text.localeCompare(b.text, undefined, { sensitivity: 'base' })];
  const order = orders[Math.ceil((d.sort ?? 0) / 2)];
  if (order) list.sort(order);
  return order && d.sort % 2 === 0 ? list.reverse() : list;
}
