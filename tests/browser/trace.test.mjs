// One trace in a real browser, on a real server: the tree and its waterfall, and what is drawn, found and read in it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fixtures from './fixtures.mjs';
import { openPage } from './open.mjs';
import { TraceBuilder } from './otlp.mjs';

const { server, browser, page, complaints, open } = await openPage({ viewport: { width: 1440, height: 860 } });
const now = Date.now();
const day = 86_400_000;

const spans = () => page.locator('.span-row');
const row = (name) => spans().filter({ hasText: name }).first();
const selected = () => page.locator('.span-row.selected .label').innerText();
const ticks = () => page.locator('.tick').allTextContents();
const show = (t, query = '') => open(`/traces/${t.id}${query}`, '.span-row');
const send = async (t, query = '') => {
  await server.post(t.request());
  await show(t, query);
};

test('critical path: `c` draws what was waited for, and the address keeps it', async () => {
  await send(fixtures.rerankThenWrite(1001, now - 60_000));
  assert.equal(await page.locator('.critical').count(), 0);
  await page.keyboard.press('c');
  await page.locator('.critical').first().waitFor();
  assert.ok((await row('rerank_then_write').locator('.critical').count()) > 2, 'between its children');
  assert.equal(await row('chat ').locator('.critical').count(), 1);
  const share = (name) =>
    row(name).evaluate(
      (e) =>
        e.querySelector('.critical').getBoundingClientRect().width /
        e.querySelector('.bar').getBoundingClientRect().width,
    );
  assert.ok((await share('chat ')) > 0.98, 'a leaf that was waited for is whole');
  await page.reload();
  await page.locator('.critical').first().waitFor();
  await row('retrieve').locator('.twist-button').click();
  assert.ok((await share('retrieve')) > 0.98, 'what is folded away counts as its own');
  await page.getByRole('button', { name: 'Critical path' }).click();
  await page.locator('.critical').first().waitFor({ state: 'detached' });
});

test('self time, and the tokens and cost of what is below, stand on a row', async () => {
  await show(fixtures.rerankThenWrite(1001, now - 60_000));
  assert.equal(await row('rerank_then_write').locator('.span-sums').innerText(), '294');
  assert.equal(await row('chat ').locator('.span-sums').innerText(), '276');
  assert.match(await row('rerank_then_write').locator('.span-sums').getAttribute('title'), /2 model calls: 294 tokens/);
  assert.match(await row('retrieve').locator('.bar').getAttribute('title'), /378 ms from 20 ms, 99 ms of it itself/);
  const itself = page.locator('.pane dt').filter({ hasText: /^itself$/ });
  assert.equal(await itself.count(), 0, 'a span without children has no other time');
  await row('retrieve').click();
  await itself.waitFor();
  assert.equal(await itself.locator('+ dd').innerText(), '99 ms');
});

test('a link to a span that the trace does not have says so, until one chooses another', async () => {
  const said = page.getByText('This trace has no span');
  const t = fixtures.rerankThenWrite(1001, now - 60_000);
  await show(t, '?span=00000000000000ff');
  await said.waitFor();
  assert.equal(await said.innerText(), 'This trace has no span 00000000000000ff; this one is shown in its place.');
  await page
    .getByRole('region', { name: 'Selected span' })
    .getByRole('heading', { name: /^chat / })
    .waitFor();
  await row('retrieve').click();
  await said.waitFor({ state: 'detached' });
  await show(t);
  await page.locator('.pane .say').first().waitFor();
  assert.equal(await said.count(), 0, 'nothing was asked for');
});

test('durations are readable wherever the bar is', async () => {
  await show(fixtures.rerankThenWrite(1001, now - 60_000));
  const places = await page
    .locator('.bar-label')
    .evaluateAll((all) => all.map((e) => [e.textContent, e.className.split(' ').at(-1)]));
  assert.deepEqual(places[0], ['2.21 s', 'right']);
  assert.deepEqual(places.at(-1), ['12 ms', 'right']);
  const out = await page.locator('.span-row').evaluateAll(
    (all) =>
      all.filter((e) => {
        const [label, cell] = [e.querySelector('.bar-label'), e.querySelector('.span-bar')].map((x) =>
          x.getBoundingClientRect(),
        );
        return label.right > cell.right + 88 || label.left < cell.left - 14;
      }).length,
  );
  assert.equal(out, 0);
  const thin = await page
    .locator('.bar')
    .evaluateAll((all) => Math.min(...all.map((e) => e.getBoundingClientRect().width)));
  assert.ok(thin >= 2, 'a bar is never too thin to be seen');
  const axis = await page.locator('.axis-ticks').boundingBox();
  const bars = await page.locator('.span-bar').first().boundingBox();
  assert.deepEqual([Math.round(axis.x), Math.round(axis.width)], [Math.round(bars.x), Math.round(bars.width)]);
});

