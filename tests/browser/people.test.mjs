// Users and threads in a real browser, on a real server.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { startBrowser, watch } from './browser.mjs';
import * as fixtures from './fixtures.mjs';
import { startServer } from './server.mjs';

let server, browser, context, page, complaints;
const now = Date.now();
const odd = 'a/b "über" 100%';

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  context = await browser.newContext({ viewport: { width: 1320, height: 720 }, colorScheme: 'light' });
  page = await context.newPage();
  page.setDefaultTimeout(10_000);
  complaints = watch(page, server.url);
  await page.goto(server.link);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

beforeEach(() => {
  complaints.length = 0;
});

afterEach(() => {
  assert.deepEqual(complaints, []);
});

const open = async (path, ready) => {
  await page.goto(server.url + path);
  await page.locator(ready).first().waitFor();
};
const rows = () => page.locator('.group-row:not(.head)');
const column = (n) => page.locator(`.group-row:not(.head) > :nth-child(${n})`).allTextContents();

test('without users the page says how to name them', async () => {
  await open('/users', '.notice h2');
  assert.match(await page.locator('.notice').innerText(), /No users yet[\s\S]*propagate_attributes/);
});

test('users are listed with what they used, and sorted by any column', async () => {
  for (let n = 0; n < 6; n++)
    await server.post(fixtures.turn(n, now - 600_000 + n * 60_000, { user: 'ada' }).request());
  for (let n = 6; n < 9; n++) await server.post(fixtures.turn(n, now - 500_000 + n * 60_000, { user: odd }).request());
  await server.post(fixtures.turn(9, now - 10_000, { user: 'eve', error: 'out of memory' }).request());
  await server.post(fixtures.textGeneration(10, now - 5000).request());
  await open('/', '.trace-row');
  await page.keyboard.press('g');
  await page.keyboard.press('u');
  await rows().nth(3).waitFor();
  assert.equal(new URL(page.url()).pathname, '/users');
  assert.deepEqual(await column(1), ['no user', 'eve', odd, 'ada']); // the last seen first
  assert.equal(await page.locator('.filter-count').innerText(), '3 users');
  const sortBy = async (name) => {
    const asked = page.waitForResponse(/metrics\/totals/);
    await page.getByRole('button', { name, exact: false }).click();
    await asked;
  };
  await sortBy('Requests');
  await page.waitForFunction(() => document.querySelector('.group-row:not(.head) bdi')?.textContent === 'ada');
  assert.deepEqual(await column(2), ['6', '3', '1', '1']);
  assert.equal(await page.locator('[aria-sort=descending]').innerText(), 'Requests ↓');
  assert.equal(new URL(page.url()).search, '?sort=-count');
  await sortBy('Errors');
  await page.waitForFunction(() => document.querySelector('.group-row:not(.head) bdi')?.textContent === 'eve');
  await page.reload();
  await rows().nth(3).waitFor();
  assert.equal((await column(1))[0], 'eve', 'the order is in the address');
});

test('a user is found by a part of the name, whatever is in it', async () => {
  await open('/users', '.group-row');
  await page.keyboard.press('/');
  await page.keyboard.type('"ÜB'.toLowerCase());
  await page.waitForFunction(() => document.querySelectorAll('.group-row:not(.head)').length === 1);
  assert.deepEqual(await column(1), [odd]);
  await page.keyboard.press('Enter');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.locator('.figures').waitFor();
  assert.equal(await page.locator('h1 bdi').innerText(), odd);
  await open('/users?q=nobody', '.notice h2');
  assert.match(await page.locator('.notice').innerText(), /No user matches/);
});

test('a user has a page of figures, times, models, metadata and newest traces', async () => {
  await open('/users/ada', '.figures');
  const figures = Object.fromEntries(
    await page
      .locator('.figures > div')
      .evaluateAll((all) => all.map((e) => [...e.children].map((c) => c.firstChild.textContent))),
  );
  assert.equal(figures.Requests, '6');
  assert.equal(figures.Tokens, String(6 * 60));
  assert.equal(figures.Errors, '0');
  assert.match(await page.locator('.spark').getAttribute('aria-label'), /^6 requests from /);
  assert.match(await page.locator('.small-table tbody').innerText(), /SmolLM2-135M-Instruct\s+6\s+360/);
  assert.equal(await page.locator('.newest .trace-row:not(.head)').count(), 6);
  await page.locator('.metadata a', { hasText: 'pro' }).click();
  await page.locator('.trace-row:not(.head)').first().waitFor();
  assert.equal(new URL(page.url()).searchParams.get('q'), 'user:ada metadata.plan:pro');
  await page.waitForFunction(() => document.querySelectorAll('.trace-row:not(.head)').length === 6);
  await open('/users/nobody', '.notice h2');
  assert.match(await page.locator('.notice').innerText(), /no trace of this user/);
});

test('hundreds of users: only those in the window are in the document, and the last is reached', async () => {
  const spans = [];
  for (let n = 0; n < 340; n++)
    spans.push(fixtures.turn(1000 + n, now - 9_000_000 + n * 1000, { user: `many-${String(n).padStart(3, '0')}` }));
  for (const t of spans) await server.post(t.request());
  await open('/users?q=many-&sort=value', '.group-row');
  assert.equal(await page.locator('.filter-count').innerText(), '340 users');
  const length = () => page.locator('.virtual').evaluate((e) => Math.round(e.clientHeight / 30));
  for (let had = await length(); had < 340; had = await length()) {
    await page.keyboard.press('End');
    await page.waitForFunction((n) => document.querySelector('.virtual').clientHeight > n * 30, had);
  }
  await page.keyboard.press('End');
  await page.locator('.group-row.selected', { hasText: 'many-339' }).waitFor();
  assert.ok((await rows().count()) < 60, 'only the rows in the window');
});
