// Users and threads in a real browser, on a real server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fixtures from './fixtures.mjs';
import { openPage, press } from './open.mjs';

const { server, page, complaints, open } = await openPage({ viewport: { width: 1320, height: 720 } });
const now = Date.now();
const odd = 'a/b "über" 100%';

const rows = () => page.locator('.group-row:not(.head)');
const column = (n) => page.locator(`.group-row:not(.head) > :nth-child(${n})`).allTextContents();

test('without users the page says how to name them', async () => {
  await open('/users', '.notice h2');
  assert.match(await page.locator('.notice').innerText(), /No users yet[\s\S]*propagate_attributes/);
});

test('users are listed with what they used, and sorted by any column', async () => {
  for (let n = 0; n < 6; n++)
    await server.post(fixtures.turn(n, now - 600_000 + n * 60_000, { user: 'ada' }).request());
  for (let n = 6; n < 9; n++) await server.post(fixtures.turn(n, now - 500_000 + n * 60_000, { user: odd }).request());
  await server.post(fixtures.turn(9, now - 10_000, { user: 'eve', error: 'out of memory' }).request());
  await server.post(fixtures.textGeneration(10, now - 5000).request());
  await open('/', '.trace-row');
  await press(page, 'g', 'u');
  await rows().nth(3).waitFor();
  assert.equal(new URL(page.url()).pathname, '/users');
  assert.deepEqual(await column(1), ['no user', 'eve', odd, 'ada']); // the last seen first
  assert.equal(await page.locator('.filter-count').innerText(), '3 users');
  assert.equal(await rows().locator('[title^="No call has a price"]').count(), 4); // of the models here nobody knows one
  const sortBy = async (name) => {
    const asked = page.waitForResponse(/metrics\/totals/);
    await page.getByRole('button', { name, exact: false }).click();
    await asked;
  };
  await sortBy('Requests');
  await page.waitForFunction(() => document.querySelector('.group-row:not(.head) bdi')?.textContent === 'ada');
  assert.deepEqual(await column(2), ['6', '3', '1', '1']);
  assert.equal(await page.locator('[aria-sort=descending]').innerText(), 'Requests ↓');
  assert.equal(new URL(page.url()).search, '?sort=-count');
  await sortBy('Errors');
  await page.waitForFunction(() => document.querySelector('.group-row:not(.head) bdi')?.textContent === 'eve');
  await page.reload();
  await rows().nth(3).waitFor();
  assert.equal((await column(1))[0], 'eve', 'the order is in the address');
});

test('a user is found by a part of the name, whatever is in it', async () => {
  await open('/users', '.group-row');
  await page.keyboard.press('/');
  await page.keyboard.type('"ÜB'.toLowerCase());
  await page.waitForFunction(() => document.querySelectorAll('.group-row:not(.head)').length === 1);
  assert.deepEqual(await column(1), [odd]);
  await page.keyboard.press('Enter');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.locator('.figures').waitFor();
  assert.equal(await page.locator('h1 bdi').innerText(), odd);
  await open('/users?q=nobody', '.notice h2');
  assert.match(await page.locator('.notice').innerText(), /No user matches/);
});

test('a user has a page of figures, times, models, metadata and newest traces', async () => {
  await open('/users/ada', '.figures');
  const figures = Object.fromEntries(
    await page
      .locator('.figures > div')
      .evaluateAll((all) => all.map((e) => [...e.children].map((c) => c.firstChild.textContent))),
  );
  assert.equal(figures.Requests, '6');
  assert.equal(await page.locator('.figures [title^="No call has a price"]').innerText(), '–');
  assert.equal(figures.Tokens, String(6 * 60));
  assert.equal(figures.Errors, '0');
  assert.match(await page.locator('.spark').getAttribute('aria-label'), /^6 requests from /);
  assert.match(await page.locator('.small-table tbody').innerText(), /SmolLM2-135M-Instruct\s+6\s+360/);
  assert.equal(await page.locator('.newest .trace-row:not(.head)').count(), 6);
  await page.locator('.metadata a', { hasText: 'pro' }).click();
  await page.locator('.trace-row:not(.head)').first().waitFor();
  assert.equal(new URL(page.url()).searchParams.get('q'), 'user:ada metadata.plan:pro');
  await page.waitForFunction(() => document.querySelectorAll('.trace-row:not(.head)').length === 6);
  await open('/users/nobody', '.notice h2');
  assert.match(await page.locator('.notice').innerText(), /no trace of this user/);
});

