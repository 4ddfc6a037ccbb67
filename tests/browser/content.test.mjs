// What a span holds, in a real browser on a real server: texts, answers, tools, parameters, tokens, timing, model, attributes, events.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fixtures from './fixtures.mjs';
import { openPage } from './open.mjs';
import { TraceBuilder } from './otlp.mjs';

const now = Date.now();
const made = { failing: fixtures.failing(3, now - 62_000), batch: fixtures.batch(4, now - 63_000) };
const viewport = { width: 1440, height: 860 };
const { server, page, open } = await openPage({ viewport }, async ({ server }) => {
  await server.post(...Object.values(made).map((t) => t.request()));
});

const rows = () => page.locator('.trace-row:not(.head)');
const spans = () => page.locator('.span-row');
const openTrace = (name) => open(`/traces/${made[name].id}`, '.span-row');

test('a long prompt that a completion repeats is not laid out twice', async () => {
  const t = new TraceBuilder(80, now - 52 * 86_400_000);
  const long = 'line after line\n'.repeat(60_000);
  t.span('text_completion m', {
    lasts: 9,
    type: 'text',
    attrs: {
      'gen_ai.request.max_new_tokens': 64,
      'gen_ai.request.max_tokens': 64,
      'gen_ai.prompt.0.content': long,
      'gen_ai.completion.0.content': `${long}THE NEW TEXT`,
    },
  });
  await server.post(t.request());
  await open(`/traces/${t.id}`);
  await page.getByText('THE NEW TEXT').waitFor();
  assert.equal(await page.locator('.fresh').textContent(), 'THE NEW TEXT');
  assert.ok((await page.locator('.pane-body').evaluate((e) => e.textContent.length)) < 10_000);
  assert.deepEqual(await page.locator('.grid dt').filter({ hasText: 'max_' }).allTextContents(), ['max_new_tokens']);
});

test('images, sounds and files of a chat are said among its texts, in their order; none of their data is shown', async () => {
  const t = new TraceBuilder(81, now - 53 * 86_400_000);
  const data = Buffer.from(
    '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0'.padEnd(3000, 'x'),
    'latin1',
  ).toString('base64');
  const parts = [
    { type: 'text', content: 'Which of' },
    { type: 'blob', modality: 'image', mime_type: 'image/png', content: data },
    { type: 'uri', modality: 'image', mime_type: 'image/jpeg', uri: 'https://example.com/cat.jpg' },
    { type: 'text', content: 'is a cat?' },
  ];
  t.span('chat m', {
    lasts: 9,
    attrs: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.input.messages': JSON.stringify([{ role: 'user', parts }]),
      'gen_ai.output.messages': JSON.stringify([
        {
          role: 'assistant',
          parts: [
            { type: 'reasoning', content: 'Look.' },
            { type: 'file', modality: 'audio', file_id: 'file-1' },
          ],
        },
      ]),
    },
  });
  await server.post(t.request());
  await open(`/traces/${t.id}`, '.say');
  const said = await page.locator('.say').allInnerTexts();
  assert.match(
    said[0],
    /Which of\s+\[image\/png 640 × 480, 3\.0 kB\]\s+\[image\/jpeg https:\/\/example\.com\/cat\.jpg\]\s+is a cat\?/,
  );
  assert.match(said[1], /thought\s+\[audio file-1\]/);
  assert.ok(!(await page.locator('.pane-body').innerText()).includes(data.slice(60, 100)));
});

test('attributes are searched, resource and errors shown, a batch pairs up', async () => {
  await openTrace('failing');
  await page.locator('.failure').waitFor();
  assert.ok((await page.locator('.failure').innerText()).includes(fixtures.failure));
  await page.getByRole('tab', { name: /Events/ }).click();
  await page.getByText('torch.OutOfMemoryError').waitFor();
  await page.getByText('line 31, in main').waitFor();
  await page.getByRole('tab', { name: /Attributes/ }).click();
  await page.getByRole('searchbox').fill('request.model');
  assert.equal(await page.locator('.attributes > div').count(), 1);
  await page.getByRole('tab', { name: 'Resource' }).click();
  await page.getByText('browser-test').waitFor();
  await openTrace('batch');
  await page.getByText('Batch of 2').waitFor();
  assert.deepEqual(
    (await page.locator('.batch .fresh').allTextContents()).map((t) => t.trim()),
    ['first answer', 'second answer'],
  );
});

