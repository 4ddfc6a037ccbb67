import { describe, expect, test } from 'vitest';
import { bytes, clock, clockRange, cost, duration, plural, rate, short, tokens } from '../src/model/format';

describe('duration', () => {
  test.each([
    [null, '–'],
    [Number.NaN, '–'],
    [0, '0 ms'],
    [850e-9, '850 ns'],
    [12.3e-6, '12 µs'],
    [4.1e-6, '4.1 µs'],
    [0.9996e-6, '1.0 µs'],
    [0.0041, '4.1 ms'],
    [0.378, '378 ms'],
    [0.9996, '1.00 s'],
    [1.18, '1.18 s'],
    [12.34, '12.3 s'],
    [59.97, '1 min'],
    [60, '1 min'],
    [3600, '1 h'],
    [100_000, '27 h 47 min'],
    [172_800, '2 d'],
    [180_000, '2 d 02 h'],
    [125, '2 min 05 s'],
    [3720, '1 h 02 min'],
    [-0.5, '−500 ms'],
  ])('%s is %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

test('counts in little room', () => {
  expect([0, 9999, 10_000, 99_960, 999_499, 999_500, 2.34e9].map(short)).toEqual([
    '0',
    '9,999',
    '10.0k',
    '100k',
    '999k',
    '1.0M',
    '2.3G',
  ]);
});

test('sizes, sums and rates', () => {
  expect(bytes(999)).toBe('999 B');
  expect(bytes(999_600)).toBe('1.0 MB');
  expect(bytes(2_100_000)).toBe('2.1 MB');
  expect(cost(0)).toBe('$0');
  expect(cost(0.00123)).toBe('$0.0012');
  expect(cost(1.5)).toBe('$1.50');
  expect(rate(63.94)).toBe('63.9');
  expect(rate(7349.2)).toBe('7,349');
  expect(plural(1, 'span')).toBe('1 span');
  expect(plural(1200, 'span')).toBe('1,200 spans');
  expect(tokens(null, null)).toBe('–');
  expect(tokens(342, null)).toBe('342 → –');
});

test('the clock says the day only if it is not today', () => {
  const now = new Date(2026, 10, 25, 12, 0, 0);
  const iso = (d: Date): string => d.toISOString().replace('Z', '123456Z');
  expect(clock(iso(new Date(2026, 10, 25, 9, 5, 7, 30)), now)).toBe('09:05:07.030');
  expect(clock(iso(new Date(2026, 10, 24, 9, 5, 7)), now)).toMatch(/^24 Nov 09:05:07$/);
  expect(clock(iso(new Date(2025, 0, 2, 9, 5, 7)), now)).toMatch(/^02 Jan 2025$/);
});

test('a window names the day of both ends where they are of two, and no seconds that are none', () => {
  const now = new Date(2026, 10, 28, 12, 0, 0);
  const at = (day: number, h: number, m = 0, s = 0, ms = 0): number => new Date(2026, 10, day, h, m, s, ms).getTime();
  expect(clockRange(at(27, 23), at(28, 22), now)).toBe('27 Nov 23:00 – 28 Nov 22:00');
  expect(clockRange(at(28, 9), at(28, 10, 30), now)).toBe('09:00 – 10:30');
  expect(clockRange(at(27, 9), at(27, 10), now)).toBe('27 Nov 09:00 – 10:00');
  expect(clockRange(at(28, 9), at(28, 9, 0, 5), now)).toBe('09:00:00 – 09:00:05');
  expect(clockRange(at(28, 9, 0, 0, 250), at(28, 9, 0, 5), now)).toBe('09:00:00.250 – 09:00:05.000');
  expect(clockRange(new Date(2025, 0, 2, 9).getTime(), at(28, 9), now)).toBe('02 Jan 2025 09:00 – 28 Nov 09:00');
});
