// Traces that run: what has not ended, as the server was told of it, in the list and in its trace, in a real browser on a real server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage } from './open.mjs';
import { TraceBuilder } from './otlp.mjs';

const { server, page, open } = await openPage({ viewport: { width: 1440, height: 860 } });

const spans = () => page.locator('.span-row');
const row = (name) => spans().filter({ hasText: name }).first();
const listed = (name) => page.locator('.trace-row:not(.head)').filter({ hasText: name });
const labels = () => page.locator('.span-row .label').allTextContents();

/** Tells that the builder's spans are open. */
async function tell(t) {
  const request = t.request();
  for (const { scopeSpans } of request.resourceSpans)
    for (const scope of scopeSpans) for (const span of scope.spans) span.endTimeUnixNano = '0';
  const answer = await fetch(`${server.url}/v1/open`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': server.key },
    body: JSON.stringify(request),
  });
  assert.equal(answer.status, 202);
  assert.deepEqual(await answer.json(), { partialSuccess: {} });
}

/** Takes the spans of these names out of the builder, ended. */
async function end(t, ...names) {
  const rest = t.spans.filter((s) => !names.includes(s.name));
  t.spans = t.spans.filter((s) => names.includes(s.name));
  for (const s of t.spans) s.endTimeUnixNano = String(BigInt(Date.now()) * 1_000_000n);
  await server.post(t.request());
  t.spans = rest;
}

const skip = { skip: Boolean(process.env.RESPAN_MOCK) };

test('a trace of which nothing has ended stands in the list, grows, and settles', skip, async () => {
  await open('/');
  const t = new TraceBuilder(1, Date.now() - 4000);
  const asked = { 'traceloop.entity.input': 'What takes so long?' };
  const root = t.span('answer', { type: 'workflow', attrs: asked });
  t.span('generate', { parent: root, at: 100, type: 'task', attrs: asked });
  await tell(t);
  await listed('answer').waitFor();
  assert.equal(await listed('answer').locator('.dot').innerText(), 'running');
  await open('/?q=is:running', '.trace-row:not(.head)');
  assert.equal(await listed('answer').count(), 1);

  await listed('answer').locator('a').click();
  await row('generate').waitFor();
  assert.deepEqual(await labels(), ['answer', 'generate']);
  assert.equal(await page.locator('.trace-head .dot.running').innerText(), 'running');
  await row('generate').click();
  await page.locator('.pane').getByText('What takes so long?').first().waitFor();
  await page.getByText('this is what it holds so far').waitFor();
  const actions = page.locator('.trace-actions button');
  const can = () => actions.evaluateAll((all) => all.map((b) => `${b.textContent} ${!b.disabled}`));
  assert.deepEqual(await can(), ['Share false', 'Pin false', 'Delete true']); // nothing of it is stored
  assert.ok(Number(await actions.first().evaluate((b) => getComputedStyle(b).opacity)) < 1);
  const address = page.url();
  const lasts = async () => Number(/, ([\d.]+) s$/.exec(await row('generate').getAttribute('aria-label'))[1]);
  const was = await lasts();
  assert.ok(was >= 3.9);
  await page.waitForFunction(
    (than) => Number(/, ([\d.]+) s$/.exec(document.querySelectorAll('.span-row')[1].ariaLabel)?.[1]) > than + 1,
    was,
  );

  t.span('look up', { parent: root, at: 3000, type: 'tool' });
  await tell(t);
  await row('look up').waitFor();
  assert.deepEqual(await labels(), ['answer', 'generate', 'look up']);
  await end(t, 'generate');
  await page.getByText('this is what it holds so far').waitFor({ state: 'detached' });
  assert.equal(await page.locator('.span-row.running').count(), 2);
  assert.deepEqual(await can(), ['Share true', 'Pin true', 'Delete true']);
  await end(t, 'answer', 'look up');
  await page.locator('.trace-head .dot.ok').waitFor();
  assert.equal(await page.locator('.span-row.running').count(), 0);
  assert.deepEqual(await labels(), ['answer', 'generate', 'look up']);
  assert.equal(page.url(), address);
  assert.equal(await page.locator('.span-row.selected .label').innerText(), 'generate');
  await page.keyboard.press('Escape');
  await open('/', '.trace-row:not(.head)');
  assert.equal(await listed('answer').count(), 1);
  assert.equal(await listed('answer').locator('.dot').innerText(), 'ok');
});

test('one that runs and in which something failed is marked as both', skip, async () => {
  const t = new TraceBuilder(4, Date.now() - 4000);
  const root = t.span('goes on', { type: 'workflow' });
  t.span('broke', { parent: root, at: 10, error: 'no' });
  await tell(t);
  await end(t, 'broke');
  await open('/', '.trace-row:not(.head)');
  const dot = listed('goes on').locator('.dot.error');
  await dot.waitFor();
  assert.equal(await dot.innerText(), 'running');
});

test('what nobody can await does not run: a ring, and a parent that is missing where the root has ended', async () => {
  const ring = new TraceBuilder(2, Date.now() - 500);
  const a = ring.span('a', { type: 'task', lasts: 10 });
  ring.span('b', { parent: a, at: 1, lasts: 5, type: 'task' });
  ring.spans[0].parentSpanId = ring.spans[1].spanId;
  await server.post(ring.request());
  await open(`/traces/${ring.id}`, '.span-row');
  await row('b').waitFor();
  assert.deepEqual(await labels(), ['a', 'b']);
  assert.equal(await page.locator('.dot.running').count(), 0);

  const orphan = new TraceBuilder(3, Date.now() - 500);
  orphan.span('whole', { type: 'workflow', lasts: 100 });
  orphan.span('lost', { parent: 'bbbbbbbbbbbbbb09', at: 5, lasts: 5, type: 'task' });
  await server.post(orphan.request());
  await open(`/traces/${orphan.id}`, '.span-row');
  await row('lost').getByText('parent missing').waitFor();
  assert.deepEqual(await labels(), ['whole', 'lost']);
  assert.equal(await page.locator('.dot.running').count(), 0);
});
