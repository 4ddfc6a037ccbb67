// Each key does what `?` says of it, none when somebody types or means the browser, and the focus is never lost on the way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fixtures from './fixtures.mjs';
import { openPage, press } from './open.mjs';

const now = Date.now();
const shown = fixtures.rerankThenWrite(1, now - 60_000);
const failed = fixtures.failing(3, now - 120_000);
const { server, page, open } = await openPage({ reducedMotion: 'reduce' }, async ({ server }) => {
  for (let i = 10; i < 60; i++) await server.post(fixtures.ordinary(i, now - i * 60_000).request());
  await server.post(fixtures.rerankThenWrite(2, now - 90_000).request(), shown.request(), failed.request());
});

const line = '.trace-row:not(.head)';
const selected = () => page.locator('.selected').first().getAttribute('id');
const lines = () => page.locator(line).evaluateAll((all) => all.map((e) => e.id));
const spans = () => page.locator('.span-row').count();
const at = (address) => page.waitForFunction((to) => location.pathname + location.search === to, address);
const until = (of, n = 1) => page.waitForFunction(([of, n]) => document.querySelectorAll(of).length === n, [of, n]);
const isOn = (name) => page.getByRole('button', { name }).first().getAttribute('aria-pressed');
const edges = () => page.locator('.minimap .edge').evaluateAll((all) => all.map((e) => Number(e.getAttribute('x1'))));
const focus = () =>
  page.evaluate(() => {
    const e = document.activeElement;
    return e === document.body ? 'nothing' : (e.getAttribute('aria-label') ?? e.textContent.trim());
  });
const focusIs = (wanted) =>
  page.waitForFunction((wanted) => {
    const e = document.activeElement;
    return e !== document.body && (e.getAttribute('aria-label') ?? e.textContent.trim()).startsWith(wanted);
  }, wanted);
const path = () => new URL(page.url()).pathname;

const list = () => open('/', line);
const trace = () => open(`/traces/${shown.id}`, '.say');
const downUp = async (of) => {
  const ids = await page.locator(of).evaluateAll((all) => all.map((e) => e.id));
  const seen = [];
  for (const key of ['Home', 'j', 'ArrowDown', 'k', 'ArrowUp']) {
    await page.keyboard.press(key);
    seen.push(ids.indexOf(await selected()));
  }
  assert.deepEqual(seen, [0, 1, 2, 1, 0]);
};

