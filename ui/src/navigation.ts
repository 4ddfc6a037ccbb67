/** The address bar as state: views read the route and go elsewhere through here. */
import { useLayoutEffect, useState } from 'preact/hooks';
import { inProjectOf } from './model/project';
import { parseRoute, type Route } from './model/route';

const moved = 'respan:moved';

/** The address of a place of the page, in the project that one is in. */
export const here = (url: string): string => inProjectOf(location.search, url);

/** Browsers let an address be replaced a hundred times in thirty seconds, and a key that is held does it as often in three: so many
 *  times at once, then so many a second. */
const atOnce = 40;
const perSecond = 1.9;
let left = atOnce;
let counted = 0;
let at = location.pathname + location.search;
let writing: ReturnType<typeof setTimeout> | undefined;

function write(): void {
  if (at === location.pathname + location.search) return;
  history.replaceState(null, '', at);
  left--;
}

/** Now, or as soon as it may be. */
function writeSoon(): void {
  const now = performance.now();
  left = Math.min(atOnce, left + ((now - counted) / 1000) * perSecond);
  counted = now;
  if (left >= 1) write();
  else
    writing ??= setTimeout(() => {
      writing = undefined;
      writeSoon();
    }, 1000 / perSecond);
}

function settle(): void {
  clearTimeout(writing);
  writing = undefined;
}

/** Where the page is, which the address bar may be about to say. */
export const address = (): string => at;

export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  const url = here(to);
  if (url === at) return;
  if (how === 'push') {
    settle();
    write();
    history.pushState(null, '', url);
    at = url;
  } else {
    at = url;
    writeSoon();
  }
  dispatchEvent(new Event(moved));
}

addEventListener('pagehide', write);
addEventListener('popstate', () => {
  settle();
  at = location.pathname + location.search;
});

/** For onClick of a link: a plain click stays in the page, others (new tab, …) are the browser's. */
export function follow(event: MouseEvent, url: string): void {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
    return;
  event.preventDefault();
  go(url);
}

function current(): Route {
  const { pathname, search } = new URL(at, location.origin);
  return parseRoute(pathname, search);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(current);
  useLayoutEffect(() => {
    const changed = (): void => {
      setRoute(current());
    };
    addEventListener('popstate', changed);
    addEventListener(moved, changed);
    return () => {
      removeEventListener('popstate', changed);
      removeEventListener(moved, changed);
    };
  }, []);
  return route;
}
