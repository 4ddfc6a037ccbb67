/** The environment that a view's filter names: the switch beside the project reads and writes it. */
import { choiceOf, withChoice } from './filter';
import { groupsUrl, parseRoute, tracesUrl, userUrl, type Route } from './route';

/** The filter of a view that has one in the language of the list. */
function filterOf(route: Route): string | null {
  if (route.view === 'traces' || route.view === 'threads') return route.q;
  return route.view === 'dashboard' ? (new URLSearchParams(route.search).get('q') ?? '') : null;
}

/** '': of all, or of several; null: the view does not say. */
export function environmentOf(route: Route): string | null {
  if (route.view === 'users' || route.view === 'user') return route.env;
  const q = filterOf(route);
  if (q === null) return null;
  const { in: chosen, out } = choiceOf(q, 'environment');
  return chosen.length === 1 && out.length === 0 ? (chosen[0] ?? '') : '';
}

/** The address of that view with another environment in its filter, or of the list where the view has no filter. */
export function withEnvironment(route: Route, to: string): string {
  if (route.view === 'users') return groupsUrl('/users', { ...route, env: to });
  if (route.view === 'user') return userUrl(route.id, { ...route, env: to });
  const q = withChoice(filterOf(route) ?? '', 'environment', { in: to === '' ? [] : [to], out: [] });
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

/** An address of such a view, in that environment. */
export function inEnvironment(environment: string, url: string): string {
  const [path = '', search = ''] = url.split('?');
  const route = parseRoute(path, search);
  const is = environmentOf(route);
  return is === null || is === environment ? url : withEnvironment(route, environment);
}
