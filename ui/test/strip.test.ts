import { expect, test } from 'vitest';
import { barsOf, bucketAt, draggedWindow, linesOf, stripOf, type StripAnswer } from '../src/model/strip';

const point = (time: string, count: number, errors: number, p99: number | null) => ({
  time,
  count,
  error_count: errors,
  latency: p99 === null ? null : { p50: p99 / 2, p99 },
});
const answer: StripAnswer = {
  start_time: '2026-11-29T10:00:30Z',
  end_time: '2026-11-29T10:09:30Z',
  bucket_seconds: 60,
  is_estimate: false,
  groups: [
    {
      points: [
        point('2026-11-29T10:01:00Z', 100, 25, 4),
        point('2026-11-29T10:02:00Z', 25, 0, 2),
        point('2026-11-29T10:06:00Z', 1, 1, null),
        point('2026-11-29T10:08:00Z', 1, 0, 1),
      ],
    },
  ],
};
const strip = stripOf(answer);
if (!strip) throw new Error('no strip');

test('bars stand where their buckets are, failures in them', () => {
  const bars = barsOf(strip);
  expect(bars).toHaveLength(4);
  expect(bars[0]).toMatchObject({ x: 0.1, width: 0.1, all: 1, failed: 0.25 });
  expect(bars[1]).toMatchObject({ x: 0.2, all: 0.5, failed: 0 });
});

test('a line is broken where nothing is known', () => {
  const lines = linesOf(strip, 'p99').map((line) => line.map(({ x, y }) => ({ x: Number(x.toFixed(9)), y })));
  expect(lines).toEqual([
    [
      { x: 0.15, y: 1 },
      { x: 0.25, y: 0.5 },
    ],
    [
      { x: 0.8, y: 0.25 },
      { x: 0.9, y: 0.25 },
    ],
  ]);
});

test('one bucket of many that took days does not flatten the others', () => {
  const points = Array.from({ length: 40 }, (_, i) => ({
    ...point('', 1, 0, i === 7 ? 172_800 : 2),
    time: new Date(strip.start + i * 60_000).toISOString(),
  }));
  const [line] = linesOf({ ...strip, buckets: stripOf({ ...answer, groups: [{ points }] })?.buckets ?? [] }, 'p99');
  expect(new Set(line?.map(({ y }) => y))).toEqual(new Set([1]));
});

test('a drag takes whole buckets, a short one what it covers', () => {
  const minute = 60_000;
  expect(draggedWindow(strip, 0.32, 0.09)).toEqual({ from: strip.start + minute, to: strip.start + 3 * minute });
  expect(draggedWindow(strip, 0.5, 0.55)).toEqual({ from: strip.start + 5 * minute, to: strip.start + 5.5 * minute });
  expect(bucketAt(strip, 0.25)?.count).toBe(25);
  expect(bucketAt(strip, 0.5)).toBeNull();
});

test('without a window there is no strip', () => {
  expect(stripOf({ ...answer, start_time: null })).toBeNull();
});
