// The build leaves out of uPlot what our charts never ask of it (ui/uplot-as-used.ts): nothing that is drawn, and nothing that the
// pointer does, may differ from what all of uPlot makes of it.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startBrowser } from './browser.mjs';
import { newPage } from './open.mjs';

const ui = fileURLToPath(new URL('../../ui/', import.meta.url));
const { build, loadConfigFromFile } = await import(
  new URL('../../ui/node_modules/vite/dist/node/index.js', import.meta.url)
);
const { config } = await loadConfigFromFile(
  { command: 'build', mode: 'production' },
  `${ui}vite.config.ts`,
  ui,
  'silent',
);
const leaveOut = config.plugins.find(({ name }) => name === 'uplot-as-used');

const entry = {
  name: 'entry',
  resolveId: (id) => (id === 'charts' ? '\0charts' : null),
  load: (id) =>
    id === '\0charts'
      ? `import { h, render } from 'preact';
         import { TimeChart } from '/src/widgets/time-chart.tsx';
         window.draw = (id, props) => render(h(TimeChart, props), document.getElementById(id));`
      : null,
};

async function built(plugins) {
  const { output } = await build({
    root: ui,
    configFile: false,
    logLevel: 'silent',
    plugins: [entry, ...plugins],
    build: { write: false, cssCodeSplit: false, rolldownOptions: { input: 'charts' } },
  });
  const style = output.find(({ fileName }) => fileName.endsWith('.css')).source;
  return { script: output.find(({ type }) => type === 'chunk').code, style };
}

const [whole, used] = [await built([]), await built([leaveOut])];
const browser = await startBrowser();
after(() => browser.close());

/** A page with two charts one above the other, which tell each other where the pointer is. */
async function paper({ script, style }) {
  // A context of its own: a page that is behind another is given few frames.
  const page = await newPage(await browser.newContext({ viewport: { width: 800, height: 420 } }));
  await page.setContent(
    `<style>${style} :root { --ink-3: #555; --line: #ddd; --a: #06c; --b: #c30 } .plot { height: 150px } body { margin: 0; font-family: sans-serif }</style>
     <div id="above"></div><div id="below"></div>`,
  );
  await page.addScriptTag({ content: script, type: 'module' });
  await page.evaluate(() => {
    window.said = [];
    window.put = (id, { lines, ...rest }) => {
      const told =
        (what) =>
        (...values) =>
          window.said.push([id, what, ...values]);
      window.draw(id, {
        label: id,
        lines: lines.map((line, i) => ({
          key: String(i),
          label: 'line',
          dash: [],
          colour: i % 2 ? '--b' : '--a',
          ...line,
        })),
        format: (value, scale) => `${value} ${scale}`,
        onPoint: told('point'),
        onHover: told('hover'),
        onZoom: told('zoom'),
        ...rest,
      });
    };
    window.seen = () => ({
      drawn: [...document.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL()),
      around: document.body.outerHTML,
      said: window.said.splice(0),
    });
  });
  return page;
}

const papers = [await paper(whole), await paper(used)];
const frames = (page) =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

/** Does the same on both pages, and what there is to see then is the same: it is returned. */
async function same(what, act) {
  const [expected, actual] = await Promise.all(
    papers.map(async (page) => {
      await act(page);
      await frames(page);
      return page.evaluate(() => window.seen());
    }),
  );
  assert.deepEqual(actual, expected, what);
  return actual;
}
const both = (above, below) => (page) =>
  page.evaluate(
    ([above, below]) => {
      window.put('above', above);
      window.put('below', below);
    },
    [above, below],
  );

const start = Date.UTC(2026, 2, 28, 22) / 1000; // daylight saving time begins in the night, where there is any
function chart(seconds, count, lines) {
  const times = Array.from({ length: count }, (_, i) => start + ((i + 0.5) * seconds) / count);
  return {
    times,
    start,
    end: start + seconds,
    lines: lines.map((line) => ({ ...line, values: times.map(line.values) })),
  };
}
const wave = (i) => 40 + 30 * Math.sin(i / 3);
const gaps = (i) => (i % 7 < 2 ? null : wave(i));
const line = { scale: 'count', isBar: false, values: wave };
const bars = { scale: 'count', isBar: true, values: (i) => i % 5 };