test('where a level is drawn no further in, its number stands; bars that fill a phone have their durations on them', async () => {
  const t = new TraceBuilder(1002, now - 30_000);
  let parent = null;
  for (let level = 1; level <= 20; level++)
    parent = t.span(`level ${level}`, { parent, at: level, lasts: 90_000 - 2 * level });
  await send(t);
  const levels = () => page.locator('.span-row .level').allInnerTexts();
  const all = Array.from({ length: 20 }, (_, i) => String(i + 1));
  const shown = await levels();
  assert.ok(shown.length > 0 && shown.length < 20);
  assert.deepEqual(shown, all.slice(-shown.length), 'of the deepest alone');
  await page.setViewportSize({ width: 390, height: 844 });
  assert.ok((await levels()).length >= shown.length);
  const labels = await page.locator('.span-row').evaluateAll((rows) =>
    rows.map((row) => {
      const [label, cell] = ['.bar-label', '.span-bar'].map((at) => row.querySelector(at).getBoundingClientRect());
      return [
        row.querySelector('.bar-label').textContent,
        label.left >= cell.left - 14 && label.right <= cell.right + 14,
      ];
    }),
  );
  assert.deepEqual(
    labels,
    all.map(() => ['1 min 30 s', true]),
  );
  await page.setViewportSize({ width: 1440, height: 860 });
});

test('zoom and pan by mouse: along the axis, with the wheel, by the minimap, its window and its edges', async () => {
  await show(fixtures.rerankThenWrite(1001, now - 60_000));
  const whole = await ticks();
  const drag = async (box, from, to, y = 10) => {
    await page.mouse.move(box.x + from * box.width, box.y + y);
    await page.mouse.down();
    await page.mouse.move(box.x + ((from + to) / 2) * box.width, box.y + y);
    await page.mouse.move(box.x + to * box.width, box.y + y);
    await page.mouse.up();
  };
  const axis = await page.locator('.axis-ticks').boundingBox();
  await drag(axis, 0.25, 0.75);
  const half = await ticks();
  assert.notDeepEqual(half, whole);
  assert.equal(half[0], '1.0 s');
  const map = await page.locator('.minimap').boundingBox();
  const edges = () => page.locator('.minimap .edge').evaluateAll((all) => all.map((e) => Number(e.getAttribute('x1'))));
  const near = (is, want) => is.forEach((x, i) => assert.ok(Math.abs(x - want[i]) < 8, `${is} is not ${want}`));
  near(await edges(), [300, 900]);
  await drag(map, 0.5, 0.6);
  near(await edges(), [420, 1020]);
  await drag(map, 0.35, 0.5);
  near(await edges(), [600, 1020]);
  await drag(map, 0.85, 0.75);
  near(await edges(), [600, 900]);
  await drag(map, 0.1, 0.2);
  near(await edges(), [120, 240]);
  await page.mouse.click(map.x + map.width * 0.9, map.y + 10);
  assert.deepEqual(await ticks(), whole);
  const bars = await page.locator('.span-bar').first().boundingBox();
  await page.mouse.move(bars.x + bars.width * 0.25, bars.y + 40);
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -346);
  await page.keyboard.up('Control');
  await page.waitForFunction(() => document.querySelectorAll('.minimap .edge').length === 2);
  near(await edges(), [150, 750]);
  await page.keyboard.down('Shift');
  await page.mouse.wheel(0, 200);
  await page.keyboard.up('Shift');
  await page.waitForFunction(() => Number(document.querySelector('.minimap .edge').getAttribute('x1')) > 200);
  near(await edges(), [270, 870]);
  await page.locator('.axis-ticks').dblclick({ position: { x: 100, y: 10 } });
  assert.deepEqual(await ticks(), whole);
});

