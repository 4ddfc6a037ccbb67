/** The environment that a view's filter names: the switch beside the project reads and writes it. */
import { choiceOf, withChoice } from './filter';
import { groupsUrl, tracesUrl, type Route } from './route';

/** The filter of a view that has one in the language of the list. */
function filterOf(route: Route): string | null {
  if (route.view === 'traces' || route.view === 'threads') return route.q;
  return route.view === 'dashboard' ? (new URLSearchParams(route.search).get('q') ?? '') : null;
}

/** null: of all, or of several. */
export function environmentOf(route: Route): string | null {
  const q = filterOf(route);
  if (q === null) return null;
  const { in: chosen, out } = choiceOf(q, 'environment');
  return chosen.length === 1 && out.length === 0 ? (chosen[0] ?? null) : null;
}

/** The address of that view with another environment in its filter, or of the list where the view has no filter. */
export function withEnvironment(route: Route, to: string | null): string {
  const q = withChoice(filterOf(route) ?? '', 'environment', { in: to === null ? [] : [to], out: [] });
  if (route.view === 'threads') return groupsUrl('/threads', { ...route, q });
  if (route.view === 'traces') return tracesUrl(q, route);
  return route.view === 'dashboard' ? dashboardWith(route.search, q) : tracesUrl(q);
}

function dashboardWith(search: string, q: string): string {
  const query = new URLSearchParams(search);
  query.delete('q');
  if (q !== '' || query.has('view')) query.set('q', q); // a view alone is one to be opened
  return query.size === 0 ? '/dashboard' : `/dashboard?${query.toString()}`;
}

/** A place of the side bar, in the environment that one is in. */
export function placeIn(route: Route, url: string): string {
  const environment = environmentOf(route);
  if (environment === null || (url !== '/dashboard' && url !== '/threads')) return url;
  return `${url}?q=${encodeURIComponent(withChoice('', 'environment', { in: [environment], out: [] }))}`;
}
