// Saved views of the list, the widths of its columns, and what it asks while nothing changes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open as openIn, openPage, press } from './open.mjs';
import { TraceBuilder } from './otlp.mjs';

const now = Date.now();

function made(n, start, metadata) {
  const t = new TraceBuilder(4000 + n, start);
  t.span(`flow_${n % 2}`, {
    lasts: 100 * (n + 1),
    type: 'task',
    error: n % 4 === 3 ? 'broke' : null,
    attrs: {
      'traceloop.entity.input': JSON.stringify(`question ${n}`),
      'traceloop.entity.output': JSON.stringify(`answer ${n}`),
      'respan.customer_params.customer_identifier': `user_${n}`,
      ...metadata,
    },
  });
  return t;
}

const viewport = { width: 1440, height: 860 };
const { server, browser, page, complaints, open } = await openPage({ viewport }, async ({ server }) => {
  // The oldest is behind the first page of the list.
  await server.post(made(99, now - 3_600_000, { 'respan.metadata.rare_key': 'x' }).request());
  for (let n = 0; n < 60; n++)
    await server.post(made(n, now - 30_000 * (60 - n), { 'respan.metadata.plan': n % 2 ? 'pro' : 'free' }).request());
});

const line = '.trace-row:not(.head)';
const rows = () => page.locator(line);
const menu = (name) => page.getByRole('button', { name, exact: true });
const panel = () => page.getByRole('dialog', { name: 'Saved views' });
const link = (name) => panel().getByRole('link', { name });
const input = () => page.getByRole('combobox', { name: 'Filter traces' });
const search = () => new URL(page.url()).searchParams;
const atAddress = (what) => page.waitForFunction((wanted) => location.search.includes(wanted), what);
const atAllTraces = () => page.waitForFunction(() => location.search === '');
const heads = () => page.getByRole('columnheader').allInnerTexts();
const edge = (title) => page.getByRole('separator', { name: `Width of ${title}`, exact: true });
const head = (title) => page.getByRole('columnheader').filter({ hasText: title });
const widthOf = async (title) => Math.round((await head(title).boundingBox()).width);
const csrf = () => page.evaluate(async () => (await (await fetch('/api/session/')).json()).csrf_token);
const api = async (method, path, body) =>
  page.evaluate(
    async ([method, path, body, token]) => {
      const headers = { 'content-type': 'application/json', 'x-csrf-token': token };
      return (await fetch(path, { method, headers, ...(body && { body: JSON.stringify(body) }) })).json();
    },
    [method, path, body, await csrf()],
  );
const forgetAll = async () => {
  const { results } = await api('GET', '/api/views/');
  for (const { id } of results) await api('DELETE', `/api/views/${id}/`);
};

test('views: what is shown is saved, opened again with its columns, and says when it was changed', async () => {
  await open('/?q=status%3Aerror&sort=-duration', rows().first());
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByLabel('plan', { exact: true }).check();
  await page.getByLabel('Model', { exact: true }).uncheck();
  await page.keyboard.press('Escape');
  await menu('Views').click();
  await panel().getByLabel('Save what is shown as').fill('slow failures');
  await page.keyboard.press('Enter');
  await menu('slow failures').waitFor();
  assert.equal(search().get('q'), 'status:error');
  const wanted = ['Time', 'Name', 'Input → output', 'Tokens', 'Latency ↓', 'Status', 'plan'];
  assert.deepEqual(await heads(), wanted);
  await page.evaluate(() => localStorage.removeItem('respan.columns'));

  // Elsewhere the columns are one's own.
  await open('/', rows().first());
  assert.equal((await heads()).length, 7);
  await menu('Views').click();
  await link('slow failures').click();
  await menu('slow failures').waitFor();
  assert.deepEqual(await heads(), wanted);
  assert.equal(search().get('sort'), '-duration');

  // A change of columns is there after a reload, too, until the view is opened anew.
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByLabel('plan', { exact: true }).uncheck();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: /^slow failures\s+changed$/ }).waitFor();
  await open(search().size ? `/?${search()}` : '/', page.getByRole('button', { name: /^slow failures\s+changed$/ }));
  assert.deepEqual(await heads(), wanted.slice(0, -1));
  await open(`/?view=${search().get('view')}`, menu('slow failures'));
  await page.waitForFunction(() => document.querySelectorAll('[role=columnheader]').length === 7);
  assert.deepEqual(await heads(), wanted);

  // Changed, and saved.
  await input().fill('status:error user:user_3');
  await atAddress('user_3');
  await page.getByRole('button', { name: /^slow failures\s+changed$/ }).click();
  await panel().getByRole('button', { name: 'Save changes' }).click();
  await menu('slow failures').waitFor();
  const [view] = (await api('GET', '/api/views/')).results;
  assert.equal(view.q, 'status:error user:user_3');
  assert.ok(view.shared && view.mine);

  // By its number alone it opens, too; what it says is then in the address.
  await open(`/?view=${view.id}`, rows().first());
  await atAddress('user_3');
  assert.deepEqual(await heads(), wanted);
  await page.waitForFunction(() => document.querySelectorAll('.trace-row:not(.head)').length === 1);
  await forgetAll();
});

