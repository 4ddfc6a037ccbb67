// What one reads stays where it is: nothing moves by itself, and what one leaves stands until what one goes to is there.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startEverywhere } from './everywhere.mjs';
import * as fixtures from './fixtures.mjs';
import { openPage } from './open.mjs';

/** Of what the browser's observer counts a page may have so much; a good page has a tenth by common reckoning. */
const most = 0.02;

const now = Date.now();
const shown = fixtures.rerankThenWrite(1, now - 60_000);
const { page, open, complaints } = await openPage({}, async ({ server }) => {
  await server.post(shown.request(), fixtures.failing(3, now - 120_000).request());
});
let all;

before(async () => {
  all = await startEverywhere();
});

after(async () => {
  await all?.stop();
});

const rows = () => page.locator('.trace-row:not(.head)');
const place = (of) => of.first().boundingBox();

/** Notes what moved, but for what somebody's press moved. */
function noteShifts() {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const { hadRecentInput, value, sources } of list.getEntries()) {
      if (!hadRecentInput) window.shifts.push([value, ...sources.map(({ node }) => node?.className ?? node?.nodeName)]);
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

/** A message stands under what it is about; nothing stood yet in what makes room. */
const moves = ['a filter that is wrong', 'no traces yet'];

async function shifted(page, name) {
  // What was drawn is told by then.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const shifts = await page.evaluate(() => window.shifts);
  const sum = shifts.reduce((n, [value]) => n + value, 0);
  return sum > most && !moves.includes(name) ? [`${sum.toFixed(4)}: ${JSON.stringify(shifts)}`] : [];
}

for (const [width, height] of [
  [1320, 780],
  [390, 844],
]) {
  test(`no page moves under the eye as it comes, ${width} wide`, async () => {
    const options = { viewport: { width, height } };
    assert.deepEqual(await all.everywhere(options, shifted, noteShifts), {});
  });

  test(`marks to compare, and a server that is away, move nothing, ${width} wide`, async () => {
    await page.setViewportSize({ width, height });
    await open('/', rows().nth(1));
    const where = await place(rows());
    for (const key of ['j', 'x', 'j', 'x']) await page.keyboard.press(key);
    await page.getByRole('link', { name: 'Compare' }).waitFor();
    assert.deepEqual(await place(rows()), where);
    await page.route('**/api/**', (route) => route.abort('connectionrefused'));
    await page.locator('.banner').waitFor();
    assert.deepEqual(await place(rows()), where);
    await page.unrouteAll({ behavior: 'wait' });
    await page.locator('.banner').waitFor({ state: 'detached' });
    for (const key of ['x', 'k', 'x']) await page.keyboard.press(key);
    await page.getByRole('link', { name: 'Compare' }).waitFor({ state: 'detached' });
    complaints.length = 0; // that the server was away
  });
}

test('the list stands, and is busy, until the trace that one opens is there; keys are the trace’s', async () => {
  await page.setViewportSize({ width: 1320, height: 780 });
  await open('/', rows().nth(1));
  const where = await place(rows());
  let answer;
  const answered = new Promise((go) => (answer = go));
  await page.route(/view=columns/, async (route) => {
    await answered;
    await route.continue();
  });
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.locator('main[aria-busy=true] > .view[inert] .trace-row').first().waitFor();
  assert.deepEqual(await place(rows()), where);
  assert.match(page.url(), new RegExp(`/traces/${shown.id}`));
  await page.keyboard.press('x');
  assert.equal(await page.getByText('1 marked').count(), 0);
  answer();
  await page.locator('.span-row').first().waitFor();
  assert.equal(await page.locator('.trace-row, [inert]').count(), 0);
  await page.unrouteAll();
  // One more time: what was there before is not taken for what is there now.
  await page.goBack();
  await rows().first().waitFor();
  assert.equal(await page.locator('.span-row, [inert]').count(), 0);
});
