// Conversations in a real browser, on a real server: what a turn shows, and what moves when more comes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fixtures from './fixtures.mjs';
import { openPage } from './open.mjs';

const now = Date.now();
const { server, page, open } = await openPage({ viewport: { width: 1320, height: 720 } });

const row = (name) => page.locator('.group-row:not(.head)', { has: page.getByText(name, { exact: true }) });
const search = () => new URL(page.url()).searchParams;

test('a thread of an agent: Markdown, tools with what they answered, what each call took, and errors that lead to their span', async () => {
  const history = [{ role: 'system', content: 'You look parcels up. '.repeat(20) }];
  const shared = { user: 'ada', thread: 'support', history, metadata: { n: '1', big: 1, beta: true, said: 'true' } };
  const first = fixtures.toolTurn(1, now - 900_000, {
    ...shared,
    say: 'Where is **4711**?',
    tools: [{ name: 'track', ask: { parcel: 4711 }, result: '{"at":"Bern","eta":"tomorrow"}' }],
    answer: 'It is *in transit*:\n\n| where | when |\n| --- | --- |\n| Bern | 06:12 |\n\n<img src=x onerror=alert(1)>',
  });
  const second = fixtures.toolTurn(2, now - 800_000, {
    ...shared,
    say: 'And 4712, 4713?',
    tools: [
      { name: 'track', ask: { parcel: 4712 }, result: 'lost' },
      { name: 'track', ask: { parcel: 4713 }, result: 'delivered' },
    ],
    answer: null,
    error: 'the model ran out of memory',
  });
  await server.post(first.request(), second.request());
  await open('/threads/support', '.turn:nth-child(2) .failure');
  const turn = (n) => page.locator('.turn').nth(n);

  assert.equal(await turn(0).locator('.asked b').innerText(), '4711');
  assert.equal(await turn(0).locator('.answer em').innerText(), 'in transit');
  assert.equal(await turn(0).locator('.answer td').first().innerText(), 'Bern');
  assert.equal(await page.locator('.turn img').count(), 0);
  await page.getByRole('button', { name: 'raw' }).click();
  assert.match(await turn(0).locator('.answer').last().innerText(), /It is \*in transit\*:/);
  await page.getByRole('button', { name: 'raw' }).click();

  assert.match(await turn(0).locator('.folded summary').first().innerText(), /^system You look parcels up\./);
  const tool = turn(0).locator('.bubble .folded');
  assert.equal(await tool.locator('summary').innerText(), 'track {"parcel":4711} → {"at":"Bern","eta":"tomorrow"}');
  await tool.locator('summary').click();
  await tool.getByText('result').first().waitFor();
  assert.match(await tool.innerText(), /parcel[\s\S]*4711[\s\S]*result[\s\S]*eta[\s\S]*tomorrow/);
  assert.deepEqual(await turn(1).locator('.bubble .folded summary').allInnerTexts(), [
    'track {"parcel":4712} → lost',
    'track {"parcel":4713} → delivered',
  ]);

  // What is new in the second turn; instructions, question, call, result and answer of the first were sent once more.
  assert.deepEqual(await turn(1).locator('.asked .long').allInnerTexts(), ['And 4712, 4713?']);
  assert.equal(await turn(1).locator('.turn-note').innerText(), '5 earlier messages sent again');
  assert.deepEqual(
    (await turn(0).locator('.answer .turn-call').allInnerTexts()).map((t) => t.replace(/\s+/g, ' ')),
    ['SmolLM2-135M-Instruct 110 → 10 ttft 120 ms 700 ms span ›', 'tiny-gpt2 1,700 → 10 ttft 120 ms 900 ms span ›'],
  );
  assert.match(await turn(0).locator('.turn-facts').innerText(), /SmolLM2-135M-Instruct \+1\s+1,810 → 20/);

  assert.match(await turn(1).locator('.failure').innerText(), /the model ran out of memory/);
  await turn(1).locator('.failure a').click();
  await page.locator('.span-row.selected .flag', { hasText: 'error' }).waitFor();
  assert.equal(search().get('span'), second.failing);
});

