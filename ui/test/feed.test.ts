import { expect, test } from 'vitest';
import type { Page, Trace } from '../src/api/types';
import { addNewer, addOlder, addTold, emptyFeed, newOnes, firstPage, shiftOf, withoutGone } from '../src/model/feed';

const trace = (id: string): Trace => ({ trace_unique_id: id }) as Trace;
const page = (ids: string, next: string | null = null): Page<Trace> => ({
  count: ids.length,
  count_is_estimate: false,
  results: [...ids].map(trace),
  next,
  previous: null,
});
const ids = (rows: Trace[]): string => rows.map((t) => t.trace_unique_id).join('');

test('older pages come below, once', () => {
  const feed = addOlder(firstPage(page('edc', '/2')), page('cba'));
  expect(ids(feed.rows)).toBe('edcba');
  expect(feed.next).toBeNull();
});

test('newer traces come above, older pages stay and so does their cursor', () => {
  const feed = addOlder(firstPage(page('dc', '/2')), page('ba', '/3'));
  const now = addNewer(feed, page('fe' + 'd', '/other'));
  expect(ids(now.rows)).toBe('fedcba');
  expect(now.next).toBe('/3');
});

test('a late trace finds its place, a removed one goes', () => {
  const feed = firstPage(page('fdca'));
  expect(ids(addNewer(feed, page('feca')).rows)).toBe('feca');
});

test('what was deleted goes from wherever it stands, and is counted no more', () => {
  const feed = addOlder(firstPage(page('dc', '/2')), { ...page('ba', '/3'), count: 9 });
  const now = withoutGone(feed, new Set(['c', 'a', 'z']));
  expect(ids(now.rows)).toBe('db');
  expect([now.count, now.next]).toEqual([7, '/3']);
  expect(withoutGone(now, new Set(['z']))).toBe(now);
});

test('a page that shares nothing starts anew', () => {
  const now = addNewer(firstPage(page('ba', '/old')), page('zyx', '/new'));
  expect(ids(now.rows)).toBe('zyx');
  expect(now.next).toBe('/new');
  expect(ids(addNewer(emptyFeed, page('a')).rows)).toBe('a');
});

test('how far the rows moved', () => {
  const before = page('cba').results;
  expect(shiftOf('b', before, page('edcba').results)).toBe(2);
  expect(shiftOf('x', before, before)).toBe(0);
});

test('what the live feed tells stands by its start, or where it stood', () => {
  const at = (id: string, start: number, name = id): Trace =>
    ({ trace_unique_id: id, start_time: `2026-11-29T10:00:0${String(start)}.000000000Z`, name }) as Trace;
  const feed = { rows: [at('d', 8), at('b', 4)], next: '/2', count: 7, isEstimate: false };
  const now = addTold(feed, [at('b', 4, 'grown'), at('c', 6), at('e', 9), at('a', 1), at('e', 9, 'later')]);
  expect(now.rows.map((t) => t.name)).toEqual(['later', 'd', 'c', 'grown']);
  expect(now.count).toBe(10);
  expect(addTold({ ...feed, next: null }, [at('a', 1)]).rows.map((t) => t.name)).toEqual(['d', 'b', 'a']);
  expect(newOnes(feed, [at('b', 4), at('c', 6)])).toBe(1);
});
