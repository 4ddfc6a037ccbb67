// What spans and accounts carry is only text: each field of each dialect holds what would run, load or lead elsewhere if it were
// more, and every page, menu, dialog and pane is looked at.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watch } from './browser.mjs';
import * as fixtures from './fixtures.mjs';
import { addresses, golden, hostileTrace, payload, short, thread, user } from './hostile.mjs';
import { newPage, open, openPage } from './open.mjs';
import { openPlaces, places } from './places.mjs';
import { attributes, TraceBuilder } from './otlp.mjs';

const now = Date.now();
const ids = {};

const { server, browser, context, page, complaints } = await openPage({}, async ({ server, page }) => {
  await page.addInitScript(listen);
  // As the server has them once it has read each dialect, OTLP/JSON all of them.
  const headers = { 'x-api-key': server.key };
  const ask = async (path) => (await fetch(server.url + path, { headers })).text();
  for (const [type, body] of await golden()) {
    const sent = { method: 'POST', headers: { ...headers, 'content-type': type }, body };
    assert.equal((await fetch(`${server.url}/v1/traces`, sent)).status, 200);
  }
  const { results } = JSON.parse(await ask('/api/spans/list/?page_size=1000&content=false'));
  const requests = [];
  for (const span of results)
    requests.push(
      JSON.parse(await ask(`/api/spans/${span.span_unique_id}/?trace_id=${span.trace_unique_id}&format=otlp`)),
    );
  assert.ok(requests.length > 80, String(requests.length));
  for (const [name, all] of [
    ['dialects', false],
    ['nonsense', true],
  ]) {
    const { traceId, request } = hostileTrace(name.length, requests, now - 60_000, all);
    ids[name] = traceId;
    await server.post(request);
  }
  const told = chat();
  ids.shown = told.id;
  ids.span = told.spans[1].spanId;
  const failing = fixtures.failing(1, now - 30_000);
  ids.failed = failing.id;
  await server.post(told.request(), failing.request());
});

/** A chat in which the addresses of images and links are not what they should be. */
function chat() {
  const t = new TraceBuilder(4711, now - 20_000);
  const who = {
    'respan.customer_params.customer_identifier': user,
    'respan.threads.thread_identifier': thread,
    'respan.metadata.plan': payload('plan'),
    'respan.environment': payload('environment'),
  };
  const root = t.span(payload('workflow'), { lasts: 900, type: 'workflow', attrs: who });
  const parts = addresses.flatMap((url) => [
    { type: 'text', text: `[a link](${url}) ![an image](${url}) <${url}> ${url}` },
    { type: 'image_url', image_url: { url } },
    { type: 'image', source: { type: 'url', url, media_type: payload('media') } },
    { type: 'input_audio', input_audio: { data: 'AAAA', format: payload('format') } },
    { type: 'file', file: { filename: payload('file'), file_data: url } },
  ]);
  t.span(payload('chat'), {
    parent: root,
    at: 10,
    lasts: 800,
    type: 'chat',
    attrs: {
      ...who,
      'gen_ai.system': payload('provider'),
      'gen_ai.request.model': payload('model'),
      'gen_ai.request.temperature': 0.5,
      'gen_ai.prompt.0.role': payload('role'),
      'gen_ai.prompt.0.content': payload('prompt'),
      'gen_ai.prompt.1.role': 'user',
      'gen_ai.prompt.1.content': JSON.stringify(parts),
      'gen_ai.completion.0.role': 'assistant',
      'gen_ai.completion.0.content': payload('completion'),
      'gen_ai.completion.0.finish_reason': payload('reason'),
      'gen_ai.completion.0.tool_calls.0.name': payload('tool'),
      'gen_ai.completion.0.tool_calls.0.id': payload('call'),
      'gen_ai.completion.0.tool_calls.0.arguments': JSON.stringify({ [payload('key')]: payload('argument') }),
      'llm.request.functions.0.name': payload('function'),
      'llm.request.functions.0.description': payload('description'),
      'llm.request.functions.0.parameters': JSON.stringify({ [payload('key')]: payload('schema') }),
      'gen_ai.usage.input_tokens': 7,
      'gen_ai.usage.output_tokens': 9,
      'respan.generation.token_gaps': [0.01, 0.02, 0.5],
      'respan.generation.strategy': payload('strategy'),
      'respan.model.class': payload('class'),
      'respan.model.dtype': payload('dtype'),
      'respan.usage.source': payload('source'),
    },
  });
  for (const span of t.spans) span.attributes.push(...attributes({ [payload('key')]: payload('value') }));
  return t;
}

/** In each document, before anything of it runs. */
function listen() {
  window.refused = [];
  addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
    window.refused.push(`${violatedDirective} ${blockedURI}`),
  );
}

/** What there is in the page that a text should not have made. */
const made = (p) =>
  p.evaluate(() => {
    const found = [...window.refused];
    if ('xss' in window) found.push(`it ran: ${String(window.xss)}`);
    for (const e of document.querySelectorAll('*')) {
      if (e.matches('.xss, iframe, object, embed, base, img, style, form[action], #app script, [srcdoc]'))
        found.push(e.outerHTML.slice(0, 90));
      for (const { name, value } of e.attributes) {
        if (name.startsWith('on')) found.push(`${e.tagName} has ${name}`);
        if (name === 'style' && /url|expression|evil/.test(value)) found.push(`${e.tagName} style ${value}`);
        if (!/^(href|src|action|formaction|xlink:href|data|poster|ping)$/.test(name)) continue;
        const to = new URL(value, location.href);
        const leaves = to.origin !== location.origin;
        if (!/^https?:$/.test(to.protocol)) found.push(`${e.tagName} ${name} ${value.slice(0, 60)}`);
        if (leaves && !(e.matches('a[target=_blank]') && /noopener noreferrer/.test(e.rel)))
          found.push(`leads to ${value}`);
      }
    }
    return found;
  });

