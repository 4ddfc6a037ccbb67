// The pictures of the pages: docs/screenshots/PAGE-{light,dark}.png, and PAGE-phone-…, from the real server with made-up days. SCREENSHOTS is
// another folder (its name ends with a slash); what the command line names is all that is drawn.
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBrowser } from '../tests/browser/browser.mjs';
import { startServer } from '../tests/browser/server.mjs';
import { big } from '../tests/browser/fixtures.mjs';
import { days, research } from './screenshot_data.mjs';

const out = process.env.SCREENSHOTS ?? fileURLToPath(new URL('../docs/screenshots/', import.meta.url));
const shapes = [
  { name: '', viewport: { width: 1320, height: 720 } },
  { name: '-phone', viewport: { width: 390, height: 844 }, isMobile: true },
];

const now = Date.now();
const traces = days(now);
const isWhole = (t) => t.spans.length === 5 && t.spans.every(({ status }) => status.code !== 2);
const last = traces.findLast((t) => isWhole(t) && t.spans[0].name.startsWith('track_parcel'));
const of = (name) => last.spans[0].attributes.find(({ key }) => key === name).value.stringValue;
const user = of('respan.customer_params.customer_identifier');
const thread = traces
  .map((t) => t.spans[0].attributes.find(({ key }) => key === 'respan.threads.thread_identifier')?.value.stringValue)
  .findLast((id, i, all) => id !== undefined && all.filter((other) => other === id).length === 3);

const before = traces.findLast((t) => isWhole(t) && t !== last && t.spans[0].name === last.spans[0].name);
const agent = research(7, now - 90_000);
const large = big(8, now - 50 * 3_600_000);

const typeFilter = async (page) => {
  await page.locator('.filter-text input').click();
  await page.keyboard.type('model:');
  await page.locator('.filter-help li').nth(1).waitFor();
};
const lookAt = async (page) => {
  await page.keyboard.press('j');
  await page.keyboard.press(' ');
  await page.locator('.peek:not(.unplaced)').waitFor();
};

/** A page for each row: its file, its address, what stands there once it is whole, what is done then, and what else holds of it. */
const pages = [
  ['traces', '/', '.trace-row:not(.head)', (page) => page.keyboard.press('j')],
  ['look', '/', '.trace-row:not(.head)', lookAt],
  ['filter', '/', '.trace-row:not(.head)', typeFilter],
  ['filter-wrong', '/?q=status%3Aerror%20latency%3A%3Esoon', '.filter-box[data-error]', undefined, { wideOnly: true }],
  ['no-match', '/?q=status%3Aerror%20model%3Agpt-5', '.notice h2', undefined, { wideOnly: true }],
  ['first-steps', '/', '.first-steps pre', undefined, { empty: true }],
  ['trace', `/traces/${last.id}`, '.say'],
  ['trace-agent', `/traces/${agent.id}`, '.say'],
  [
    'trace-zoomed',
    `/traces/${large.id}?span=${large.spans[3372].spanId}&zoom=10.07~10.16&critical=1`,
    '.span-row',
    undefined,
    { wideOnly: true },
  ],
  ['reader', `/traces/${agent.id}?reader=1`, '.read-call .say'],
  ['shared', () => `/share/${shared}`, '.say'],
  ['compare', `/compare?a=${before.id}&b=${last.id}`, '.compare-part'],
  ['keys', '/', '.trace-row:not(.head)', (page) => page.keyboard.press('?'), { wideOnly: true }],
  ['dashboard', '/dashboard', '.u-over'],
  ['dashboard-models', '/dashboard?by=model', '.u-over'],
  ['dashboard-users', '/dashboard?by=customer_identifier', '.u-over', undefined, { wideOnly: true }],
  ['dashboard-plans', '/dashboard?of=traces&by=metadata__plan', '.u-over', undefined, { wideOnly: true }],
  ['users', '/users', '.group-row:not(.head)'],
  ['user', `/users/${encodeURIComponent(user)}`, 'main h1, main h2'],
  ['threads', '/threads', '.group-row:not(.head)'],
  ['prices', '/settings/prices', '.price-row:not(.head)'],
  ['thread', `/threads/${encodeURIComponent(thread)}`, '.say'],
  ['settings-project', '/settings/project', '.facts'],
  ['settings-retention', '/settings/retention', '.facts'],
  ['settings-keys', '/settings/keys', '.plain'],
  ['settings-projects', '/settings/projects', '.plain'],
  ['settings-members', '/settings/members', '.plain'],
  ['settings-audit', '/settings/audit', '.audit-row'],
  ['settings-account', '/settings/account', '.plain'],
  ['signin', '/signin', '.door h2'],
  ['invite', '/invite/none', '.door h2', undefined, { stranger: true }],
];

const wanted = process.argv.slice(2);

await mkdir(out, { recursive: true });
const [server, unused, browser] = await Promise.all([startServer(), startServer(), startBrowser()]);
let shared;

/** Signed in: a link works once. */
async function signIn({ link }) {
  const context = await browser.newContext();
  await (await context.newPage()).goto(link);
  const storageState = await context.storageState();
  await context.close();
  return storageState;
}

try {
  for (const trace of [large, ...traces, agent]) await server.post(trace.request());
  console.log(`${traces.length} traces`);
  shared = await server.share(last.id);
  const [whoever, newcomer] = [await signIn(server), await signIn(unused)];
  for (const { name: shape, viewport, isMobile = false } of shapes) {
    for (const colorScheme of ['light', 'dark']) {
      for (const [name, path, whole, then, { wideOnly = false, empty = false, stranger = false } = {}] of pages) {
        if ((isMobile && wideOnly) || (wanted.length > 0 && !wanted.includes(name))) continue;
        const storageState = stranger ? undefined : empty ? newcomer : whoever;
        const context = await browser.newContext({ viewport, colorScheme, isMobile, storageState });
        const page = await context.newPage();
        await page.goto((empty ? unused : server).url + (typeof path === 'function' ? path() : path));
        await page.locator(whole).first().waitFor();
        await page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => undefined); // a live list never is
        await then?.(page);
        const file = join(out, `${name}${shape}-${colorScheme}.png`);
        await page.screenshot({ path: file });
        console.log(`${file.slice(out.length)} ${Math.round((await stat(file)).size / 1000)} kB`);
        await context.close();
      }
    }
  }
} finally {
  await browser.close();
  await Promise.all([server.stop(), unused.stop()]);
}
