// The page in a real browser, on a real server, fed by OTLP/JSON.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { artifacts } from './browser.mjs';
import * as fixtures from './fixtures.mjs';
import { listens, newPage, openPage } from './open.mjs';
import { TraceBuilder } from './otlp.mjs';

const ids = {};
const now = Date.now();
const many = 260;

const viewport = { width: 1440, height: 860 };
const { server, browser, context, page, complaints, open } = await openPage({ viewport }, async ({ page }) => {
  // When the first row stood in the document, by the page's own clock.
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector('.trace-row:not(.head), .span-row')) return;
      window.firstRowAt = performance.now();
      observer.disconnect();
    }).observe(document, { childList: true, subtree: true });
  });
});

const median = (times) => Math.round([...times].sort((a, b) => a - b)[Math.floor(times.length / 2)]);
const rows = (p = page) => p.locator('.trace-row:not(.head)');
const names = () => page.locator('.trace-row .name a').allTextContents();
const spans = (p = page) => p.locator('.span-row');
const selectedSpan = () => page.locator('.span-row.selected .label');
const openTrace = (name, query = '') => open(`/traces/${ids[name]}${query}`, '.span-row');

test('without traces the page says how to send one', async () => {
  await page.getByRole('heading', { name: 'No traces yet' }).waitFor();
  assert.match(await page.locator('.code').first().innerText(), /HuggingFaceInstrumentor/);
  assert.equal(new URL(page.url()).search, '');
});

test('a trace that comes is shown without a reload', async () => {
  const t = fixtures.textGeneration(1, now - 1000);
  ids.text = t.id;
  await server.post(t.request());
  await page.getByRole('link', { name: 'huggingface_text_generation' }).waitFor();
});

test('traces are listed newest first, and the list has no end until it has', async () => {
  const made = {
    rerank: fixtures.rerankThenWrite(2, now - 61_000),
    failing: fixtures.failing(3, now - 62_000),
    batch: fixtures.batch(4, now - 63_000),
    hostile: fixtures.hostile(5, now - 64_000),
    big: fixtures.big(6, now - 120_000),
  };
  for (let i = many; i > 0; i--) await server.post(fixtures.ordinary(i, now - 200_000 - i * 1000).request());
  for (const [name, t] of Object.entries(made).reverse()) {
    ids[name] = t.id;
    await server.post(t.request());
  }
  await open('/', rows().nth(10));
  assert.deepEqual((await names()).slice(0, 3), ['huggingface_text_generation', 'rerank_then_write', 'nightly_batch']);
  assert.match(await rows().first().innerText(), /sshleifer|tiny-gpt2/);
  assert.match(await rows().first().innerText(), /9 → 33/);
  const total = many + 6;
  const length = () => page.locator('.virtual').evaluate((e) => Math.round(e.clientHeight / 30));
  for (let had = await length(); had < total; had = await length()) {
    await page.keyboard.press('End');
    await page.waitForFunction((n) => document.querySelector('.virtual').clientHeight > n * 30, had);
  }
  assert.equal(await length(), total);
  assert.ok((await rows().count()) < 60, 'only the rows in the window are in the document');
});

test('older traces that failed to come are asked for again', async () => {
  const other = await newPage(context);
  const older = /\/api\/traces\/list\/\?.*cursor=/;
  await other.route(older, (route) => route.fulfill({ status: 500, body: '' }));
  await other.goto(server.url);
  await rows(other).nth(10).waitFor();
  const refused = other.waitForResponse(older);
  await other.keyboard.press('End');
  await refused;
  await other.unroute(older);
  await other.waitForFunction(() => document.querySelector('.virtual').clientHeight > 50 * 30);
  await other.close();
});

test('other days are said in full', async () => {
  const t = new TraceBuilder(77, now - 40 * 86_400_000);
  t.span('forty_days_ago', { lasts: 5, type: 'task' });
  await server.post(t.request());
  await open('/?q=name:forty_days_ago', rows().first());
  const time = rows().first().locator('.time');
  assert.match(await time.innerText(), /^\d\d \w{3,4} (\d\d:\d\d:\d\d|\d{4})$/);
  assert.ok(await time.evaluate((e) => e.scrollWidth <= e.clientWidth), 'it is not cut');
});

