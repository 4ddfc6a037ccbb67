// Whoever has no mouse comes everywhere, sees where he is, and comes away again; what can be pressed is what can be clicked.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startEverywhere } from './everywhere.mjs';
import { goThrough, lookAtFocus, noteListeners } from './tabbing.mjs';

let all;

before(async () => {
  all = await startEverywhere();
});

after(async () => {
  await all?.stop();
});

/** What is dragged or clicked, and what does the same by keys: `shortcuts.test.mjs` presses those. */
const byKeys = [
  '.minimap, .axis-ticks', // w a s d 0
  '.axis-error', // e
  '.read-call', // j k
  '.u-over, .u-wrap', // the table of a chart's values
  '[draggable=true]', // the arrows beside it
].join();

/** The focus is never there on the way from one to the next: the reading order is that of the screen. */
const isBack = ({ box, before }) => before !== null && box.bottom <= before.top && box.right <= before.left;

/** Places in which nobody tells who one is. */
const unknown = /does not come|is away|is over/;

async function wrongs(page, place) {
  if (!unknown.test(place))
    await page.waitForFunction(() => !document.querySelector('.side') || document.querySelector('.side select'));
  await page.evaluate(lookAtFocus);
  const opened = await page.evaluate(() =>
    ['dialog[open]', '.popover'].find((of) => document.querySelector(of)?.contains(document.activeElement)),
  );
  if (!opened) await page.evaluate(() => window.tabbing.toTop());
  // It was opened by mouse, which shows no mark.
  const first = opened ? [{ ...(await page.evaluate(() => window.tabbing.now())), wrong: [] }] : [];
  const there = await goThrough(page);
  const steps = [...first, ...there.steps];
  const wrong = steps.flatMap(({ name, wrong }) => wrong.map((w) => `${name}: ${w}`));
  if (!there.ends) wrong.push(`no end, at last ${steps.slice(-3).map(({ name }) => name)}`);
  for (const step of there.steps.slice(1)) if (isBack(step)) wrong.push(`${step.name} is before what led to it`);
  const isModal = opened === 'dialog[open]';
  if (isModal && steps.some(({ inDialog }) => !inDialog)) wrong.push('out of a modal dialog');
  if (opened === '.popover') {
    if ((await page.locator('.popover').count()) > 0) wrong.push('still open when the focus has left it');
    return wrong;
  }
  const numbers = steps.map(({ number }) => number);
  const missed = await page.evaluate(
    ([numbers, inside, byKeys]) => window.tabbing.missed(numbers, inside, byKeys),
    [numbers, opened ?? 'body', byKeys],
  );
  wrong.push(...missed.map((name) => `${name}: not reached`));
  if (isModal) return wrong;
  const back = await goThrough(page, 'Shift+Tab');
  const names = (of) => of.map(({ name }) => name);
  if (JSON.stringify(names(back.steps.reverse())) !== JSON.stringify(names(steps)))
    wrong.push(`back by another way: ${names(back.steps)} and not ${names(steps)}`);
  return wrong;
}

for (const [width, height] of [
  [1280, 800],
  [390, 844],
]) {
  test(`Tab goes over all that can be used, each is seen to have the focus, and nothing holds it, ${width} wide`, async () => {
    assert.deepEqual(await all.everywhere({ viewport: { width, height } }, wrongs, noteListeners), {});
  });
}
