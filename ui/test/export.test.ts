import { expect, test } from 'vitest';
import type { Trace } from '../src/api/types';
import { partParams, rowsOf, sizeOf } from '../src/model/export';

test('a part as parameters', () => {
  expect(partParams({ share: 1 }, 50)).toEqual([]);
  expect(partParams({ share: 0.1 }, 50)).toEqual([['sample', '0.1']]);
  expect(partParams({ rows: 100 }, 120)).toEqual([['limit', '100']]);
  expect(partParams({ rows: 100 }, 14_000)).toEqual([
    ['sample', '0.01000'],
    ['limit', '100'],
  ]);
});

test('how many and how large, before it is made', () => {
  expect(rowsOf({ share: 0.1 }, 124)).toBe(12);
  expect(rowsOf({ rows: 100 }, 30)).toBe(30);
  expect(rowsOf({ share: 1 }, null)).toBeNull();
  const trace = { trace_unique_id: 'a' } as Trace;
  expect(sizeOf(10, [trace])).toBe(10 * (JSON.stringify(trace).length + 1));
  expect(sizeOf(10, [])).toBeNull();
});
