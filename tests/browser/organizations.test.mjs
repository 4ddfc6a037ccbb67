// Organizations in a real browser: one sees the projects of those that one is in, and is in each what one is there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fixtures from './fixtures.mjs';
import { newPage, openPage } from './open.mjs';

const { server, browser, page, open } = await openPage({}, async ({ server }) =>
  server.post(fixtures.ordinary(1, Date.now() - 1000).request()),
);
const password = 'correct horse battery';
const projects = (on) => on.getByLabel('Project', { exact: true });
const groups = (on) =>
  projects(on).evaluate((select) =>
    [...select.querySelectorAll('optgroup')].map(({ label, children }) => [
      label,
      [...children].map(({ textContent }) => textContent),
    ]),
  );
const project = () => new URL(page.url()).searchParams.get('project');

async function invite(email, role) {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Role', { exact: true }).selectOption(role);
  await page.getByRole('button', { name: 'Make an invite' }).click();
  return page.getByRole('region', { name: 'The new invite' }).locator('pre').innerText();
}

async function join(on, url, email) {
  await on.goto(server.url + new URL(url).pathname);
  await on.getByLabel('E-mail').fill(email);
  await on.getByLabel('Name').fill('Ann');
  await on.getByLabel('Password').fill(password);
  await on.getByRole('button', { name: 'Join' }).click();
  await on.locator('.frame').waitFor();
}

let ann;

test('of one organization nothing is said where one goes from project to project', async () => {
  await open('/', '.trace-row:not(.head)');
  assert.deepEqual(await groups(page), []);
  assert.deepEqual(await projects(page).locator('option').allInnerTexts(), ['default', 'All projects …']);
});

test('one is made, and projects stand by organization', async () => {
  await open('/settings/projects', page.getByRole('table', { name: 'Projects' }));
  await page.getByLabel('Called').fill('acme');
  await page.getByRole('button', { name: 'Make an organization' }).click();
  await page.getByText('Made: its project is in the list at the side').waitFor();
  await projects(page).locator('optgroup').first().waitFor({ state: 'attached' });
  assert.deepEqual(await groups(page), [
    ['default', ['default']],
    ['acme', ['acme']],
  ]);
  await projects(page).selectOption('2');
  await page.getByText('who may sign in is the same for all of acme.').waitFor();
  assert.equal(project(), '2');
  await page.getByLabel('Name', { exact: true }).fill('support');
  await page.getByRole('button', { name: 'Make a project' }).click();
  await page.getByRole('heading', { name: 'Keys of support' }).waitFor();
  assert.deepEqual(await groups(page), [
    ['default', ['default']],
    ['acme', ['acme', 'support']],
  ]);
});

test('it is renamed', async () => {
  await open('/settings/projects?project=2', page.getByRole('row', { name: /support/ }));
  assert.equal(await page.getByRole('table', { name: 'Projects' }).getByRole('row').count(), 3); // those of it alone
  await page.getByLabel('Organization', { exact: true }).fill('acme inc');
  await page.getByRole('button', { name: 'Rename it' }).click();
  await page.getByText('who may sign in is the same for all of acme inc.').waitFor();
  assert.deepEqual((await groups(page))[1][0], 'acme inc');
});