test('a deep chain keeps its names in sight; a span without its parent says so', async () => {
  const deep = new TraceBuilder(78, now - 50 * 86_400_000);
  let parent = null;
  for (let i = 0; i < 500; i++) parent = deep.span(`level_${i}`, { parent, at: i, lasts: 1000 - i, type: 'task' });
  const orphan = new TraceBuilder(79, now - 51 * 86_400_000);
  orphan.span('orphan', { parent: '00000000000000aa', lasts: 5, type: 'task' });
  await server.post(deep.request(), orphan.request());
  await open(`/traces/${deep.id}`, spans().first());
  await page.keyboard.press('End');
  await spans().filter({ hasText: 'level_499' }).waitFor();
  const cut = await page
    .locator('.span-row .label')
    .evaluateAll((all) => all.filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent));
  assert.deepEqual(cut, []);
  await open(`/traces/${orphan.id}`, spans().first());
  assert.match(await spans().first().innerText(), /parent missing/);
});

test('new traces do not move what is read nor what is selected', async () => {
  await open('/', rows().nth(10));
  for (let i = 0; i < 60; i++) await page.keyboard.press('j');
  const where = () =>
    page.locator('.trace-row.selected').evaluate((e) => ({
      id: e.id,
      top: Math.round(e.getBoundingClientRect().top),
    }));
  const was = await where();
  const said = await page.locator('.filter-count').innerText();
  const late = fixtures.ordinary(9001, now + 1000);
  await server.post(late.request());
  await page.waitForFunction((before) => document.querySelector('.filter-count').innerText !== before, said);
  await page.waitForTimeout(500);
  assert.deepEqual(await where(), was);
  await page.keyboard.press('Enter');
  await spans().first().waitFor();
  await page.goBack();
  await listens(page, rows().first());
  assert.deepEqual(await where(), was);
});

test('filters: by field, by word, in the URL, cleared', async () => {
  await open('/', rows().nth(5));
  await page.keyboard.press('/');
  await page.keyboard.type('status:error');
  await page.waitForFunction(() => document.querySelectorAll('.trace-row:not(.head)').length === 2);
  assert.deepEqual((await names()).sort(), ['index_everything', 'nightly_batch'].sort());
  assert.equal(new URL(page.url()).searchParams.get('q'), 'status:error');
  await open('/?q=user%3Auser_421');
  await page.waitForFunction(() => document.querySelectorAll('.trace-row:not(.head)').length === 1);
  assert.deepEqual(await names(), ['rerank_then_write']);
  await open('/?q=pipelines%20helps');
  await page.waitForFunction(() => document.querySelectorAll('.trace-row:not(.head)').length === 1);
  await open('/?q=zzzzzz');
  await page.getByRole('heading', { name: 'No trace matches' }).waitFor();
  await page.getByRole('button', { name: 'Clear the filter' }).last().click();
  await rows().nth(5).waitFor();
  assert.equal(new URL(page.url()).search, '');
});

test('a trace opens by key; its tree, prompt, completion, parameters, tokens and timing are there', async () => {
  await open('/?q=huggingface_text_generation', rows().first());
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await spans().nth(1).waitFor();
  assert.equal(new URL(page.url()).pathname, `/traces/${ids.text}`);
  assert.match(await page.locator('.trace-head').innerText(), /huggingface_text_generation/);
  assert.equal(await spans().count(), 2);
  const tree = page.getByRole('tree');
  assert.equal(await tree.getByRole('treeitem').first().getAttribute('aria-level'), '1');
  assert.equal(await tree.getByRole('treeitem').nth(1).getAttribute('aria-level'), '2');
  const pane = page.locator('.pane');
  await pane.locator('.fresh').waitFor();
  const text = await pane.innerText();
  assert.ok(text.includes(fixtures.prompt));
  assert.ok(text.includes(fixtures.continuation.trim()));
  for (const said of [
    'temperature',
    '0.35',
    'top_p',
    '0.9',
    'repetition_penalty',
    '1.1',
    '9 tokens',
    '33 tokens',
    'measured',
    'first token',
    '4.2 ms',
    'tokens/s',
  ])
    assert.ok(text.includes(said), `${said} in:\n${text}`);
  assert.equal((await pane.locator('.fresh').innerText()).trim(), fixtures.continuation.trim());
  const cut = await pane
    .locator('.grid dt')
    .evaluateAll((all) => all.filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent));
  assert.deepEqual(cut, [], 'names are whole');
  await page.goBack();
  await listens(page, rows().first());
  assert.equal(new URL(page.url()).searchParams.get('q'), 'huggingface_text_generation');
});

