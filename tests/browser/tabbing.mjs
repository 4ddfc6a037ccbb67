// How a page is gone through by Tab: what has the focus one after the other, and what of it would keep somebody out who has no mouse.

/** In the page, before anything of it runs: notes what listens to a mouse, whatever it is called. */
export const noteListeners = () => {
  const listening = (window.listening = new Set());
  const add = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (type, ...rest) {
    if (/^(click|dblclick|mousedown|pointerdown|dragstart)$/.test(type) && this instanceof Element) listening.add(this);
    return add.call(this, type, ...rest);
  };
};

/** In the page: `window.tabbing`, which looks at what has the focus. */
export const lookAtFocus = () => {
  const composite = '[role=grid], [role=tree], [role=tablist], [role=listbox], [role=table], [role=list]';
  const interactive =
    'a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex="-1"]), [role=button], [role=menuitem], [role=option], [role=tab], [role=switch], [role=slider], [role=separator]';
  const name = (e) =>
    (e.id && !/^[a-z]-[0-9a-f]{16}/.test(e.id)
      ? `#${e.id}`
      : e.localName + [...e.classList].map((c) => (c === 'on' ? '' : `.${c}`)).join('')) + // "on" comes and goes
    `"${(e.getAttribute('aria-label') ?? e.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 40)}"`;
  const isShown = (e) => {
    const box = e.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  };
  const at = () => (document.activeElement === document.body ? null : document.activeElement);
  const place = (e) => {
    const { left, top, right, bottom } = e.getBoundingClientRect();
    return { left, top, right, bottom };
  };
  const known = new Map();
  const numberOf = (e) => known.get(e) ?? (known.set(e, known.size), known.size - 1);
  window.tabbing = {
    /** The next Tab goes to the first there is. */
    toTop() {
      const first = document.createElement('button');
      document.body.prepend(first);
      first.focus();
      dispatchEvent(new Event('pointerdown')); // nobody has to care for it
      first.remove();
    },
    now() {
      const e = at();
      if (!e) return null;
      const prev = window.tabbing.last;
      window.tabbing.last = e;
      const box = e.getBoundingClientRect();
      const wrong = [];
      const around = [...document.styleSheets]
        .flatMap((sheet) => [...sheet.cssRules])
        .filter((rule) => rule.selectorText?.includes(':focus-within'));
      const isOutlined = (of) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(of);
        return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1;
      };
      // In a list it is the line that is chosen that wears the mark.
      const line = document.getElementById(e.getAttribute('aria-activedescendant'));
      const marked =
        isOutlined(e) ||
        (line && isOutlined(line)) ||
        getComputedStyle(e, '::after').content !== 'none' ||
        around.some((rule) => e.parentElement.closest(rule.selectorText));
      if (!marked) wrong.push('no mark of the focus');
      if (!isShown(e)) wrong.push('hidden');
      const left = Math.max(0, box.left);
      const right = Math.min(innerWidth, box.right);
      const top = Math.max(0, box.top);
      const bottom = Math.min(innerHeight, box.bottom);
      if (right <= left || bottom <= top) wrong.push('outside of the window');
      else {
        // Of a large one a part may be covered; of a link that is broken, what is between its lines is not of it.
        const points = [...e.getClientRects()].flatMap((r) =>
          [0.5, 0.1, 0.9].flatMap((x) => [0.5, 0.2, 0.8].map((y) => [r.left + r.width * x, r.top + r.height * y])),
        );
        const seen = (on) => on && (e.contains(on) || e.labels?.[0]?.contains(on));
        if (!points.some(([x, y]) => seen(document.elementFromPoint(x, y))))
          wrong.push(`under ${name(document.elementFromPoint(...points[0]) ?? e)}`);
      }
      if (e.tabIndex > 0) wrong.push('an order of its own');
      return {
        number: numberOf(e),
        name: name(e),
        kind: `${e.localName}.${[...e.classList].join('.')} in ${e.parentElement?.localName}.${[...(e.parentElement?.classList ?? [])].join('.')}`,
        box: place(e),
        before:
          prev?.isConnected && prev.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING ? place(prev) : null,
        inDialog: e.closest('dialog[open]') !== null,
        modal: document.querySelector('dialog[open]') !== null,
        wrong,
      };
    },
    /** What a mouse can use in an element that the keys did not come to. `byKeys`: what has another way, by keys of its own. */
    missed(numbers, inside, byKeys) {
      const reached = [...known.keys()].filter((e) => numbers.includes(known.get(e)));
      const within = document.querySelector(inside);
      const all = new Set([...within.querySelectorAll(interactive), ...window.listening]);
      const isReached = (e) => {
        if (reached.includes(e) || (e.matches('label') && e.control && reached.includes(e.control))) return true;
        if (e.type === 'radio') return reached.some((r) => r.type === 'radio' && r.name === e.name);
        // Arrows move within these.
        const of = e.parentElement?.closest(composite);
        if (!of || (e.tabIndex >= 0 && e.matches(interactive))) return false;
        return reached.includes(of) || (of.matches('[role=tablist]') && reached.some((r) => of.contains(r)));
      };
      return [...all]
        .filter((e) => within.contains(e) && e !== within && isShown(e) && !e.disabled && !e.closest('label')?.control)
        .filter((e) => !isReached(e) && !e.matches(byKeys))
        .map(name);
    },
  };
};

const most = 200;

/** Presses a key until the focus has left the page, or in a dialog gone round it. */
export async function goThrough(page, key = 'Tab') {
  const steps = [];
  let isOut = false;
  for (let i = 0; i < most; i++) {
    await page.keyboard.press(key);
    const now = await page.evaluate(() => window.tabbing.now());
    if (now === null || !(await page.evaluate(() => document.hasFocus()))) {
      // Out of a modal dialog it comes back.
      isOut = steps.length > 0;
      if (i > 2 && !steps[0]?.modal) return { steps, ends: true };
      continue;
    }
    if (!isOut && steps.at(-1)?.number === now.number) continue; // a date has fields of its own
    if (steps.some(({ number }) => number === now.number)) return { steps, ends: now.number === steps[0].number };
    steps.push(now);
  }
  return { steps, ends: false };
}
