// The list of traces in a real browser: its filter, facets, window of time, columns, live feed, exports and saved views.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { listens, newPage, openPage } from './open.mjs';
import { TraceBuilder } from './otlp.mjs';

const now = Date.now();
const plans = ['pro', 'free', 'pro', 'two words'];

/** A trace with a user, an environment, a plan; every fifth fails. */
function made(n, start) {
  const t = new TraceBuilder(9000 + n, start);
  const root = t.span(`flow_${n % 3}.workflow`, {
    lasts: 100 * (n + 1),
    type: 'workflow',
    error: n % 5 === 4 ? `broke ${n}` : null,
    attrs: {
      'traceloop.span.kind': 'workflow',
      'traceloop.entity.name': `flow_${n % 3}`,
      'traceloop.entity.input': JSON.stringify(`question ${n}`),
      'traceloop.entity.output': JSON.stringify(`answer ${n}`),
      'respan.environment': n % 2 ? 'production' : 'staging',
      'respan.customer_params.customer_identifier': `user_${n}`,
      'respan.metadata.plan': plans[n % 4],
    },
  });
  t.span('chat model', {
    parent: root,
    at: 1,
    lasts: 50,
    type: 'chat',
    attrs: {
      'gen_ai.request.model': n % 2 ? 'org/big' : 'org/small',
      'gen_ai.usage.input_tokens': 10 * n,
      'gen_ai.usage.output_tokens': n,
    },
  });
  return t;
}

const viewport = { width: 1440, height: 860 };
const { server, context, page, complaints, open } = await openPage({ viewport }, async ({ server }) => {
  for (let n = 0; n < 20; n++) await server.post(made(n, now - 60_000 * (20 - n)).request());
});

const rows = (p = page) => p.locator('.trace-row:not(.head)');
const shows = (n) =>
  page.waitForFunction((wanted) => document.querySelectorAll('.trace-row:not(.head)').length === wanted, n);
const q = () => new URL(page.url()).searchParams.get('q');
const input = () => page.getByRole('combobox', { name: 'Filter traces' });
const reads = (text) =>
  page.waitForFunction((wanted) => document.querySelector('[role=combobox]').value === wanted, text);
const option = (name) => page.getByRole('option', { name });
const facet = (title) => page.locator('.facets section').filter({ has: page.getByRole('button', { name: title }) });
const value = (title, text) => facet(title).locator('.facet').filter({ hasText: text });

test('completion: fields, then their values with counts, taken by key', async () => {
  await open('/', rows().nth(5));
  await page.keyboard.press('/');
  await page.keyboard.type('mo');
  await option('model').first().waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await reads('model:');
  await option('org/big').waitFor();
  await option('org/big').filter({ hasText: '10' }).waitFor();
  await page.keyboard.type('sm');
  await page.keyboard.press('Tab');
  await reads('model:org/small ');
  await shows(10);
  assert.equal(q(), 'model:org/small');
});

test('completion: keys of metadata and values in quotes', async () => {
  await open('/', rows().nth(5));
  await input().click();
  await page.keyboard.type('metadata.p');
  await option('metadata.plan').click();
  await option('two words').click();
  await reads('metadata.plan:"two words" ');
  await shows(5);
});

test('the language is the server’s: seconds, has, one span, free text', async () => {
  await open(`/?q=${encodeURIComponent('latency:>1.5s has:metadata.plan span.type:chat user:user_19 "question 19"')}`);
  await shows(1);
  assert.equal(await rows().first().locator('.name').innerText(), 'flow_1\n2');
});

test('an error stands under the letters it is about', async () => {
  await open('/', rows().nth(5));
  const refused = page.waitForResponse((r) => r.status() === 400);
  await input().fill('status:ok modle:x');
  await refused;
  await page.locator('#filter-error').waitFor();
  assert.match(await page.locator('#filter-error').innerText(), /did you mean 'model'/);
  assert.equal(await page.locator('.fault u').innerText(), 'modle');
  const [mark, box] = await Promise.all([page.locator('.fault u').boundingBox(), input().boundingBox()]);
  assert.ok(mark.x > box.x + 60 && mark.x < box.x + 100, 'it is below the word');
  await input().fill('');
  await shows(20);
  complaints.length = 0; // the browser notes the 400
});