for (const { name, ages } of [
  { name: 'one trace a minute ago', ages: [60_000] },
  { name: 'traces in adjacent hours', ages: [60_000, 4_200_000] },
])
  test(`bars stand where the axis says: ${name}`, async () => {
    for (const [n, age] of ages.entries())
      await server.post(fixtures.turn(700 + 10 * ages.length + n, now - age, { user: name }).request());
    await open(`/users/${encodeURIComponent(name)}`, '.spark');
    const places = (selector) =>
      page
        .locator(selector)
        .evaluateAll((all) => all.map((e) => [Number(e.getAttribute('x')), Number(e.getAttribute('width'))]));
    const bars = await places('.spark a .spark-room');
    const [x, width] = (await places('.spark .spark-room')).at(-1);
    assert.equal(bars.length, ages.length);
    assert.ok(Math.abs(x + width - 600) < 0.01, 'the bars take all of the width');
    assert.ok(width <= 25, 'and are slim');
    assert.ok(bars.at(-1)[0] > 560, 'the newest is at the right end');
    assert.match(
      await page.locator('.spark-ends').innerText(),
      ages.length === 1 ? /each bar 1 min/ : /each bar 2 min/,
    );
  });

test('without threads the page says how to name them', async () => {
  await open('/threads', '.notice h2');
  assert.match(await page.locator('.notice').innerText(), /No threads yet[\s\S]*propagate_attributes/);
});

const talk = async (thread, user, start, turns) => {
  const history = [{ role: 'system', content: 'You answer briefly.' }];
  for (const [i, [say, answer]] of turns.entries()) {
    const t = fixtures.turn(300 + i + start, now - 300_000 + start + i * 1000, {
      user,
      thread,
      say,
      answer,
      history: [...history],
    });
    await server.post(t.request());
    history.push({ role: 'user', content: say }, { role: 'assistant', content: answer });
  }
};

test('threads are listed with the last that was said, and filtered by the language of the list', async () => {
  await talk('conv 1/ü', 'ada', 0, [
    ['What is a span?', 'A name, a start and an end.'],
    ['And a trace?', 'A tree of spans.'],
    ['<b>Thanks</b>', 'You are welcome.'],
  ]);
  await talk('other', 'eve', 50_000, [['Hello', 'Good morning.']]);
  await open('/', '.trace-row');
  await press(page, 'g', 'h');
  await rows().nth(1).waitFor();
  assert.deepEqual(await column(1), ['other', 'conv 1/ü']);
  assert.deepEqual(await column(2), ['Good morning.', 'You are welcome.']);
  assert.deepEqual(await column(3), ['1', '3']);
  assert.deepEqual(await column(4), ['60', '180']);
  await page.keyboard.press('/');
  await page.keyboard.type('user:ada');
  await page.waitForFunction(() => document.querySelectorAll('.group-row:not(.head)').length === 1);
  assert.deepEqual(await column(1), ['conv 1/ü']);
  assert.equal(new URL(page.url()).search, '?q=user%3Aada');
});

test('a thread reads as one conversation: what was sent again is shown once, each turn leads to its trace and span', async () => {
  await rows().first().locator('a').click();
  await page.locator('.turn').nth(2).waitFor();
  assert.equal(new URL(page.url()).pathname, '/threads/conv%201%2F%C3%BC');
  assert.deepEqual(await page.locator('.turn .bubble .long').allTextContents(), [
    'What is a span?',
    'A name, a start and an end.',
    'And a trace?',
    'A tree of spans.',
    '<b>Thanks</b>',
    'You are welcome.',
  ]);
  assert.deepEqual(await page.locator('.folded summary').allTextContents(), ['system You answer briefly.']);
  await page.locator('.folded summary').click();
  assert.equal(await page.locator('.folded-inside').innerText(), 'You answer briefly.');
  assert.match(await page.locator('.turn-facts').first().innerText(), /SmolLM2-135M-Instruct\s+40 → 20\s+840 ms/);
  assert.deepEqual(await page.locator('.turn-note').allTextContents(), [
    '3 earlier messages sent again',
    '5 earlier messages sent again',
  ]);
  await page.locator('.trace-head .fact', { hasText: 'turns' }).waitFor();
  assert.match(await page.locator('.trace-head').innerText(), /turns 3[\s\S]*tokens 120 → 60/);
  assert.match(
    await page.locator('.about-thread').innerText(),
    /user\s+ada[\s\S]*SmolLM2-135M-Instruct\s+3 turns[\s\S]*plan\s+pro/,
  );
  await page.locator('.turn-span').nth(1).click();
  await page.locator('.span-row.selected', { hasText: 'chat' }).waitFor();
  assert.match(new URL(page.url()).pathname, /^\/traces\/[0-9a-f]{32}$/);
  await open('/threads/nothing', '.notice h2');
  assert.match(await page.locator('.notice').innerText(), /no trace of this thread/);
  await open('/users/ada', '.last-threads');
  assert.match(await page.locator('.last-threads').innerText(), /conv 1\/ü\s+You are welcome\.\s+3 turns/);
});

test('a trace leads to its user and its thread, and its metadata to the traces that share it', async () => {
  await open('/?q=user:ada%20thread:*', '.trace-row:not(.head)');
  await page.locator('.trace-row:not(.head) .name a').first().click();
  await page.locator('.pane .grid a', { hasText: 'pro' }).waitFor();
  await page.locator('.trace-head a', { hasText: 'conv 1/ü' }).click();
  await page.locator('.turn').nth(2).waitFor();
  await page.goBack();
  await page.locator('.trace-head a', { hasText: 'ada' }).click();
  await page.locator('.figures').waitFor();
  await page.goBack();
  await page.locator('.pane .grid a', { hasText: 'pro' }).click();
  await page.locator('.trace-row:not(.head)').first().waitFor();
  assert.equal(new URL(page.url()).searchParams.get('q'), 'metadata.plan:pro');
});