/** Of each line of `?`: where it is pressed, and what must come of it. */
const keys = {
  Everywhere: {
    traces: [() => open('/users', '.group-row'), () => press(page, 'g', 't'), () => until('.traces, .list .head')],
    dashboard: [list, () => press(page, 'g', 'd'), () => at('/dashboard')],
    threads: [list, () => press(page, 'g', 'h'), () => at('/threads')],
    users: [list, () => press(page, 'g', 'u'), () => at('/users')],
    settings: [list, () => press(page, 'g', 's'), () => at('/settings')],
    'these keys': [list, () => press(page, '?'), () => until('dialog[open]')],
  },
  List: {
    'down, up (arrows too)': [list, () => downUp(line)],
    open: [list, () => press(page, 'j', 'Enter'), () => page.waitForURL('**/traces/*')],
    'peek; Escape closes': [
      list,
      () => press(page, 'j', ' '),
      () => until('.peek'),
      () => press(page, 'Escape'),
      () => until('.peek', 0),
    ],
    filter: [list, () => press(page, '/'), () => focusIs('Filter traces')],
    'show or hide the facets': [
      list,
      async () => {
        const before = await isOn('Facets');
        await press(page, 'f');
        assert.notEqual(await isOn('Facets'), before);
        await press(page, 'f');
        assert.equal(await isOn('Facets'), before);
      },
    ],
    'pause or resume live': [
      list,
      () => press(page, 'p'),
      () => page.getByRole('button', { name: 'Paused', pressed: true }).waitFor(),
      () => press(page, 'p'),
      () => page.getByRole('button', { name: 'Live', pressed: false }).waitFor(),
    ],
    'mark to compare': [list, () => press(page, 'j', 'x'), () => page.getByText('1 marked').waitFor()],
    'compare the two marked': [list, () => press(page, 'Home', 'j', 'x', '='), () => page.waitForURL('**/compare?*')],
    'move in the strip; ⇧ selects, Enter zooms in, Escape out': [
      () => open('/', '.strip rect'),
      () => page.locator('.strip').focus(),
      () => press(page, 'ArrowLeft', 'Shift+ArrowLeft', 'Shift+ArrowLeft', 'Enter'),
      () => page.waitForURL(/from=.*to=/),
    ],
  },
  Trace: {
    'down, up (arrows too)': [trace, () => downUp('.span-row')],
    'open; close, or to the parent': [
      trace,
      async () => {
        await press(page, 'Home');
        const n = await spans();
        await press(page, 'ArrowLeft');
        await until('.span-row');
        await press(page, 'ArrowRight');
        await until('.span-row', n);
        const root = await selected();
        await press(page, 'j', 'ArrowLeft', 'ArrowLeft');
        assert.equal(await selected(), root);
      },
    ],
    'close, open one level': [
      trace,
      async () => {
        const n = await spans();
        await press(page, '[');
        await page.waitForFunction((n) => document.querySelectorAll('.span-row').length < n, n);
        await press(page, ']');
        await until('.span-row', n);
      },
    ],
    'close, open all levels': [
      trace,
      async () => {
        const n = await spans();
        await press(page, '{');
        await until('.span-row');
        await press(page, '}');
        await until('.span-row', n);
      },
    ],
    'zoom in, out': [
      trace,
      () => press(page, 'w'),
      () => until('.minimap .edge', 2),
      () => press(page, 's'),
      () => until('.minimap .edge', 0),
    ],
    'pan left, right': [
      trace,
      async () => {
        await press(page, 'w');
        const [was] = await edges();
        await press(page, 'a');
        const [left] = await edges();
        await press(page, 'd', 'd');
        const [right] = await edges();
        assert.ok(left < was && was < right, `${left} ${was} ${right}`);
      },
    ],
    'whole trace': [trace, () => press(page, 'w', 'w', '0'), () => until('.minimap .edge', 0)],
    'next error': [
      () => open(`/traces/${failed.id}`, '.span-row'),
      () => press(page, 'Home', 'e'),
      () => page.locator('.span-row.selected.failed').waitFor(),
    ],
    'critical path': [
      trace,
      () => press(page, 'c'),
      () => page.locator('i.critical').first().waitFor(),
      () => press(page, 'c'),
      () => until('i.critical', 0),
    ],
    'read the model calls': [
      trace,
      () => press(page, 'r'),
      () => page.locator('.reader .say').first().waitFor(),
      async () => {
        await press(page, 'k', 'k');
        const first = await page.locator('.read-call').first().innerText();
        assert.equal(await page.locator('.read-call.selected').innerText(), first);
        await press(page, 'j');
        await page.locator('.read-call:nth-child(2).selected').waitFor();
      },
      () => press(page, 'r'),
      () => page.locator('.tree-rows').waitFor(),
    ],
    'search the trace': [trace, () => press(page, '/'), () => focusIs('Search this trace')],
    'next, previous match': [
      () => open(`/traces/${shown.id}?find=rerank`, '.span-row.matched'),
      async () => {
        await press(page, 'Home', 'n');
        const first = await selected();
        await press(page, 'n');
        assert.notEqual(await selected(), first);
        await press(page, 'N');
        assert.equal(await selected(), first);
      },
    ],
    'back to the list': [trace, () => press(page, 'u'), () => page.locator(line).first().waitFor()],
  },
  'Threads, users': {
    'down, up; turn by turn in a thread': [
      () => open('/users', '.group-row:not(.head)'),
      () => downUp('.group-row:not(.head)'),
      () => open('/threads/conv_abc_123', '.turn:nth-child(2)'),
      () => press(page, 'j', 'j'),
      () => page.locator('.turn:nth-child(2).selected').waitFor(),
      () => press(page, 'k'),
      () => page.locator('.turn:nth-child(1).selected').waitFor(),
    ],
    'open; the turn’s trace in a thread': [
      () => open('/threads', '.group-row:not(.head)'),
      () => press(page, 'j', 'Enter'),
      () => at('/threads/conv_abc_123'),
      () => page.locator('.turn').first().waitFor(),
      () => press(page, 'j', 'Enter'),
      () => page.waitForURL('**/traces/*'),
    ],
    filter: [() => open('/threads', '.group-row'), () => press(page, '/'), () => focusIs('Filter threads')],
    'back to the list': [
      () => open('/threads/conv_abc_123', '.turn'),
      () => press(page, 'u'),
      () => at('/threads'),
      () => open('/users/user_421', '.figures'),
      () => press(page, 'u'),
      () => at('/users'),
    ],
  },
};