test('views: renamed, moved, one’s own, deleted once it was said twice', async () => {
  for (const name of ['a', 'b']) await api('POST', '/api/views/', { name, q: `user:${name}`, shared: true });
  await open('/', rows().first());
  await menu('Views').click();
  await panel().getByRole('button', { name: 'b earlier' }).click();
  const names = () => panel().getByRole('link').allInnerTexts();
  await page.waitForFunction(() => document.querySelectorAll('.views li a')[1]?.textContent === 'b');
  assert.deepEqual(await names(), ['All traces', 'b', 'a']);
  await panel().getByRole('button', { name: 'Change b' }).click();
  await panel().getByLabel('Name').fill('better');
  await panel().getByLabel('Shared with the project').first().uncheck();
  await panel().getByRole('button', { name: 'Rename or change' }).click();
  await link('better').filter({ hasText: 'yours' }).waitFor();
  // A name that is taken.
  await panel().getByLabel('Save what is shown as').fill('a');
  await panel().getByRole('button', { name: 'Save view' }).click();
  await panel().getByRole('alert').filter({ hasText: 'exists already' }).waitFor();
  complaints.length = 0; // the browser notes the 400
  // Deleting asks once.
  await panel().getByRole('button', { name: 'Change a' }).click();
  await panel().getByRole('button', { name: 'Delete' }).click();
  await panel().getByText('It goes for everybody in the project.').waitFor();
  await panel().getByRole('button', { name: 'Yes, delete it' }).click();
  await link('a')
    .waitFor({ state: 'detached' })
    .catch(() => undefined);
  await page.waitForFunction(() => document.querySelectorAll('.views li').length === 2);
  assert.deepEqual(
    (await api('GET', '/api/views/')).results.map((v) => [v.name, v.shared]),
    [['better', false]],
  );
  await forgetAll();
});

test('views: the page opens with the project’s own, and all traces are a step away', async () => {
  await api('POST', '/api/views/', { name: 'first', q: 'user:user_5', shared: true, default: true });
  await open('/', menu('first'));
  await page.waitForFunction(() => document.querySelectorAll('.trace-row:not(.head)').length === 1);
  assert.equal(search().get('q'), 'user:user_5');
  await menu('first').click();
  await link('All traces').click();
  await menu('Views').waitFor();
  await page.waitForFunction(() => document.querySelectorAll('.trace-row:not(.head)').length > 1);
  assert.equal(new URL(page.url()).search, '');
  // What an address says comes before, and is not all traces.
  await open('/?q=user%3Auser_6', rows().first());
  assert.equal(search().get('q'), 'user:user_6');
  await menu('Views').click();
  await link('All traces').waitFor();
  assert.equal(await panel().locator('[aria-current=page]').count(), 0);
  await link('All traces').click();
  await atAllTraces();
  await menu('Views').click();
  assert.equal(await panel().locator('[aria-current=page]').innerText(), 'All traces');
  await forgetAll();
});