test('lines, dashes, gaps, bars and two scales, over seconds and over years', async () => {
  const spans = [7, 60, 3600, 86_400, 3 * 86_400, 31 * 86_400, 200 * 86_400, 3 * 365 * 86_400, 80 * 365 * 86_400];
  const pictures = new Set();
  for (const span of spans) {
    const above = chart(span, 48, [line, { ...line, values: gaps, dash: [6, 3], scale: 'seconds' }]);
    const below = chart(span, 48, [bars, { ...bars, values: (i) => 1e6 * i }]);
    const { drawn } = await same(`${span} s`, both(above, below));
    for (const picture of drawn) pictures.add(picture);
  }
  assert.equal(pictures.size, 2 * spans.length);
});

test('one value, none, values without a neighbour, more than there are pixels, tiny and huge ones', async () => {
  const alone = { ...line, values: (i) => (i % 3 ? null : i) };
  for (const [what, above, below] of [
    ['one', chart(60, 1, [line]), chart(60, 1, [bars])],
    ['none', chart(60, 20, [{ ...line, values: () => null }]), chart(60, 0, [bars])],
    ['alone', chart(60, 20, [alone]), chart(60, 20, [{ ...bars, values: alone.values }])],
    ['many', chart(3600, 9000, [{ ...line, values: gaps }]), chart(3600, 9000, [bars])],
    [
      'sizes',
      chart(60, 20, [{ ...line, values: (i) => 1e-9 * i }]),
      chart(60, 20, [{ ...bars, values: (i) => 1e15 * i }]),
    ],
    ['zero', chart(60, 20, [{ ...line, values: () => 0 }]), chart(60, 20, [{ ...line, values: () => undefined }])],
  ])
    await same(what, both(above, below));
});

test('the pointer is told of on both charts, a drag zooms, a click opens', async () => {
  await same('begin', both(chart(3600, 30, [line, { ...line, values: gaps }]), chart(3600, 30, [bars])));
  const over = await papers[0].locator('#above .u-over').boundingBox();
  const at = (x, y) => [over.x + x * over.width, over.y + y * over.height];
  const told = [];
  for (const [x, y] of [
    [0.1, 0.2],
    [0.34, 0.9],
    [0.5, 0.5],
    [0.999, 0.01],
    [0.5, 2.2], // on the chart below
    [1.04, 0.5], // on none
  ])
    told.push(...(await same(`at ${x}, ${y}`, (page) => page.mouse.move(...at(x, y)))).said);
  assert.ok(new Set(told.map(([chart, , bucket]) => `${chart} ${bucket}`)).size > 8, JSON.stringify(told));

  for (const [from, to] of [
    [0.2, 0.6],
    [0.7, 0.1],
    [0.9, 1.04],
    [0.5, 0.502],
  ]) {
    await same(`pressed at ${from}`, async (page) => {
      await page.mouse.move(...at(from, 0.4));
      await page.mouse.down();
    });
    await same(`drawn to ${to}`, (page) => page.mouse.move(...at(to, 0.6), { steps: 4 }));
    const { said } = await same(`let go at ${to}`, (page) => page.mouse.up());
    assert.equal(said.filter(([, what]) => what === 'zoom').length, to === 0.502 ? 0 : 1, 'of one chart');
  }
  const { said: clicked } = await same('click', (page) => page.mouse.click(...at(0.4, 0.3)));
  assert.equal(clicked.filter(([, what]) => what === 'point').length, 1);
  await same('two clicks', (page) => page.mouse.dblclick(...at(0.4, 0.3)));
});

test('other values, another width, and being taken away', async () => {
  await same('at the pointer', (page) => page.mouse.move(300, 60));
  await same('other values', both(chart(3600, 30, [line, { ...line, values: gaps }]), chart(86_400, 12, [bars])));
  for (const width of [500, 900, 260, 0, 640])
    await same(`${width} wide`, (page) => page.setViewportSize({ width: Math.max(width, 1), height: 420 }));
  await same('dark', (page) => page.evaluate(() => void (document.documentElement.dataset.theme = 'dark')));
});