test('a page that begins with a filter that cannot be read says so, and the filter can be cleared', async () => {
  await open('/?q=latency%3A%3Esoon', '.fault u');
  await page.getByRole('heading', { name: 'The filter has a mistake' }).waitFor();
  await page.locator('.notice').getByRole('button', { name: 'Clear the filter' }).click();
  await page.locator('.trace-row:not(.head)').first().waitFor();
  assert.equal(await page.getByRole('heading', { name: 'The filter has a mistake' }).count(), 0);
  complaints.length = 0; // the browser notes the 400
});

test('what is left unfinished is a mistake once nobody types any more, and in an address', async () => {
  await open('/', rows().nth(5));
  await input().fill('status:error "answ');
  await shows(4); // as if it were closed
  assert.equal(await page.locator('#filter-error').count(), 0);
  await input().press('Enter');
  await page.locator('#filter-error').filter({ hasText: 'this quote is not closed' }).waitFor();
  assert.equal(await page.locator('.fault u').innerText(), '"');
  await input().press('End');
  await page.keyboard.type('er 4"');
  await shows(1);
  await page.locator('#filter-error').waitFor({ state: 'detached' });
  await open('/?q=%28%28%28%28%28', '.fault u');
  await page.locator('#filter-error').filter({ hasText: 'a condition or a word is missing' }).waitFor();
  complaints.length = 0; // the browser notes the 400
});

test('beside a filter that cannot be read the facets stand as they were, or have all there is', async () => {
  await open('/?q=status%3Aerror', value('User', 'user_4'));
  const before = await page.locator('.facets').innerText();
  await input().fill('status:error sttaus:x');
  await page.locator('#filter-error').filter({ hasText: "did you mean 'status'?" }).waitFor();
  assert.equal(await page.locator('.facets').innerText(), before);
  await open('/?q=sttaus%3Aerror', value('metadata.plan', 'pro'));
  assert.equal(await value('Status', 'error').locator('.mono').innerText(), '4');
  complaints.length = 0; // the browser notes the 400
});

test('above an empty list stands what was likely meant otherwise', async () => {
  await open('/?q=foo%3Abar', page.locator('.notice').filter({ hasText: "a trace has no field 'foo'" }));
  await input().fill('-status:error');
  await shows(16);
});

test('rows that are not yet the answer are dimmed, once one has waited for it', async () => {
  await open('/', rows().nth(5));
  const look = () =>
    page.evaluate(() => [
      document.querySelector('#list').getAttribute('aria-busy'),
      Number(getComputedStyle(document.querySelector('.trace-row:not(.head)')).opacity),
    ]);
  const box = () => rows().first().boundingBox();
  assert.deepEqual(await look(), ['false', 1]);
  const where = await box();
  let answer;
  const asked = new Promise((done) => (answer = done));
  await page.route('**/api/traces/list/**', async (route) => {
    await asked;
    await route.continue();
  });
  await input().fill('status:error');
  await page.waitForFunction(() => getComputedStyle(document.querySelector('.trace-row:not(.head)')).opacity < 0.5);
  assert.equal((await look())[0], 'true');
  assert.deepEqual(await box(), where);
  answer();
  await shows(4);
  await page.waitForFunction(() => getComputedStyle(document.querySelector('.trace-row:not(.head)')).opacity === '1');
  assert.deepEqual(await look(), ['false', 1]);
  await page.unroute('**/api/traces/list/**');
});

test('a row on a phone has two lines, and nothing of it lies outside', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open('/', '.trace-row:not(.head)');
  const out = await page.locator('.trace-row:not(.head)').evaluateAll((all) =>
    all.flatMap((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return [...row.children]
        .map((cell) => [cell.className, cell.getBoundingClientRect()])
        .filter(([, box]) => box.height > 0 && (box.top < top || box.bottom > bottom))
        .map(([name]) => name);
    }),
  );
  assert.deepEqual(out, []);
  await page.setViewportSize({ width: 1320, height: 860 });
});

