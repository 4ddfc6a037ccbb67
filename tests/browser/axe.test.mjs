// What keeps people out who read, point or see otherwise: on each page, and in each menu and dialog, axe-core finds nothing and
// nothing is wider than the window; light and dark, wide and on a phone.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { startEverywhere } from './everywhere.mjs';

const axePath = createRequire(new URL('../../ui/package.json', import.meta.url)).resolve('axe-core/axe.min.js');

let all, axe;

before(async () => {
  [all, axe] = await Promise.all([startEverywhere(), readFile(axePath, 'utf8')]);
});

after(async () => {
  await all?.stop();
});

const levels = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const colours = ['color-contrast', 'link-in-text-block'];

async function violations(page, runOnly) {
  const { violations: found } = await page.evaluate(
    (only) =>
      window.axe.run(document, {
        runOnly: only,
        rules: { 'label-content-name-mismatch': { enabled: false } }, // experimental: takes a row's cells for its label
      }),
    runOnly,
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map((n) => `${id}: ${n.target.join(' ')} ${n.any.map(({ message }) => message).join('; ')}`),
  );
}

async function tooWide(page) {
  const by = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  return by > 0 ? [`${by} px wider than the window`] : [];
}

/** What is wrong with a page as it stands: everything in the light, and in the dark what is of colours. */
async function wrongs(page) {
  await page.evaluate(axe);
  const light = [...(await tooWide(page)), ...(await violations(page, levels))];
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await violations(page, colours);
  await page.emulateMedia({ colorScheme: 'light' });
  return [...light, ...dark.map((said) => `dark: ${said}`)];
}

for (const [width, height] of [
  [1280, 800],
  [390, 844],
]) {
  test(`accessibility: no page has a violation or is wider than the window, ${width} wide`, async () => {
    // axe's own script is one that the page does not allow
    assert.deepEqual(await all.everywhere({ viewport: { width, height }, bypassCSP: true }, wrongs), {});
  });
}
