// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Headless Chromium, spoken to through a pipe (Chrome DevTools Protocol), so no port and no library is needed.
import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

// The names of .ci/browser.
const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--hide-scrollbars', '--remote-debugging-pipe',
  '--font-render-hinting=none', '--force-color-profile=srgb',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost'];

/** The path of a Chromium: $CHROMIUM, or the first that is installed. */
export function find() {
  const directories = (process.env.PATH ?? '').split(path.delimiter);
  const wanted = process.env.CHROMIUM ? [process.env.CHROMIUM] : names.flatMap((name) => directories.map((d) => path.join(d, name)));
  for (const program of wanted) {
    try {
      accessSync(program, constants.X_OK);
      return program;
    } catch { /* the next one */ }
  }
  throw new Error(`${process.env.CHROMIUM ?? 'Chromium'} is missing: install the package chromium-headless-shell, or chromium`);
}

/** Makes the time of a page stand still. It runs in the page, so it sees nothing from here. */
function standStill(at) {
  globalThis.Date = new Proxy(Date, {
    construct: (date, given, target) => Reflect.construct(date, given.length ? given : [at], target),
    apply: (date) => new date(at).toString(),
    get: (date, name, receiver) => (name === 'now' ? () => at : Reflect.get(date, name, receiver)),
  });
}

/** @returns {{open: (url, look) => Promise<(height) => Promise<Buffer>>, failed: Promise<never>, close: () => Promise<void>}} */
export function launch() {
  const chromium = find();
  const profile = mkdtempSync(path.join(tmpdir(), 'pictures-'));
  const child = spawn(chromium, [...flags, `--user-data-dir=${profile}`, 'about:blank'],
    { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'], detached: true });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (s) => (errors = (errors + s).slice(-2000)));
  child.stdio[3].on('error', () => {}); // a dead browser is reported by 'failed'
  const exited = new Promise((resolve) => child.once('error', (e) => resolve(e.message)).once('exit', (code, signal) => resolve(`exit ${code ?? signal}`)));
  const failed = exited.then((why) => Promise.reject(new Error(`${chromium}: ${why}\n${errors}`)));
  failed.catch(() => {});

  const waiting = new Map();
  let id = 0;
  let rest = '';
  child.stdio[4].setEncoding('utf8').on('data', (s) => {
    const messages = (rest + s).split('\0');
    rest = messages.pop();
    for (const m of messages.map((text) => JSON.parse(text))) {
      if (m.error) waiting.get(m.id)?.reject(new Error(m.error.message));
      else waiting.get(m.id)?.resolve(m.result);
      waiting.delete(m.id);
    }
  });
  const send = (method, params = {}, sessionId) => {
    const message = { id: ++id, method, params, sessionId };
    const answer = new Promise((resolve, reject) => waiting.set(message.id, { resolve, reject }));
    child.stdio[3].write(JSON.stringify(message) + '\0');
    return Promise.race([answer, failed]);
  };

  /** Opens a page; look is { width, theme, at }. What it returns takes the picture. */
  const open = async (url, { width, theme, at }) => {
    const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
    const size = (height) => send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false }, sessionId);
    await size(1000);
    await send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: theme }] }, sessionId);
    await send('Page.enable', {}, sessionId); // or the script below is ignored
    if (at !== undefined) await send('Page.addScriptToEvaluateOnNewDocument', { source: `(${standStill})(${at})` }, sessionId);
    await send('Page.navigate', { url }, sessionId);
    return async (height) => {
      await size(height);
      await new Promise((resolve) => setTimeout(resolve, 500));
      const { data } = await send('Page.captureScreenshot', { format: 'png' }, sessionId);
      return Buffer.from(data, 'base64');
    };
  };
  const close = async () => {
    try { process.kill(-child.pid, 'SIGKILL'); } catch { /* has ended */ }
    await exited;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  return { open, failed, close };
}
