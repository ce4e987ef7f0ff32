// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Installs the npm packages and builds the page, once for each state of the files here. Both go into a cache outside of
// the repository: the packages are 650 MB, several clones can share them, and `go ./...` would look into them for Go.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

const here = import.meta.dirname;
const cache = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'carbon_exporter', 'pictures');
const packages = ['package.json', 'package-lock.json'];

const run = (command, args, cwd) => {
  const r = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (r.error?.code === 'ENOENT') throw new Error(`${command} is missing: install the package ${command}`);
  if (r.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${r.error?.message ?? `exit ${r.status ?? r.signal}`}\n${r.stdout ?? ''}${r.stderr ?? ''}`);
};

const hash = (files) => {
  const h = createHash('sha256');
  for (const f of files) h.update(f).update(readFileSync(path.join(here, f)));
  return h.digest('hex').slice(0, 16);
};

/** Makes dir with make(temporary dir); a half-made or doubly made one is never seen. */
function once(dir, make) {
  if (existsSync(dir)) return dir;
  const temporary = `${dir}.${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  try {
    make(temporary);
    renameSync(temporary, dir);
  } catch (e) {
    if (!existsSync(dir)) throw e;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return dir;
}

/** The directory of the built page. */
export function built() {
  const source = readdirSync(path.join(here, 'src'), { recursive: true, withFileTypes: true }).filter((f) => f.isFile());
  const sources = ['index.html', 'vite.config.js', ...source.map((f) => path.relative(here, path.join(f.parentPath ?? f.path, f.name))).sort()];
  const page = once(path.join(cache, `page-${hash([...packages, ...sources])}`), (dir) => {
    const modules = once(path.join(cache, `modules-${hash(packages)}`), (into) => {
      console.error('Installing the npm packages, which takes some minutes the first time ...');
      for (const f of packages) cpSync(path.join(here, f), path.join(into, f));
      run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], into);
    });
    console.error('Building the page, which takes a minute the first time ...');
    for (const f of ['package.json', ...sources]) cpSync(path.join(here, f), path.join(dir, f));
    symlinkSync(path.join(modules, 'node_modules'), path.join(dir, 'node_modules'));
    run(process.execPath, ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn'], dir);
  });
  return path.join(page, 'dist');
}
