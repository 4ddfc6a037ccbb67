/** Addresses of the page's views. */

/** How one looks at a trace. */
export interface TraceLook {
  find: string;
  critical: boolean;
  reader: boolean;
  /** As model/folding.ts and model/timeline.ts write them; '' is all open, and the whole time. */
  fold: string;
  zoom: string;
}

/** What a list is of: all of it stands in the address. */
export interface ListQuery {
  q: string;
  /** As the address has them: RFC 3339, or from now: -15m; '' is open. */
  from: string;
  to: string;
  /** As the API's sort_by; '' is newest first. */
  sort: string;
}

/** The list of traces, too, and the number of the saved view that was opened; '' is none. */
export interface TracesQuery extends ListQuery {
  saved: string;
}

export const emptyQuery: ListQuery = { q: '', from: '', to: '', sort: '' };

export type Route =
  | ({ view: 'traces' } & TracesQuery)
  | ({ view: 'trace'; id: string; span: string | null } & TraceLook)
  | { view: 'compare'; a: string; b: string }
  | ({ view: 'threads' } & ListQuery)
  | { view: 'thread'; id: string }
  | ({ view: 'users'; env: string } & ListQuery)
  | { view: 'user'; id: string; from: string; to: string; env: string }
  | { view: 'dashboard'; search: string }
  | { view: 'settings'; section: string; search: string }
  | { view: 'none' };

/** The id that an address ends with; null if it is not one, or not well encoded. */
function idAfter(prefix: string, path: string, query: URLSearchParams): string | null {
  if (path === prefix.slice(0, -1)) return query.get('id');
  if (!path.startsWith(prefix) || path.length === prefix.length) return null;
  try {
    return decodeURIComponent(path.slice(prefix.length));
  } catch {
    return null;
  }
}

export function parseRoute(path: string, search: string): Route {
  const query = new URLSearchParams(search);
  const of = (name: string): string => query.get(name) ?? '';
  const listed = { q: of('q'), from: of('from'), to: of('to'), sort: of('sort') };
  if (path === '/') return { view: 'traces', ...listed, saved: /^\d{1,15}$/.test(of('view')) ? of('view') : '' };
  const shared = /^\/share\/([\w-]{43})\/?$/.exec(path)?.[1];
  const id = shared ?? /^\/traces\/([0-9a-fA-F]{32})\/?$/.exec(path)?.[1]?.toLowerCase();
  if (id !== undefined) {
    return {
      view: 'trace',
      id,
      span: query.get('span'),
      find: query.get('find') ?? '',
      critical: query.has('critical'),
      reader: query.has('reader'),
      fold: of('fold'),
      zoom: of('zoom'),
    };
  }
  if (/^\/dashboard\/?$/.test(path)) return { view: 'dashboard', search };
  if (/^\/compare\/?$/.test(path)) return { view: 'compare', a: of('a'), b: of('b') };
  const thread = idAfter('/threads/', path, query);
  if (thread !== null) return { view: 'thread', id: thread };
  if (/^\/threads\/?$/.test(path)) return { view: 'threads', ...listed };
  const user = idAfter('/users/', path, query);
  if (user !== null) return { view: 'user', id: user, from: listed.from, to: listed.to, env: of('env') };
  if (/^\/users\/?$/.test(path)) return { view: 'users', ...listed, env: of('env') };
  const section = /^\/settings(?:\/([a-z]+))?\/?$/.exec(path);
  if (section) return { view: 'settings', section: section[1] ?? 'project', search };
  return { view: 'none' };
}

export function tracesUrl(q: string, rest: Partial<Omit<TracesQuery, 'q'>> = {}): string {
  const { from = '', to = '', sort = '', saved = '' } = rest;
  // With a view the filter is said though it be empty: a view alone in an address is one to be opened.
  const said = Object.entries({ q, from, to, sort, view: saved }).flatMap(([name, value]) =>
    value === '' && !(name === 'q' && saved !== '') ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return said.length === 0 ? '/' : `/?${said.join('&')}`;
}

/** Whether it is a trace's own id, and not the token of a link to one, which stands for it where a trace is shown to anyone. */
export const isTraceId = (id: string): boolean => id.length === 32;

export function traceUrl(id: string, span: string | null = null, look: Partial<TraceLook> = {}): string {
  const said: string[] = [];
  if (span !== null) said.push(`span=${encodeURIComponent(span)}`);
  if (look.find) said.push(`find=${encodeURIComponent(look.find)}`);
  if (look.critical) said.push('critical=1');
  if (look.reader) said.push('reader=1');
  if (look.fold) said.push(`fold=${encodeURIComponent(look.fold)}`);
  if (look.zoom) said.push(`zoom=${encodeURIComponent(look.zoom)}`);
  return `/${isTraceId(id) ? 'traces' : 'share'}/${id}${said.length === 0 ? '' : `?${said.join('&')}`}`;
}

/** Two traces, or spans of them as TRACE.SPAN. */
export const compareUrl = (a: string, b: string): string => `/compare?a=${a}&b=${b}`;

export const settingsUrl = (section: string): string => `/settings/${section}`;

/** What an address says behind its path; what is as it is by default is not said. */
function search(said: Record<string, string>): string {
  const query = new URLSearchParams(Object.entries(said).filter(([, value]) => value !== ''));
  return query.size === 0 ? '' : `?${query.toString()}`;
}

/** Points alone mean another place in a path, which has no NUL. */
const withId = (place: string, id: string, rest: Record<string, string>): string =>
  /^\.{1,2}$|\0/.test(id) ? place + search({ id, ...rest }) : `${place}/${encodeURIComponent(id)}${search(rest)}`;

export const threadUrl = (id: string): string => withId('/threads', id, {});
/** A window of time, and an environment; '' is all. */
export const userUrl = (id: string, { from = '', to = '', env = '' } = {}): string =>
  withId('/users', id, { from, to, env });

/** A list of threads or users. */
export function groupsUrl(
  place: '/threads' | '/users',
  { q = '', from = '', to = '', sort = '', env = '' }: Partial<ListQuery & { env: string }>,
): string {
  return place + search({ q, from, to, sort, env });
}