test('views: a viewer opens them and saves none', async () => {
  await api('POST', '/api/views/', { name: 'theirs', q: 'user:user_5', shared: true });
  const { url } = await api('POST', '/api/invites/', { role: 'viewer' });
  const context = await browser.newContext({ viewport });
  const other = await context.newPage();
  await other.goto(url);
  await other.getByLabel('Name').fill('Vi');
  await other.getByLabel('E-mail').fill('vi@x.org');
  await other.getByLabel('Password', { exact: true }).fill('correct horse battery');
  await other.keyboard.press('Enter');
  await other.locator('.trace-row:not(.head)').first().waitFor();
  await openIn(other, server.url, '.trace-row:not(.head)');
  await other.getByRole('button', { name: 'Views', exact: true }).click();
  await other.getByText('Members of the project save views.').waitFor();
  assert.equal(await other.getByRole('button', { name: 'Change theirs' }).count(), 0);
  await other.getByRole('link', { name: 'theirs' }).click();
  await other.getByRole('button', { name: 'theirs', exact: true }).waitFor();
  await context.close();
  await forgetAll();
});

test('widths of columns: dragged, by keys, kept, and let be', async () => {
  await open('/', rows().first());
  const was = { name: await widthOf('Name'), model: await widthOf('Model') };
  const at = await edge('Name').boundingBox();
  await page.mouse.move(at.x + at.width / 2, at.y + at.height / 2);
  await page.mouse.down();
  await page.mouse.move(at.x + at.width / 2 + 80, at.y + at.height / 2, { steps: 4 });
  await page.mouse.up();
  await page.waitForFunction(
    (px) => document.querySelectorAll('[role=columnheader]')[1].clientWidth > px,
    was.name + 60,
  );
  assert.equal(await widthOf('Name'), was.name + 80);
  const moved = await edge('Name').boundingBox();
  assert.ok(Math.abs(moved.x - at.x - 80) <= 1, 'the edge is where it was dragged to');
  assert.equal(new URL(page.url()).search, '', 'a drag does not sort');
  // By keys; those before it keep their place.
  const model = await widthOf('Model');
  await edge('Model').focus();
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction((px) => document.querySelectorAll('[role=columnheader]')[3].clientWidth > px, model);
  assert.equal(await widthOf('Model'), model + 16);
  const kept = { name: await widthOf('Name'), model: model + 16 };
  await page.reload();
  await rows().first().waitFor();
  assert.deepEqual({ name: await widthOf('Name'), model: await widthOf('Model') }, kept);
  // A view has them.
  await menu('Views').click();
  await panel().getByLabel('Save what is shown as').fill('wide');
  await page.keyboard.press('Enter');
  await menu('wide').waitFor();
  const [view] = (await api('GET', '/api/views/')).results;
  assert.equal(view.columns.find(({ id }) => id === 'model').width, kept.model);
  await menu('wide').click();
  await link('All traces').click();
  await menu('Views').waitFor();
  // As they were.
  await edge('Name').click({ clickCount: 2, modifiers: ['Shift'] });
  await edge('Model').press('Delete');
  await edge('Input → output').press('Delete');
  await page.waitForFunction((px) => document.querySelectorAll('[role=columnheader]')[1].clientWidth === px, was.name);
  assert.equal(await widthOf('Model'), was.model);
  await page.evaluate(() => localStorage.removeItem('respan.columns'));
  await forgetAll();
});

test('a double click on the edge of a column, or Enter, fits it to what it shows', async () => {
  await open('/', rows().first());
  const cut = (nth) =>
    page
      .locator(line)
      .evaluateAll(
        (all, nth) =>
          all.filter((row) =>
            [row.children[nth], ...row.children[nth].querySelectorAll('*')].some(
              (e) => e.scrollWidth > e.clientWidth + 1,
            ),
          ).length,
        nth,
      );
  const places = (await heads()).map((text) => text.replace(/\W+$/, ''));
  for (const [title, how] of [
    ['Name', () => edge('Name').dblclick()],
    ['Input → output', () => edge('Input → output').press('Enter')],
  ]) {
    const nth = places.findIndex((text) => title.startsWith(text));
    // Too narrow and too wide become the same.
    const widths = [];
    for (const key of ['ArrowLeft', 'ArrowRight']) {
      for (let i = 0; i < 12; i++) await edge(title).press(key);
      const before = await widthOf(title);
      if (key === 'ArrowLeft') assert.notEqual(await cut(nth), 0, title);
      await how();
      await page.waitForFunction(
        ([nth, was]) => document.querySelectorAll('[role=columnheader]')[nth].clientWidth !== was,
        [nth, before],
      );
      assert.equal(await cut(nth), 0, title);
      widths.push(await widthOf(title));
    }
    assert.equal(widths[0], widths[1], title);
    await edge(title).press('Delete');
  }
  await page.evaluate(() => localStorage.removeItem('respan.columns'));
});

