// The spans of bench/ui.mjs, made by the load generator beside the checkout: a folder with our data, with Phoenix's, and with the ids of
// the traces that are opened.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { phoenix, startOurs, startPhoenix } from './ui_servers.mjs';

export const tools = fileURLToPath(new URL('../../shared/bench', import.meta.url));
const filler = fileURLToPath(new URL('fill_phoenix.py', import.meta.url));

/** The traces that are opened, by their spans. */
export const bigs = [10, 10_000, 100_000];

export const ids = async (home) => JSON.parse(await readFile(join(home, 'ids.json'), 'utf8'));

export async function fill(home, spans, peerSpans) {
  mkdirSync(home, { recursive: true });
  const loadgen = join(home, 'loadgen');
  execFileSync('gcc', ['-O2', '-w', '-o', loadgen, join(tools, 'loadgen.c'), '-lpthread', '-lz']);
  const began = Math.floor(Date.now() / 1000);
  // Seeds so far apart that no two have ids in common; the big ones ended before the others began.
  const loads = [
    ...bigs.map((n, i) => ({
      big: n,
      is: ['-b', String(Math.min(n, 500)), '-n', n, '--big', n, '--seed', 900_000_000 + i * 1_000_000],
      t0: began - 7200,
    })),
    { is: ['-b', '500', '-n', spans, '--seed', '1'], t0: began - spans / 1000 - 60 },
  ];
  const run = (load, ...more) =>
    execFileSync(loadgen, [...load.is, '--t0', load.t0, ...more].map(String), { stdio: 'ignore' });

  const found = {};
  const server = await startOurs(home);
  try {
    for (const load of loads) {
      const acked = join(home, 'acked');
      const where = [
        '-p',
        new URL(server.url).port,
        '--path',
        '/api/v2/traces',
        '-H',
        `Authorization: Bearer ${server.key}`,
      ];
      run(load, ...where, '-c', load.big ? 1 : 8, '--acked', acked);
      if (load.big) found[load.big] = readFileSync(acked, 'utf8').split(' ')[1];
    }
  } finally {
    await server.stop();
  }
  writeFileSync(join(home, 'ids.json'), JSON.stringify(found));

  if (!phoenix.isInstalled()) return;
  await (await startPhoenix(home)).stop(); // makes its database
  const dumps = loads.map((load, i) => {
    const to = join(home, `dump-${i}`);
    const fewer = { ...load, is: load.big ? load.is : ['-b', '500', '-n', peerSpans, '--seed', '1'] };
    run(fewer, '--dump', to);
    return to;
  });
  execFileSync(phoenix.python, [filler, join(phoenix.home(home), 'phoenix.db'), ...dumps], { stdio: 'inherit' });
  for (const dump of dumps) rmSync(dump);
}
