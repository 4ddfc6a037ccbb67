// A trace's public link in a real browser: made, opened by one who is not signed in, ended; and a trace that is deleted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watch } from './browser.mjs';
import * as fixtures from './fixtures.mjs';
import { newPage, openPage } from './open.mjs';

let id;

const { server, browser, page, open } = await openPage({}, async ({ server }) => {
  const t = fixtures.textGeneration(1, Date.now() - 1000);
  id = t.id;
  await server.post(t.request());
});

const openTrace = () => open(`/traces/${id}`, '.span-row');

/** A browser that never signed in. */
async function stranger(url) {
  const other = await browser.newContext({ viewport: { width: 390, height: 800 } });
  const shown = await newPage(other);
  const said = watch(shown, server.url);
  await shown.goto(url);
  return { shown, said, close: () => other.close() };
}

async function share(content) {
  await openTrace();
  await page.getByRole('button', { name: 'Share' }).focus();
  await page.keyboard.press('Enter');
  const box = page.getByRole('checkbox');
  await box.waitFor();
  assert.equal(await box.isChecked(), false, 'content is not shared unless one says so');
  if (content) await box.check();
  await page.getByRole('button', { name: /Make a link|New link/ }).click();
  const url = await page.getByLabel('The link', { exact: true }).inputValue();
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/share\/[\w-]{43}$/);
  return url;
}

test('a link without content shows the trace to a stranger, and not what was said', async () => {
  const url = await share(false);
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  const { shown, said, close } = await stranger(url);
  await shown.locator('.span-row').first().waitFor();
  await shown.getByText('This link leaves out what was asked').waitFor();
  assert.equal(await shown.locator('nav').count(), 0);
  assert.equal(await shown.getByRole('button', { name: 'Share' }).count(), 0);
  await shown.locator('.span-row').nth(1).click();
  await shown.waitForURL(/\/share\/[\w-]{43}\?span=[0-9a-f]{16}$/);
  assert.doesNotMatch(await shown.locator('body').innerText(), /Once upon a time/);
  assert.deepEqual(said, []);
  await close();
});

test('a link with content shows what was said, ends the one before, and ends itself', async () => {
  const first = await share(false);
  const url = await share(true);
  const old = await stranger(first);
  await old.shown.getByRole('heading', { name: 'This link does not work' }).waitFor();
  await old.close();
  const { shown, close } = await stranger(url);
  await shown.locator('.span-row').nth(1).click();
  await shown.getByRole('tab', { name: 'Attributes' }).waitFor();
  assert.equal(await shown.getByText('This link leaves out').count(), 0);
  await page.getByRole('button', { name: 'End the link' }).click();
  await page.getByText('Nobody but this project sees it now').waitFor();
  await shown.reload();
  await shown.getByRole('heading', { name: 'This link does not work' }).waitFor();
  await close();
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
});

test('a trace is pinned, which stays so, and unpinned', async () => {
  await openTrace();
  await page.getByRole('button', { name: 'Pin', exact: true }).click();
  await page.getByRole('button', { name: 'Pinned', pressed: true }).waitFor();
  await openTrace();
  await page.getByRole('button', { name: 'Pinned', pressed: true }).click();
  await page.getByRole('button', { name: 'Pin', exact: true, pressed: false }).waitFor();
});

test('a viewer is offered none of it, and nobody is before it is known who he is', async () => {
  const actions = (of) => of.getByRole('button', { name: /^(Share|Pin|Delete)$/ });
  let answer;
  const asked = new Promise((resolve) => (answer = resolve));
  await page.route('**/api/session/*', async (route) => {
    await asked;
    await route.continue();
  });
  await openTrace();
  assert.equal(await actions(page).count(), 0);
  const place = () => page.locator('.trace-head .when').boundingBox();
  const before = await place();
  answer();
  await actions(page).nth(2).waitFor();
  assert.deepEqual(await place(), before, 'nothing moves when they come');
  await page.unrouteAll();

  const url = await page.evaluate(async () => {
    const { csrf_token } = await (await fetch('/api/session/')).json();
    const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf_token };
    const invite = { method: 'POST', headers, body: JSON.stringify({ role: 'viewer' }) };
    return (await (await fetch('/api/invites/', invite)).json()).url;
  });
  const other = await browser.newContext();
  const viewer = await newPage(other);
  await viewer.goto(url);
  await viewer.getByLabel('Name').fill('Vi');
  await viewer.getByLabel('E-mail').fill('vi@example.org');
  await viewer.getByLabel('Password', { exact: true }).fill('correct horse battery');
  await viewer.keyboard.press('Enter');
  await viewer.locator('.trace-row:not(.head)').first().waitFor();
  await viewer.goto(`${server.url}/traces/${id}`);
  await viewer.locator('.span-row').first().waitFor();
  await viewer.locator('.side select').first().waitFor(); // it is known who he is
  assert.equal(await viewer.locator('.trace-actions').count(), 0);
  await other.close();
});

test('a trace is deleted once one says so twice', async () => {
  await openTrace();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Keep it' }).click();
  assert.match(page.url(), new RegExp(id));
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('heading', { name: 'No traces yet' }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/');
});