test('keys of metadata are those of all that there is, not of the rows that were loaded', async () => {
  await open('/', rows().first());
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByLabel('rare_key', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.facets').getByRole('button', { name: 'metadata.rare_key' }).waitFor();
  await input().click();
  await page.keyboard.type('metadata.ra');
  await page.getByRole('option', { name: 'metadata.rare_key' }).click();
  await page.getByRole('option', { name: 'x' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.trace-row:not(.head)').length === 1);
  await input().fill('');
});

test('a list that is told asks for nothing by itself; told, it asks for what is above and beside it alone', async () => {
  await page.clock.install();
  await open('/', page.locator('.live.on'));
  await page.locator('.strip .made').first().waitFor();
  await page.locator('.facets .facet').first().waitFor();
  const asked = [];
  const note = (request) => {
    const { pathname } = new URL(request.url());
    if (/^\/api\/(traces|metrics)\//.test(pathname)) asked.push(pathname);
  };
  page.on('request', note);
  // What was on its way when the feed began may still come; then minutes pass without a question.
  for (let minutes = 0; minutes < 30; minutes++) {
    await new Promise((done) => setTimeout(done, 200)); // the server has a clock of its own
    asked.length = 0;
    await page.clock.runFor(60_000);
    if (asked.length === 0) break;
  }
  assert.deepEqual(asked, []);
  await page.clock.resume();
  const above = page.waitForRequest(/\/api\/metrics\/series\//);
  await server.post(made(777, now + 1000).request());
  await rows().first().filter({ hasText: 'question 777' }).waitFor();
  await above;
  page.off('request', note);
});

test('the strip names the day of both ends, and no seconds that are none', async () => {
  await open('/?from=2026-11-20T23:00:00Z&to=2026-11-22T22:00:00Z', '#strip-says');
  const says = await page.locator('#strip-says').innerText();
  assert.doesNotMatch(says, /\d\d:\d\d:\d\d/);
});

test('a span that a trace contains is asked for by what is offered', async () => {
  await open('/', rows().first());
  await press(page, '/');
  await page.keyboard.type('span(');
  await page.getByRole('option', { name: 'type' }).first().click();
  await page.keyboard.type('task ');
  await page.getByRole('option', { name: ')' }).waitFor();
  await page.keyboard.type('us');
  await page.keyboard.press('Tab');
  await page.keyboard.type('user_59 ');
  await page.getByRole('option', { name: ')' }).click();
  await page.waitForFunction(() => document.querySelector('[role=combobox]').value === 'span(type:task user:user_59) ');
  await page.waitForFunction(() => document.querySelectorAll('.trace-row:not(.head)').length === 1);
});

test('live: the list of another project is told, too', async () => {
  const { id } = await api('POST', '/api/projects/', { name: 'other' });
  const { key } = await page.evaluate(
    async ([project, token]) => {
      const headers = { 'content-type': 'application/json', 'x-csrf-token': token };
      const body = JSON.stringify({ name: 'other', scopes: ['ingest'] });
      return (await fetch(`/api/keys/?project=${project}`, { method: 'POST', headers, body })).json();
    },
    [id, await csrf()],
  );
  await open(`/?project=${id}`, page.locator('.live.on'));
  await page.getByText('Waiting for the first trace…').waitFor();
  const sent = await fetch(`${server.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key },
    body: JSON.stringify(made(888, now).request()),
  });
  assert.equal(sent.status, 200);
  await rows().first().filter({ hasText: 'question 888' }).waitFor();
});
