// The pictures of the README: docs/screenshots/{traces,trace}-{light,dark}.png, from the real server with made-up traces.
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBrowser } from '../tests/browser/browser.mjs';
import * as fixtures from '../tests/browser/fixtures.mjs';
import { startServer } from '../tests/browser/server.mjs';

const out = fileURLToPath(new URL('../docs/screenshots/', import.meta.url));
await mkdir(out, { recursive: true });

const [server, browser] = await Promise.all([startServer(), startBrowser()]);
try {
  const now = Date.now();
  for (let i = 60; i > 0; i--) {
    const start = now - 90_000 - i * 37_000 - (i % 7) * 2313;
    const make = i % 13 === 4 ? fixtures.failing : i % 9 === 2 ? fixtures.rerankThenWrite : fixtures.ordinary;
    await server.post(make(i, start).request());
  }
  const shown = fixtures.rerankThenWrite(1001, now - 31_793);
  await server.post(shown.request(), fixtures.textGeneration(1002, now - 12_345).request());

  for (const scheme of ['light', 'dark']) {
    const context = await browser.newContext({
      viewport: { width: 1320, height: 720 },
      colorScheme: scheme,
      storageState: server.state,
    });
    const page = await context.newPage();
    await page.goto(server.link);
    server.link = server.url;
    await page.goto(server.url);
    await page.locator('.trace-row:not(.head)').nth(10).waitFor();
    await page.keyboard.press('j');
    await page.screenshot({ path: join(out, `traces-${scheme}.png`) });
    await page.goto(`${server.url}/traces/${shown.id}`);
    await page.locator('.say').first().waitFor();
    await page.screenshot({ path: join(out, `trace-${scheme}.png`) });
    server.state = await context.storageState();
    await context.close();
  }
  for (const name of ['traces-light', 'traces-dark', 'trace-light', 'trace-dark']) {
    const { size } = await stat(join(out, `${name}.png`));
    console.log(`docs/screenshots/${name}.png ${Math.round(size / 1000)} kB`);
  }
} finally {
  await browser.close();
  await server.stop();
}
