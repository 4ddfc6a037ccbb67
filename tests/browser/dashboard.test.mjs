// The dashboard in a real browser, on a real server, of calls whose figures are known.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { artifacts } from './browser.mjs';
import { newPage, open, openPage, press } from './open.mjs';
import { TraceBuilder } from './otlp.mjs';

const {
  server,
  context,
  page,
  complaints,
  open: openHere,
} = await openPage({ viewport: { width: 1320, height: 900 } });
const hour = 3_600_000;
const now = Date.now();

/** A workflow with one chat below it. */
function call(seed, start, { model, user, lasts = 1000, error = null, plan = 'free' }) {
  const t = new TraceBuilder(seed, start);
  const who = { 'respan.customer_params.customer_identifier': user, 'respan.metadata.plan': plan };
  const root = t.span('ask.workflow', {
    lasts: lasts + 10,
    type: 'workflow',
    attrs: { 'traceloop.entity.name': 'ask', 'traceloop.workflow.name': 'ask', ...who },
  });
  t.span(`chat ${model}`, {
    parent: root,
    at: 5,
    lasts,
    type: 'chat',
    error,
    attrs: {
      'traceloop.workflow.name': 'ask',
      'gen_ai.request.model': model,
      'gen_ai.usage.input_tokens': 100,
      'gen_ai.usage.output_tokens': 20,
      'gen_ai.usage.cache_read.input_tokens': 60,
      'respan.generation.time_to_first_token': lasts / 4000,
      'respan.generation.tokens_per_second': 50,
      ...who,
    },
  });
  return t.request();
}

const show = (query = '') => openHere(`/dashboard${query}`, '.figures');
const figure = (label) => page.locator('.figures > div', { hasText: label }).locator('dd');
const chart = (title) => page.locator('.chart', { has: page.getByRole('heading', { name: title, exact: true }) });
const legend = (title) => chart(title).locator('.legend button').allInnerTexts();
const address = () => new URL(page.url());

test('dashboard: without calls it says what to do', async () => {
  await press(page, 'g', 'd');
  await page.getByRole('heading', { name: 'No model call here' }).waitFor();
  assert.equal(address().pathname, '/dashboard');
});

test('dashboard: figures of the window, and their change against the one before', async () => {
  for (let i = 0; i < 40; i++)
    await server.post(
      call(i, now - hour - i * 0.25 * hour, {
        model: i % 4 ? 'org/small' : 'org/large',
        user: `user_${i % 3}`,
        lasts: 100 * (i + 1),
        error: i % 10 === 9 ? 'it broke' : null,
        plan: i % 2 ? 'pro' : 'free',
      }),
    );
  for (let i = 0; i < 20; i++)
    await server.post(call(100 + i, now - 30 * hour - i * 60_000, { model: 'org/small', user: 'user_9' }));
  await show();
  assert.deepEqual(await figure('Model calls').allInnerTexts(), ['40', '+100 %']);
  assert.deepEqual(await figure('Error rate').allInnerTexts(), ['10 %', '+10.0 pts']);
  assert.equal((await figure('Tokens').first().innerText()).replace(',', ''), '4800');
  // The exact median of 0.1 to 4.0 s is 2.0 s; what is shown may be 3.2 % off.
  const p50 = parseFloat(await figure('Latency p50').first().innerText());
  assert.ok(p50 > 1.93 && p50 < 2.07, String(p50));
  assert.match(await page.locator('.method').innerText(), /at most 3\.2 % off/);
  assert.deepEqual(
    (await legend('Tokens')).map((text) => text.replace(/\s+/g, ' ')),
    ['prompt 4,000', 'completion 800', 'cached (of prompt) 2,400', 'reasoning (of completion) 0'],
  );
});

test('dashboard: groups by model, user, workflow and a key of metadata, and one of them alone', async () => {
  await show('?by=model');
  assert.deepEqual(
    (await legend('Requests')).map((text) => text.replace(/\s+/g, ' ')),
    ['org/small 30', 'org/large 10'],
  );
  await chart('Requests')
    .getByRole('button', { name: /org\/large/ })
    .click();
  await page.waitForURL(/only=org%2Flarge/);
  assert.equal(await chart('Latency').locator('.legend .off').count(), 1, 'the other charts too');
  await chart('Latency').getByRole('button', { name: 'p99', exact: true }).click();
  await page.waitForURL(/latency=p99/);
  await page.getByLabel('by').selectOption({ label: 'workflow' });
  await page.waitForURL(/by=workflow/);
  await chart('Requests').getByText('ask').waitFor();
  await page.getByLabel('by').selectOption({ label: 'metadata…' });
  await page.getByLabel('Key of metadata').fill('plan');
  await page.waitForURL(/by=metadata__plan/);
  await chart('Requests').getByText('pro').waitFor();
  await show('?by=customer_identifier&of=traces');
  assert.equal((await legend('Requests')).length, 3);
});

test('dashboard: the filter of the list works here, and its errors are said', async () => {
  await show('?q=' + encodeURIComponent('model:org/large OR user:user_9'));
  assert.equal(await figure('Model calls').first().innerText(), '10');
  await page.getByRole('textbox', { name: 'Filter' }).fill('latency>often');
  await page.getByRole('alert').waitFor();
  complaints.length = 0; // the 400
  await page.getByRole('textbox', { name: 'Filter' }).fill('nothing_like_this');
  await page.getByRole('heading', { name: 'No model call here' }).waitFor();
  complaints.length = 0;
  await page.getByRole('button', { name: 'Clear the filter' }).click();
  await figure('Model calls').getByText('40').waitFor();
});

