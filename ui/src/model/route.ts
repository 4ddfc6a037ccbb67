/** Addresses of the page's views. */

export type Route =
  { view: 'traces'; q: string } | { view: 'trace'; id: string; span: string | null } | { view: 'none' };

export function parseRoute(path: string, search: string): Route {
  const query = new URLSearchParams(search);
  if (path === '/') return { view: 'traces', q: query.get('q') ?? '' };
  const trace = /^\/traces\/([0-9a-fA-F]{32})\/?$/.exec(path);
  if (trace) return { view: 'trace', id: (trace[1] ?? '').toLowerCase(), span: query.get('span') };
  return { view: 'none' };
}

export function tracesUrl(q: string): string {
  return q === '' ? '/' : `/?q=${encodeURIComponent(q)}`;
}

export function traceUrl(id: string, span: string | null = null): string {
  return `/traces/${id}${span === null ? '' : `?span=${encodeURIComponent(span)}`}`;
}
