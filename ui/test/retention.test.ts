import { expect, test } from 'vitest';
import { goesByAge, goesBySize, keepsOf, olderThan, readDays, readSize, sizeText } from '../src/model/retention';

test('what is kept is said in words', () => {
  expect(keepsOf({ retention_days: null, retention_bytes: null })).toBe('all');
  expect(keepsOf({ retention_days: 30, retention_bytes: null })).toBe('30 days');
  expect(keepsOf({ retention_days: 1, retention_bytes: 10e9 })).toBe('1 day, at most 10 GB');
  expect(keepsOf({ retention_days: 1.5, retention_bytes: null })).toBe('1 day 12 hours');
  expect(keepsOf({ retention_days: 0.5, retention_bytes: null })).toBe('12 hours');
  expect(keepsOf({ retention_days: null, retention_bytes: 5e8 })).toBe('at most 500 MB');
});

test('days and sizes are read as they are typed', () => {
  expect(readDays('')).toBe(null);
  expect(readDays(' 30 ')).toBe(30);
  for (const wrong of ['0', '-1', '1.5', 'x', '123456']) expect(readDays(wrong)).toBe(undefined);
  expect(readSize('')).toBe(null);
  expect(readSize('500 MB')).toBe(5e8);
  expect(readSize('1.5g')).toBe(1.5e9);
  expect(readSize('10 kB')).toBe(10_000);
  for (const wrong of ['10', '0 GB', 'GB', '10 XB', '99999999999 TB']) expect(readSize(wrong)).toBe(undefined);
});

test('a size is typed again as it was', () => {
  for (const size of [null, 10_000, 5e8, 1.5e9, 10e9, 2e12]) expect(readSize(sizeText(size))).toBe(size);
  expect(readSize(sizeText(10 * 2 ** 30))).toBe(10 * 2 ** 30);
});

test('what would go is counted', () => {
  expect(goesByAge(30, 0, 5000)).toBe('No trace is older than 30 days: none goes now.');
  expect(goesByAge(30, 1200, 5000)).toBe('About 1,200 traces of 5,000 are older than 30 days, and would go.');
  expect(goesByAge(1, 1, 2)).toBe('About 1 trace of 2 is older than 1 day, and would go.');
  expect(goesBySize(1e9, 1e8, 100)).toBe('There are 100 MB: none goes now.');
  expect(goesBySize(1e9, 4e9, 100)).toBe('There are 4.0 GB: about 75 traces, the oldest, would go.');
  expect(olderThan(1, Date.parse('2026-01-02T00:00:00Z'))).toBe('2026-01-01T00:00:00.000Z');
});
