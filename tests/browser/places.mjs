// Every page, and every menu, dialog and pane that opens on one: for tests of what must hold in all of them. A new page, or a new
// thing that opens, is a row here.

const row = '.trace-row:not(.head)';

/** Presses a button, and waits for what it opens. */
const button =
  (name, opens = '.popover') =>
  async (page) => {
    await page.getByRole('button', { name }).first().click();
    await page.locator(opens).first().waitFor();
  };

const key = (name, opens) => async (page) => {
  await page.keyboard.press(name);
  await page.locator(opens).first().waitFor();
};

const tab = (name, opens) => async (page) => {
  await page.getByRole('tab', { name }).click();
  await page.locator(opens).first().waitFor();
};

const typed = (text, opens) => async (page) => {
  await page.keyboard.press('/');
  await page.keyboard.type(text);
  await page.locator(opens).first().waitFor();
};

/** The API does not answer as it should: what is then shown. */
const answers =
  (status, opens, path = '**/api/**') =>
  async (page) => {
    await page.route(path, (route) =>
      status === 0
        ? route.abort('connectionrefused')
        : route.fulfill({
            status,
            contentType: 'application/json',
            body: JSON.stringify({ error: { code: 'told', message: `it answers ${status}`, field: null } }),
          }),
    );
    await page.reload();
    await page.locator(opens).first().waitFor();
  };

/**
 * Rows of a name, an address, what stands there once it is whole, and what is then done. They are of a server that has two traces
 * (`shown`, with a chat `span` in it, and `other`), one that `failed`, a `user`, a `thread`, and a `link` to the first.
 */
export const places = ({ shown, span, other, failed, user, thread }) => [
  ['the list', '/', row],
  ['a list of nothing', '/?q=nothing_like_this', '.notice h2'],
  ['a filter that is wrong', '/?q=modle%3Ax', '#filter-error'],
  ['what may be typed', '/', row, typed('', '[role=option]')],
  ['values that may be typed', '/', row, typed('model:', '[role=option]')],
  ['a look at a trace', '/', row, lookAt],
  ['saved views', '/', row, button('Views')],
  ['columns', '/', row, columns],
  ['export', '/', row, button('Export')],
  ['the window of time', '/', row, button('All time')],
  [
    'facets',
    '/',
    row,
    async (page) => {
      const shown = page.getByRole('button', { name: 'Facets', pressed: true });
      if ((await shown.count()) === 0) await page.getByRole('button', { name: 'Facets' }).click();
      await page.locator('.facets .facet').first().waitFor();
    },
  ],
  ['a list that is paused', '/', '.live.on', button('Live', '.live:not(.on)')],
  ['two that are marked', '/', row, markTwo],
  ['a list that does not come', '/', row, answers(500, '.banner, .notice')],
  ['a server that is away', '/', row, answers(0, '.banner, .notice')],
  ['a session that is over', '/', row, answers(401, '.alone h2')],
  ['the keys', '/', row, key('?', 'dialog[open]')],
  ['a trace', `/traces/${shown}`, '.say'],
  ['a span', `/traces/${shown}?span=${span}`, '.say'],
  ['its attributes', `/traces/${shown}?span=${span}`, '.say', tab('Attributes', '.attributes')],
  ['its events', `/traces/${failed}`, '.span-row', tab('Events', '.pane-body')],
  ['its resource', `/traces/${shown}?span=${span}`, '.say', tab('Resource', '.pane-body')],
  ['as it was sent', `/traces/${shown}?span=${span}`, '.say', tab('Raw', '.pane-body .json')],
  ['the critical path', `/traces/${shown}`, '.say', key('c', '.critical')],
  ['a search in a trace', `/traces/${shown}`, '.say', key('/', '.find-bar')],
  ['a trace to read', `/traces/${shown}`, '.say', key('r', '.read-call .say')],
  ['share', `/traces/${shown}`, '.say', button('Share', 'dialog[open] input[type=checkbox]')],
  ['delete', `/traces/${shown}`, '.say', button('Delete', 'dialog[open]')],
  ['a trace that failed', `/traces/${failed}`, '.failure'],
  ['a trace that is not there', `/traces/${'0'.repeat(32)}`, '.notice h2'],
  ['the dashboard', '/dashboard', '.legend'],
  ['the dashboard by model', '/dashboard?by=model&range=1h', '.legend'],
  ['values of a chart', '/dashboard?by=model', '.legend', chartValues],
  ['saved views of the dashboard', '/dashboard', '.legend', button('Views')],
  ['a dashboard of nothing', '/dashboard?q=nothing_like_this', '.notice h2'],
  ['users', '/users', 'main a[href^="/users/"]'],
  ['users of no such name', '/users?q=nothing_like_this', '.notice h2'],
  ['a user', `/users/${user}`, '.figures'],
  ['a user that is not there', '/users/nothing_like_this', '.notice h2'],
  ['threads', '/threads', 'main a[href^="/threads/"]'],
  ['a thread', `/threads/${thread}`, '.turn'],
  ['a thread that is not there', '/threads/nothing_like_this', '.notice h2'],
  ['two traces compared', `/compare?a=${shown}&b=${other}`, '.compare-part'],
  ['nothing compared', '/compare', '.notice h2'],
  ['settings of the project', '/settings/project', '.settings-body h1'],
  ['settings of keys', '/settings/keys', 'table.plain'],
  ['a new key', '/settings/keys', 'table.plain', makeKey],
  ['a key to revoke', '/settings/keys', 'table.plain', button(/^Revoke/, 'dialog[open]')],
  ['prices', '/settings/prices', '.price-row:not(.head)'],
  ['settings of retention', '/settings/retention', '.settings-body h1'],
  ['settings of all projects', '/settings/projects', '.settings-body h1'],
  ['settings of members', '/settings/members', '.settings-body h1'],
  ['settings of the log', '/settings/audit', '.settings-body h1'],
  ['settings of the account', '/settings/account', '.settings-body form'],
  ['nowhere', '/nowhere', '.notice h2'],
];

