// How a browser test begins and ends: a server, a browser and a page that is signed in, all of the test file's own.
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach } from 'node:test';
import { patience, startBrowser, watch } from './browser.mjs';
import { startServer } from './server.mjs';

/**
 * To be awaited at the top of a test file: what it started ends with the file's tests, and after each of them the page
 * must have had no complaint (`watch`). `options` are a context's. `prepare` is given the same as the caller, before
 * the page signs in: to send traces, to add scripts.
 */
export async function openPage(options = {}, prepare = async () => undefined) {
  const started = await Promise.allSettled([startServer(), startBrowser()]);
  const [server, browser] = started.map(({ value }) => value);
  const stop = async () => {
    await browser?.close();
    await server?.stop();
  };
  try {
    for (const { reason } of started) if (reason) throw reason;
    const context = await browser.newContext({
      viewport: { width: 1320, height: 860 },
      colorScheme: 'light',
      ...options,
    });
    const page = await newPage(context);
    const complaints = watch(page, server.url);
    const opened = { server, browser, context, page, complaints };
    await prepare(opened);
    await page.goto(server.link);
    await listens(page);
    after(stop);
    beforeEach(() => {
      complaints.length = 0;
    });
    afterEach(() => {
      assert.deepEqual(complaints, []);
    });
    return { ...opened, open: (path, whole) => open(page, server.url + path, whole) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One more page of a context, which waits as long as a busy machine may take. */
export async function newPage(context) {
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  return page;
}

/** Goes to an address, until what makes it whole is shown. */
export async function open(page, url, whole) {
  await page.goto(url);
  await listens(page, whole);
}

/** Until `whole` is shown, or the view no longer says that it is busy. What is shown listens to keys: `ui/src/widgets/hooks.ts`. */
export async function listens(page, whole = '#app:not(:empty):not(:has([aria-busy="true"]))') {
  await (typeof whole === 'string' ? page.locator(whole) : whole).first().waitFor();
}

/** Presses keys one after the other, once the page listens. */
export async function press(page, ...keys) {
  await listens(page);
  for (const key of keys) await page.keyboard.press(key);
}