test('errors are marked on the axis, and the mark leads to the span', async () => {
  await send(fixtures.failing(1002, now - 61_000), '');
  await page.keyboard.press('Home');
  assert.equal(await selected(), 'nightly_batch');
  await page.getByRole('button', { name: /^Error at 830 ms/ }).click();
  assert.match(await selected(), /^text_completion/);
});

test('`w` zooms about what is chosen, and `e` goes along in time to the span that failed', async () => {
  const t = new TraceBuilder(1031, now - 50_000);
  t.span('long_run', { lasts: 40_000, type: 'workflow' });
  t.span('early', { parent: t.spans[0].spanId, at: 1000, lasts: 200, type: 'task' });
  t.span('late', { parent: t.spans[0].spanId, at: 39_000, lasts: 200, type: 'task', error: 'it broke' });
  await send(t);
  await page.keyboard.press('Home');
  await page.keyboard.press('j');
  assert.equal(await selected(), 'early');
  for (let i = 0; i < 6; i++) await page.keyboard.press('w');
  const bar = (name) => page.locator('.span-row', { hasText: name }).locator('.bar');
  await bar('early').waitFor();
  assert.equal(await bar('late').count(), 0);
  await page.keyboard.press('e');
  assert.equal(await selected(), 'late');
  await bar('late').waitFor();
});

test('a span that did not come, as the server was away, is asked for until it comes', async () => {
  const t = fixtures.rerankThenWrite(1032, now - 55_000);
  await send(t);
  await page.route('**/api/spans/**', (route) => route.abort('connectionrefused'));
  await row('rerank_then_write').click();
  await page.locator('.pane .banner').waitFor();
  await page.unroute('**/api/spans/**');
  await page.locator('.pane .banner').waitFor({ state: 'detached' });
  await page.getByRole('tab', { name: /^Attributes\s*\d/ }).waitFor();
  // The browser tells of requests that fail.
  complaints.length = 0;
});

test('search: `/` finds names, models, attributes and what prompts and completions say; n and N go on', async () => {
  const t = fixtures.rerankThenWrite(1001, now - 60_000);
  await show(t);
  await page.keyboard.press('/');
  const field = page.getByRole('textbox', { name: 'Search this trace' });
  const says = page.locator('.find-bar [role=status]');
  const become = (text) =>
    page.waitForFunction((s) => document.querySelector('.find-bar [role=status]')?.textContent === s, text);
  await field.fill('rerank');
  await become('2 matches');
  await field.press('Enter');
  await become('1 of 2');
  assert.equal(await selected(), 'rerank_then_write');
  await field.press('Enter');
  assert.equal(await selected(), 'rerank');
  assert.equal(await page.locator('.span-row.matched').count(), 2);
  await field.fill('no adjectives');
  await become('1 match');
  await field.press('Enter');
  assert.match(await selected(), /^chat /);
  await field.fill('spool survives');
  await become('2 of 2');
  assert.deepEqual(await page.locator('.span-row.matched .label').allInnerTexts(), [
    'score_pairs',
    'chat SmolLM2-135M-Instruct',
  ]);
  assert.equal(new URL(page.url()).searchParams.get('find'), 'spool survives');
  await page.getByRole('tree').focus();
  await page.keyboard.press('n');
  await page.keyboard.press('n');
  await become('2 of 2');
  await page.keyboard.press('N');
  assert.equal(await selected(), 'score_pairs');
  await page.reload();
  await become('1 of 2');
  await field.fill('nowhere at all');
  await become('0 matches');
  assert.match(await says.innerText(), /0 matches/);
  await field.press('Escape');
  await field.waitFor({ state: 'detached' });
  assert.equal(new URL(page.url()).searchParams.get('find'), null);
  assert.equal(await page.locator('.span-row.matched').count(), 0);
});

