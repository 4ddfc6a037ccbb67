/** The address bar as state: views read the route and go elsewhere through here. */
import { useLayoutEffect, useState } from 'preact/hooks';
import { inProjectOf } from './model/project';
import { parseRoute, type Route } from './model/route';

const moved = 'respan:moved';

/** The address of a place of the page, in the project that one is in. */
export const here = (url: string): string => inProjectOf(location.search, url);

export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  const url = here(to);
  if (url === location.pathname + location.search) return;
  if (how === 'push') history.pushState(null, '', url);
  else history.replaceState(null, '', url);
  dispatchEvent(new Event(moved));
}

/** For onClick of a link: a plain click stays in the page, others (new tab, …) are the browser's. */
export function follow(event: MouseEvent, url: string): void {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
    return;
  event.preventDefault();
  go(url);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.pathname, location.search));
  useLayoutEffect(() => {
    const changed = (): void => {
      setRoute(parseRoute(location.pathname, location.search));
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