test('dashboard: dragging over a chart zooms, a preset goes back', async () => {
  await show();
  const box = await chart('Requests').locator('.u-over').boundingBox();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, box.y + 70, { steps: 4 });
  // It is drawn a frame after the pointer moved.
  await page.waitForFunction(
    (width) => Math.abs(document.querySelector('.chart .u-select').offsetWidth - width) < 3,
    box.width * 0.25,
  );
  await page.mouse.up();
  await page.waitForURL(/from=.*to=/);
  const length = Date.parse(address().searchParams.get('to')) - Date.parse(address().searchParams.get('from'));
  assert.ok(Math.abs(length - 6 * hour) < hour / 2, String(length));
  await page.getByRole('button', { name: '24 h' }).click();
  await page.waitForURL((url) => url.search === '');
});

test('dashboard: a point leads to the traces behind it', async () => {
  await show('?by=model');
  const wanted = await page.evaluate(
    async (start) => {
      const query = `of=spans&bucket=900&start_time=${start}&group_by=model`;
      const answer = await (await fetch(`/api/metrics/series/?${query}`)).json();
      const large = answer.groups.find((g) => g.value === 'org/large');
      return large.points.map((p) => p.time);
    },
    Math.floor(now / 1000) - 86400,
  );
  await chart('Requests').getByText('values').click();
  const links = chart('Requests').locator('.values a');
  const last = links.last();
  const to = new URL(await last.getAttribute('href'), server.url);
  assert.match(to.searchParams.get('q'), /^model:org\//);
  assert.ok(wanted.length > 0);
  const box = await chart('Requests').locator('.u-over').boundingBox();
  const said = await chart('Requests').locator('.legend').innerText();
  await page.mouse.move(box.x + box.width * 0.9, box.y + 40);
  await page.waitForFunction(
    (before) => document.querySelector('.chart .legend').innerText !== before, // it knows where the pointer is
    said,
  );
  await page.mouse.click(box.x + box.width * 0.9, box.y + 40);
  await page.waitForURL((url) => url.pathname === '/' && url.searchParams.has('from') && url.searchParams.has('to'));
  assert.match(address().searchParams.get('q'), /^model:org\//);
});

test('dashboard: figures of a window without any before say no change', async () => {
  await show('?range=all');
  assert.deepEqual(await figure('Model calls').allInnerTexts(), ['60', '']);
});

test('dashboard: what it shows is saved as a view, opened again by its link, and said to be changed', async () => {
  const views = page.getByRole('dialog', { name: 'Saved views' });
  await show('?by=model&range=7d&q=model%3A*&latency=p99');
  await page.getByRole('button', { name: 'Views' }).click();
  await views.getByLabel('Save what is shown as').fill('models of the week');
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => /^\d+$/.test(url.searchParams.get('view')));
  const saved = address();
  const button = page.getByRole('button', { name: 'models of the week' });
  await button.waitFor();
  assert.equal(await button.getByLabel('changed').count(), 0);
  await page.getByRole('button', { name: '1 h', exact: true }).click();
  await button.getByLabel('changed').waitFor();
  await button.click();
  await views.getByRole('link', { name: 'As it comes' }).click();
  await page.waitForURL((url) => url.search === '');
  await page.getByRole('button', { name: 'Views', exact: true }).click();
  await views.getByRole('link', { name: 'models of the week' }).click();
  await page.waitForURL((url) => url.searchParams.get('range') === '7d');
  const sorted = (url) => [...url.searchParams].sort().join(' ');
  assert.equal(sorted(address()), sorted(saved));
  // The view alone is an address, too; and a filter that is emptied keeps the view.
  await show(`?view=${saved.searchParams.get('view')}`);
  await page.waitForURL((url) => url.searchParams.get('by') === 'model');
  await page.getByRole('textbox', { name: 'Filter' }).fill('');
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.searchParams.get('q') === '' && url.searchParams.has('view'));
  await button.getByLabel('changed').waitFor();
  // One that the page opens with.
  await button.click();
  await views.getByRole('button', { name: 'Change models of the week' }).click();
  await views.getByLabel('The page opens with it').check();
  await views.getByRole('button', { name: 'Rename or change' }).click();
  await views.getByText('first', { exact: true }).waitFor();
  await show('');
  await page.waitForURL((url) => url.searchParams.get('by') === 'model');
  await page.getByRole('button', { name: 'models of the week' }).click();
  await views.getByRole('button', { name: 'Change models of the week' }).click();
  for (const name of ['Delete', 'Yes, delete it']) await views.getByRole('button', { name, exact: true }).click();
  await page.getByRole('button', { name: 'Views', exact: true }).waitFor();
});

test('dashboard: light and dark, and a phone', async () => {
  for (const [scheme, width] of [
    ['light', 1320],
    ['dark', 390],
  ]) {
    const other = await newPage(context);
    await other.emulateMedia({ colorScheme: scheme });
    await other.setViewportSize({ width, height: 844 });
    await open(other, `${server.url}/dashboard?by=model`, '.u-over');
    const wide = await other.evaluate(() =>
      [...document.querySelectorAll('.dashboard, .dashboard-bar')].map((e) => e.scrollWidth - e.clientWidth),
    );
    assert.deepEqual(wide, [0, 0], `nothing is wider than the page (${width})`);
    await other.screenshot({ path: join(artifacts, `dashboard-${scheme}-${width}.png`) });
    await other.close();
  }
});

test('a grouping that there is not is said to be that; the filter is not blamed', async () => {
  await open(page, `${server.url}/dashboard?by=nonsense`, '.banner');
  assert.match(await page.locator('.banner').innerText(), /not grouped by 'nonsense'/);
  assert.equal(await page.locator('#filter-error, [data-error]').count(), 0);
  complaints.length = 0; // that the server refused
});
