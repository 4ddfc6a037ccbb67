// What the page costs whoever looks at it, in Chromium on a real server with a million spans: the list, a filter, traces of 10, 10,000 and
// 100,000 spans, and the times between frames while one scrolls, zooms, goes from row to row, folds and searches. Beside it Arize
// Phoenix, as tools/make_peers_venv installs it, on the same spans in the same browser. One table of targets and figures, in Markdown.
// usage: node bench/ui.mjs [fill|pages|frames|phoenix|phoenix-10000|phoenix-100000]... [--spans N] [--peer-spans N] [--rounds N] [--home DIR]     (all, if none is named)
// RESPAN_BINARY says which server. `fill` makes the data, which --home keeps for the others. Nothing here is asserted;
// docs/performance.md says what is waited for.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBrowser } from '../tests/browser/browser.mjs';
import { bigs, fill, ids, tools } from './ui_data.mjs';
import { collapse, framesOf, hold, median, part, scroll, search, timesOf, wheel } from './ui_measure.mjs';
import { phoenix, startOurs, startPhoenix } from './ui_servers.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    spans: { type: 'string', default: '1000000' },
    'peer-spans': { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    home: { type: 'string' },
  },
});
const spans = Number(values.spans);
const peerSpans = Number(values['peer-spans']);
const rounds = Number(values.rounds);
const home = values.home ?? (await mkdtemp(join(tmpdir(), 'respan-bench-ui-')));
const user = 'user-000123';
const viewport = { width: 1440, height: 860 };
const number = (n) => n.toLocaleString('en');

let missed = 0;
function line(what, target, ours, peer = '', ratio = '', good = null) {
  if (good === false) missed++;
  console.log(
    `| ${what} | ${target} | ${ours} | ${peer} | ${ratio} | ${good === null ? '' : good ? 'met' : '**missed**'} |`,
  );
}
const ms = (times) => `${median(times).toFixed(0)} ms (worst ${Math.max(...times).toFixed(0)})`;

/** A page that notes when its first row is there, by its own clock. */
async function newPage(browser, isThere) {
  const page = await browser.newPage({ viewport });
  page.setDefaultTimeout(300_000);
  await page.addInitScript(`{
    const isThere = ${isThere};
    new MutationObserver((_, observer) => {
      if (window.firstRowAt !== undefined || !isThere()) return;
      window.firstRowAt = performance.now();
      observer.disconnect();
    }).observe(document, { childList: true, subtree: true, attributes: true });
  }`);
  return page;
}
const isOurs = `() => document.querySelector('.trace-row:not(.head), .span-row')`;
const isWhole = () => document.querySelector('.span-row[aria-level="1"] .span-sums')?.childElementCount > 0;

/** Our times by what they are of, which another call may have measured. */
const oursAt = join(home, 'ours.json');
const ours = existsSync(oursAt) ? JSON.parse(readFileSync(oursAt, 'utf8')) : {};

const firstRow = (n) => `a trace of ${number(n)}: first row`;

async function pages(server, browser) {
  const page = await newPage(browser, isOurs);
  await page.goto(server.link);
  const row = async (what, most, path) => {
    ours[what] = await timesOf(page, server.url + path, rounds);
    line(what, `≤ ${most} ms`, ms(ours[what]), '', '', median(ours[what]) <= most);
  };
  await row(`${number(spans)} spans: the list`, 100, '/');
  await row('the list of one user', 100, `/?q=${encodeURIComponent(`customer_identifier:${user}`)}`);
  for (const n of bigs) {
    await row(firstRow(n), n === 100_000 ? 500 : 300, `/traces/${(await ids(home))[n]}`);
  }
  const whole = [];
  for (let i = 0; i < rounds; i++) {
    await page.goto(`${server.url}/traces/${(await ids(home))[100_000]}`);
    whole.push(await page.waitForFunction(isWhole).then(() => page.evaluate(() => performance.now())));
  }
  line('a trace of 100,000: all of it', '≤ 1,000 ms', ms(whole), '', '', median(whole) <= 1000);
  await page.close();
}