test('menus are as wide as what they hold, and within the window, on a phone too', async () => {
  for (const size of [
    { width: 1320, height: 860 },
    { width: 390, height: 844 },
  ]) {
    await page.setViewportSize(size);
    await open('/', '.trace-row:not(.head)');
    for (const name of ['All time', 'Columns', 'Export', 'Views']) {
      const button = page.getByRole('button', { name, exact: true });
      if ((await button.count()) === 0) continue; // columns are of a wide screen
      await button.click();
      await page.locator('.popover :is(input, select)').first().waitFor();
      const box = await page.locator('.popover').boundingBox();
      assert.ok(box.width >= 200 && box.x >= 0 && box.x + box.width <= size.width, `${name}: ${JSON.stringify(box)}`);
      await page.keyboard.press('Escape');
    }
  }
  await page.setViewportSize({ width: 1320, height: 860 });
});

test('facets and text are one: chosen, several, excluded, taken back', async () => {
  await open('/');
  await value('Model', 'org/big').waitFor();
  assert.match(await value('Model', 'org/big').innerText(), /10/);
  await value('Model', 'org/big').click();
  await shows(10);
  assert.equal(q(), 'model:org/big');
  await reads('model:org/big');
  await value('Model', 'org/small').click(); // it is still there to be chosen
  await shows(20);
  assert.equal(q(), 'model in (org/big, org/small)');
  await value('Status', 'error').click({ modifiers: ['Alt'] });
  await shows(16);
  assert.equal(q(), 'model in (org/big, org/small) NOT status:error');
  await page.getByRole('button', { name: 'Exclude error' }).click();
  await value('Model', 'org/big').click();
  await shows(10);
  assert.equal(q(), 'model:org/small');
  await input().fill('env:production');
  await page.locator('.facets .in').filter({ hasText: 'production' }).waitFor();
  await value('metadata.plan', 'free').waitFor();
});

test('facets: more values, searched; closed sections and the panel stay as they were left', async () => {
  await open('/');
  await facet('User').getByRole('button', { name: '14 more…' }).click();
  await facet('User').getByRole('searchbox').fill('_17');
  await page.waitForFunction(
    () => document.querySelector('.facet-search').closest('section').querySelectorAll('li').length === 1,
  );
  await value('User', 'user_17').click();
  await shows(1);
  await open('/');
  await facet('User').getByRole('button', { name: 'User', exact: true }).click();
  await page.reload();
  await value('Model', 'org/big').waitFor();
  assert.equal(await facet('User').locator('.facet').count(), 0);
  await page.keyboard.press('f');
  await page.locator('.facets').waitFor({ state: 'detached' });
  await page.reload();
  await listens(page, rows().nth(5));
  assert.equal(await page.locator('.facets').count(), 0);
  await page.getByRole('button', { name: 'Facets' }).click();
  await value('Model', 'org/big').waitFor();
});

test('the strip: a drag narrows the window, a double click and Escape widen it', async () => {
  await open('/');
  await page.locator('.strip .made').nth(10).waitFor();
  await page.locator('.strip polyline').first().waitFor();
  assert.ok((await page.locator('.strip .failed').count()) >= 4);
  const box = await page.locator('.strip').boundingBox();
  // The strip is of whole hours: where in it the traces stand depends on the time of day.
  const middle = await page.locator('.strip .made').nth(10).boundingBox();
  await page.mouse.move(box.x + 2, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(middle.x, box.y + 20, { steps: 3 });
  await page.mouse.up();
  await page.waitForFunction(() => new URLSearchParams(location.search).has('from'));
  const search = () => new URL(page.url()).searchParams;
  const length = () => Date.parse(search().get('to') ?? new Date().toISOString()) - Date.parse(search().get('from'));
  const narrow = length();
  assert.ok(narrow > 0);
  await page.waitForFunction(() => document.querySelectorAll('.trace-row:not(.head)').length < 20);
  const was = new URL(page.url()).search;
  await page.locator('.strip').dblclick({ position: { x: 300, y: 20 } });
  await page.waitForFunction((before) => location.search !== before, was);
  assert.ok(length() > narrow);
  await page.goBack();
  assert.equal(length(), narrow);
  await page.locator('.strip').press('Escape');
  await page.waitForFunction((before) => location.search !== before, was);
  assert.ok(length() > narrow);
});

test('the strip by keys: the arrows say what there is, Shift and Enter narrow', async () => {
  await open('/');
  await page.locator('.strip .made').nth(10).waitFor();
  const strip = page.locator('.strip');
  await strip.focus();
  await page.keyboard.press('ArrowLeft');
  await page.locator('#strip-says').filter({ hasText: ' · ' }).waitFor();
  for (let i = 0; i < 5; i++) await page.keyboard.press('Shift+ArrowLeft');
  await strip.locator('.chosen').waitFor();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /from=.*to=/.test(location.search));
});

