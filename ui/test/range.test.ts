import { expect, test } from 'vitest';
import { instantOf, rangeLabel, widened, windowParams } from '../src/model/range';

const now = Date.parse('2026-11-29T12:00:00.500Z');

test('instants: from now, RFC 3339, Unix seconds', () => {
  expect(instantOf('-15m', now)).toBe(now - 900_000);
  expect(instantOf('-7d', now)).toBe(now - 604_800_000);
  expect(instantOf('2026-11-29T11:00:00Z', now)).toBe(Date.parse('2026-11-29T11:00:00Z'));
  expect(instantOf('1700000000', now)).toBe(1_700_000_000_000);
  expect(instantOf('', now)).toBeNull();
  expect(instantOf('soon', now)).toBeNull();
});

test('parameters of the API', () => {
  expect(windowParams('', '', now)).toEqual([]);
  expect(windowParams('-1m', '', now)).toEqual([['start_time', String(Math.floor(now / 1000) - 60)]]);
  expect(windowParams('', '2026-11-29T11:00:00Z', now)).toEqual([['end_time', '2026-11-29T11:00:00.000Z']]);
});

test('what a window is called', () => {
  expect(rangeLabel('', '', now)).toBe('All time');
  expect(rangeLabel('-1h', '', now)).toBe('Last 1 hour');
  expect(rangeLabel('-3h', '', now)).toBe('Last 3h');
  expect(rangeLabel('nonsense', '', now)).toBe('All time');
  expect(rangeLabel('2026-11-29T11:00:00Z', '', now)).toMatch(/^since \d\d:00$/);
});

test('wider: three times as long, and no later than now', () => {
  const hour = 3_600_000;
  expect(widened(now - 4 * hour, now - 3 * hour, now)).toEqual({
    from: new Date(now - 5 * hour).toISOString(),
    to: new Date(now - 2 * hour).toISOString(),
  });
  expect(widened(now - hour, now, now).to).toBe('');
});
