// Who may come in, what there is and how long it is kept, in a real browser: members and invites, sessions, the log, projects, retention.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fixtures from './fixtures.mjs';
import { listens, newPage, openPage } from './open.mjs';
import { TraceBuilder } from './otlp.mjs';

const now = Date.now();
const { server, browser, page, complaints, open } = await openPage({}, async ({ server }) => {
  for (let i = 0; i < 4; i++) await server.post(fixtures.ordinary(i, now - i * 40 * 86_400_000).request());
  const t = new TraceBuilder(90, now - 1000);
  t.span('staged', { type: 'task', attrs: { 'respan.environment': 'staging' } });
  await server.post(t.request());
});
const password = 'correct horse battery';
/** The browser's own word for an answer that was meant. */
const expect = (status) => {
  const at = complaints.findIndex((said) => said.includes(`status of ${status}`));
  assert.notEqual(at, -1, `no answer of ${status}`);
  complaints.splice(at, 1);
};
const project = () => new URL(page.url()).searchParams.get('project');

/** Somebody else, by the link of an invite, in a browser of his own. */
async function join(url, email, name) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  const other = await newPage(context);
  await other.goto(server.url + new URL(url).pathname);
  await other.getByLabel('E-mail').fill(email);
  await other.getByLabel('Name').fill(name);
  await other.getByLabel('Password').fill(password);
  await other.getByRole('button', { name: 'Join' }).click();
  await other.locator('.frame').waitFor();
  return other;
}

async function invite(email, role) {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Role', { exact: true }).selectOption(role);
  await page.getByRole('button', { name: 'Make an invite' }).click();
  const made = page.getByRole('region', { name: 'The new invite' });
  await made.getByText(email === '' ? 'whoever has it' : email).waitFor();
  return made.locator('pre').innerText();
}

let ann;

test('an invite is made, its link shown once; whoever follows it is a member', async () => {
  await open('/settings/members', page.getByRole('row', { name: /owner@localhost/ }));
  const url = await invite('ann@example.org', 'viewer');
  assert.match(url, /\/invite\/[\w-]{43}$/);
  await page
    .getByRole('table', { name: 'Open invites' })
    .getByRole('row', { name: /ann@example.org.*viewer/ })
    .waitFor();
  await page.reload();
  await page.getByRole('table', { name: 'Open invites' }).waitFor();
  assert.equal(await page.getByText(url).count(), 0);
  ann = await join(url, 'ann@example.org', 'Ann');
  await page.reload();
  await page.getByRole('row', { name: /Ann.*ann@example.org/ }).waitFor();
  await page.getByText('No open invites.').waitFor();
});

test('an open invite is ended, and its link is none any more', async () => {
  const url = await invite('', 'owner');
  await page.getByRole('button', { name: 'End the invite for whoever has the link' }).click();
  await page.getByText('No open invites.').waitFor();
  const context = await browser.newContext();
  const other = await newPage(context);
  await other.goto(server.url + new URL(url).pathname);
  await other.getByLabel('E-mail').fill('late@example.org');
  await other.getByLabel('Name').fill('Late');
  await other.getByLabel('Password').fill(password);
  await other.getByRole('button', { name: 'Join' }).click();
  await other.getByRole('alert').waitFor();
  await context.close();
});

test('a role is changed; the last owner stays one, and the server says why', async () => {
  await page.getByLabel('Role of Ann').selectOption('member');
  await ann.goto(`${server.url}/settings/keys`);
  await ann.getByRole('button', { name: 'Make a key' }).waitFor();
  await page.getByLabel('Role of Owner').selectOption('viewer');
  await page.getByRole('alert').getByText('is the only owner').waitFor();
  assert.equal(await page.getByLabel('Role of Owner').inputValue(), 'owner');
  expect(400);
});

