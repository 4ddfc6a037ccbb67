// The two servers of bench/ui.mjs, each on data that stays when it ends; and how Phoenix's pages are addressed and known to be there.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const binary = process.env.RESPAN_BINARY ?? fileURLToPath(new URL('../build-release/respan', import.meta.url));
const venv = fileURLToPath(new URL('../.venv-phoenix/bin/', import.meta.url));
const startWithin = 300_000;

/** The program's environment without what is the user's own. */
function surroundings(home, more = {}) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(RESPAN|OTEL|TRACELOOP|XDG|PHOENIX)_/.test(name));
  const xdg = ['CONFIG', 'DATA', 'STATE'].map((kind) => [`XDG_${kind}_HOME`, join(home, kind.toLowerCase())]);
  return { ...Object.fromEntries([...kept, ...xdg]), HOME: home, ...more };
}

/** In a process group of its own, which ends as a whole. */
function start(command, args, env, cwd) {
  const child = spawn(command, args, { env, cwd, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((done) => child.once('exit', done));
  const stop = async () => {
    if (child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    await ended;
  };
  return { child, ended, stop };
}

export async function startOurs(home) {
  const folder = join(home, 'respan');
  mkdirSync(folder, { recursive: true });
  const { child, ended, stop } = start(binary, ['serve', '--listen', '127.0.0.1:0'], surroundings(folder), folder);
  let said = '';
  const link = await new Promise((resolve, reject) => {
    child.stdout.on('data', (piece) => {
      said += piece;
      const found = /(http\S+\/login\?token=\S+)\s/.exec(said);
      if (found) resolve(found[1]);
    });
    void ended.then(() => reject(new Error(`respan ended: ${said}`)));
  });
  const credentials = await readFile(join(folder, 'config/respan/credentials'), 'utf8');
  return { url: new URL(link).origin, link, key: /^RESPAN_API_KEY=(.*)$/m.exec(credentials)[1], stop };
}

const freePort = () =>
  new Promise((done) => {
    const one = createServer().listen(0, '127.0.0.1', () => {
      const { port } = one.address();
      one.close(() => done(port));
    });
  });

const project = '/projects/UHJvamVjdDox'; // "Project:1", which its server makes first

export const phoenix = {
  python: join(venv, 'python'),
  isInstalled: () => existsSync(join(venv, 'phoenix')),
  home: (home) => join(home, 'phoenix'),
  list: `${project}/traces`,
  ofUser: (user) => `${project}/traces?spanFilterCondition=${encodeURIComponent(`user.id == '${user}'`)}`,
  trace: (id) => `${project}/traces/${id}`,
  /** A row of the list, or of the tree once what stands in for it while it loads has gone. */
  isThere: `() => location.pathname.includes('/traces/')
    ? document.querySelector('#trace-tree .span-node-wrap') && !document.querySelector('[data-testid="trace-tree-skeleton"]')
    : document.querySelector('tbody tr td + td')`,
  scroller: '#trace-tree > div',
  /** Rows of the tree, all of which are in the document. */
  shown: (page) => page.locator('#trace-tree .span-node-wrap').count(),
};

export async function startPhoenix(home) {
  const folder = phoenix.home(home);
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const settings = {
    PHOENIX_PORT: String(port),
    PHOENIX_GRPC_PORT: String(await freePort()),
    PHOENIX_HOST: '127.0.0.1',
    PHOENIX_WORKING_DIR: folder,
    PHOENIX_TELEMETRY_ENABLED: 'false',
  };
  const { child, stop } = start(join(venv, 'phoenix'), ['serve'], surroundings(folder, settings), folder);
  child.stdout.resume();
  const url = `http://127.0.0.1:${port}`;
  for (const until = Date.now() + startWithin; ;) {
    const answer = await fetch(`${url}/healthz`).catch(() => null);
    if (answer?.ok) return { url, stop };
    if (child.exitCode !== null || Date.now() > until) {
      await stop();
      throw new Error('Phoenix does not start');
    }
    await new Promise((done) => setTimeout(done, 100));
  }
}
