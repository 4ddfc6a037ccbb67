/** Keys and screen readers begin where the focus is: when what has it goes, the focus goes to what is nearest. */

const canHave =
  ':is(a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary, [tabindex]):not([tabindex="-1"])';

/** Where an element stood, from itself up to the page. */
const paths = new WeakMap<Element, { parent: Element; index: number }[]>();

function remember(element: Element): void {
  const path = [];
  for (let at = element; at.parentElement; at = at.parentElement)
    path.push({ parent: at.parentElement, index: Array.prototype.indexOf.call(at.parentElement.children, at) });
  paths.set(element, path);
}

function focus(element: Element | null | undefined): boolean {
  if (!(element instanceof HTMLElement || element instanceof SVGElement)) return false;
  element.focus();
  return document.activeElement === element;
}

const firstIn = (element: Element | undefined): Element | null =>
  element ? (element.matches(canHave) ? element : element.querySelector(canHave)) : null;

/** To that element; if it is gone, to what took its place, stands before it, or was around it. */
export function focusNear(element: Element): void {
  if (element.isConnected && focus(element)) return;
  for (const { parent, index } of paths.get(element) ?? []) {
    if (!parent.isConnected) continue;
    if (focus(firstIn(parent.children[index])) || focus(firstIn(parent.children[index - 1]))) return;
    if (parent.matches('[tabindex]') && focus(parent)) return;
  }
}

/** From now on, in all of that element. */
export function keepFocus(root: Element): void {
  let last: Element | null = null;
  addEventListener('focusin', ({ target }) => {
    last = target instanceof Element ? target : null;
    if (last) remember(last);
  });
  // Whoever points elsewhere means it.
  addEventListener(
    'pointerdown',
    () => {
      last = null;
    },
    true,
  );
  const lost = (): boolean => last !== null && document.activeElement === document.body;
  new MutationObserver(() => {
    if (!lost()) return;
    // Between two that have it nobody has it.
    setTimeout(() => {
      if (!last || !lost()) return;
      // One that waits for an answer has it again when it can be pressed again.
      if (last.isConnected) focus(last);
      else focusNear(last);
    });
  }).observe(root, { childList: true, subtree: true, attributeFilter: ['disabled'] });
}