test('the address keeps the part of the time, what is folded and the span: a link shows the same picture', async () => {
  await show(fixtures.rerankThenWrite(1001, now - 60_000));
  const said = (name) => new URL(page.url()).searchParams.get(name);
  const names = () => page.locator('.span-row .label').allInnerTexts();
  const until = (n) => page.waitForFunction((n) => document.querySelectorAll('.span-row').length === n, n);
  const entries = await page.evaluate(() => history.length);
  await until(10);
  await page.keyboard.press('[');
  await until(5);
  assert.equal(said('fold'), '1');
  await page.keyboard.press('k');
  assert.equal(await selected(), 'rerank');
  await page.keyboard.press('ArrowRight');
  await until(6);
  assert.match(said('fold'), /^1\.[0-9a-f]{16}$/);
  const before = await ticks();
  await page.keyboard.press('w');
  await page.waitForFunction((was) => document.querySelector('.tick')?.textContent !== was, before[0]);
  assert.match(said('zoom'), /^[\d.]+~[\d.]+$/);
  assert.equal(await page.evaluate(() => history.length), entries, 'keys make no history');
  const picture = [await names(), await ticks(), await selected()];
  const link = page.url();
  await page.goto(server.url);
  await page.goto(link);
  await until(6);
  assert.deepEqual([await names(), await ticks(), await selected()], picture);
  await page.keyboard.press('}');
  await until(10);
  await page.keyboard.press('{');
  await until(1);
  assert.equal(said('fold'), '0');
  assert.equal(await selected(), 'rerank_then_write');
  await page.keyboard.press('}');
  await until(10);
  await page.keyboard.press('0');
  await page.waitForFunction((was) => document.querySelector('.tick')?.textContent === was, before[0]);
  assert.deepEqual([said('fold'), said('zoom')], [null, null]);
});

test('thirty thousand spans: a link to the last shows it, names are found, and keys that are held move on', async () => {
  const t = fixtures.big(1201, now - 3_600_000, 30_000);
  const all = t.spans;
  const last = all.at(-1);
  for (let i = 0; i < all.length; i += 5000) {
    t.spans = all.slice(i, i + 5000);
    await server.post(t.request());
  }
  await show(t, `?span=${last.spanId}`);
  await page.locator(`#s-${last.spanId}.selected`).waitFor();
  assert.ok((await spans().count()) < 100, 'only what can be seen is in the document');
  await page.keyboard.press('Home');
  await page.locator(`#s-${all[0].spanId}.selected`).waitFor();
  assert.match(await page.locator('.span-row.selected .span-sums').innerText(), /k$/);
  for (let i = 0; i < 120; i++) await page.keyboard.press('j');
  await page.locator(`#s-${all[120].spanId}.selected`).waitFor();
  await page.waitForURL(`**/traces/${t.id}?span=${all[120].spanId}`); // written as often as browsers let one
  await page.keyboard.press('/');
  await page.getByRole('textbox', { name: 'Search this trace' }).fill('lookup_29962');
  await page.waitForFunction(() => document.querySelector('.find-bar [role=status]')?.textContent === '1 match');
  await page.keyboard.press('Enter');
  await page.locator(`#s-${all[29_962].spanId}.selected`).waitFor();
  await page.goBack();
  await page.locator(`#s-${last.spanId}`).waitFor({ state: 'detached' });
});

test('spans of one trace that lie days apart: the parts are said and can be looked at', async () => {
  const t = new TraceBuilder(1003, now - 9 * day);
  t.span('monday', { lasts: 900, type: 'task' });
  t.span('monday_too', { at: 950, lasts: 50, type: 'tool' });
  t.span('thursday', { at: 3 * day, lasts: 700, type: 'task' });
  await send(t);
  assert.match(await page.locator('.far-apart').innerText(), /^2 parts, far apart in 3 d/);
  await page.getByRole('button', { name: 'Part 1' }).click();
  assert.ok(
    (await page
      .locator('.bar')
      .first()
      .evaluate((e) => e.getBoundingClientRect().width)) > 300,
  );
  assert.equal(await row('thursday').locator('.bar').count(), 0);
  await page.getByRole('button', { name: 'Part 2' }).click();
  assert.equal(await row('thursday').locator('.bar').count(), 1);
  assert.equal(await row('monday').locator('.bar').count(), 0);
});