test('a long thread is read page by page, in order', async () => {
  for (let n = 0; n < 45; n++)
    await server.post(
      fixtures.turn(3000 + n, now - 7_000_000 + n * 1000, { thread: 'long', say: `turn ${n}` }).request(),
    );
  await open('/threads/long', '.turn');
  for (let n = 0; n < 45; n++) {
    await page.locator('.turn').nth(n).scrollIntoViewIfNeeded();
  }
  await page.locator('.turns-more').waitFor({ state: 'detached' });
  assert.deepEqual(
    await page.locator('.turn .asked .long').allTextContents(),
    Array.from({ length: 45 }, (_, n) => `turn ${n}`),
  );
});

test('hundreds of users: only those in the window are in the document, and the last is reached', async () => {
  const spans = [];
  for (let n = 0; n < 340; n++)
    spans.push(fixtures.turn(1000 + n, now - 9_000_000 + n * 1000, { user: `many-${String(n).padStart(3, '0')}` }));
  for (const t of spans) await server.post(t.request());
  await open('/users?q=many-&sort=value', '.group-row');
  assert.equal(await page.locator('.filter-count').innerText(), '340 users');
  const length = () => page.locator('.virtual').evaluate((e) => Math.round(e.clientHeight / 30));
  for (let had = await length(); had < 340; had = await length()) {
    await page.keyboard.press('End');
    await page.waitForFunction((n) => document.querySelector('.virtual').clientHeight > n * 30, had);
  }
  await page.keyboard.press('End');
  await page.locator('.group-row.selected', { hasText: 'many-339' }).waitFor();
  assert.ok((await rows().count()) < 60, 'only the rows in the window');
});

test('a user and a thread of any name are opened from their lists, or it is said why they are not', async () => {
  const names = ['..', '.', ' ', 'line\nfeed', 'bell\u0007', 'nul\0in'];
  for (const [i, name] of names.entries())
    await server.post(fixtures.turn(800 + i, now - 50_000 - i, { user: name, thread: name }).request());
  for (const [place, whole] of [
    ['/users?q=&sort=-last_time', '.figures'],
    ['/threads', '.turn'],
  ])
    for (const shown of ['..', '.', 'blank', 'line feed', 'bell‹07›']) {
      await open(place, '.group-row:not(.head)');
      await page.getByRole('link', { name: shown, exact: true }).click();
      await page.locator(whole).first().waitFor();
      await page.reload();
      await page.locator(whole).first().waitFor();
    }
  for (const place of ['/users', '/threads']) {
    await open(place, '.group-row:not(.head)');
    await page.getByRole('link', { name: 'nul‹00›in', exact: true }).click();
    await page.getByText('There is a NUL in its name').waitFor();
  }
  await page.goto('about:blank'); // nothing more comes of it
  complaints.length = 0; // whatever was asked of it was refused
});

test('a user of a long name is opened from the list, and found by the facet', async () => {
  const long = `long ${'ü'.repeat(1000)}`;
  await server.post(fixtures.turn(820, now - 40_000, { user: long }).request());
  await server.post(fixtures.turn(821, now - 40_001, { user: `${long}!` }).request());
  await open('/users?q=long', '.group-row:not(.head)');
  await page.waitForFunction(() => document.querySelectorAll('.group-row:not(.head)').length === 2);
  await rows().first().getByRole('link').first().click();
  await page.locator('.figures').waitFor();
  assert.match(await page.locator('.figures').innerText(), /Requests\s+1\b/);
  await open('/?q=long', '.facets');
  await page.getByTitle(`${long}! (Alt: exclude)`).click();
  await page.waitForFunction(() => document.querySelectorAll('.trace-row:not(.head)').length === 1);
});

test("all of a user's data goes, once the name is typed, and it is said when the disk is rid of it", async () => {
  await open('/users/eve', '.figures');
  await page.getByRole('button', { name: "Delete this user's data" }).click();
  const dialog = page.getByRole('dialog');
  const button = dialog.getByRole('button', { name: 'Delete all of it' });
  assert.equal(await button.isDisabled(), true);
  await dialog.getByLabel("Type the user's name to confirm").fill('ev');
  assert.equal(await button.isDisabled(), true);
  await dialog.getByLabel("Type the user's name to confirm").fill('eve');
  await button.click();
  await page.getByText(/^\d+ traces? deleted, and gone from the disk\.$/).waitFor();
  await page.getByRole('button', { name: 'All users' }).click();
  await rows().first().waitFor();
  assert.equal(new URL(page.url()).pathname, '/users');
  assert.ok(!(await column(1)).includes('eve'));
});
