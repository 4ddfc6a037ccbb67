// Two traces side by side, in a real browser on a real server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fixtures from './fixtures.mjs';
import { listens, openPage } from './open.mjs';

let a, b;
const now = Date.now();

const { page, open } = await openPage({ viewport: { width: 1320, height: 720 } }, async ({ server }) => {
  const say = 'Why is the <b>sky</b> blue?';
  a = fixtures.turn(1, now - 60_000, { say, answer: 'Because air scatters blue light more.' });
  b = fixtures.turn(2, now - 30_000, {
    say,
    answer: 'Because air scatters short waves more.',
    attrs: { 'gen_ai.request.temperature': 0.2, 'gen_ai.request.top_p': 0.9, 'respan.model.dtype': 'bfloat16' },
  });
  b.span('judge.task', { parent: b.root, at: 815, lasts: 20, type: 'task' });
  await server.post(a.request(), b.request());
});

const ends = () => {
  const { searchParams } = new URL(page.url());
  return [searchParams.get('a'), searchParams.get('b')];
};

test('two rows of the list that are marked with x are compared with =', async () => {
  await listens(page, page.locator('.trace-row:not(.head)').nth(1));
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.locator('.trace-row.marked').waitFor();
  await page.keyboard.press('k');
  await page.keyboard.press('x');
  await page.getByRole('link', { name: 'Compare' }).waitFor();
  await page.keyboard.press('=');
  await page.locator('.compare-texts').waitFor();
  assert.equal(new URL(page.url()).pathname, '/compare');
  assert.deepEqual(ends(), [a.id, b.id]);
});

test('what differs in completion, parameters, model and tree is said, what does not is not', async () => {
  const part = (title) => page.locator('.compare-part', { has: page.locator('h2', { hasText: title }) });
  assert.match(await part('Prompt').innerText(), /Prompt\s+the same/);
  assert.deepEqual(await part('Completion').locator('del').allTextContents(), ['blue', 'light']);
  assert.deepEqual(await part('Completion').locator('ins').allTextContents(), ['short', 'waves']);
  const line = (of) =>
    part('Completion')
      .locator(of)
      .first()
      .evaluate((e) => getComputedStyle(e).textDecorationLine);
  assert.deepEqual([await line('del'), await line('ins')], ['line-through', 'underline'], 'not told by colours alone');
  assert.deepEqual(await part('Parameters').locator('tr').allInnerTexts(), [
    'temperature\t0.7\t0.2',
    'top_p\tnot set\t0.9',
  ]);
  assert.match(await part('Model').last().innerText(), /dtype\s+not set\s+bfloat16/);
  assert.match(await part('Metadata').innerText(), /the same/);
  assert.match(await page.locator('.compare-tree h2').innerText(), /1 only in B/);
  assert.match(await page.locator('.pair.new').innerText(), /judge[\s\S]*only in B/);
  assert.match(await part('Traces').innerText(), /spans\s+2\s+3\s+\+50 %/);
});

test('another pair of spans is looked at, and A and B are swapped; both stand in the address', async () => {
  await page.locator('.pair-name', { hasText: 'answer' }).click();
  await page.waitForFunction((id) => new URL(location.href).searchParams.get('a').startsWith(`${id}.`), a.id);
  await page.locator('.pair.selected', { hasText: 'answer' }).waitFor();
  const before = ends();
  await page.getByRole('button', { name: 'swap' }).click();
  await page.locator('.pair.gone', { hasText: 'judge' }).waitFor();
  assert.deepEqual(ends(), before.reverse());
});

test('a span is compared with the one that was marked before', async () => {
  await open(`/traces/${a.id}`, '.say');
  await page.getByRole('button', { name: 'mark to compare' }).click();
  await open(`/traces/${b.id}`, '.say');
  await page.getByRole('button', { name: 'compare with the marked' }).click();
  await page.locator('.compare-texts').waitFor();
  assert.deepEqual(
    ends().map((end) => end.slice(0, 33)),
    [`${a.id}.`, `${b.id}.`],
  );
  await open('/compare', '.notice h2');
  assert.match(await page.locator('.notice').innerText(), /Two traces are compared here/);
});
