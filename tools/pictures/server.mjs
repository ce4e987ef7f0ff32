// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Serves the built page and its input on loopback, passes /api/v1/ on to Prometheus and waits for the page's report.
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';

const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.woff': 'font/woff' };

/** Throws unless url is plain http on this machine. */
export function loopback(url) {
  const u = new URL(url);
  if (u.protocol !== 'http:' || !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(u.hostname))
    throw new Error(`${url}: only http on loopback is allowed`);
  return u;
}

/** @returns {{url: string, report: Promise<object>, close: () => void}} */
export async function serve(dist, input, prometheus) {
  let reported;
  const report = new Promise((resolve) => (reported = resolve));
  const server = http.createServer(async (req, res) => {
    const { pathname } = new URL(req.url, 'http://localhost');
    if (pathname.startsWith('/api/v1/')) return pass(req, res, prometheus);
    if (pathname === '/input.json') return res.setHeader('content-type', 'application/json').end(JSON.stringify(input));
    if (pathname === '/report') {
      let body = '';
      for await (const chunk of req.setEncoding('utf8')) body += chunk;
      res.end();
      return reported(JSON.parse(body));
    }
    const name = pathname === '/' ? 'index.html' : pathname.replace(/^\/public\/build\//, '/');
    const file = path.join(dist, path.normalize('/' + name));
    try {
      const body = await readFile(file);
      res.setHeader('content-type', types[path.extname(file)] ?? 'application/octet-stream').end(body);
    } catch {
      res.writeHead(404).end();
    }
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    report,
    close: () => (server.close(), server.closeAllConnections()),
  };
}

function pass(req, res, prometheus) {
  const { 'content-type': type = 'text/plain' } = req.headers;
  const options = { method: req.method, headers: { 'content-type': type } };
  const upstream = http.request(new URL(prometheus.pathname.replace(/\/$/, '') + req.url, prometheus), options, (answer) => {
    res.writeHead(answer.statusCode, { 'content-type': answer.headers['content-type'] ?? 'text/plain' });
    answer.pipe(res);
  });
  upstream.on('error', (e) => res.writeHead(502).end(`Prometheus: ${e.message || e.code}`));
  req.pipe(upstream);
}