test('a span has an address; back and forward follow the selection', async () => {
  await openTrace('rerank');
  assert.match(await selectedSpan().innerText(), /^chat /);
  await page.getByText('You write terse release notes').waitFor();
  await spans().filter({ hasText: 'search_index' }).click();
  assert.equal(await selectedSpan().innerText(), 'search_index');
  const address = page.url();
  await spans().filter({ hasText: 'rerank_then_write' }).click();
  await page.getByText('question').first().waitFor();
  await page.goBack();
  await page.waitForFunction(() => document.querySelector('.span-row.selected .label')?.textContent === 'search_index');
  await page.goForward();
  await page.waitForFunction(
    () => document.querySelector('.span-row.selected .label')?.textContent === 'rerank_then_write',
  );
  await page.goto(address);
  await spans().first().waitFor();
  assert.equal(await selectedSpan().innerText(), 'search_index');
});

test('the tree folds by key and by click, and the waterfall zooms', async () => {
  await openTrace('rerank');
  assert.equal(await spans().count(), 10);
  await page.keyboard.press('[');
  assert.equal(await spans().count(), 5);
  await page.keyboard.press(']');
  assert.equal(await spans().count(), 10);
  await spans().first().click();
  await page.keyboard.press('ArrowLeft');
  assert.equal(await spans().count(), 1);
  assert.equal(await spans().first().getAttribute('aria-expanded'), 'false');
  await page.keyboard.press('ArrowRight');
  assert.equal(await spans().count(), 10);
  await spans()
    .filter({ hasText: /^retrieve/ })
    .locator('.twist-button')
    .click();
  assert.equal(await spans().count(), 8);
  const ticks = () => page.locator('.tick').allTextContents();
  const wide = await ticks();
  await page.keyboard.press('w');
  assert.notDeepEqual(await ticks(), wide);
  await page.keyboard.press('0');
  assert.deepEqual(await ticks(), wide);
});

test('the panes keep the widths they were given', async () => {
  await openTrace('rerank');
  const bar = page.getByRole('separator', { name: /pane/ });
  const box = await bar.boundingBox();
  await page.mouse.move(box.x + 4, 400);
  await page.mouse.down();
  await page.mouse.move(box.x - 96, 400);
  await page.mouse.up();
  const width = await page.locator('.pane').evaluate((e) => e.clientWidth);
  await page.reload();
  await listens(page, spans().first());
  assert.equal(await page.locator('.pane').evaluate((e) => e.clientWidth), width);
  await bar.focus();
  for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowRight');
  assert.ok((await page.locator('.pane').evaluate((e) => e.clientWidth)) < width);
});

test('hostile content is only text', async () => {
  await open('/', rows().nth(5));
  await openTrace('hostile');
  assert.ok((await page.locator('h1').innerText()).includes('‹202E›gnp.exe'));
  await page.locator('.more').first().waitFor();
  assert.ok((await page.locator('.pane').innerText()).includes('<script>window.pwned=1</script>'));
  assert.ok((await page.locator('.pane-body').evaluate((e) => e.textContent.length)) < 20_000, 'megabytes are cut');
  await page.locator('.more').first().click();
  await page.waitForFunction(() => document.querySelector('.pane-body').textContent.length > 2_000_000);
  await page.getByRole('tab', { name: /Attributes/ }).click();
  await page.getByText('__proto__').waitFor();
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  assert.equal(await page.locator('#app img, #app script').count(), 0);
});

