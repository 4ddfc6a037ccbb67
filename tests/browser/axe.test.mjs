// What keeps people out who read, point or see otherwise: axe-core finds nothing, on each page, light and dark, wide and on a phone.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { patience, startBrowser } from './browser.mjs';
import * as fixtures from './fixtures.mjs';
import { startServer } from './server.mjs';

const axePath = createRequire(new URL('../../ui/package.json', import.meta.url)).resolve('axe-core/axe.min.js');
const now = Date.now();
const shown = fixtures.rerankThenWrite(1, now - 60_000);
const other = fixtures.rerankThenWrite(2, now - 90_000);
const failed = fixtures.failing(3, now - 120_000);
const chat = shown.spans.find(({ name }) => name.startsWith('chat'));

const lookAt = async (page) => {
  await page.keyboard.press('j');
  await page.keyboard.press(' ');
  await page.locator('.peek:not(.unplaced) li').first().waitFor();
};
const openViews = async (page) => {
  await page.getByRole('button', { name: 'late answers' }).click();
  await page.getByRole('button', { name: 'Change late answers' }).click();
  await page.getByRole('button', { name: 'Delete' }).click();
};

/** A page for each row: where it is, what stands there once it is whole, and what is done then. */
const pages = [
  ['the list', '/', '.trace-row:not(.head)'],
  ['a look at a trace', '/', '.trace-row:not(.head)', lookAt],
  ['saved views', '/?view=1', '.trace-row:not(.head)', openViews],
  ['a list before its first trace', '/?project=2', '.waits'],
  ['a list of nothing', '/?q=nothing_like_this', '.notice h2'],
  ['a trace', `/traces/${shown.id}`, '.say'],
  ['a span', `/traces/${shown.id}?span=${chat.spanId}`, '.say'],
  ['a trace that failed', `/traces/${failed.id}`, '.span-row'],
  ['a trace that is not there', `/traces/${'0'.repeat(32)}`, '.notice h2'],
  ['the dashboard', '/dashboard', '.legend'],
  ['the dashboard by model', '/dashboard?by=model&range=1h', '.legend'],
  ['a dashboard of nothing', '/dashboard?q=nothing_like_this', '.notice h2'],
  ['users', '/users', 'main a[href^="/users/"]'],
  ['a user', '/users/user_421', 'main h1, main h2'],
  ['threads', '/threads', 'main a[href^="/threads/"]'],
  ['a thread', '/threads/conv_abc_123', '.say'],
  ['two traces compared', `/compare?a=${shown.id}&b=${failed.id}`, '.compare-part'],
  ['prices', '/settings/prices', '.price-row:not(.head)'],
  ['settings: the project', '/settings/project', '.settings-body h1'],
  ['settings: retention', '/settings/retention', '.settings-body h1'],
  ['settings: keys', '/settings/keys', '.settings-body h1'],
  ['settings: all projects', '/settings/projects', '.settings-body h1'],
  ['settings: members', '/settings/members', '.settings-body h1'],
  ['settings: the log', '/settings/audit', '.settings-body h1'],
  ['settings: the account', '/settings/account', '.settings-body h1'],
  ['the way in', '/signin', '.door h2'],
  ['an invite', '/invite/none', '.door h2'],
  ['nowhere', '/nowhere', '.notice h2'],
];

let server, browser, axe;

before(async () => {
  [server, browser, axe] = await Promise.all([startServer(), startBrowser(), readFile(axePath, 'utf8')]);
  for (let i = 10; i < 40; i++) await server.post(fixtures.ordinary(i, now - i * 60_000).request());
  await server.post(fixtures.batch(4, now - 150_000).request(), fixtures.measured(5, now - 160_000).request());
  await server.post(shown.request(), other.request(), failed.request());
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

async function violations(page) {
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() =>
    window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
      rules: { 'label-content-name-mismatch': { enabled: false } }, // experimental: takes a row's cells for its label
    }),
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map((n) => `${id}: ${n.target.join(' ')} ${n.any.map(({ message }) => message).join('; ')}`),
  );
}

let state;
for (const [scheme, width, height] of [
  ['light', 1320, 860],
  ['dark', 390, 844],
  ['dark', 1320, 860],
  ['light', 390, 844],
]) {
  test(`accessibility: no page has a violation, ${scheme}, ${width} wide`, async () => {
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: scheme,
      storageState: state,
      reducedMotion: 'reduce',
      bypassCSP: true, // for axe's own script
    });
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    if (!state) {
      await page.goto(server.link);
      state = await context.storageState();
      await page.evaluate(async () => {
        const { csrf_token: token } = await (await fetch('/api/session/')).json();
        const post = (path, body) =>
          fetch(path, {
            method: 'POST',
            headers: { 'content-type': 'application/json', 'x-csrf-token': token },
            body: JSON.stringify(body),
          });
        await post('/api/views/', { name: 'late answers', q: 'latency:>1ms', shared: true });
        await post('/api/projects/', { name: 'nothing yet' });
      });
    }
    const found = {};
    for (const [name, path, whole, then] of pages) {
      await page.goto(server.url + path);
      await page.locator(whole).first().waitFor({ state: 'attached' });
      await then?.(page);
      const bad = await violations(page);
      if (bad.length > 0) found[name] = bad;
    }
    await context.close();
    assert.deepEqual(found, {});
  });
}