test('metadata keeps its types, and each value leads to the traces with it and to those without', async () => {
  await open('/threads/support', '.about-thread .metadata');
  const shown = await page.locator('.metadata > div').allInnerTexts();
  assert.deepEqual(
    shown.map((t) => t.replace(/\s+/g, ' ').trim()),
    ['beta true 2≠', 'big 1 2≠', 'n "1" 2≠', 'said "true" 2≠'],
  );
  // Another thread, where n is a number and said a truth value.
  const other = { user: 'eve', thread: 'other', history: [], tools: [], say: 'Hello', answer: 'Good morning.' };
  await server.post(fixtures.toolTurn(3, now - 700_000, { ...other, metadata: { n: 1, said: true } }).request());
  const count = async (q) => {
    await open(`/?q=${encodeURIComponent(q)}`, '.trace-row:not(.head), .notice h2');
    await page.waitForFunction(() => /\d/.test(document.querySelector('.filter-count')?.textContent ?? ''));
    return page.locator('.trace-row:not(.head)').count();
  };
  assert.equal(await count('metadata.n:1'), 3);
  assert.equal(await count('metadata.n:"1"'), 2);
  assert.equal(await count('metadata.said:"true"'), 2);
  assert.equal(await count('metadata.n:* NOT metadata.n:"1"'), 1);
  await open('/threads/support', '.about-thread .metadata');
  await page.getByRole('link', { name: '"1"', exact: true }).click();
  await page.locator('.trace-row:not(.head)').nth(1).waitFor();
  assert.equal(search().get('q'), 'thread:support metadata.n:"1"');
  await page.goBack();
  await page.getByRole('link', { name: 'Traces without beta true' }).click();
  await page.locator('.notice h2').waitFor();
  assert.equal(search().get('q'), 'thread:support NOT metadata.beta:true');
  // The same from a trace, and from its span.
  await open('/?q=thread:other', '.trace-row:not(.head)');
  await page.locator('.trace-row:not(.head) .name a').click();
  await page.locator('.trace-head .popover-box > button').click();
  await page.locator('.trace-head .metadata .without').first().click();
  assert.equal(search().get('q'), 'NOT metadata.n:1');
  await page.goBack();
  await page.locator('.pane .grid .without').last().click();
  await page.locator('.notice h2').waitFor();
  assert.equal(search().get('q'), 'NOT metadata.said:true');
});

test('a turn comes while one looks, runs, and ends where it stands', async () => {
  const turn = (n, more = {}) => fixtures.turn(500 + n, Date.now(), { thread: 'live', say: `say ${n}`, ...more });
  await server.post(turn(1).request());
  await open('/threads/live', '.turn');
  const running = turn(2, { answer: 'So far.' });
  const [root, chat] = running.spans;
  running.spans = [chat];
  await server.post(running.request());
  await page.locator('.turn').nth(1).waitFor();
  await page.locator('.turn:nth-child(2) .dot.running').waitFor();
  assert.match(await page.locator('.turn').nth(1).innerText(), /say 2[\s\S]*So far\./);
  await page
    .locator('.turn')
    .first()
    .evaluate((e) => (e.marked = true));
  running.spans = [root];
  await server.post(running.request());
  await page.locator('.turn:nth-child(2) .dot.running').waitFor({ state: 'detached' });
  await page.locator('.fact', { hasText: 'turns 2' }).waitFor();
  assert.equal(await page.locator('.turn').count(), 2);
  assert.ok(
    await page
      .locator('.turn')
      .first()
      .evaluate((e) => e.marked),
    'the turn before was left as it was',
  );
});

test('one goes from turn to turn by key, into a trace, and back to the same place', async () => {
  for (let n = 0; n < 30; n++)
    await server.post(
      fixtures.turn(600 + n, now - 600_000 + n * 1000, { thread: 'long', say: `turn ${n}\n`.repeat(12) }).request(),
    );
  await open('/threads/long', '.turn');
  for (let n = 0; n < 24; n++) {
    await page.keyboard.press('j');
    await page.locator(`.turn.selected`, { hasText: `turn ${n}\n` }).waitFor();
  }
  const top = () => page.locator('.turn.selected').evaluate((e) => Math.round(e.getBoundingClientRect().top));
  const was = await top();
  await page.locator('.turn.selected .turn-name').click();
  await page.locator('.span-row').first().waitFor();
  await page.goBack();
  await page.locator('.turn', { hasText: 'turn 23\n' }).waitFor();
  await page.waitForFunction(
    ([wanted]) => {
      const turn = [...document.querySelectorAll('.turn')].find((e) => e.textContent.includes('turn 23\n'));
      return turn && Math.abs(turn.getBoundingClientRect().top - wanted) < 3;
    },
    [was],
  );
  // It is the one that was chosen, and steps go on from it.
  await page.locator('.turn.selected', { hasText: 'turn 23\n' }).waitFor();
  await page.keyboard.press('j');
  await page.locator('.turn.selected', { hasText: 'turn 24\n' }).waitFor();
  await page.keyboard.press('u');
  await row('long').waitFor();
  assert.equal(new URL(page.url()).pathname, '/threads');
});

test('threads: words find what was said, a window narrows them, both stand in the address', async () => {
  await open('/threads', '.group-row');
  await page.keyboard.press('/');
  await page.keyboard.type('parcels 4712');
  await page.waitForFunction(() => document.querySelectorAll('.group-row:not(.head)').length === 1);
  await row('support').waitFor();
  await page.keyboard.press('Escape');
  await row('live').waitFor();
  await page.getByRole('button', { name: 'All time' }).click();
  await page.getByRole('button', { name: '15 min' }).click();
  await page.waitForURL(/from=-15m/);
  await page.reload();
  await row('live').waitFor();
  await open('/threads?from=2001-01-01&to=2001-01-02', '.notice h2');
  await page.getByRole('link', { name: 'Look at all times' }).click();
  await row('support').waitFor();
});

