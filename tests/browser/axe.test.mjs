// What keeps people out who read, point or see otherwise: on each page, and in each menu and dialog, axe-core finds nothing and
// nothing is wider than the window; light and dark, wide and on a phone.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { startBrowser } from './browser.mjs';
import * as fixtures from './fixtures.mjs';
import { newPage, open } from './open.mjs';
import { emptyPlaces, openPlaces, places } from './places.mjs';
import { startServer } from './server.mjs';

const axePath = createRequire(new URL('../../ui/package.json', import.meta.url)).resolve('axe-core/axe.min.js');
const now = Date.now();
const shown = fixtures.rerankThenWrite(1, now - 60_000);
const other = fixtures.rerankThenWrite(2, now - 90_000);
const failed = fixtures.failing(3, now - 120_000);
const chat = shown.spans.find(({ name }) => name.startsWith('chat'));

let server, empty, browser, axe, link;

before(async () => {
  [server, empty, browser, axe] = await Promise.all([
    startServer(),
    startServer(),
    startBrowser(),
    readFile(axePath, 'utf8'),
  ]);
  for (let i = 10; i < 40; i++) await server.post(fixtures.ordinary(i, now - i * 60_000).request());
  await server.post(fixtures.batch(4, now - 150_000).request(), fixtures.measured(5, now - 160_000).request());
  await server.post(shown.request(), other.request(), failed.request());
  link = await server.share(shown.id);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  await empty?.stop();
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

const states = {};
for (const [width, height] of [
  [1280, 800],
  [390, 844],
]) {
  test(`accessibility: no page has a violation or is wider than the window, ${width} wide`, async () => {
    const found = {};
    const walk = async (at, rows, state) => {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: 'light',
        storageState: state,
        reducedMotion: 'reduce',
        bypassCSP: true, // for axe's own script
      });
      const page = await newPage(context);
      for (const [name, path, whole, then] of rows) {
        try {
          await open(page, at.url + path, whole);
          await then?.(page);
          const wrong = await wrongs(page);
          if (wrong.length > 0) found[name] = wrong;
        } catch (error) {
          found[name] = error.message;
        }
        await page.unrouteAll();
      }
      await context.close();
    };
    const ids = { shown: shown.id, span: chat.spanId, other: other.id, failed: failed.id };
    await walk(server, places({ ...ids, user: 'user_421', thread: 'conv_abc_123' }), await signedIn(server));
    await walk(server, openPlaces({ link }));
    await walk(empty, emptyPlaces, await signedIn(empty));
    assert.deepEqual(found, {});
  });
}

/** What a browser keeps of a session. */
async function signedIn(at) {
  if (states[at.url]) return states[at.url];
  const context = await browser.newContext();
  await open(await newPage(context), at.link);
  states[at.url] = await context.storageState();
  await context.close();
  return states[at.url];
}