/** What a browser itself says of an answer that is an error, of pages that show one. */
const serious = (said) => said.filter((text) => !/Failed to load resource/.test(text));

test('accounts: what they are called is taken, or refused in words', async () => {
  const { csrf_token: token, user: me } = await (await context.request.get(`${server.url}/api/session/`)).json();
  const post = async (path, data, status = 200) => {
    const answer = await context.request.post(server.url + path, { data, headers: { 'x-csrf-token': token } });
    assert.equal(answer.status(), status, `${path} ${await answer.text()}`);
  };
  await post('/api/projects/1/', { name: short });
  await post('/api/projects/', { name: `${short}2` });
  await post('/api/keys/', { name: short, environment: short });
  await post('/api/invites/', { role: 'viewer', email: '<img/src=x>@evil.invalid' }, 400);
  await post('/api/invites/', { role: 'viewer', email: "'onload=xss=1//'@evil.invalid" });
  await post('/api/auth/account/', { name: short, email: "'{{xss}}'onload=xss=1@evil.invalid" });
  await post('/api/views/', { name: short, q: 'status:error' });
  assert.ok(me);
});

test('every page, menu, dialog and pane shows what is hostile as text', async () => {
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const at = { ...ids, other: ids.dialects };
  at.user = encodeURIComponent(user);
  at.thread = encodeURIComponent(thread);
  const found = {};
  for (const [name, path, whole, then] of places(at)) {
    try {
      await open(page, server.url + path, whole);
      await then?.(page);
      // What is shown of a thing that is pointed at.
      for (const what of await page.locator('.trace-row, .group-row, .legend button, .bar, .strip').all()) {
        if (await what.isVisible()) await what.hover({ force: true });
        break;
      }
      const wrong = await made(page);
      if (wrong.length > 0) found[name] = wrong;
    } catch (error) {
      found[name] = error.message;
    }
    await page.unrouteAll();
  }
  assert.deepEqual(found, {});
  assert.deepEqual(serious(complaints), []);
  complaints.length = 0;
});

test('so do the list with all its columns, and what the filter offers', async () => {
  await open(page, `${server.url}/`, '.trace-row:not(.head)');
  await page.getByRole('button', { name: 'Columns' }).click();
  for (const box of await page.locator('.popover input[type=checkbox]').all())
    if (!(await box.isChecked())) await box.check();
  await page.keyboard.press('Escape');
  assert.deepEqual(await made(page), []);
  for (const text of ['model:', 'user:', 'thread:', 'env:', 'name:', 'metadata.', 'metadata.plan:']) {
    await page.getByRole('combobox', { name: 'Filter traces' }).fill(text);
    await page.locator('[role=option]').first().waitFor();
    assert.deepEqual(await made(page), [], text);
  }
  // A value that is chosen is a text of the filter, whatever is in it.
  await page.getByRole('combobox', { name: 'Filter traces' }).fill('user:');
  await page.locator('[role=option]').first().click();
  await page.waitForFunction(() => new URLSearchParams(location.search).get('q')?.startsWith('user:'));
  await page.locator('.trace-row:not(.head)').first().waitFor();
  assert.deepEqual(await made(page), []);
});

test('so does each span of each dialect', async () => {
  for (const name of ['dialects', 'nonsense']) {
    await open(page, `${server.url}/traces/${ids[name]}`, '.span-row');
    const count = await page.evaluate(() => Math.round(document.querySelector('.tree .virtual').clientHeight / 28));
    assert.ok(count > 80);
    await page.keyboard.press('Home');
    for (let i = 0; i < count; i++) {
      await page.keyboard.press('j');
      await page.locator('.pane .section').first().waitFor();
      const wrong = await made(page);
      assert.deepEqual(wrong, [], `${name} ${i} ${page.url()}`);
    }
    await page.keyboard.press('r');
    await page.locator('.read-call .section, .read-call .say').first().waitFor();
    assert.deepEqual(await made(page), [], `${name}, read`);
  }
});

test('so does a link, to whoever has it', async () => {
  const other = await browser.newContext();
  await other.addInitScript(listen);
  const shown = await newPage(other);
  const said = watch(shown, server.url);
  for (const id of [ids.shown, ids.dialects]) {
    for (const [name, path, whole, then] of openPlaces({ link: await server.share(id) })) {
      await open(shown, server.url + path, whole);
      await then?.(shown);
      assert.deepEqual(await made(shown), [], name);
    }
  }
  assert.deepEqual(serious(said), []);
  await other.close();
});

test('what is downloaded is a file, and no cell of it a formula', async () => {
  for (const [format, type] of [
    ['jsonl', 'application/x-ndjson'],
    ['csv', 'text/csv; charset=utf-8'],
    ['parquet', 'application/vnd.apache.parquet'],
  ]) {
    for (const what of ['traces', 'spans']) {
      const answer = await context.request.get(`${server.url}/api/${what}/export/?format=${format}`);
      const headers = answer.headers();
      assert.equal(headers['content-type'], type);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.match(headers['content-disposition'], /^attachment; filename="[\w.-]+"$/);
      if (format !== 'csv') continue;
      const text = await answer.text();
      assert.match(text, /"'=/);
      for (const [cell] of text.matchAll(/"(?:[^"]|"")*"|[^,\r\n"]+/g))
        assert.doesNotMatch(cell, /^"?[=+@\t\r]/, 'a formula');
    }
  }
});