test('clocks that differ are said: a span that begins before its parent', async () => {
  const t = new TraceBuilder(1004, now - 62_000);
  const root = t.span('client', { at: 5000, lasts: 100, type: 'workflow' });
  t.span('server', { parent: root, at: 1000, lasts: 50, type: 'task' });
  await send(t);
  assert.match(await row('server').locator('.flag').getAttribute('title'), /begins 4\.00 s before its parent/);
  assert.equal(await row('client').locator('.flag').count(), 0);
});

const chatTrace = (seed, prompts, completions, more = {}) => {
  const t = new TraceBuilder(seed, now - seed * 100);
  const list = (prefix, all) =>
    all.flatMap((m, i) => Object.entries(m).map(([key, v]) => [`${prefix}.${i}.${key}`, v]));
  const attrs = Object.fromEntries([...list('gen_ai.prompt', prompts), ...list('gen_ai.completion', completions)]);
  t.span('chat tiny', { lasts: 50, type: 'chat', attrs: { 'gen_ai.request.model': 'tiny', ...attrs, ...more } });
  return t;
};
const section = (title) => page.locator('.section').filter({ has: page.getByRole('heading', { name: title }) });

test('Markdown of a chat is shown, and as it was written on demand', async () => {
  const said = [
    '# Plan',
    'Some *soft* and **loud** words, `code` and [a link](https://example.org/x "t").',
    '- one\n- two\n  1. inside',
    '```python\nprint("<b>")\n```',
    '| a | b |\n|---|--:|\n| 1 | 2 |',
    '[bad](javascript:window.pwned=1) <img src=x onerror=window.pwned=1> ![i](https://evil.invalid/i.png)',
  ].join('\n\n');
  await send(chatTrace(1101, [{ role: 'user', content: 'Plan?' }], [{ role: 'assistant', content: said }]));
  const rich = page.locator('.rich');
  await rich.waitFor();
  assert.equal(await rich.locator('.rich-heading').innerText(), 'Plan');
  assert.equal(await rich.locator('b').innerText(), 'loud');
  assert.equal(await rich.locator('ul > li').count(), 2);
  assert.equal(await rich.locator('ol > li').innerText(), 'inside');
  assert.equal(await rich.locator('.rich-code').innerText(), 'print("<b>")');
  assert.deepEqual(await rich.locator('td').allInnerTexts(), ['1', '2']);
  const link = rich.getByRole('link', { name: 'a link' });
  assert.equal(await link.getAttribute('rel'), 'noopener noreferrer nofollow');
  assert.match(await rich.innerText(), /a link \(https:\/\/example\.org\/x\)/, 'where it leads is said');
  assert.equal(await rich.locator('a[href^="javascript"], img').count(), 0);
  assert.match(await rich.innerText(), /<img src=x onerror/);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  await page.getByRole('button', { name: 'raw' }).click();
  assert.ok((await section('Completion').innerText()).includes('**loud** words'));
  assert.equal(await page.locator('.rich').count(), 0);
  await page.reload();
  await page.getByRole('button', { name: 'raw' }).click();
  await rich.waitFor();
});

test('tools: what was offered, called and answered stand together', async () => {
  const prompts = [
    { role: 'user', content: 'Weather in Bern and Basel?' },
    {
      role: 'assistant',
      'tool_calls.0.id': 'c1',
      'tool_calls.0.name': 'get_weather',
      'tool_calls.0.arguments': '{"city":"Bern"}',
      'tool_calls.1.id': 'c2',
      'tool_calls.1.name': 'get_weather',
      'tool_calls.1.arguments': '{"city":"Basel"}',
    },
    { role: 'tool', content: '{"sky":"rain"}', tool_call_id: 'c2' },
    { role: 'tool', content: 'sunny', tool_call_id: 'c1' },
  ];
  await send(chatTrace(1102, prompts, [{ role: 'assistant', content: 'Rain in Basel.' }]));
  const told = page.locator('.told-tool');
  await told.nth(1).waitFor();
  assert.match(await told.nth(0).innerText(), /c1[^]*city: Bern[^]*result\s+sunny/);
  assert.match(await told.nth(1).innerText(), /c2[^]*city: Basel[^]*result[^]*sky: rain/);
  assert.deepEqual(await page.locator('.bubble > small').allInnerTexts(), ['user', 'assistant', 'assistant']);
});

