// For tests of what must hold everywhere: a server with something in it and one with nothing, and a walk over all places of both.
import * as fixtures from './fixtures.mjs';
import { startBrowser } from './browser.mjs';
import { newPage, open } from './open.mjs';
import { emptyPlaces, openPlaces, places } from './places.mjs';
import { startServer } from './server.mjs';

export async function startEverywhere() {
  const now = Date.now();
  const shown = fixtures.rerankThenWrite(1, now - 60_000);
  const other = fixtures.rerankThenWrite(2, now - 90_000);
  const failed = fixtures.failing(3, now - 120_000);
  const chat = shown.spans.find(({ name }) => name.startsWith('chat'));
  const [server, empty, browser] = await Promise.all([startServer(), startServer(), startBrowser()]);
  for (let i = 10; i < 40; i++) await server.post(fixtures.ordinary(i, now - i * 60_000).request());
  await server.post(fixtures.batch(4, now - 150_000).request(), fixtures.measured(5, now - 160_000).request());
  await server.post(shown.request(), other.request(), failed.request());
  const link = await server.share(shown.id);
  const ids = { shown: shown.id, span: chat.spanId, other: other.id, failed: failed.id };
  const states = {};

  /** What a browser keeps of a session. */
  async function signedIn(at) {
    if (states[at.url]) return states[at.url];
    const context = await browser.newContext();
    await open(await newPage(context), at.link);
    states[at.url] = await context.storageState();
    await context.close();
    return states[at.url];
  }

  /** Looks at each place; of each it is told what is wrong, or why it did not come. `options` are a context's. */
  async function everywhere(options, look, script) {
    const found = {};
    const walk = async (at, rows, state) => {
      const context = await browser.newContext({
        colorScheme: 'light',
        storageState: state,
        reducedMotion: 'reduce',
        ...options,
      });
      if (script) await context.addInitScript(script);
      const page = await newPage(context);
      for (const [name, path, whole, then] of rows) {
        try {
          await open(page, at.url + path, whole);
          await then?.(page);
          const wrong = await look(page, name);
          if (wrong.length > 0) found[name] = wrong;
        } catch (error) {
          found[name] = error.message;
        }
        await page.unrouteAll();
      }
      await context.close();
    };
    await walk(server, places({ ...ids, user: 'user_421', thread: 'conv_abc_123' }), await signedIn(server));
    await walk(server, openPlaces({ link }));
    await walk(empty, emptyPlaces, await signedIn(empty));
    return found;
  }

  return {
    everywhere,
    stop: async () => {
      await browser.close();
      await server.stop();
      await empty.stop();
    },
  };
}