test('a trace of 10,000 spans scrolls, with few rows in the document', async () => {
  const times = [];
  for (let i = 0; i < 3; i++) {
    await openTrace('big');
    times.push(await page.evaluate(() => window.firstRowAt));
  }
  await page.locator('.pane .section').first().waitFor();
  console.log(`10,000 spans shown after ${median(times)} ms`);
  const tree = page.locator('.tree-rows');
  assert.equal(await page.locator('.tree .virtual').evaluate((e) => e.clientHeight), 280_000);
  for (const part of [0.3, 0.7, 1]) {
    await tree.evaluate((e, p) => e.scrollTo(0, e.scrollHeight * p), part);
    // The window is full of rows.
    await page.waitForFunction(() => {
      const box = document.querySelector('.tree-rows').getBoundingClientRect();
      return document.elementFromPoint(box.left + 100, box.top + box.height / 2)?.closest('.span-row');
    });
    assert.ok((await spans().count()) < 70);
  }
  await page.keyboard.press('e');
  await page.waitForFunction(() => document.querySelector('.span-row.selected.failed'));
  await page.keyboard.press('[');
  await page.waitForFunction(() => document.querySelector('.tree .virtual').clientHeight < 280_000);
});

test('what is not there is said', async () => {
  await open(`/traces/${'0'.repeat(32)}`);
  await page.getByRole('heading', { name: 'There is no such trace' }).waitFor();
  complaints.length = 0; // the browser itself reports the 404
});

test('a key right after the page came is no second key of `g …`', async () => {
  const young = await newPage(page.context());
  await young.addInitScript(() => (performance.now = () => 500));
  await young.goto(server.url);
  await listens(young, young.locator('.trace-row:not(.head)'));
  await young.keyboard.press('d');
  assert.equal(new URL(young.url()).pathname, '/');
  await young.keyboard.press('g');
  await young.keyboard.press('d');
  await young.waitForURL('**/dashboard');
  await young.close();
});

test('keys are explained, the theme is kept', async () => {
  await open('/', rows().first());
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  const theme = page.getByRole('button', { name: /^Theme/ });
  await theme.click();
  await theme.click();
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(await background(), 'rgb(15, 18, 22)');
  await page.reload();
  await listens(page, rows().first());
  assert.equal(await background(), 'rgb(15, 18, 22)');
  await theme.click();
  assert.equal(await background(), 'rgb(255, 255, 255)');
});

test('names and shapes pass for assistive technology', async () => {
  await openTrace('rerank');
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll('button, a, input, [role=separator], [role=tree], [role=tablist]')]
      .filter(
        (e) => e.getAttribute('aria-hidden') !== 'true' && !(e.getAttribute('aria-label') || e.textContent.trim()),
      )
      .map((e) => e.outerHTML.slice(0, 80)),
  );
  assert.deepEqual(nameless, []);
  const active = await page.getByRole('tree').getAttribute('aria-activedescendant');
  assert.equal(await page.locator(`#${active}`).getAttribute('aria-selected'), 'true');
});

