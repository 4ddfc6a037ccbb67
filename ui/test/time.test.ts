import { expect, test } from 'vitest';
import { parseInstant, secondsBetween } from '../src/model/time';

test('nanoseconds survive', () => {
  const a = parseInstant('2026-11-25T14:50:17.000000001Z');
  const b = parseInstant('2026-11-25T14:50:18.000000003Z');
  expect(secondsBetween(a, b)).toBe(1.000000002);
  expect(parseInstant('2026-11-25T14:50:17.5Z').nano).toBe(500_000_000);
});

test('offsets count, nonsense is the epoch', () => {
  expect(parseInstant('2026-11-25T15:50:17+01:00').sec).toBe(parseInstant('2026-11-25T14:50:17Z').sec);
  expect(parseInstant('yesterday')).toEqual({ sec: 0, nano: 0 });
});
