// How bench/ui.mjs measures a page: from the navigation to the first row by the page's own clock, and between frames while something
// is done to it in each of them.

const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
export const median = (times) =>
  at(
    [...times].sort((a, b) => a - b),
    0.5,
  );

export function framesOf(times) {
  const sorted = [...times].sort((a, b) => a - b);
  return { middle: at(sorted, 0.5), p95: at(sorted, 0.95), worst: sorted.at(-1) };
}

export function part(times) {
  const { middle, p95, worst } = framesOf(times);
  return `${middle.toFixed(0)} ms, p95 ${p95.toFixed(0)}, worst ${worst.toFixed(0)}`;
}

/** Once unmeasured, then so often, a second apart: what a page asks for beside its rows does not fall on the next. */
export async function timesOf(page, url, rounds) {
  const times = [];
  for (let i = 0; i <= rounds; i++) {
    await page.goto(url, { waitUntil: 'commit' });
    await page.waitForFunction(() => window.firstRowAt !== undefined);
    times.push(await page.evaluate(() => window.firstRowAt));
    await page.waitForLoadState('load');
    await page.waitForTimeout(1000);
  }
  return times.slice(1);
}

/** The times between `frames` frames, in each of which `step` (the text of a function of its number) is called. */
function between(page, step, frames = 240) {
  return page.evaluate(
    `new Promise((done) => {
      const step = ${step};
      const times = [];
      let last = performance.now();
      const frame = (time) => {
        times.push(time - last);
        last = time;
        if (times.length >= ${frames}) return done(times.slice(5));
        step(times.length);
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    })`,
  );
}

export const scroll = (page, selector) =>
  between(page, `(n) => { document.querySelector('${selector}').scrollTop += 90; }`);

/** Three seconds in, three out. */
export const wheel = (page, selector) =>
  between(
    page,
    `(n) => {
      const rows = document.querySelector('${selector}');
      const { right, top } = rows.getBoundingClientRect();
      const how = { ctrlKey: true, deltaY: n % 120 < 60 ? -40 : 40, clientX: right - 300, clientY: top + 50 };
      rows.dispatchEvent(new WheelEvent('wheel', { ...how, bubbles: true, cancelable: true }));
    }`,
  );

/** As a key that is held: one press a frame. */
export const hold = (page, key) =>
  between(page, `() => { dispatchEvent(new KeyboardEvent('keydown', { key: '${key}', bubbles: true })); }`);

/** Closes and opens all, then level by level, one a frame. */
export const collapse = (page) =>
  between(
    page,
    `(n) => { dispatchEvent(new KeyboardEvent('keydown', { key: ['{', '}', '[', '[', ']', ']'][n % 6], bubbles: true })); }`,
    120,
  );

/** Types into the trace's search: from each key to the frame behind it; and how long until the server has looked through the content. */
export async function search(page, text) {
  await page.keyboard.press('/');
  const keys = await page.evaluate(async (text) => {
    const field = document.querySelector('.find-bar input');
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))));
    const times = [];
    for (let n = 1; n <= text.length; n++) {
      await frame();
      const began = performance.now();
      field.value = text.slice(0, n);
      field.dispatchEvent(new InputEvent('input', { bubbles: true }));
      times.push((await frame()) - began);
    }
    return times;
  }, text);
  const began = Date.now();
  await page.waitForFunction(
    () => document.querySelector('.find-bar [role=status]')?.textContent.includes('searching') === false,
  );
  const says = await page.locator('.find-bar [role=status]').innerText();
  return { keys, found: { ms: Date.now() - began, says } };
}