test('text stands out from its ground, light and dark', async () => {
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    await openTrace('failing');
    await page.locator('.section').nth(1).waitFor();
    const weak = await page.evaluate(() => {
      const luminance = (rgb) => {
        const [r, g, b] = rgb.map((c) => ((c /= 255), c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const parse = (c) => c.match(/[\d.]+/g).map(Number);
      const ground = (e) => {
        for (; e; e = e.parentElement) {
          const [r, g, b, a = 1] = parse(getComputedStyle(e).backgroundColor);
          if (a === 1) return [r, g, b];
        }
        return [255, 255, 255];
      };
      return [...document.querySelectorAll('#app *')]
        .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))
        .map((e) => {
          const [a, b] = [luminance(parse(getComputedStyle(e).color).slice(0, 3)), luminance(ground(e))];
          return [e.className, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
        })
        .filter(([, ratio]) => ratio < 4.5);
    });
    assert.deepEqual(weak, [], scheme);
  }
  await page.emulateMedia({ colorScheme: 'light' });
});

test('pictures, light and dark, wide and narrow', async () => {
  const shots = [
    ['traces', '/', rows],
    ['trace', `/traces/${ids.rerank}`, (p) => p.locator('.say')],
  ];
  for (const [name, path, ready] of shots) {
    for (const scheme of ['light', 'dark']) {
      for (const [size, width] of [
        ['wide', 1440],
        ['phone', 390],
      ]) {
        await page.setViewportSize({ width, height: 860 });
        await page.emulateMedia({ colorScheme: scheme });
        await open(path);
        await ready(page).first().waitFor();
        await page.screenshot({
          path: join(artifacts, `${name}-${scheme}-${size}.png`),
        });
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${name} ${size}: nothing sticks out`);
      }
    }
  }
  await page.setViewportSize({ width: 1440, height: 860 });
  await page.emulateMedia({ colorScheme: 'light' });
});

test('the list is there soon', async () => {
  await open('/', rows().nth(5));
  const times = [];
  for (let i = 0; i < 5; i++) {
    await page.reload({ waitUntil: 'commit' });
    await rows().nth(5).waitFor();
    times.push(await page.evaluate(() => window.firstRowAt));
  }
  console.log(`list shown after ${median(times)} ms`);
});

test('what the list shows is asked for before anything is drawn', async () => {
  const fresh = await newPage(context);
  await fresh.addInitScript(() => {
    const { fetch } = window;
    window.asked = [];
    window.fetch = (path, init) => {
      if (!path.includes('cursor')) window.asked.push([path.split('?')[0], document.querySelector('.frame') !== null]);
      return fetch(path, init);
    };
  });
  await fresh.goto(`${server.url}/?q=some_text`);
  await listens(fresh);
  const asked = await fresh.evaluate(() => window.asked);
  await fresh.close();
  assert.deepEqual(asked[0], ['/api/traces/list/', false]);
});

test('a trace that is looked at shows the spans that come late', async () => {
  const growing = new TraceBuilder(81, Date.now() - 3000);
  const send = () => server.post(growing.request()).then(() => (growing.spans = []));
  const root = 'aaaaaaaaaaaaaa01';
  growing.span('early', { parent: root, at: 5, lasts: 5, type: 'task' });
  await send();
  await open(`/traces/${growing.id}`);
  await spans().filter({ hasText: 'still running' }).waitFor();
  const asked = page.waitForRequest((r) => r.url().includes('since='));
  await asked;
  growing.span('late', { parent: root, at: 8, lasts: 5, type: 'task' });
  growing.span('run', { lasts: 20, type: 'workflow' });
  growing.spans.at(-1).spanId = root;
  await send();
  await spans().filter({ hasText: 'late' }).waitFor();
  assert.deepEqual(await page.locator('.span-row .label').allTextContents(), ['run', 'early', 'late']);
  assert.equal(await spans().filter({ hasText: 'still running' }).count(), 0);
});

test('whoever is not signed in sees how to, and no data', { skip: Boolean(process.env.RESPAN_MOCK) }, async () => {
  const stranger = await browser.newContext();
  const other = await newPage(stranger);
  for (const path of ['/', `/traces/${ids.text}`]) {
    await other.goto(server.url + path);
    const html = await other.content();
    assert.match(html, /respan auth link/);
    assert.doesNotMatch(html, /huggingface_text_generation/);
  }
  assert.equal((await other.request.get(`${server.url}/api/traces/list/`)).status(), 401);
  assert.equal((await other.request.get(`${server.url}/api/traces/${ids.text}/`)).status(), 401);
  await other.goto(server.link);
  assert.doesNotMatch(await other.content(), /huggingface_text_generation/, 'a link works once');
  await stranger.close();
});

test('a session that ends, a server that goes away: both are said', async () => {
  const other = await newPage(context);
  await other.goto(server.url);
  await rows(other).first().waitFor();
  await other.route('**/api/**', (route) => route.abort('connectionrefused'));
  await other.locator('.banner').waitFor();
  assert.match(await other.locator('.banner').innerText(), /does not answer/);
  assert.ok((await rows(other).count()) > 5, 'what was shown stays');
  await other.unroute('**/api/**');
  await other.locator('.banner').waitFor({ state: 'detached' });
  await other.route('**/api/**', (route) =>
    route.fulfill({
      status: 401,
      contentType: 'application/json',
      body: '{"error":{"code":"unauthorized","message":"no session","field":null}}',
    }),
  );
  await other.getByRole('heading', { name: /not signed in/ }).waitFor();
  assert.equal(await rows(other).count(), 0);
  await other.close();
});