test('who is no owner sees the members, and may change none', async () => {
  await ann.goto(`${server.url}/settings/members`);
  await ann.getByRole('row', { name: /owner@localhost/ }).waitFor();
  assert.deepEqual(
    await ann.getByRole('button', { name: 'Remove' }).evaluateAll((all) => all.map((b) => b.ariaLabel)),
    [
      'Remove Ann', // herself
    ],
  );
  assert.equal(await ann.getByRole('button', { name: 'Make an invite' }).count(), 0);
  await ann.goto(`${server.url}/settings/audit`);
  await ann.getByText('Only an owner reads the log.').waitFor();
});

test('one sees where one is signed in, and ends another session', async () => {
  const context = await browser.newContext();
  const other = await newPage(context);
  await other.goto(`${server.url}/signin`);
  await other.getByLabel('E-mail').fill('ann@example.org');
  await other.getByLabel('Password').fill(password);
  await other.keyboard.press('Enter');
  await other.locator('.frame').waitFor();
  await ann.goto(`${server.url}/settings/account`);
  const sessions = ann.getByRole('table', { name: 'Sessions' });
  await sessions.getByRole('row', { name: /this one/ }).waitFor();
  assert.equal(await sessions.getByRole('row', { name: /127\.0\.0\.1/ }).count(), 2);
  await ann.getByRole('button', { name: /^End the session/ }).click();
  await sessions
    .getByRole('row', { name: /127\.0\.0\.1/ })
    .nth(1)
    .waitFor({ state: 'detached' });
  await other.reload();
  await other.getByRole('heading', { name: 'Sign in' }).waitFor();
  await context.close();
});

test('a member is removed, and is out', async () => {
  await page.getByRole('button', { name: 'Remove Ann' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('row', { name: /ann@example.org/ }).waitFor({ state: 'detached' });
  assert.equal((await ann.goto(server.url)).status(), 401);
  await ann.context().close();
});

test('the log says who did what, is filtered, and has no end until it has', async () => {
  await page.evaluate(async () => {
    const { csrf_token } = await (await fetch('/api/session/')).json();
    for (let i = 0; i < 120; i++)
      await fetch('/api/auth/account/', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-csrf-token': csrf_token },
        body: JSON.stringify({ name: `Owner ${i}` }),
      });
  });
  await page.getByRole('link', { name: 'Log' }).click();
  const log = page.getByRole('table', { name: 'Log' });
  await log
    .getByRole('row', { name: /owner@localhost changed the account of/ })
    .first()
    .waitFor();
  await page.waitForFunction(() => {
    const rows = document.querySelector('.audit');
    rows.scrollTop = rows.scrollHeight;
    return rows.textContent.includes('made the project default');
  });
  await page.getByLabel('What').selectOption('users');
  await page.getByLabel('Text').fill('removed@nobody');
  await page.getByText('No entry is like that.').waitFor();
  await page.getByLabel('Text').fill('ANN@example');
  await log.getByRole('row', { name: /owner@localhost removed the user ann@example.org/ }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('text'), 'ANN@example');
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV' }).click()]);
  assert.equal(file.suggestedFilename(), 'audit.csv');
});

test('what keeping less would mean is said before, and kept so', async () => {
  await page.getByRole('link', { name: 'Retention' }).click();
  await page.getByLabel('Days').fill('30');
  await page.getByText('About 3 traces of 5 are older than 30 days, and would go.').waitFor();
  await page.getByLabel('At most on disk').fill('lots');
  await page.getByText('A size: 500 MB, 10 GB, or nothing').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Save' }).isDisabled(), true);
  await page.getByLabel('At most on disk').fill('10 GB');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('30 days, at most 10 GB').waitFor();
  await page.reload();
  await page.getByText('30 days, at most 10 GB').waitFor();
  assert.equal(await page.getByLabel('At most on disk').inputValue(), '10 GB');
});

test('a project is made, and stays the one that is meant wherever one goes', async () => {
  await page.getByRole('link', { name: 'All projects' }).click();
  await page.getByLabel('Name').fill('support');
  await page.getByRole('button', { name: 'Make a project' }).click();
  await page.getByRole('heading', { name: 'Keys of support' }).waitFor();
  assert.equal(project(), '2');
  for (const place of ['Dashboard', 'Threads', 'Users', 'Traces', 'Settings']) {
    await page.getByRole('link', { name: place }).first().click();
    await listens(page);
    assert.equal(project(), '2', place);
  }
  await page.getByRole('link', { name: 'Traces' }).first().click();
  await page.getByRole('heading', { name: 'No traces yet' }).waitFor();
  await page.getByLabel('Project', { exact: true }).selectOption('default');
  await page.locator('.trace-row:not(.head)').first().waitFor();
  assert.equal(project(), '1');
  await page.locator('.trace-row:not(.head) a').first().click();
  await page.waitForURL(/\/traces\//);
  assert.equal(project(), '1');
});

test('an environment is chosen beside the project, and stands in the filter', async () => {
  await open('/', '.trace-row:not(.head)');
  const environment = page.getByLabel('Environment', { exact: true });
  await environment.focus();
  await environment.getByRole('option', { name: 'staging' }).waitFor({ state: 'attached' });
  await environment.selectOption('staging');
  await page.getByText('1 trace', { exact: true }).waitFor();
  assert.equal(await page.getByLabel('Filter traces').inputValue(), 'env:staging');
  await page.getByRole('link', { name: 'Dashboard' }).click();
  await page.waitForURL(/\/dashboard\?q=env%3Astaging/);
  // It stays the same wherever one goes, and where a view has no filter, for the next that has.
  const goes = async (name, url) => {
    await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name }).click();
    await page.waitForURL(url);
    assert.equal(await environment.inputValue(), 'staging', name);
  };
  await goes('Threads', /\/threads\?q=env%3Astaging/);
  await goes('Users', /\/users\?env=staging/);
  await page.getByRole('gridcell', { name: 'no user' }).waitFor();
  assert.equal(await page.locator('.group-row:not(.head)').count(), 1);
  await goes('Settings', /\/settings$/);
  await goes('Users', /\/users\?env=staging/);
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await page.waitForURL(/\/\?q=env%3Astaging/);
  await page.getByRole('link', { name: 'staged' }).click();
  await page.locator('.span-row').first().waitFor();
  await goes('Traces', /\/\?q=env%3Astaging/);
  await goes('Dashboard', /\/dashboard\?q=env%3Astaging/);
  await environment.selectOption('');
  await page.waitForURL(/\/dashboard$/);
  await page.getByRole('link', { name: 'Traces' }).first().click();
  await page.waitForURL((url) => url.pathname === '/' && url.search === '');
});

