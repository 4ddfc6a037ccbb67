import { expect, test } from 'vitest';
import type { SavedView } from '../src/api/views';
import { readColumns, usual } from '../src/model/columns';
import { emptyQuery } from '../src/model/route';
import {
  columnsOfView,
  isBare,
  isChanged,
  isOpen,
  placeAfter,
  shownOf,
  toOpen,
  viewUrl,
  wishOf,
} from '../src/model/views';

const view: SavedView = {
  id: 7,
  page: 'traces',
  name: 'slow',
  q: 'latency:>2s',
  from: '-24h',
  to: '',
  sort: '-duration',
  options: '',
  columns: [{ id: 'time' }, { id: 'metadata.two words', width: 120 }],
  shared: true,
  default: false,
  mine: true,
  created_by: 'An',
  created_at: '',
  changed_at: '',
};

test('what a view shows has not changed until something has', () => {
  const query = { ...emptyQuery, q: 'latency:>2s ', from: '-24h', sort: '-duration', saved: '7' };
  const columns = columnsOfView(view);
  expect(columns.map(({ id, width }) => [id, width])).toEqual([
    ['time', undefined],
    ['metadata.two words', 120],
  ]);
  expect(isChanged(view, shownOf(query, columns))).toBe(false);
  expect(isChanged(view, shownOf({ ...query, q: '' }, columns))).toBe(true);
  expect(isChanged(view, shownOf({ ...query, from: '' }, columns))).toBe(true);
  expect(isChanged(view, shownOf(query, readColumns('time metadata.two%20words:121')))).toBe(true);
  expect(isChanged({ ...view, columns: [] }, shownOf(query, usual))).toBe(false);
});

test('what is saved is what is shown; usual columns stay usual', () => {
  const query = { ...emptyQuery, q: ' x ', to: '2026-01-01T00:00:00Z' };
  const texts = { q: 'x', from: '', to: '2026-01-01T00:00:00Z', sort: '', options: '' };
  expect(wishOf(shownOf(query, usual))).toEqual({ ...texts, columns: [] });
  expect(wishOf(shownOf(query, columnsOfView(view)))).toEqual({ ...texts, columns: view.columns });
});

test('the address of a view has its texts', () => {
  expect(viewUrl(view)).toBe('/?q=latency%3A%3E2s&from=-24h&sort=-duration&view=7');
  expect(viewUrl({ ...view, q: '', from: '', sort: '' })).toBe('/?q=&view=7');
  expect(viewUrl({ ...view, page: 'dashboard', from: '', sort: '', options: 'of=traces&by=model' })).toBe(
    '/dashboard?of=traces&by=model&q=latency%3A%3E2s&view=7',
  );
  expect(isBare('?view=7')).toBe(true);
  expect(isBare('?view=7&project=2')).toBe(true);
  expect(isBare('?q=&view=7')).toBe(false);
  expect(isBare('')).toBe(false);
  expect(isBare('?project=2&view=7')).toBe(true);
  expect(isOpen('?project=2')).toBe(true);
  expect(isOpen('')).toBe(true);
  expect(isOpen('?q=x')).toBe(false);
});

test('a view is moved by a step, not past an end', () => {
  const all = [1, 2, 3].map((id) => ({ ...view, id }));
  expect(placeAfter(all, 2, -1)).toBe(1);
  expect(placeAfter(all, 2, 1)).toBe(3);
  expect(placeAfter(all, 1, -1)).toBeNull();
  expect(placeAfter(all, 9, 1)).toBeNull();
});

test('the page’s own view is opened once, where nothing else is asked for; one that is named always', () => {
  const own = { ...view, id: 8, default: true };
  expect(toOpen('', [view, own], null, false)).toBe(own);
  expect(toOpen('', [view, own], null, true)).toBeNull();
  expect(toOpen('', [view], null, false)).toBeNull();
  expect(toOpen('?q=x', [view, own], null, false)).toBeNull();
  expect(toOpen('?view=7', [view, own], view, true)).toBe(view);
  expect(toOpen('?q=&view=7', [view, own], view, false)).toBeNull();
});