test('answers stand with the chat that they answer; tools, their calls and who set what are shown', async () => {
  await openTrace('batch');
  await spans().filter({ hasText: 'SmolLM2' }).first().click();
  await page.getByText('Drei.').waitFor();
  const said = (li) => li.locator('.long').allInnerTexts();
  const exchanges = await page.locator('.batch > li').all();
  assert.deepEqual(await Promise.all(exchanges.map(said)), [
    ['Say one.', 'One.', 'Again?', 'Uno.', 'Eins.'],
    ['Say three.', 'Tre.', 'Drei.'],
  ]);
  const section = (title) => page.locator('.section').filter({ has: page.getByRole('heading', { name: title }) });
  assert.match(await section('Parameters set by the user').innerText(), /n\s*2/);
  assert.match(await section('Parameters by default').innerText(), /temperature\s*0\.7/);
  await spans().filter({ hasText: 'with tools' }).first().click();
  await page.getByText('Take an umbrella.').waitFor();
  assert.match(await section('Tools').innerText(), /get_weather The weather of a city\./);
  assert.match(await page.locator('.say .told-tool').innerText(), /get_weather c1[^]*city: Bern/);
  assert.match(await section('Cut when recorded').innerText(), /gen_ai\.prompt\.0\.content\s*of 5,000,000 bytes/);
});

test('what was measured, and which model it was, which leads to the traces that share it', async () => {
  const t = fixtures.measured(81, now - 53 * 86_400_000);
  await server.post(t.request());
  await open(`/traces/${t.id}`);
  await page.getByText('You may call get_weather.').waitFor();
  const section = (title) => page.locator('.section').filter({ has: page.getByRole('heading', { name: title }) });
  const facts = (title) =>
    section(title)
      .locator('.grid > div')
      .evaluateAll((all) => Object.fromEntries(all.map((e) => [...e.children].map((child) => child.textContent))));
  const timing = await facts('Timing');
  assert.deepEqual(
    ['first token', 'prefill', 'decode', 'tokens/s', 'stalls', 'draft tokens accepted'].map((name) => timing[name]),
    ['420 ms', '400 ms', '1.90 s', '31.6', '2, 620 ms in all', '31 of 40 (78%)'],
  );
  const parts = await page
    .locator('.timing i')
    .evaluateAll((all) => all.map((e) => [e.className, e.getBoundingClientRect().width]));
  assert.deepEqual(
    parts.map(([name]) => name),
    ['before', 'prefill', 'decode', 'after'],
  );
  const whole = parts.reduce((sum, [, width]) => sum + width, 0);
  assert.ok(Math.abs(parts[2][1] / whole - 1.9 / 2.4) < 0.01, 'decode has its share of the bar');
  const bars = (of) => page.locator(`.gaps .${of}`).evaluate((e) => e.getAttribute('d').split('M').length - 1);
  assert.deepEqual([await bars('ordinary'), await bars('stall')], [58, 2]);
  const colours = await page
    .locator('.gaps path')
    .evaluateAll((all) => new Set(all.map((e) => getComputedStyle(e).fill)).size);
  assert.equal(colours, 2, 'stalls stand out');
  const box = await page.locator('.gaps svg').boundingBox();
  await page.mouse.move(box.x + (20.5 / 60) * box.width, box.y + 10);
  assert.equal(await page.locator('.gaps figcaption .mono').innerText(), 'token 22: 310 ms');
  assert.deepEqual(await page.locator('.bubble > small').allInnerTexts(), ['system', 'user', 'assistant']);
  assert.match(await page.locator('.bubble .told-tool').innerText(), /get_weather[^]*city: Bern/);
  assert.deepEqual(await facts('Tokens'), {
    prompt: '31 measured',
    'prompt special': '5',
    completion: '61 measured',
    'completion special': '1',
  });
  assert.deepEqual(await facts('Memory'), { 'peak RSS': '971 MB measured' });
  const model = await facts('Model');
  assert.equal(model.parameters, '134,515,008');
  assert.equal(model.revision, '7e27bd9f95328f0f3b08261d1252705110c806f8');
  await section('Model').getByRole('link', { name: 'bitsandbytes 4-bit nf4' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.trace-row:not(.head)').length === 1);
  assert.equal(new URL(page.url()).searchParams.get('q'), 'model.quantization:"bitsandbytes 4-bit nf4"');
  assert.equal(await rows().first().locator('.out').innerText(), 'get_weather({"city":"Bern"})');
  await open('/?q=model.dtype%3Afloat8_e4m3fn%20model.parameters%3A134515008');
  await page.waitForFunction(() => document.querySelectorAll('.trace-row:not(.head)').length === 1);
  await open('/?q=model.dtype%3Afloat64');
  await page.getByRole('heading', { name: 'No trace matches' }).waitFor();
});