test('images are described, never loaded', async () => {
  const png =
    'iVBORw0KGgoAAAANSUhEUgAAAoAAAAHgCAIAAAC6s0uzAAAACXBIWXMAAAsTAAALEwEAmpwYAAAAB3RJTUUH5wECAwQFBgcICQoLDA0ODw==';
  const content = JSON.stringify([
    { type: 'text', text: 'What is this?' },
    { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
    { type: 'image_url', image_url: { url: 'https://evil.invalid/x.png' } },
  ]);
  await send(chatTrace(1103, [{ role: 'user', content }], [{ role: 'assistant', content: 'A test.' }]));
  await page.getByText('What is this?').waitFor();
  const said = await section('Prompt').innerText();
  assert.match(said, /\[image\/png 640 × 480, \d+ B\]/);
  assert.match(said, /\[image https:\/\/evil\.invalid\/x\.png\]/);
});

test('JSON is searched, and where a value stands is copied', async () => {
  const t = new TraceBuilder(1104, now - 60_100);
  const long = `${'hay '.repeat(900)}needle${' straw'.repeat(900)}`;
  const deep = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`key_${i}`, { value: i, note: `note ${i}` }]));
  t.span('work', {
    lasts: 5,
    type: 'task',
    attrs: { 'traceloop.entity.input': JSON.stringify({ list: [deep, { long }] }) },
  });
  await send(t);
  await page.getByRole('searchbox', { name: 'Search this value' }).fill('note 77');
  const line = section('Input').locator('.json-line');
  await line.waitFor();
  assert.match(await line.innerText(), /list\[0\]\.key_77\.note: note 77/);
  await page.getByRole('button', { name: 'Copy the path list[0].key_77.note' }).waitFor();
  // Of a long value, what stands about it.
  await page.getByRole('searchbox', { name: 'Search this value' }).fill('Needle');
  await line.locator('mark').waitFor();
  assert.match(await line.innerText(), /^list\[1\]\.long: ….*hay needle straw .*…$/);
});

test('reader mode: `r` leaves the model calls, prompt and completion, in their order', async () => {
  await send(fixtures.batch(1105, now - 60_200));
  const t = fixtures.big(1106, now - 900_000, 3000);
  await send(t);
  await page.keyboard.press('r');
  const calls = page.locator('.read-call');
  await calls.first().getByText('summary of chunk 4', { exact: true }).waitFor();
  assert.match(await page.locator('.reader-head').innerText(), /2,400 model calls/);
  assert.ok((await calls.count()) <= 60, 'only those near the window');
  assert.equal(new URL(page.url()).searchParams.get('reader'), '1');
  await page.keyboard.press('j');
  await page.waitForFunction(() =>
    document.querySelector('.read-call.selected .mono')?.textContent.endsWith('2 of 2,400'),
  );
  await page.locator('.reader').evaluate((e) => e.scrollTo(0, e.scrollHeight));
  await page.waitForFunction(() => document.querySelectorAll('.read-call').length > 25);
  await calls
    .nth(24)
    .getByText(/^summary of chunk/)
    .waitFor();
  assert.equal(await spans().count(), 0, 'no tree beside it');
  await page.reload();
  await calls.first().waitFor();
  await calls
    .nth(1)
    .getByRole('button', { name: /text_completion/ })
    .click();
  await page.locator('.span-row.selected').waitFor();
  assert.match(await selected(), /^text_completion/);
});

test('raw: the span as OTLP/JSON, to be searched and copied', async () => {
  const more = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`own.key_${i}`, i]));
  const t = chatTrace(1107, [{ role: 'user', content: 'Hi' }], [{ role: 'assistant', content: 'Ho' }], more);
  await send(t);
  await page.getByRole('tab', { name: 'Raw' }).click();
  const said = page.locator('.pane-body');
  await said.getByText('resourceSpans').waitFor();
  // Down to the span, and no resource open before it.
  await said.getByText('endTimeUnixNano').waitFor();
  assert.equal(await said.getByRole('button', { name: /^resource:/ }).getAttribute('aria-expanded'), 'false');
  await said.getByRole('searchbox').fill('gen_ai.completion.0.content');
  assert.match(await said.innerText(), /resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\]\.attributes\[\d+\]\.key/);
  await page.getByRole('button', { name: 'Copy as OTLP/JSON' }).waitFor();
});

