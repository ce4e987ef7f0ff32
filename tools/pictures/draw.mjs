#!/usr/bin/env node
// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Draws a Grafana dashboard with Grafana's own components, without a Grafana server, or a page of HTML. See README.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { launch } from './browser.mjs';
import { built } from './build.mjs';
import { loopback, serve } from './server.mjs';

const usage = `usage: draw.mjs DASHBOARD.json PROMETHEUS_URL OUT.png [--theme light|dark] [--width 1400] [--at TIME]
                [--from now-24h] [--to now] [--scrape-interval 15s] [--var name=value ...] [--json]
       draw.mjs PAGE.html OUT.png [--theme light|dark] [--width 1000] [--height 860]`;

const text = (value) => ({ type: 'string', ...(value && { default: value }) });

function parse() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: {
    theme: text('light'), width: text(), height: text('860'), at: text(), from: text(), to: text(), 'scrape-interval': text('15s'),
    var: { type: 'string', multiple: true, default: [] }, json: { type: 'boolean' } } });
  const page = positionals[0]?.endsWith('.html');
  if (positionals.length !== (page ? 2 : 3)) throw new Error(usage);
  if (values.theme !== 'light' && values.theme !== 'dark') throw new Error(`--theme ${values.theme}: must be light or dark`);
  const pixels = (name, value) => {
    if (!(value >= 300 && value <= 8000)) throw new Error(`--${name} ${value}: must be 300 to 8000`);
    return Number(value);
  };
  const at = values.at === undefined ? undefined : Date.parse(values.at);
  if (Number.isNaN(at)) throw new Error(`--at ${values.at}: must be a time such as 2026-11-01T12:00:00Z`);
  const variables = {};
  for (const v of values.var) {
    const [, name, value] = v.match(/^(\w+)=(.*)$/s) ?? [];
    if (!name) throw new Error(`--var ${v}: must be name=value`);
    (variables[name] ??= []).push(value);
  }
  return {
    page, file: positionals[0], prometheus: page ? undefined : loopback(positionals[1]), out: positionals.at(-1), json: values.json,
    look: { width: pixels('width', values.width ?? (page ? 1000 : 1400)), theme: values.theme, at }, height: pixels('height', values.height),
    input: { theme: values.theme, from: values.from, to: values.to, scrapeInterval: values['scrape-interval'], variables },
  };
}

function readDashboard(file) {
  const content = JSON.parse(readFileSync(file, 'utf8'));
  const dashboard = content.dashboard ?? content;
  if (!Array.isArray(dashboard.panels)) throw new Error(`${file}: has no "panels", so it is not a classic dashboard`);
  return dashboard;
}

/** Calls use with a browser, which ends whatever happens. */
async function withBrowser(use) {
  const browser = launch();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => browser.close().finally(() => process.exit(1)));
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error('the page did not finish in 180 s')), 180_000)));
  try {
    return await Promise.race([use(browser), browser.failed, late]);
  } finally {
    clearTimeout(timer);
    await browser.close();
  }
}

async function drawDashboard({ input, prometheus, look, out }) {
  const server = await serve(built(), input, prometheus);
  try {
    return await withBrowser(async (browser) => {
      const screenshot = await browser.open(server.url, look);
      const report = await server.report;
      if (report.crash) throw new Error(`the page failed: ${report.crash}`);
      writeFileSync(out, await screenshot(report.height));
      return report;
    });
  } finally {
    server.close();
  }
}

const drawPage = ({ file, look, height, out }) => withBrowser(async (browser) => {
  const screenshot = await browser.open(pathToFileURL(file).href, look);
  writeFileSync(out, await screenshot(height));
});

/** Says what is wrong with a dashboard; an error of a query or a variable fails. */
function tell({ height, ...report }, json) {
  if (json) console.log(JSON.stringify(report, null, 2));
  const name = (p) => p.title || `panel ${p.id}`;
  const errors = [
    ...report.variables.filter((v) => v.error).map((v) => `variable ${v.name}: ${v.error}`),
    ...report.panels.filter((p) => p.error).map((p) => `${name(p)} (${p.type}): ${p.error}`)];
  for (const line of errors) console.error(line);
  for (const p of report.panels.filter((p) => p.noData)) console.error(`${name(p)} (${p.type}): no data${p.noValue ? `, so it says: ${p.noValue}` : ', and it does not say why'}`);
  for (const p of report.panels.filter((p) => !p.drawn)) console.error(`${name(p)}: not drawn: ${p.type}`);
  process.exitCode = errors.length ? 2 : 0;
}

try {
  const options = parse();
  if (options.page) {
    await drawPage(options);
  } else {
    options.input.dashboard = readDashboard(options.file);
    tell(await drawDashboard(options), options.json);
  }
} catch (e) {
  console.error(e.message);
  process.exitCode = 1;
}