test('windows of time: usual ones slide, others are given', async () => {
  await open('/', rows().nth(5));
  await page.getByRole('button', { name: 'All time' }).click();
  await page.getByRole('button', { name: '15 min' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.trace-row:not(.head)').length < 16);
  assert.equal(new URL(page.url()).search, '?from=-15m');
  await page.getByRole('button', { name: 'Last 15 min' }).click();
  await page.getByLabel('From').fill('2020-01-01T00:00:00');
  await page.getByLabel('To', { exact: true }).fill('2020-01-02T00:00:00');
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.getByRole('heading', { name: 'No trace matches' }).waitFor();
  await page.getByRole('button', { name: 'Clear the filter' }).click();
  await shows(20);
});

test('live: traces come without being asked for, grow where they stand, and do not move what is read', async () => {
  await open('/');
  await page.locator('.live.on').waitFor();
  const held = [];
  await page.route('**/api/traces/list/**', (route) => held.push(route));
  const growing = new TraceBuilder(555, now + 1000);
  const root = growing.span('growing', { lasts: 10, type: 'task' });
  await server.post(growing.request());
  await page.getByRole('link', { name: 'growing' }).waitFor();
  assert.equal(await rows().first().locator('.span-count').count(), 0);
  growing.span('more', { parent: root, at: 2, lasts: 5, type: 'task' });
  await server.post(growing.request());
  await rows().first().locator('.span-count').filter({ hasText: '2' }).waitFor();
  await page.locator('.filter-count').filter({ hasText: '21 traces' }).waitFor();
  await page.unroute('**/api/traces/list/**');
  for (const route of held) await route.continue();
});

test('live: paused, what comes waits and is counted; p goes on', async () => {
  await open('/?q=name%3Awhile_paused');
  await page.locator('.live.on').waitFor();
  await page.keyboard.press('p');
  await page.locator('.live').filter({ hasText: 'Paused' }).waitFor();
  const t = new TraceBuilder(556, now + 2000);
  t.span('while_paused', { lasts: 10, type: 'task' });
  await server.post(made(77, now + 3000).request(), t.request());
  await page.locator('.live').filter({ hasText: 'Paused · 1 new' }).waitFor();
  assert.equal(await rows().count(), 0);
  await page.keyboard.press('p');
  await shows(1);
});

test('live: without the feed the list is asked for', async () => {
  const other = await newPage(context);
  await other.route('**/api/live/**', (route) => route.fulfill({ status: 503, body: '' }));
  await other.goto(server.url);
  await rows(other).first().waitFor();
  const t = new TraceBuilder(557, now + 4000);
  t.span('by_polling', { lasts: 10, type: 'task' });
  await server.post(t.request());
  await other.getByRole('link', { name: 'by_polling' }).waitFor();
  await other.close();
});

test('columns: chosen, put in order, kept', async () => {
  await open('/', rows().nth(5));
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByLabel('plan', { exact: true }).check();
  await page.getByLabel('User', { exact: true }).check();
  await page.getByLabel('Model', { exact: true }).uncheck();
  await page.getByRole('button', { name: 'Status earlier' }).click();
  await page.keyboard.press('Escape');
  const heads = () => page.getByRole('columnheader').allInnerTexts();
  const wanted = ['Time ↓', 'Name', 'Input → output', 'Tokens', 'Status', 'Latency', 'plan', 'User'];
  assert.deepEqual(await heads(), wanted);
  await page.reload();
  await listens(page, rows().nth(5));
  assert.deepEqual(await heads(), wanted);
  await open('/?q=user%3Auser_3');
  await shows(1);
  assert.deepEqual(await rows().first().locator('.plain').allInnerTexts(), ['two words', 'user_3']);
  await page.evaluate(() => localStorage.removeItem('respan.columns'));
});

test('headers sort, and the address says how', async () => {
  await open(`/?q=${encodeURIComponent('user in (user_1, user_3)')}`);
  await shows(2);
  const first = (text) => page.locator('.trace-row:not(.head) .latency').first().filter({ hasText: text }).waitFor();
  await page.getByRole('button', { name: 'Latency' }).click();
  await first('400 ms');
  assert.equal(new URL(page.url()).searchParams.get('sort'), '-duration');
  await page.getByRole('button', { name: 'Latency' }).click();
  await first('200 ms');
  await page.getByRole('button', { name: 'Latency' }).click();
  await page.waitForFunction(() => !location.search.includes('sort'));
});

test('export: a file of what fits, or a sample, whose size is said before', async () => {
  await open(`/?q=${encodeURIComponent('user in (user_1, user_3)')}`);
  await shows(2);
  await page.getByRole('button', { name: 'Export' }).click();
  await page.locator('.export').filter({ hasText: '2 traces, some' }).waitFor();
  await page.getByLabel('Format').selectOption('csv');
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download' }).click(),
  ]);
  assert.match(file.suggestedFilename(), /^traces-.*\.csv$/);
  const text = await readFile(await file.path(), 'utf8');
  assert.equal(text.trim().split('\n').length, 3);
  await page.getByRole('button', { name: 'Export' }).click();
  await page.locator('.export select').nth(1).selectOption('a tenth of them');
  assert.match(await page.getByRole('link', { name: 'Download' }).getAttribute('href'), /sample=0\.1/);
});