test('each key that `?` lists does what it says', async () => {
  await list();
  await press(page, '?');
  await until('dialog[open]');
  const told = await page
    .locator('dialog section')
    .evaluateAll((all) =>
      all.map((e) => [
        e.querySelector('h2').textContent,
        [...e.querySelectorAll('dd')].map((dd) => dd.textContent).sort(),
      ]),
    );
  assert.deepEqual(
    Object.fromEntries(told),
    Object.fromEntries(Object.entries(keys).map(([title, of]) => [title, Object.keys(of).sort()])),
  );
  for (const [title, of] of Object.entries(keys))
    for (const [does, steps] of Object.entries(of)) {
      try {
        for (const step of steps) await step();
      } catch (error) {
        throw new Error(`${title}: ${does}: ${error.message}`, { cause: error });
      }
    }
  await page.evaluate(() => sessionStorage.clear());
});

const letters = 'jkxpf=?gdghgsgu/wasd0ecrnNu[]{} ';

test('no key is taken from whoever types, chooses in a list, or means the browser', async () => {
  const unchanged = async (path, whole, does) => {
    await open(path, whole);
    const state = () =>
      page.evaluate(() => [
        location.pathname,
        document.querySelector('.selected')?.id,
        document.querySelectorAll('.span-row').length,
        document.querySelectorAll('dialog, .peek, .reader, .edge.zoomed, i.critical').length,
        document.querySelector('.live')?.ariaPressed,
        document.querySelectorAll('.facets').length,
      ]);
    const before = await state();
    await does();
    assert.deepEqual(await state(), before);
  };
  const typed = async () => {
    await page.keyboard.type(letters.replaceAll(/[[\]{}=?/ ]/g, ''));
  };
  await unchanged('/', line, async () => {
    await page.locator('.filter input').focus();
    await typed();
  });
  await unchanged(`/traces/${shown.id}?find=zz`, '.find-bar', async () => {
    await page.locator('.find-bar input').focus();
    await typed();
  });
  await unchanged('/users', '.group-row', async () => {
    await page.locator('.filter input').focus();
    await typed();
  });
  for (const [path, whole] of [
    ['/', line],
    [`/traces/${shown.id}`, '.say'],
    ['/threads/conv_abc_123', '.turn'],
  ]) {
    await unchanged(path, whole, async () => {
      const taken = await page.evaluate((letters) => {
        const names = [
          ...letters,
          'Enter',
          'Escape',
          'Home',
          'End',
          'PageDown',
          'ArrowDown',
          'ArrowLeft',
          'ArrowRight',
        ];
        const taken = [];
        for (const held of ['ctrlKey', 'metaKey', 'altKey'])
          for (const key of names) {
            const event = new KeyboardEvent('keydown', { key, [held]: true, bubbles: true, cancelable: true });
            (document.querySelector('.list, .tree-rows, .sheet') ?? document.body).dispatchEvent(event);
            if (event.defaultPrevented) taken.push(`${held} ${key}`);
          }
        return taken;
      }, letters);
      assert.deepEqual(taken, []);
    });
  }
  await unchanged('/', line, async () => {
    const choice = page.getByRole('combobox', { name: 'Project' });
    await choice.focus();
    const taken = await choice.evaluate((e) =>
      ['ArrowDown', 'j', 'x', 'g', 'd', ' '].filter(
        (key) => !e.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })),
      ),
    );
    assert.deepEqual(taken, []);
  });
});

test('Escape leaves what has opened, and the focus is where it was', async () => {
  const opens = async (name, of = '.popover') => {
    const button = page.getByRole('button', { name, exact: true });
    await button.focus();
    await page.keyboard.press('Enter');
    await page.locator(of).waitFor();
    await page.waitForFunction((of) => document.querySelector(of)?.contains(document.activeElement), of);
    await page.keyboard.press('Escape');
    await until(of, 0);
    await focusIs(name);
  };
  await list();
  for (const name of ['Views', 'Columns', 'Export', 'All time']) await opens(name);
  await opens('Keys', 'dialog[open]');
  await trace();
  for (const name of ['Share', 'Delete']) await opens(name, 'dialog[open]');
  // The search, the pane, the values beside the list and the text of the filter leave the keys to what they are about.
  await press(page, '/');
  await page.keyboard.press('Escape');
  await focusIs('Spans');
  await page.getByRole('tabpanel').focus();
  await page.keyboard.press('Escape');
  await focusIs('Spans');
  await list();
  if ((await isOn('Facets')) === 'false') await press(page, 'f');
  await page.locator('.facets .facet').first().focus();
  await page.keyboard.press('Escape');
  await focusIs('Traces, newest first');
  await press(page, '/', 'Escape');
  await focusIs('Traces, newest first');
  await open('/users', '.group-row');
  await press(page, '/', 'Enter');
  await focusIs('Users');
  await open('/dashboard', '.legend');
  await press(page, '/', 'Escape');
  await focusIs('Charts');
});

