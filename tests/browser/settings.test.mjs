// The way in and the settings, in a real browser: keys made, used and revoked; a password set and signed in with; a user's data deleted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPage, openPage, press } from './open.mjs';
import { TraceBuilder } from './otlp.mjs';

const { server, browser, page } = await openPage();
const email = 'ann@example.com';
const password = 'correct horse battery';

const ingest = (key, name) => {
  const t = new TraceBuilder(name.length, Date.now() - 1000);
  t.span(name, { type: 'task', attrs: { 'respan.customer_params.customer_identifier': name } });
  return fetch(`${server.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key },
    body: JSON.stringify(t.request()),
  });
};

let key;

test('a key is made by keyboard, shown once with lines to copy, and works', async () => {
  await page.getByRole('heading', { name: 'No traces yet' }).waitFor();
  await press(page, 'g', 's');
  await page.getByRole('link', { name: 'API keys' }).click();
  await page.waitForURL(`${server.url}/settings/keys`);
  await page.getByLabel('Name', { exact: true }).fill('laptop');
  await page.getByRole('textbox', { name: 'Environment' }).fill('staging');
  await page.getByLabel('Until').selectOption('Ends in 30 days');
  await page.keyboard.press('Tab');
  await page.getByRole('button', { name: 'Make a key' }).press('Enter');
  const made = page.getByRole('region', { name: 'The new key' });
  await made.waitFor();
  key = await made.locator('pre').first().innerText();
  assert.match(key, /^rsp_[\w-]{43}$/);
  assert.match(await made.innerText(), new RegExp(`OTEL_EXPORTER_OTLP_HEADERS="x-api-key=${key}"`));
  assert.equal((await ingest(key, 'somebody')).status, 200);
  await page.reload();
  const row = page.getByRole('row', { name: /laptop/ });
  await row.waitFor();
  assert.match(await row.innerText(), /ingest, read\s+staging/);
  assert.doesNotMatch(await page.locator('body').innerText(), new RegExp(key));
});

test('a key is revoked once one says so twice, and is refused from then on', async () => {
  await page.getByRole('button', { name: 'Revoke laptop' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('row', { name: /laptop.*revoked/ }).waitFor();
  assert.equal((await ingest(key, 'late')).status, 401);
});

test('all of a user goes, once one has typed twice whose it is', async () => {
  await page.getByRole('link', { name: 'Project', exact: true }).click();
  const button = page.getByRole('button', { name: 'Delete all of it' });
  await page.getByLabel('Whose (customer_identifier)').fill('somebody');
  assert.equal(await button.isDisabled(), true);
  await page.getByLabel('The same again').fill('somebody');
  await button.click();
  await page.getByText('1 trace of somebody deleted, and gone from the disk.').waitFor();
});

test('with a password one signs in from another browser, and wrong ones are refused in words', async () => {
  await page.getByRole('link', { name: 'Account' }).click();
  await page.getByText('This account has no password yet').waitFor();
  await page.getByLabel('E-mail').fill(email);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved').waitFor();
  await page.getByLabel('New password').fill(password);
  await page.getByRole('button', { name: 'Set it' }).click();
  await page.getByRole('heading', { name: 'Change the password' }).waitFor();
  await page.getByRole('status').getByText('The password is set').waitFor();

  const other = await browser.newContext({ viewport: { width: 390, height: 800 } });
  const door = await newPage(other);
  await door.goto(`${server.url}/settings/keys`);
  assert.equal(new URL(door.url()).pathname, '/signin');
  assert.equal(await door.getByLabel('Password').getAttribute('autocomplete'), 'current-password');
  assert.equal(await door.getByLabel('E-mail').getAttribute('autocomplete'), 'username');
  await door.getByLabel('E-mail').fill(email);
  await door.getByLabel('Password').fill('something else');
  await door.keyboard.press('Enter');
  await door.getByRole('alert').getByText('the e-mail address or the password is wrong').waitFor();
  await door.getByLabel('Password').fill(password);
  await door.keyboard.press('Enter');
  await door.getByRole('heading', { name: 'API keys' }).waitFor();
  assert.equal(new URL(door.url()).pathname, '/settings/keys');
  await door.getByRole('link', { name: 'Account' }).click();
  await door.getByRole('button', { name: 'Sign out' }).click();
  await door.getByRole('heading', { name: 'Sign in' }).waitFor();
  await other.close();
});

test('without an invite one does not sign up, and is told why', async () => {
  const other = await browser.newContext();
  const door = await newPage(other);
  await door.goto(`${server.url}/signup`);
  await door.getByRole('heading', { name: 'Sign-up is off' }).waitFor();
  assert.equal(await door.locator('input').count(), 0, 'no form that would be refused');
  await door.getByRole('link', { name: 'Sign in' }).waitFor();
  await door.goto(`${server.url}/invite/nonsense`);
  await door.getByLabel('E-mail').fill('bob@example.com');
  await door.getByLabel('Name').fill('Bob');
  await door.getByLabel('Password').fill('long enough, that');
  await door.keyboard.press('Enter');
  await door.getByRole('alert').waitFor();
  assert.match(await door.getByRole('alert').innerText(), /invite/);
  await other.close();
});

test('what browsers ask for by themselves is there: the icon', async () => {
  const icon = await fetch(`${server.url}/favicon.ico`);
  assert.deepEqual([icon.status, icon.headers.get('content-type')], [200, 'image/x-icon']);
  assert.equal(Buffer.from(await icon.arrayBuffer()).readUInt16LE(2), 1);
});
