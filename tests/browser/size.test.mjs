// What the page's scripts weigh as the server sends them: all of them, and those that the first list waits for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fixtures from './fixtures.mjs';
import { openPage } from './open.mjs';

const mostOfAll = 120_000;
const mostAtFirst = 62_500;

const { page, open } = await openPage({}, async ({ server }) =>
  server.post(fixtures.textGeneration(1, Date.now() - 1000).request()),
);

/** Bytes of a body as it is sent, and what it says. */
const sent = (path) =>
  page.evaluate(async (path) => {
    const text = await (await fetch(path, { cache: 'reload' })).text();
    const [{ encodedBodySize }] = performance.getEntriesByName(new URL(path, location.href).href).slice(-1);
    return { bytes: encodedBodySize, text };
  }, path);

function weigh(scripts, most) {
  const bytes = scripts.reduce((sum, script) => sum + script.bytes, 0);
  const told = [...scripts]
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 5)
    .map(({ path, bytes }) => `${path.replace('/assets/', '')} ${bytes}`)
    .join(', ');
  console.log(`${bytes} of ${most} bytes: ${told}`);
  assert.ok(bytes <= most, `${bytes} bytes, and ${most} are the most: ${told}`);
}

test('all scripts together are within what the page may weigh', async () => {
  const seen = new Set();
  const scripts = [];
  const read = async (text) => {
    for (const [name] of text.matchAll(/[\w-]+-[\w-]{8}\.js\b/g)) {
      const path = `/assets/${name}`;
      if (seen.has(path)) continue;
      seen.add(path);
      const script = await sent(path);
      scripts.push({ path, bytes: script.bytes });
      await read(script.text);
    }
  };
  await read((await sent('/')).text);
  assert.ok(scripts.length > 1 && scripts.every(({ bytes }) => bytes > 0));
  weigh(scripts, mostOfAll);
});

test('what the first list waits for is within what it may weigh', async () => {
  await open('/', '.trace-row:not(.head)');
  const scripts = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .filter(({ initiatorType, name }) => initiatorType !== 'fetch' && name.endsWith('.js'))
      .map(({ name, encodedBodySize }) => ({ path: new URL(name).pathname, bytes: encodedBodySize })),
  );
  assert.ok(scripts.length > 0 && scripts.every(({ bytes }) => bytes > 0));
  weigh(scripts, mostAtFirst);
});