test('a key of metadata with spaces is completed, filtered and chosen in quotes', async () => {
  const t = new TraceBuilder(559, now - 7_200_000);
  t.span('with_a_long_key', { lasts: 10, type: 'task', attrs: { 'respan.metadata.my own key': 'so it is' } });
  await server.post(t.request());
  await open('/', page.getByRole('link', { name: 'with_a_long_key' }));
  await input().click();
  await page.keyboard.type('metadata."my o');
  await option('metadata."my own key"').click();
  await option('so it is').click();
  await reads('metadata."my own key":"so it is" ');
  await shows(1);
  await input().press('Escape');
  await value('my own key', 'so it is').click();
  await reads('');
});

test('live: what is deleted elsewhere goes from the list, and is not counted', async () => {
  const t = new TraceBuilder(558, now + 5000);
  t.span('soon_deleted', { lasts: 10, type: 'task' });
  await server.post(t.request(), made(78, now + 6000).request());
  await open('/', page.getByRole('link', { name: 'soon_deleted' }));
  await page.locator('.live.on').waitFor();
  const counted = () => page.locator('.filter-count').innerText();
  const before = parseInt(await counted(), 10);
  const all = await rows().count();
  const answer = await fetch(`${server.url}/api/traces/${t.id}/`, {
    method: 'DELETE',
    headers: { 'x-api-key': server.key },
  });
  assert.equal(answer.status, 200);
  await shows(all - 1);
  assert.equal(await page.getByRole('link', { name: 'soon_deleted' }).count(), 0);
  assert.equal(parseInt(await counted(), 10), before - 1);
});

test('characters that cannot be seen, or deceive, are shown by their number and filtered by', async () => {
  await page.evaluate(() => localStorage.clear());
  const users = ['ev\u202eil', 'a\0b', 'line\nbreak'];
  for (const [n, user] of users.entries()) {
    const t = new TraceBuilder(9900 + n, now - 7_200_000);
    t.span('deceives', { lasts: 1, type: 'task', attrs: { 'respan.customer_params.customer_identifier': user } });
    await server.post(t.request());
  }
  for (const [n, shown] of ['ev\\u202eil', 'a\\u0000b', 'line\\u000abreak'].entries()) {
    await open('/?q=name%3Adeceives', value('User', users[n].slice(0, 2)));
    await value('User', users[n].slice(0, 2)).click();
    await reads(`name:deceives user:"${shown}"`);
    await shows(1);
    assert.equal(await facet('User').locator('.facet[aria-pressed=true]').count(), 1);
    await open(`/?q=${encodeURIComponent(`user:"${users[n].replace('\n', '\\u000a')}"`)}`, rows().first());
    await reads(`user:"${shown}"`);
    await shows(1);
  }
});