test('a running trace: what has not ended grows, and gives way to the span itself', async () => {
  const t = new TraceBuilder(1108, Date.now() - 2000);
  const root = 'bbbbbbbbbbbbbb01';
  const push = () => server.post(t.request()).then(() => (t.spans = []));
  t.span('first', { parent: root, at: 5, lasts: 500, type: 'task' });
  await push();
  await show(t);
  await row('still running').waitFor();
  assert.equal(await page.locator('.dot.running').innerText(), 'running');
  assert.equal(await row('first').getAttribute('aria-level'), '2');
  const width = () =>
    row('first')
      .locator('.bar')
      .evaluate((e) => e.getBoundingClientRect().width);
  const was = await width();
  await page.waitForFunction((w) => document.querySelectorAll('.bar')[1].getBoundingClientRect().width < w * 0.9, was);
  t.span('second', { parent: root, at: 900, lasts: 5, type: 'tool' });
  await push();
  await row('second').waitFor();
  assert.equal(await selected(), 'still running');
  await page.evaluate(() => {
    window.rows = new Set();
    new MutationObserver(() => {
      window.rows.add(document.querySelectorAll('.span-row').length);
    }).observe(document.querySelector('.tree-rows'), { childList: true, subtree: true });
  });
  t.span('run', { lasts: 1500, type: 'workflow' });
  t.spans.at(-1).spanId = root;
  await push();
  await page.waitForFunction(() => document.querySelector('.span-row .label').textContent === 'run');
  assert.deepEqual(await page.locator('.span-row .label').allTextContents(), ['run', 'first', 'second']);
  assert.deepEqual(await page.evaluate(() => [...window.rows].filter((n) => n < 3)), [], 'no row went meanwhile');
  assert.equal(await selected(), 'run', 'what one looks at stays');
  assert.equal(await page.locator('.dot.running').count(), 0);
  await page.locator('.dot.ok').waitFor();
});

test('hostile trees: 10,000 deep, in a ring, without parents, sent twice', async () => {
  const deep = new TraceBuilder(1109, now - 70 * day);
  let parent = null;
  for (let i = 0; i < 10_000; i++)
    parent = deep.span(`level_${i}`, { parent, at: i / 10, lasts: 5000 - i / 10, type: 'task' });
  await send(deep);
  await page.keyboard.press('c');
  await page.locator('.critical').first().waitFor();
  await page.keyboard.press('End');
  await row('level_9999').waitFor();
  await page.keyboard.press('[');
  await row('level_9998').waitFor();

  const ring = new TraceBuilder(1110, now - 71 * day);
  const a = ring.span('ring_a', { parent: 'aaaaaaaaaaaaaa03', at: 1, lasts: 50, type: 'task' });
  const b = ring.span('ring_b', { parent: a, at: 2, lasts: 40, type: 'task' });
  ring.span('ring_c', { parent: b, at: 3, lasts: 30, type: 'task' });
  ring.spans.at(-1).spanId = 'aaaaaaaaaaaaaa03';
  ring.span('lost', { parent: '00000000000000aa', at: 5, lasts: 5, type: 'task' });
  await server.post(ring.request());
  await send(ring);
  assert.equal(await spans().count(), 4);
  assert.match(await row('lost').innerText(), /parent missing/);
});

test('a megabyte in an attribute, and characters that deceive', async () => {
  const t = new TraceBuilder(1111, now - 72 * day);
  const long = 'x'.repeat(1_500_000);
  t.span('work', {
    lasts: 5,
    type: 'task',
    attrs: { 'own.long': long, 'own.bidi\u202e': 'user\u202e\u2066nimda\u0007' },
  });
  await send(t);
  await page.getByRole('tab', { name: /Attributes/ }).click();
  await page.getByRole('searchbox').fill('own.');
  await page.getByText('show all 1.5 MB').waitFor();
  const said = await page.locator('.attributes').innerText();
  assert.ok(said.length < 5000);
  assert.ok(said.includes('user‹202E›‹2066›nimda‹07›'), said.slice(0, 400));
  assert.ok(said.includes('own.bidi‹202E›'));
});
