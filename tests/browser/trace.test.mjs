// One trace in a real browser, on a real server: the tree and its waterfall, and what is drawn, found and read in it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { artifacts, startBrowser, watch } from './browser.mjs';
import * as fixtures from './fixtures.mjs';
import { TraceBuilder } from './otlp.mjs';
import { startServer } from './server.mjs';

let server, browser, page, complaints;
const now = Date.now();
const day = 86_400_000;

before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  page = await browser.newPage({ viewport: { width: 1440, height: 860 }, colorScheme: 'light' });
  page.setDefaultTimeout(15_000);
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

const spans = () => page.locator('.span-row');
const row = (name) => spans().filter({ hasText: name }).first();
const selected = () => page.locator('.span-row.selected .label').innerText();
const ticks = () => page.locator('.tick').allTextContents();
const show = async (t, query = '') => {
  await page.goto(`${server.url}/traces/${t.id}${query}`);
  await spans().first().waitFor();
};
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
});

test('durations are readable wherever the bar is', async () => {
  await show(fixtures.rerankThenWrite(1001, now - 60_000));
  const places = await page
    .locator('.bar-label')
    .evaluateAll((all) => all.map((e) => [e.textContent, e.className.split(' ').at(-1)]));
  assert.deepEqual(places[0], ['2.21 s', 'inside']);
  assert.deepEqual(places.at(-1), ['12 ms', 'left']);
  assert.equal(places.find(([text]) => text === '378 ms')[1], 'right');
  const out = await page.locator('.span-row').evaluateAll(
    (all) =>
      all.filter((e) => {
        const [label, cell] = [e.querySelector('.bar-label'), e.querySelector('.span-bar')].map((x) =>
          x.getBoundingClientRect(),
        );
        return label.right > cell.right + 14 || label.left < cell.left - 14;
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

test('spans of one trace that lie days apart: the parts are said and can be looked at', async () => {
  const t = new TraceBuilder(1003, now - 9 * day);
  t.span('monday', { lasts: 900, type: 'task' });
  t.span('monday_too', { at: 950, lasts: 50, type: 'tool' });
  t.span('thursday', { at: 3 * day, lasts: 700, type: 'task' });
  await send(t);
  assert.match(await page.locator('.far-apart').innerText(), /^2 parts, far apart in 72 h 00 m/);
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
