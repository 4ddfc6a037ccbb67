// What the browser tests talk to: the real `respan serve` (RESPAN_BINARY, default build/respan) with directories of its own.
// RESPAN_MOCK=1 takes the mock instead, to work on the page alone.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Mock } from './mock-server.mjs';

const binary = process.env.RESPAN_BINARY ?? fileURLToPath(new URL('../../build/respan', import.meta.url));
const startWithin = 30_000;

export async function startServer() {
  return process.env.RESPAN_MOCK ? startMock() : startReal();
}

async function startMock() {
  const mock = await new Mock().listen();
  return {
    url: mock.url,
    link: mock.url,
    post: async (...requests) => requests.forEach((r) => mock.ingest(r)),
    stop: async () => mock.close(),
  };
}

async function startReal() {
  const home = await mkdtemp(join(tmpdir(), 'respan-browser-'));
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(RESPAN_API|RESPAN_BASE|XDG_)/.test(name)),
  );
  Object.assign(env, {
    HOME: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_DATA_HOME: join(home, 'data'),
    XDG_STATE_HOME: join(home, 'state'),
  });
  const child = spawn(binary, ['serve', '--listen', '127.0.0.1:0'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const link = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the server did not start: ${said}`)), startWithin);
    const read = (piece) => {
      said += piece;
      const found = /(http\S+\/login\?token=\S+)\s/.exec(said);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[1]);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
  const url = new URL(link).origin;
  const credentials = await readFile(join(home, 'config', 'respan', 'credentials'), 'utf8');
  const key = /^RESPAN_API_KEY=(.*)$/m.exec(credentials)[1];
  return {
    url,
    link,
    key,
    async post(...requests) {
      for (const request of requests) {
        const send = () =>
          fetch(`${url}/v1/traces`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', 'x-api-key': key },
            body: JSON.stringify(request),
          });
        // A connection that was kept may have been closed meanwhile; what is sent twice is stored once.
        const answer = await send().catch(send);
        if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`);
      }
    },
    /** The token of a new link to a trace. */
    async share(trace) {
      const answer = await fetch(`${url}/api/traces/${trace}/share/`, {
        method: 'POST',
        headers: { 'x-api-key': key },
      });
      if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`);
      return (await answer.json()).url.split('/share/')[1];
    },
    async stop() {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}
