/** Saved views: what a page shows, kept under a name, and whether it has changed since. */
import type { SavedView, ViewPage, ViewWish } from '../api/views';
import { readColumns, usual, writeColumns, type Column } from './columns';
import { tracesUrl, type ListQuery } from './route';

/** What is shown now, as a view would keep it. */
export type Shown = Pick<SavedView, 'q' | 'from' | 'to' | 'sort' | 'options'> & { columns: Column[] };

export function columnsOfView(view: Pick<SavedView, 'columns'>): Column[] {
  const words = view.columns.map(
    ({ id, width }) => encodeURIComponent(id) + (width === undefined ? '' : `:${String(width)}`),
  );
  return readColumns(words.join(' '));
}

/** The usual columns are not said, so that a view has what is usual later. */
export function wishOf({ columns, ...texts }: Shown): ViewWish {
  const isUsual = writeColumns(columns) === writeColumns(usual);
  return {
    ...texts,
    q: texts.q.trim(),
    columns: isUsual ? [] : columns.map(({ id, width }) => (width === undefined ? { id } : { id, width })),
  };
}

export function isChanged(view: SavedView, shown: Shown): boolean {
  const texts = ['q', 'from', 'to', 'sort', 'options'] as const;
  return (
    texts.some((name) => view[name].trim() !== shown[name].trim()) ||
    writeColumns(columnsOfView(view)) !== writeColumns(shown.columns)
  );
}

export const shownOf = ({ q, from, to, sort }: ListQuery, columns: Column[]): Shown => ({
  q,
  from,
  to,
  sort,
  options: '',
  columns,
});

/** The address that opens it: its texts are in it, so that it means the same to whoever does not see the view. */
export function viewUrl(view: SavedView): string {
  const { q, from, to, sort } = view;
  if (view.page === 'traces') return tracesUrl(q, { from, to, sort, saved: String(view.id) });
  const query = new URLSearchParams(view.options);
  query.set('q', q);
  if (from !== '') query.set('from', from);
  if (to !== '') query.set('to', to);
  query.set('view', String(view.id));
  return `/dashboard?${query.toString()}`;
}

/** The address names a view and says nothing else: it is opened. */
export const isBare = (search: string): boolean => /^\?view=\d+$/.test(withoutProject(search));

/** The address says nothing of what is to be shown. */
export const isOpen = (search: string): boolean => withoutProject(search) === '';

/** The view that an address leads to: the page's own, if nothing was shown on it yet and the address asks for nothing, or the one that it
 *  names. `opened`: which that is. */
export function toOpen(search: string, views: SavedView[], opened: SavedView | null, begun: boolean): SavedView | null {
  const own = !begun && isOpen(search) ? views.find((view) => view.default) : undefined;
  return own ?? (isBare(search) ? opened : null);
}

const withoutProject = (search: string): string =>
  search.replace(/([?&])project=[^&]*(&|$)/, '$1').replace(/[?&]$/, '');

export const ofPage = (views: SavedView[], page: ViewPage): SavedView[] => views.filter((v) => v.page === page);

/** Those of a page after one was moved by a step: what its place is, from 1; null where it is at an end. */
export function placeAfter(views: SavedView[], id: number, step: -1 | 1): number | null {
  const at = views.findIndex((v) => v.id === id);
  const to = at + step;
  return at < 0 || to < 0 || to >= views.length ? null : to + 1;
}