test('when what has the focus goes, it is on what is next to it', async () => {
  await open('/?q=status%3Aerror', line);
  await page.getByRole('button', { name: 'Clear the filter' }).focus();
  await page.keyboard.press('Enter');
  await focusIs('Filter traces');
  await open('/settings/keys', 'table.plain');
  for (const name of ['first', 'second']) {
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: `Revoke ${name}` }).waitFor();
  }
  await page.getByRole('button', { name: 'Revoke second' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('dialog[open] .danger').focus();
  await page.keyboard.press('Enter');
  await until('dialog[open]', 0);
  await page.waitForFunction(() => document.activeElement.closest('table, form, main'));
  assert.notEqual(await focus(), 'nothing');
  // A button that waits for its answer has the focus again when it is there.
  await trace();
  await page.getByRole('button', { name: 'Pin' }).focus();
  await page.keyboard.press('Enter');
  await focusIs('Pinned');
  await page.keyboard.press('Enter');
  await focusIs('Pin');
});

test('whoever goes elsewhere is told where he is, has the focus there, and may skip what is long', async () => {
  await list();
  await press(page, 'j', 'Enter');
  await page.locator('.say, .span-row').first().waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.localName), 'main');
  const said = (text) =>
    page.waitForFunction(
      (text) => [...document.querySelectorAll('p.unseen[role=status]')].some((e) => e.textContent.startsWith(text)),
      text,
    );
  await press(page, 'g', 'd');
  await said('Dashboard');
  await page.getByRole('link', { name: 'Users' }).focus();
  await page.keyboard.press('Enter');
  await said('Users');
  assert.equal(await page.evaluate(() => document.activeElement.localName), 'main');
  await list();
  await page.keyboard.press('Tab');
  assert.equal(await focus(), 'Skip to the content');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  assert.equal(await focus(), 'Filter traces');
  if ((await isOn('Facets')) === 'false') await press(page, 'f');
  await page.getByRole('link', { name: 'Skip to the list' }).focus();
  await page.keyboard.press('Enter');
  assert.equal(await focus(), 'Traces, newest first');
});

test('what is dragged by mouse is moved by keys: panes, columns, bars, and the lines of long lists', async () => {
  await trace();
  for (const name of ["Width of the span's pane", 'Width of the names']) {
    const bar = page.getByRole('separator', { name });
    const value = async () => Number(await bar.getAttribute('aria-valuenow'));
    const was = await value();
    await bar.press('ArrowLeft');
    assert.equal(Math.abs((await value()) - was), 16);
    await bar.press('ArrowRight');
    assert.equal(await value(), was);
  }
  await open('/users/user_421', '.spark a');
  const bars = page.locator('.spark a');
  await bars.last().focus();
  assert.equal(await page.locator('.spark a[tabindex="0"]').count(), 1);
  await page.keyboard.press('Enter');
  await page.waitForURL(/from=.*to=/);
  await page.locator(line).first().waitFor();
  await open('/users/user_421', '.newest a');
  await page.locator('.newest a').first().focus();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/traces/*');
  await open('/dashboard?by=model', '.legend');
  await page.locator('.chart summary').first().focus();
  await page.keyboard.press('Enter');
  await page.locator('.values-box a').first().focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/from=.*to=/);
  await open('/settings/prices', '.price-row[data-at="3"]');
  await page.getByRole('table', { name: /^Prices of tokens/ }).focus();
  const row = () => page.evaluate(() => Number(document.activeElement.closest('[data-at]')?.dataset.at ?? -1));
  for (const [key, place] of [
    ['ArrowDown', 0],
    ['ArrowDown', 1],
    ['j', 2],
    ['ArrowUp', 1],
  ]) {
    await page.keyboard.press(key);
    assert.equal(await row(), place);
  }
  await page.keyboard.press('Enter');
  await until('dialog[open]');
  await page.keyboard.press('Escape');
  assert.equal(await row(), 1);
  await page.keyboard.press('Tab');
  assert.equal(await row(), -1);
  await page.keyboard.press('Shift+Tab');
  assert.equal(await row(), 1);
});
