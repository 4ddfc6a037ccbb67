import { expect, test } from 'vitest';
import type { Group, Groups, Series } from '../src/api/types';
import { addGroups, ariaSort, nextSort, noGroups, refreshGroups, shiftOfGroup } from '../src/model/groups';
import { metadataOf } from '../src/model/metadata';
import { groupsUrl, parseRoute, threadUrl, userUrl } from '../src/model/route';
import { barsOf, seriesParams } from '../src/model/spark';

const group = (value: string | null, isOthers = false): Group =>
  ({ value, is_others: isOthers, count: 1 }) as unknown as Group;
const answer = (values: (string | null)[], groupCount: number): Groups =>
  ({
    group_count: groupCount,
    is_estimate: false,
    groups: [...values.map((v) => group(v)), group(null, true)],
  }) as Groups;
const values = (rows: Group[]) => rows.map((g) => g.value);

test('pages follow each other until all groups are there, none of them twice', () => {
  const first = addGroups(noGroups, answer(['a', 'b'], 3), 1, 2, true);
  expect([values(first.rows), first.next, first.count]).toEqual([['a', 'b'], 2, 3]);
  const all = addGroups(first, answer(['b', 'c'], 3), 2, 2, true);
  expect([values(all.rows), all.next]).toEqual([['a', 'b', 'c'], null]);
});

test('traces without a value are a row where they are wanted, and no value among the counted', () => {
  expect(values(addGroups(noGroups, answer([null, 'a'], 2), 1, 2, true).rows)).toEqual([null, 'a']);
  expect(addGroups(noGroups, answer([null, 'a'], 2), 1, 2, true).count).toBe(1);
  expect(values(addGroups(noGroups, answer([null, 'a'], 2), 1, 2, false).rows)).toEqual(['a']);
  expect(addGroups(noGroups, answer([null, 'a'], 2), 1, 2, false).count).toBe(1);
});

test('a column sorts by the greatest first, then by the least; names the other way', () => {
  expect(nextSort('-count', 'cost')).toBe('-cost');
  expect(nextSort('-cost', 'cost')).toBe('cost');
  expect(nextSort('cost', 'cost')).toBe('-cost');
  expect(nextSort('-cost', 'value')).toBe('value');
  expect(nextSort('value', 'value')).toBe('-value');
  expect([ariaSort('-cost', 'cost'), ariaSort('cost', 'cost'), ariaSort('cost', 'count')]).toEqual([
    'descending',
    'ascending',
    undefined,
  ]);
});

test('a user or a thread has an address, whatever characters are in the name', () => {
  for (const id of ['ada', 'a/b', 'über 1', '100%', 'a?b#c', "o'hara+x@y.z"]) {
    const url = new URL(userUrl(id), 'http://x');
    expect(parseRoute(url.pathname, url.search)).toEqual({ view: 'user', id, from: '', to: '', env: '' });
    const thread = new URL(threadUrl(id), 'http://x');
    expect(parseRoute(thread.pathname, thread.search)).toEqual({ view: 'thread', id });
  }
  expect(parseRoute('/users/%E0%A4%A', '')).toEqual({ view: 'none' });
  expect(parseRoute('/users', '?q=ad&sort=-cost')).toEqual({
    view: 'users',
    q: 'ad',
    from: '',
    to: '',
    sort: '-cost',
    env: '',
  });
  expect(groupsUrl('/users', { q: 'a b', sort: '-cost' })).toBe('/users?q=a+b&sort=-cost');
  expect(groupsUrl('/threads', { from: '-1h' })).toBe('/threads?from=-1h');
  expect(groupsUrl('/users', {})).toBe('/users');
  expect(parseRoute('/users/ada', '?from=-7d')).toEqual({ view: 'user', id: 'ada', from: '-7d', to: '', env: '' });
});

test('bars have a place for each stretch of time, and none behind the last', () => {
  const series = {
    start_time: '2026-11-29T10:00:00Z',
    end_time: '2026-11-29T12:00:00Z',
    bucket_seconds: 600,
    groups: [
      {
        value: null,
        points: [
          { time: '2026-11-29T10:30:00Z', count: 3, error_count: 1, cost: 0.5 },
          { time: '2026-11-29T10:50:00Z', count: 1, error_count: 0, cost: 0 },
        ],
      },
    ],
  } as Series;
  expect(barsOf(series).map((b) => [b.count, b.errors])).toEqual([
    [0, 0],
    [0, 0],
    [0, 0],
    [3, 1],
    [0, 0],
    [1, 0],
    [0, 0],
  ]);
  expect(barsOf({ ...series, groups: [] })).toEqual([]);
  const long = barsOf({ ...series, start_time: '2026-11-28T10:00:00Z' });
  expect([long.length, long.findIndex((b) => b.count > 0)]).toEqual([24, 20]); // slim bars, where the axis has them
});

test('a series is asked of the time in which there is something, an hour at least', () => {
  const now = Date.parse('2026-11-29T16:04:00Z');
  const asked = (first: string | null, last: string | null, start = 0, isEstimate = false) =>
    seriesParams(
      [
        ['q', 'x'],
        ['start_time', 'then'],
      ],
      { totals: { first_time: first, last_time: last }, is_estimate: isEstimate } as Groups,
      start,
      now,
    ).map(([, value]) => value.replace('2026-11-29T', ''));
  const at = '2026-11-29T16:03:00Z';
  expect(asked(at, at)).toEqual(['x', '15:04:00.000Z', '16:03:01.000Z']);
  expect(asked('2026-11-29T14:30:00Z', at)).toEqual(['x', '14:30:00.000Z', '16:03:01.000Z']);
  expect(asked(at, at, now - 600_000)).toEqual(['x', '15:54:00.000Z', '16:03:01.000Z']); // not before the window
  for (const whole of [asked(null, null), asked(at, at, 0, true), asked('1970-01-01T00:00:01Z', at)])
    expect(whole).toEqual(['x', 'then']);
});

test('metadata is told key by key, the commonest values first', () => {
  const traces = [{ plan: 'pro', run: 1 }, { plan: 'pro', run: 2 }, { plan: 'free', run: 3 }, null].map((metadata) => ({
    metadata,
  }));
  expect(metadataOf(traces, 10, 2)).toEqual([
    {
      key: 'plan',
      values: [
        ['pro', 2],
        ['free', 1],
      ],
      more: 0,
    },
    {
      key: 'run',
      values: [
        [1, 1],
        [2, 1],
      ],
      more: 1,
    },
  ]);
  const mixed = [{ n: 1 }, { n: '1' }, { n: '1' }].map((metadata) => ({ metadata }));
  expect(metadataOf(mixed)[0]?.values).toEqual([
    ['1', 2],
    [1, 1],
  ]);
  expect(metadataOf(traces, 1, 2)).toHaveLength(1);
});

test('rows are refreshed where they stand, and what is read does not move', () => {
  const was = addGroups(addGroups(noGroups, answer(['a', 'b'], 5), 1, 2, true), answer(['c', 'd'], 5), 2, 2, true);
  const is = refreshGroups(was, answer(['d', 'a'], 5), 2, true);
  expect([values(is.rows), is.next]).toEqual([['d', 'a', 'c'], 3]);
  expect(values(refreshGroups(was, answer(['x', 'a', 'b', 'c'], 6), 4, true).rows)).toEqual(['x', 'a', 'b', 'c']);
  expect(shiftOfGroup(1, was.rows, refreshGroups(was, answer(['x', 'a', 'b', 'c'], 6), 4, true).rows)).toBe(1);
  expect(shiftOfGroup(9, was.rows, is.rows)).toBe(0);
});