test('threads and users: what comes moves up without moving what is read, and the place is found again', async () => {
  for (let n = 0; n < 60; n++)
    await server.post(
      fixtures.turn(700 + n, now - 5_000_000 + n * 1000, { thread: `t-${n}`, user: `u-${n}` }).request(),
    );
  for (const [path, name, what] of [
    ['/threads', 't-10', 'thread'],
    ['/users', 'u-10', 'user'],
  ]) {
    await open(path, '.group-row:not(.head)');
    const list = page.locator('.list.groups');
    await list.evaluate((e) => (e.scrollTop = e.scrollHeight));
    await row(name).waitFor();
    const place = () => row(name).evaluate((e) => Math.round(e.getBoundingClientRect().top));
    const was = await place();
    const counted = await page.locator('.filter-count').innerText();
    await server.post(fixtures.turn(800 + (what === 'user'), Date.now(), { [what]: `new ${what}` }).request());
    await page.waitForFunction((old) => document.querySelector('.filter-count').textContent !== old, counted);
    assert.equal(await place(), was);
    await row(name).locator('a').click();
    await page.locator('.sheet').waitFor();
    await page.goBack();
    await row(name).waitFor();
    await page.waitForFunction(
      ([n, top]) => {
        const found = [...document.querySelectorAll('.group-row:not(.head)')].find(
          (e) => e.querySelector('bdi').textContent === n,
        );
        return found && Math.abs(found.getBoundingClientRect().top - top) < 2;
      },
      [name, was],
    );
    await list.evaluate((e) => (e.scrollTop = 0));
    await row(`new ${what}`).waitFor();
  }
});

test('the figures of a user are those of the API, and grow while one looks', async () => {
  await open('/users/ada', '.figures');
  const figures = async () =>
    Object.fromEntries(
      await page
        .locator('.figures > div')
        .evaluateAll((all) =>
          all.map((e) => [e.querySelector('dt').textContent, e.querySelector('dd').firstChild.textContent]),
        ),
    );
  const answer = await fetch(`${server.url}/api/traces/list/?customer_identifier=ada&page_size=1000`, {
    headers: { 'x-api-key': server.key },
  });
  const { results } = await answer.json();
  const sum = (name) => results.reduce((n, t) => n + (t[name] ?? 0), 0);
  const grouped = new Intl.NumberFormat('en-GB');
  const shown = await figures();
  assert.equal(shown.Requests, grouped.format(results.length));
  assert.equal(shown['Model calls'], grouped.format(sum('llm_call_count')));
  assert.equal(shown.Tokens, grouped.format(sum('total_tokens')));
  assert.equal(shown.Errors, grouped.format(results.filter((t) => t.error_count > 0).length));
  // Of a trace that calls two models, each call is counted for its own.
  const models = (await page.locator('.small-table tbody').innerText()).replace(/\s+/g, ' ');
  assert.match(models, /SmolLM2-135M-Instruct 2 240 /);
  assert.match(models, /tiny-gpt2 2 3,420 /);
  await page.locator('.figures > div', { hasText: 'Errors' }).locator('a').click();
  await page.locator('.trace-row.failed').waitFor();
  assert.equal(search().get('q'), 'user:ada status:error');
  await page.goBack();
  await page.locator('.figures').waitFor();
  await server.post(fixtures.turn(900, Date.now(), { user: 'ada' }).request());
  await page.waitForFunction(
    (n) => document.querySelector('.figures dd').textContent === n,
    String(results.length + 1),
  );
  await page.getByRole('button', { name: 'All time' }).click();
  await page.getByRole('button', { name: '15 min' }).click();
  await page.waitForFunction(() => document.querySelector('.figures dd').textContent === '2');
  assert.equal(search().get('from'), '-15m');
});

test('a user and a thread on a phone: nothing is squeezed, nothing scrolls sideways', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open('/users/ada', '.figures');
  const clipped = (within) =>
    page
      .locator(within)
      .evaluateAll((all) => all.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent));
  assert.deepEqual(await clipped('.small-table tr, .small-table td, .figures > div, .last-threads a'), []);
  const named = (cell) => getComputedStyle(cell, '::after').content;
  assert.equal(await page.locator('.small-table td').first().evaluate(named), '" calls"');
  assert.ok((await page.locator('.last-said').first().boundingBox()).width > 150);
  await open('/threads/support', '.turn .failure');
  await page.locator('.about-thread summary').click();
  await page.locator('.about-thread .metadata').waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await page.setViewportSize({ width: 1320, height: 720 });
});
