// The list before its first trace, and a look at a trace without opening it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fixtures from './fixtures.mjs';
import { openPage, press } from './open.mjs';

const now = Date.now();
const { server, browser, page, open } = await openPage({ viewport: { width: 1320, height: 860 } });
const steps = fixtures.rerankThenWrite(1, now - 60_000);
const failed = fixtures.failing(3, now - 120_000);

const rows = (p = page) => p.locator('.trace-row:not(.head)');
const peek = (p = page) => p.locator('.peek:not(.unplaced)');
const code = () => page.locator('.first-steps pre').innerText();

test('empty: three lines, a key filled in that may send alone, and the first trace by itself', async () => {
  await open('/', page.getByText('Waiting for the first trace…'));
  assert.equal((await code()).split('\n').length, 3);
  assert.doesNotMatch(await code(), /api_key/);
  await page.getByRole('button', { name: 'Make a key and fill it in' }).click();
  await page.getByText('Copy it now: it is not shown again.').waitFor();
  const [, key] = /api_key="(rsp_[\w-]{43})", base_url="([^"]+)"/.exec(await code());
  assert.match(await code(), new RegExp(`base_url="${server.url}/api"`));
  // The same for others, by key.
  await page.getByRole('tab', { name: 'Python' }).press('ArrowRight');
  await page.getByRole('tab', { name: 'C', exact: true, selected: true }).waitFor();
  assert.match(await code(), new RegExp(`RESPAN_API_KEY=${key}\nexport RESPAN_BASE_URL=${server.url}/api`));
  await page.getByRole('tab', { name: 'OpenTelemetry' }).click();
  assert.match(await code(), new RegExp(`x-api-key=${key}`));
  const ask = (path, init) => fetch(server.url + path, { ...init, headers: { ...init.headers, 'x-api-key': key } });
  assert.equal((await ask('/api/traces/list/', { headers: {} })).status, 403);
  const sent = await ask('/v1/traces', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(steps.request()),
  });
  assert.equal(sent.status, 200);
  await rows().first().waitFor();
  assert.equal(await page.getByText('No traces yet').count(), 0);
  await server.post(failed.request());
  await rows().nth(1).waitFor();
});

test('a look by pointer: after a rest, in nobody’s way, gone by Escape and when the pointer leaves', async () => {
  await open('/', rows().nth(1));
  const before = await rows().first().boundingBox();
  await rows()
    .first()
    .hover({ position: { x: 300, y: 10 } });
  await peek().getByText('Input', { exact: true }).waitFor();
  await peek().getByText('retrieve').waitFor();
  await peek().getByText('3 more').waitFor();
  assert.deepEqual(await rows().first().boundingBox(), before, 'nothing moves');
  const box = await peek().boundingBox();
  assert.ok(box.y >= before.y + before.height && box.x + box.width <= 1320, 'below its row, within the window');
  assert.equal(await rows().first().getAttribute('aria-describedby'), 'peek');
  await page.keyboard.press('Escape');
  await peek().waitFor({ state: 'detached' });
  // Of the other one: what failed.
  await rows()
    .nth(1)
    .hover({ position: { x: 300, y: 10 } });
  await peek().getByText('Error').waitFor();
  await page.mouse.move(600, 20);
  await peek().waitFor({ state: 'detached' });
  // It is a look: a click opens.
  await rows()
    .first()
    .hover({ position: { x: 300, y: 10 } });
  await peek().waitFor();
  await rows()
    .first()
    .click({ position: { x: 300, y: 10 } });
  await page.waitForURL(new RegExp(`/traces/${steps.id}`));
});

test('a look by key: space shows it, it goes along, and goes', async () => {
  await open('/', rows().nth(1));
  await press(page, 'j', ' ');
  await peek().locator('.peek-head').getByText('rerank_then_write').waitFor();
  await page.keyboard.press('j');
  await peek().getByText('Error').waitFor();
  assert.equal(await rows().nth(1).getAttribute('aria-describedby'), 'peek');
  await page.keyboard.press(' ');
  await peek().waitFor({ state: 'detached' });
  await page.keyboard.press(' ');
  await peek().waitFor();
  await page.keyboard.press('Escape');
  await peek().waitFor({ state: 'detached' });
});

test('a look: a finger opens the trace and has none', async () => {
  const touch = await browser.newContext({
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
    storageState: await page.context().storageState(),
  });
  const phone = await touch.newPage();
  await phone.goto(server.url);
  await rows(phone).nth(1).waitFor();
  await rows(phone)
    .first()
    .tap({ position: { x: 60, y: 20 } });
  await phone.waitForURL(new RegExp(`/traces/${steps.id}`));
  assert.equal(await peek(phone).count(), 0);
  await touch.close();
});
