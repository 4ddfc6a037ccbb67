// The pictures of the pages: docs/screenshots/PAGE-{light,dark}.png, and PAGE-phone-…, from the real server with made-up days.
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBrowser } from '../tests/browser/browser.mjs';
import { startServer } from '../tests/browser/server.mjs';
import { days } from './screenshot_data.mjs';

const out = fileURLToPath(new URL('../docs/screenshots/', import.meta.url));
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

const lookAt = async (page) => {
  await page.keyboard.press('j');
  await page.keyboard.press(' ');
  await page.locator('.peek:not(.unplaced)').waitFor();
};

/** A page for each row: its file, its address, what stands there once it is whole, and what is done then. */
const pages = [
  ['traces', '/', '.trace-row:not(.head)', (page) => page.keyboard.press('j')],
  ['look', '/', '.trace-row:not(.head)', lookAt],
  ['trace', `/traces/${last.id}`, '.say'],
  ['dashboard', '/dashboard', '.u-over'],
  ['dashboard-models', '/dashboard?by=model', '.u-over'],
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
  ['invite', '/invite/none', '.door h2'],
];

await mkdir(out, { recursive: true });
const [server, browser] = await Promise.all([startServer(), startBrowser()]);
try {
  for (const trace of traces) await server.post(trace.request());
  console.log(`${traces.length} traces`);
  let storageState;
  for (const { name: shape, viewport, isMobile = false } of shapes) {
    for (const colorScheme of ['light', 'dark']) {
      const context = await browser.newContext({ viewport, colorScheme, isMobile, storageState });
      const page = await context.newPage();
      if (!storageState) {
        await page.goto(server.link);
        storageState = await context.storageState();
      }
      for (const [name, path, whole, then] of pages) {
        await page.goto(server.url + path);
        await page.locator(whole).first().waitFor();
        await page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => undefined); // a live list never is
        await then?.(page);
        const file = join(out, `${name}${shape}-${colorScheme}.png`);
        await page.screenshot({ path: file });
        console.log(`${file.slice(out.length)} ${Math.round((await stat(file)).size / 1000)} kB`);
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  await server.stop();
}
