// What the page costs whoever looks at it, in Chromium on a real server: the list, a filter, traces of 10, 10,000 and 100,000 spans
// (from the navigation to the first row in the document, by the page's own clock), and the times between frames while a trace scrolls.
// usage: node bench/ui.mjs [ROUNDS]; RESPAN_BINARY says which server. Nothing here is asserted.
import { startBrowser } from '../tests/browser/browser.mjs';
import { big, ordinary } from '../tests/browser/fixtures.mjs';
import { startServer } from '../tests/browser/server.mjs';

const rounds = Number(process.argv[2] ?? 5);
const sizes = [10, 10_000, 100_000];
const traces = 2000;
const perRequest = 10_000;
const now = Date.now();

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
const summary = (times) => {
  const sorted = [...times].sort((a, b) => a - b);
  return { median: at(sorted, 0.5), worst: sorted.at(-1) };
};
const say = (what, times) => {
  const { median, worst } = summary(times);
  console.log(`${what.padEnd(34)}${median.toFixed(0).padStart(7)} ms  (worst of ${times.length}: ${worst.toFixed(0)})`);
};

const [server, browser] = await Promise.all([startServer(), startBrowser()]);
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 860 } });
  page.setDefaultTimeout(60_000);
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector('.trace-row:not(.head), .span-row')) return;
      window.firstRowAt = performance.now();
      observer.disconnect();
    }).observe(document, { childList: true, subtree: true });
  });
  await page.goto(server.link);

  for (let i = 0; i < traces; i += 100) {
    await server.post(...Array.from({ length: 100 }, (_, n) => ordinary(i + n, now - 3_600_000 + i + n).request()));
  }
  const made = sizes.map((n, i) => big(100 + i, now - 7_200_000 - i * 1_000_000, n));
  for (const t of made) {
    const all = t.spans;
    for (let i = 0; i < all.length; i += perRequest) {
      t.spans = all.slice(i, i + perRequest);
      await server.post(t.request());
    }
  }

  const open = async (path) => {
    await page.goto(server.url + path);
    await page.waitForFunction(() => window.firstRowAt !== undefined);
    return page.evaluate(() => window.firstRowAt);
  };
  const several = async (one) => {
    await one();
    const times = [];
    for (let i = 0; i < rounds; i++) times.push(await one());
    return times;
  };
  say('list', await several(() => open('/')));
  say('list of a filter', await several(() => open('/?q=name%3Aclassify_ticket')));
  for (const [i, n] of sizes.entries()) {
    say(`trace of ${n.toLocaleString('en')} spans`, await several(() => open(`/traces/${made[i].id}`)));
  }
  for (const [i, n] of sizes.entries()) {
    if (n < 1000) continue;
    await open(`/traces/${made[i].id}`);
    const frames = await page.evaluate(
      () =>
        new Promise((done) => {
          const tree = document.querySelector('.tree-rows');
          const times = [];
          let last = performance.now();
          const frame = (time) => {
            times.push(time - last);
            last = time;
            tree.scrollTop += 90;
            if (times.length < 240) requestAnimationFrame(frame);
            else done(times.slice(5));
          };
          requestAnimationFrame(frame);
        }),
    );
    const sorted = frames.sort((a, b) => a - b);
    console.log(
      `frames while ${n.toLocaleString('en')} spans scroll`.padEnd(34) +
        `${at(sorted, 0.5).toFixed(1).padStart(7)} ms  (p95: ${at(sorted, 0.95).toFixed(1)}, worst: ${sorted.at(-1).toFixed(1)})`,
    );
  }
} finally {
  await browser.close();
  await server.stop();
}
