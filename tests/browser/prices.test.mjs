// Prices in the settings, in a real browser: searched, set, overruled and removed; what was seen without one; an hour of a GPU.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listens, openPage } from './open.mjs';
import { TraceBuilder } from './otlp.mjs';

let calls = 0;

/** A call of a million tokens each way. */
function call(model, attrs = {}) {
  const t = new TraceBuilder(7000 + calls++, Date.now() - 2000);
  t.span(`chat ${model}`, {
    type: 'chat',
    lasts: 420,
    attrs: {
      'gen_ai.provider.name': 'acme',
      'gen_ai.request.model': model,
      'gen_ai.usage.input_tokens': 1_000_000,
      'gen_ai.usage.output_tokens': 1_000_000,
      ...attrs,
    },
  });
  return t;
}

const { server, page, open, complaints } = await openPage({}, async ({ server: s }) => {
  await s.post(call('brand-new').request(), call('brand-new').request(), call('<i>odd</i>').request());
});
const prices = page.getByRole('table', { name: /Prices of tokens/ });
const row = (name) => prices.getByRole('row', { name });

async function costOf(trace) {
  await server.post(trace.request());
  await open(`/traces/${trace.id}?span=${trace.spans[0].spanId}`, page.getByText(/^\$[\d.]+ \(/));
  return page
    .getByText(/^\$[\d.]+ \(/)
    .first()
    .innerText();
}

test('the table has all prices, of which only those in sight are drawn, and is searched', async () => {
  await open('/settings/prices', '.price-row:not(.head)');
  const said = await page.getByText(/^[\d,]+ prices$/).innerText();
  assert.ok(Number(said.replace(/\D/g, '')) > 2000);
  assert.ok((await prices.getByRole('row').count()) < 100);
  await prices.evaluate((element) => {
    element.scrollTop = element.scrollHeight;
  });
  await row(/zai|z-ai|glm/)
    .first()
    .waitFor(); // the last of the list: its page was asked for
  await page.getByLabel('Search models and providers').fill('claude-sonnet-4');
  await row(/claude-sonnet-4.*anthropic.*built in/)
    .first()
    .waitFor();
  await page.getByLabel('Search models and providers').fill('no such model');
  await page.getByText('No price is of that name.').waitFor();
  assert.equal(await page.getByText('0 prices').count(), 1);
});

test('a model that was seen without a price gets one with a click, and its next call costs', async () => {
  await open('/settings/prices', '.unpriced');
  const unpriced = page.getByRole('region', { name: 'Seen without a price' });
  assert.match(await unpriced.innerText(), /brand-new\s+2 calls/);
  assert.match(await unpriced.innerText(), /<i>odd<\/i>\s+1 call/);
  await unpriced.getByRole('button', { name: 'Price brand-new' }).click();
  const dialog = page.getByRole('dialog', { name: 'New price' });
  assert.equal(await dialog.getByLabel('Model').inputValue(), 'brand-new');
  await dialog.getByLabel('Input', { exact: true }).fill('two');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText('A number of dollars, as 2.50').waitFor();
  await dialog.getByLabel('Input', { exact: true }).fill('2');
  await dialog.getByLabel('Output').fill('$3');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await row(/brand-new anyone \$2\.00 \$3\.00/).waitFor();
  assert.match(await costOf(call('brand-new')), /^\$5\.00 \(its tokens/);
});

test('a built-in price is overruled, changed and had back', async () => {
  await open('/settings/prices', '.price-row:not(.head)');
  await page.getByLabel('Search models and providers').fill('claude-opus-4-1');
  await page
    .getByRole('button', { name: /^Override claude-opus-4-1\S* of anthropic$/ })
    .first()
    .click();
  const dialog = page.getByRole('dialog');
  assert.equal(await dialog.getByLabel('Input', { exact: true }).inputValue(), '15');
  await dialog.getByLabel('Input', { exact: true }).fill('12.5');
  await dialog.getByRole('button', { name: 'Save' }).click();
  const own = row(/claude-opus-4-1\S* anthropic \$12\.50.*own/);
  await own.waitFor();
  await row(/claude-opus-4-1.*built in · overruled/)
    .first()
    .waitFor();
  await own.getByRole('button', { name: /^Edit/ }).click();
  await dialog.getByLabel('Input', { exact: true }).fill('');
  await dialog.getByLabel('Input', { exact: true }).fill('13');
  await dialog.getByLabel('Input', { exact: true }).press('Enter');
  await row(/claude-opus-4-1\S* anthropic \$13\.00.*own/).waitFor();
  await page.getByLabel('Where prices are from').selectOption('Own');
  await page.getByText('1 price', { exact: true }).waitFor();
  await page.getByRole('button', { name: /^Remove claude-opus-4-1/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByText('No price is of that name.').waitFor();
});

test("the server's refusal stands below the field that it is about", async () => {
  await open('/settings/prices', '.price-row:not(.head)');
  await page.getByRole('button', { name: 'New price' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Model').fill('a*b');
  await dialog.getByLabel('Input', { exact: true }).fill('1');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await dialog.getByText("'*' stands at a model's end only").waitFor();
  assert.equal(await dialog.getByLabel('Model').getAttribute('aria-invalid'), 'true');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  complaints.length = 0; // the refusal itself
});

test('an hour of a GPU has a price, and a call on it says how its cost was reckoned', async () => {
  await open('/settings/prices', '.price-row:not(.head)');
  await page.getByLabel('Device').selectOption('NVIDIA or AMD GPU (cuda)');
  await page.getByLabel('the energy that it draws').check();
  await page.getByLabel('Watts').fill('400');
  await page.getByLabel('Dollars for a kWh').fill('0.30');
  await page.getByText('A call of 0.42 s: 420 ms × $0.12 an hour = $0.000014').waitFor();
  await page.getByLabel('by the hour').check();
  await page.getByLabel('Dollars an hour').fill('2.10');
  await page.getByText('420 ms × $2.10 an hour = $0.000245').waitFor();
  await page.getByRole('button', { name: 'Set it' }).click();
  await page.getByRole('cell', { name: '$2.10', exact: true }).waitFor();
  const local = { 'gen_ai.provider.name': 'huggingface', 'respan.model.device': 'cuda:0' };
  assert.equal(await costOf(call('gpt2', local)), '$0.00024 (420 ms × $2.10 an hour of cuda:0)');
  await open('/settings/prices', '.price-row:not(.head)');
  await page.getByRole('button', { name: 'Remove the price of NVIDIA or AMD GPU (cuda)' }).click();
  await page.getByRole('cell', { name: '$2.10', exact: true }).waitFor({ state: 'detached' });
  assert.equal(await costOf(call('gpt2', local)), '$0 (it ran here, and no price of time was set)');
});

test('on a phone nothing is wider than the screen', async () => {
  await page.setViewportSize({ width: 390, height: 800 });
  await open('/settings/prices', '.price-row:not(.head)');
  await listens(page);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  assert.ok(await prices.evaluate((element) => element.scrollWidth <= element.clientWidth));
  await page.setViewportSize({ width: 1320, height: 860 });
});