async function frames(server, browser) {
  const page = await newPage(browser, isOurs);
  await page.goto(server.link);
  const row = (what, times, most = 17) => {
    const { middle, p95, worst } = framesOf(times);
    const told = `${middle.toFixed(1)} ms, p95 ${p95.toFixed(1)}, worst ${worst.toFixed(1)}`;
    ours[what] = times;
    line(what, `p95 ≤ ${most} ms`, told, '', '', p95 <= most);
  };
  const url = `${server.url}/traces/${(await ids(home))[100_000]}`;
  await page.goto(url);
  await page.waitForFunction(isWhole);
  row('100,000 spans, frames while they scroll', await scroll(page, '.tree-rows'));
  row('the same, the wheel zooming in and out', await wheel(page, '.tree-rows'));
  row('the same, `j` held', await hold(page, 'j'));
  row('the same, all levels closed and opened', await collapse(page), 34);
  const { keys, found } = await search(page, 'question about the document');
  line('the same, a key in its search: to the next frame', 'p95 ≤ 34 ms', part(keys), '', '', framesOf(keys).p95 <= 34);
  line(
    'the same, until its prompts were searched',
    '≤ 1,000 ms',
    `${found.ms.toFixed(0)} ms, ${found.says}`,
    '',
    '',
    found.ms <= 1000,
  );
  await page.close();
}

async function beside(which, server, browser) {
  const page = await newPage(browser, phoenix.isThere);
  await page.route(
    (to) => to.origin !== server.url,
    (route) => route.abort(),
  );
  const at = `${number(peerSpans)} + ${number(bigs.reduce((a, b) => a + b))} spans`;
  const row = async (what, mine, path) => {
    const times = await timesOf(page, server.url + path, Math.min(rounds, 3));
    const ratio = ours[mine] ? `1/${(median(times) / median(ours[mine])).toFixed(0)}` : '';
    line(`${what}; Phoenix with ${at}`, '', ours[mine] ? ms(ours[mine]) : '', ms(times), ratio);
  };
  if (which === 10) {
    await row('the list', `${number(spans)} spans: the list`, phoenix.list);
    await row('the list of one user', 'the list of one user', phoenix.ofUser(user));
  }
  await row(firstRow(which), firstRow(which), phoenix.trace((await ids(home))[which]));
  if (which >= 1000) {
    const shown = await phoenix.shown(page);
    const { middle, p95, worst } = framesOf(await scroll(page, phoenix.scroller));
    const told = `${middle.toFixed(1)} ms, p95 ${p95.toFixed(1)}, worst ${worst.toFixed(1)}; ${number(shown)} rows are all it shows`;
    line(`${number(which)} spans, frames while they scroll; Phoenix`, '', '', told);
  }
  await page.close();
}

const besides = { phoenix: 10, 'phoenix-10000': 10_000, 'phoenix-100000': 100_000 };
const parts = positionals.length > 0 ? positionals : ['fill', 'pages', 'frames', ...Object.keys(besides)];
if (!existsSync(tools)) {
  console.log(`ui.mjs: there is no ${tools}: no load generator, so nothing is measured`);
  process.exit(0);
}
try {
  if (parts.includes('fill')) await fill(home, spans, peerSpans);
  console.log(`${cpus()[0].model}, ${cpus().length} cores, load average ${loadavg()[0].toFixed(2)} at the beginning\n`);
  console.log('| what | target | ours | peer | ratio | |\n| --- | --- | --- | --- | --- | --- |');
  const browser = await startBrowser();
  const at = async (start, measure) => {
    const server = await start(home);
    try {
      await measure(server, browser);
    } finally {
      await server.stop();
    }
  };
  try {
    if (parts.includes('pages')) await at(startOurs, pages);
    if (parts.includes('frames')) await at(startOurs, frames);
    writeFileSync(oursAt, JSON.stringify(ours));
    for (const [name, which] of Object.entries(besides)) {
      if (!parts.includes(name)) continue;
      if (phoenix.isInstalled()) await at(startPhoenix, (server, page) => beside(which, server, page));
      else line('Phoenix', '', '', 'not installed: tools/make_peers_venv');
    }
  } finally {
    await browser.close();
  }
  console.log(`\nload average ${loadavg()[0].toFixed(2)} at the end; ${missed} missed`);
} finally {
  if (values.home === undefined) await rm(home, { recursive: true, force: true });
}