/** For whoever is not signed in. */
export const openPlaces = ({ link }) => [
  ['sign in', '/signin', '.door form'],
  ['sign in, refused', '/signin', '.door form', signInWrong],
  ['sign up, which is off', '/signup', '.door h2:text("is off")'],
  ['an invite', '/invite/of-nobody', '.door form'],
  ['a trace that is shared', `/share/${link}`, '.span-row'],
  ['a link that is over', '/share/of-nothing', '.notice h2'],
];

/** On a server that nothing was sent to. */
export const emptyPlaces = [
  ['no traces yet', '/', '.waits'],
  ['no calls yet', '/dashboard', '.notice h2'],
  ['no users yet', '/users', '.notice h2'],
  ['no threads yet', '/threads', '.notice h2'],
];

async function lookAt(page) {
  await page.keyboard.press('j');
  await page.keyboard.press(' ');
  await page.locator('.peek:not(.unplaced) li').first().waitFor();
}

/** Which a phone has none of. */
async function columns(page) {
  if (page.viewportSize().width > 760) await button('Columns')(page);
}

async function chartValues(page) {
  await page.locator('.chart summary').first().click();
  await page.locator('.values-box').first().waitFor();
}

async function markTwo(page) {
  for (const key of ['j', 'x', 'j', 'x']) await page.keyboard.press(key);
  await page.getByRole('link', { name: 'Compare' }).waitFor();
}

async function makeKey(page) {
  await page.getByLabel('Name', { exact: true }).fill('made');
  await page.getByRole('button', { name: 'Make a key' }).click();
  await page.getByRole('region', { name: 'The new key' }).waitFor();
}

async function signInWrong(page) {
  await page.getByLabel('E-mail').fill('nobody@example.com');
  await page.getByLabel('Password').fill('of nobody at all');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
}