test('a project is renamed; it is deleted once its name is typed', async () => {
  await open('/settings/project?project=2', page.getByLabel('Name', { exact: true }));
  await page.getByLabel('Name', { exact: true }).fill('helpdesk');
  await page.getByRole('button', { name: 'Rename' }).click();
  await page.getByRole('button', { name: 'Delete helpdesk' }).click();
  const dialog = page.getByRole('dialog');
  const button = dialog.getByRole('button', { name: 'Delete all of it' });
  assert.equal(await button.isDisabled(), true);
  await dialog.getByLabel('Type helpdesk to confirm').fill('helpdesk');
  await button.click();
  await page.getByRole('table', { name: 'Projects' }).waitFor();
  assert.equal(project(), '1');
  assert.equal(await page.getByRole('row', { name: /helpdesk/ }).count(), 0);
  await page.goto(`${server.url}/?project=2`);
  await page.getByRole('heading', { name: 'There is no such project' }).waitFor();
  complaints.length = 0; // whatever was asked of it is a 404
  await page.getByRole('link', { name: 'The first project' }).click();
  await page.locator('.trace-row:not(.head)').first().waitFor();
});

test('settings and the way in fit a phone', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const section of ['project', 'retention', 'keys', 'projects', 'members', 'audit', 'account']) {
    await open(`/settings/${section}`, '.settings-body h1');
    await listens(page);
    const wide = await page.evaluate(() => {
      const body = document.querySelector('.settings-body');
      return [document.documentElement.scrollWidth - innerWidth, body.scrollWidth - body.clientWidth];
    });
    assert.deepEqual(wide, [0, 0], section);
  }
});