test('who is in one of them alone sees that one alone', async () => {
  await open('/settings/members?project=2', page.getByRole('heading', { name: 'Users of acme inc' }));
  const url = await invite('ann@example.org', 'member');
  ann = await newPage(await browser.newContext());
  await join(ann, url, 'ann@example.org');
  assert.deepEqual(await groups(ann), []);
  assert.deepEqual(await projects(ann).locator('option').allInnerTexts(), ['acme', 'support', 'All projects …']);
  await ann.getByRole('heading', { name: 'No traces yet' }).waitFor(); // not those of the other default
  await ann.goto(`${server.url}/settings/members`);
  await ann.getByRole('row', { name: /ann@example.org/ }).waitFor();
  await ann.getByRole('row', { name: /owner@localhost/ }).waitFor(); // who made it is in it, too
  await ann.goto(`${server.url}/settings/projects`);
  await ann.getByRole('row', { name: /support/ }).waitFor();
  for (const button of ['Make a project', 'Rename it', 'Make an organization'])
    assert.equal(await ann.getByRole('button', { name: button }).count(), 0, button);
  await ann.goto(`${server.url}/?project=1`);
  await ann.getByRole('heading', { name: 'There is no such project' }).waitFor();
  // and the other way round
  await open('/settings/members?project=1', page.getByRole('heading', { name: 'Users of default' }));
  await page.getByRole('row', { name: /owner@localhost/ }).waitFor();
  assert.equal(await page.getByRole('row', { name: /ann@example.org/ }).count(), 0);
});

test('one with an account is let into another by its password, and is what he is there', async () => {
  const url = await invite('ann@example.org', 'viewer');
  await ann.context().clearCookies();
  await ann.goto(server.url + new URL(url).pathname);
  await ann.getByText('Have an account? Its e-mail and password join it.').waitFor();
  await join(ann, url, 'ann@example.org');
  await projects(ann).locator('optgroup').first().waitFor({ state: 'attached' });
  assert.deepEqual(
    (await groups(ann)).map(([name]) => name),
    ['default', 'acme inc'],
  );
  // a member there: a key may be made, which a viewer's page does not offer
  await ann.goto(`${server.url}/settings/keys?project=2`);
  await ann.getByRole('heading', { name: 'Keys of acme' }).waitFor();
  await ann.getByRole('button', { name: 'Make a key' }).waitFor();
  await ann.goto(`${server.url}/settings/keys?project=1`);
  await ann.getByRole('heading', { name: 'Keys of default' }).waitFor();
  await ann.getByRole('row', { name: /local/ }).waitFor();
  assert.equal(await ann.getByRole('button', { name: 'Make a key' }).count(), 0);
});

test('the only project of an organization stays, whatever others there are', async () => {
  await open('/settings/project?project=1', page.getByText('It is the only one, and one has to stay'));
  assert.equal(await page.getByRole('button', { name: 'Delete default' }).isDisabled(), true);
});

test('who is removed from one is in the other still', async () => {
  await open('/settings/members?project=2', page.getByRole('row', { name: /ann@example.org/ }));
  await page.getByRole('button', { name: 'Remove Ann' }).click();
  await page.getByRole('dialog').getByText('is not in this organization any more').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('row', { name: /ann@example.org/ }).waitFor({ state: 'detached' });
  await ann.goto(server.url);
  await ann.locator('.trace-row:not(.head)').first().waitFor();
  assert.deepEqual(await groups(ann), []);
});

test('who is signed in joins as he is', async () => {
  const url = await invite('', 'viewer');
  await ann.goto(server.url + new URL(url).pathname);
  await ann.getByRole('button', { name: 'Join as you are' }).click();
  await projects(ann).locator('optgroup').first().waitFor({ state: 'attached' });
  await ann.goto(server.url + new URL(url).pathname);
  await ann.getByRole('button', { name: 'Join as you are' }).click();
  await ann.getByText('this invite is unknown, used or expired').waitFor();
});

test('whoever wants to leaves, and is in the other still', async () => {
  await ann.goto(`${server.url}/settings/members?project=2`);
  assert.equal(
    await ann
      .getByRole('row', { name: /owner@localhost/ })
      .getByRole('button')
      .count(),
    0,
  );
  await ann.getByRole('button', { name: 'Remove Ann' }).click();
  await ann.getByRole('dialog', { name: 'Remove yourself?' }).getByRole('button', { name: 'Remove' }).click();
  await ann.getByRole('heading', { name: 'There is no such project' }).waitFor();
  await ann.goto(server.url);
  await ann.locator('.trace-row:not(.head)').first().waitFor();
  assert.deepEqual(await groups(ann), []);
});
