// Traces of odd shapes: clocks that were not set, days between spans, rings, ten thousand levels, attributes of megabytes. Each page stays
// one that can be read and used.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage } from './open.mjs';
import { random, TraceBuilder } from './otlp.mjs';

const now = Date.now();
const nano = (ms) => String(BigInt(Math.round(ms)) * 1_000_000n);
const last = String(2n ** 64n - 1n);
const clocks = {
  unset: ['0', '0'],
  epoch: [nano(1000), nano(2000)],
  last: [last, last],
  endless: [nano(now - 9000), last],
};
const ids = {};

const { page, open } = await openPage({}, async ({ server }) => {
  const requests = [];
  for (const [i, [name, [start, end]]] of Object.entries(clocks).entries()) {
    const t = new TraceBuilder(9100 + i, now - 10_000);
    const root = t.span(`of ${name}`, { lasts: 5000, type: 'workflow' });
    t.span('good', { parent: root, at: 2000, lasts: 2000, type: 'task' });
    t.span('stray', { parent: root, type: 'task' });
    Object.assign(t.spans.at(-1), { startTimeUnixNano: start, endTimeUnixNano: end });
    ids[name] = t.id;
    requests.push(t.request());
  }
  const alone = new TraceBuilder(9200, now);
  alone.span('nothing but a stray', { type: 'task' });
  Object.assign(alone.spans[0], { startTimeUnixNano: last, endTimeUnixNano: '0' });
  ids.alone = alone.id;
  const days = new TraceBuilder(9201, now - 9 * 86_400_000);
  const began = days.span('nine days ago', { lasts: 1000, type: 'workflow' });
  days.span('today', { parent: began, at: 9 * 86_400_000 - 5000, lasts: 1000, type: 'task' });
  ids.days = days.id;
  const ring = new TraceBuilder(9202, now - 8000);
  for (const name of ['hare', 'hound', 'self']) ring.span(name, { type: 'task' });
  const [hare, hound, self] = ring.spans;
  Object.assign(hare, { parentSpanId: hound.spanId });
  Object.assign(hound, { parentSpanId: hare.spanId });
  Object.assign(self, { parentSpanId: self.spanId });
  ring.span('orphan', { parent: 'ffffffffffffffff', type: 'task' });
  ids.ring = ring.id;
  const deep = new TraceBuilder(9203, now - 7000);
  let parent = null;
  for (let i = 0; i < 10_000; i++)
    parent = deep.span(`level ${i}`, { parent, at: i / 10, lasts: 2000 - i / 10, type: 'task' });
  ids.deep = deep.id;
  const huge = new TraceBuilder(9204, now - 6000);
  const rand = random(5);
  const text = Array.from({ length: 700_000 }, () => rand().toString(36).slice(2, 9)).join(' ');
  assert.ok(text.length > 5e6);
  huge.span('huge', {
    type: 'chat',
    attrs: { 'gen_ai.prompt.0.role': 'user', 'gen_ai.prompt.0.content': text, mine: `{"a": "${text}"}` },
  });
  ids.huge = huge.id;
  ids.words = [text.slice(0, 20), text.slice(-20)];
  await server.post(...requests, alone.request(), days.request(), ring.request(), deep.request(), huge.request());
});

const row = (name) => page.locator('.span-row').filter({ hasText: name });
const share = async (name) => {
  const [bar, all] = await Promise.all([
    row(name).locator('.bar').boundingBox(),
    row(name).locator('.span-bar').boundingBox(),
  ]);
  return bar.width / all.width;
};

test('a clock that was not set stretches no trace, and it is said', async () => {
  for (const name of Object.keys(clocks)) {
    await open(`/traces/${ids[name]}`);
    await row('stray').waitFor();
    assert.match(await page.locator('.trace-head').innerText(), /duration\s*5\.00 s/);
    const part = await share('good');
    assert.ok(part > 0.3 && part < 0.5, `${name} ${part}`);
    if (name === 'endless') continue; // it begins in time
    const flag = row('stray').locator('.flag', { hasText: 'clock' });
    assert.match(await flag.getAttribute('title'), /wrong by years/);
  }
  await open(`/traces/${ids.alone}`);
  await row('nothing but a stray').waitFor();
});

test('the list, its strip and the dashboard are of these days', async () => {
  await open('/');
  await page.getByRole('link', { name: 'of last' }).waitFor();
  assert.doesNotMatch(await page.locator('.strip').innerText(), /2554|1970/);
  await page.getByRole('link', { name: 'nothing but a stray' }).waitFor(); // it is there all the same
  await open('/dashboard');
  assert.doesNotMatch(await page.locator('main').innerText(), /2554|1970/);
});

test('spans days apart, rings and missing parents are all shown', async () => {
  await open(`/traces/${ids.days}`);
  await row('today').waitFor();
  await open(`/traces/${ids.ring}`);
  for (const name of ['hare', 'hound', 'self', 'orphan']) await row(name).waitFor();
});

test('ten thousand levels are scrolled and folded', async () => {
  await open(`/traces/${ids.deep}`);
  await row('level 0').first().waitFor();
  await page.keyboard.press('End');
  await page.locator('.span-row').filter({ hasText: 'level 9999' }).waitFor();
  await page.keyboard.press('Home');
  await row('level 0').first().waitFor();
  await page.keyboard.press('[');
  await page.keyboard.press(']');
  await row('level 1').first().waitFor();
});

test('five megabytes of text are shown, and the page goes on', async () => {
  const began = performance.now();
  await open(`/traces/${ids.huge}`);
  await page.locator('.pane').getByText(ids.words[0]).first().waitFor();
  console.log(`five megabytes shown after ${Math.round(performance.now() - began)} ms`);
  await page.getByRole('tab', { name: /Attributes/ }).click();
  await page.locator('.pane').getByText('mine').first().waitFor();
  await page.getByRole('tab', { name: /Raw/ }).click();
  await page.locator('.pane').getByText('resourceSpans').first().waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  console.log(`and used after ${Math.round(performance.now() - began)} ms`);
});
