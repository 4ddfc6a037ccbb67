import { expect, test } from 'vitest';
import {
  aboutSpan,
  barOf,
  between,
  busyParts,
  failureMarks,
  labelPlace,
  minimap,
  moveTo,
  pan,
  parseRange,
  rangeText,
  tickLabel,
  ticks,
  wholeRange,
  zoom,
} from '../src/model/timeline';
import { Spans } from '../src/model/spans';
import { Tree, type Row } from '../src/model/tree';

const row = (start: number, end: number, ttft: number | null = null): Row =>
  ({ start, end, span: { time_to_first_token: ttft } }) as Row;
/** [depth, start, end, whether it failed] */
const treeOf = (spans: [number, number, number, boolean?][]): Tree =>
  new Tree(
    Spans.of(
      spans.map(([depth, start, end, failed = false], i) => ({
        depth,
        span_unique_id: String(i),
        log_type: 'chat',
        start,
        latency: end - start,
        status_code: failed ? 'error' : 'ok',
      })),
    ),
  );

test('bars are cut to the range', () => {
  const range = { from: 1, to: 3 };
  expect(barOf(row(1, 2), range)).toMatchObject({ left: 0, width: 0.5 });
  expect(barOf(row(0, 9), range)).toMatchObject({ left: 0, width: 1 });
  expect(barOf(row(0, 0.5), range)).toBeNull();
  expect(barOf(row(4, 5), range)).toBeNull();
  expect(barOf(row(1, 3, 0.5), range)?.prefill).toBe(0.25);
  expect(barOf(row(1, 2, 7), range)?.prefill).toBe(1);
});

test('ticks are round and few', () => {
  expect(ticks({ from: 0, to: 2.21 }).map((t) => t.seconds)).toEqual([0, 0.5, 1, 1.5, 2]);
  expect(ticks({ from: 0, to: 2.21 }).map((t) => tickLabel(t.seconds, { from: 0, to: 2.21 }))).toEqual([
    '0',
    '0.5 s',
    '1.0 s',
    '1.5 s',
    '2.0 s',
  ]);
  const said = (to: number) => ticks({ from: 0, to }).map((t) => tickLabel(t.seconds, { from: 0, to }));
  expect(said(172_800)).toEqual(['0', '10 h', '20 h', '30 h', '40 h']);
  expect(said(600)).toEqual(['0', '2 min', '4 min', '6 min', '8 min']);
  expect(said(0.09)).toEqual(['0', '20 ms', '40 ms', '60 ms', '80 ms']);
  const tiny = { from: 0.0412, to: 0.0413 };
  const labels = ticks(tiny).map((t) => tickLabel(t.seconds, tiny));
  expect(new Set(labels).size).toBe(labels.length);
  for (const to of [1e-6, 0.003, 0.9, 7, 100, 86_400]) expect(ticks({ from: 0, to }).length).toBeLessThan(8);
});

test('zoom and pan stay inside', () => {
  const whole = wholeRange(10);
  expect(zoom(whole, whole, 0.5)).toEqual({ from: 2.5, to: 7.5 });
  expect(zoom({ from: 0, to: 1 }, whole, 100)).toEqual(whole);
  expect(pan({ from: 8, to: 10 }, whole, 0.5)).toEqual({ from: 8, to: 10 });
  expect(pan({ from: 4, to: 6 }, whole, -0.5)).toEqual({ from: 3, to: 5 });
  expect(wholeRange(0).to).toBeGreaterThan(0);
  expect(zoom({ from: 2, to: 6 }, whole, 0.5, 0.25)).toEqual({ from: 2.5, to: 4.5 });
  expect(between(7, 3, whole)).toEqual({ from: 3, to: 7 });
  expect(between(5, 5, whole).to).toBeGreaterThan(5);
  expect(between(-3, 30, whole)).toEqual(whole);
});

test('a label stands behind its bar or before it, always behind where room is left for it, and on a bar that fills the width', () => {
  const bar = (left: number, width: number) => ({ left, width, prefill: 0 });
  expect(labelPlace(bar(0, 0.5), 400, 60)).toBe('right');
  expect(labelPlace(bar(0.5, 0.5), 400, 60)).toBe('left');
  expect(labelPlace(bar(0.05, 0.9), 400, 60)).toBe('over');
  expect(labelPlace(bar(0, 1), 400, 60, 72)).toBe('right');
});

test('failures are marked where they happened, few however many there are', () => {
  const failed = Array.from({ length: 5000 }, (_, i): [number, number, number, boolean] => [1, i, i + 1, true]);
  const tree = treeOf([[0, 0, 5000, true], ...failed]);
  const marks = failureMarks(tree, { from: 0, to: 1000 });
  expect(marks.length).toBe(100);
  expect(marks.reduce((n, m) => n + m.count, 0)).toBe(1000);
  expect(marks[0]?.row).toBe(1);
  expect(failureMarks(treeOf([[0, 0, 9, false]]), { from: 0, to: 9000 })).toEqual([]);
});

test('spans that lie days apart are parts; a workflow that waits between them is not one', () => {
  const day = 86_400;
  const tree = treeOf([
    [0, 0, 3 * day],
    [1, 0, 5],
    [1, 3, 9],
    [1, 2 * day, 2 * day + 60],
    [1, 3 * day - 4, 3 * day],
  ]);
  expect(busyParts(tree, wholeRange(3 * day))).toEqual([
    { from: 0, to: 9 },
    { from: 2 * day, to: 2 * day + 60 },
    { from: 3 * day - 4, to: 3 * day },
  ]);
  const long: [number, number, number][] = [
    [0, 0, day],
    [0, 2 * day, 3 * day],
  ];
  expect(busyParts(treeOf(long), wholeRange(3 * day))).toEqual([]);
  const short: [number, number, number][] = [
    [0, 0, 1],
    [0, 9, 10],
  ];
  expect(busyParts(treeOf(short), wholeRange(10))).toEqual([]);
});

test('the minimap of a hundred thousand spans is bounded, and its strokes do not lie on each other', () => {
  const spans = Array.from({ length: 100_000 }, (_, i): [number, number, number, boolean] => [
    0,
    i / 1000,
    i / 1000 + 0.01,
    i % 1000 === 0,
  ]);
  const paths = minimap(treeOf(spans), wholeRange(100), 1200, 36);
  const size = [...paths.values()].reduce((n, d) => n + d.length, 0);
  expect([...paths.keys()].sort()).toEqual(['failed', 'model']);
  expect(size).toBeLessThan(20_000);
  const two = minimap(
    treeOf([
      [0, 0, 5],
      [0, 9, 10],
    ]),
    wholeRange(10),
    100,
    36,
  );
  expect(two.get('model')).toBe('M0 1.5h50M90 4.5h10');
});

test('a range is kept in an address to the nanosecond', () => {
  const whole = wholeRange(10);
  expect(rangeText({ from: 0.1 + 0.2, to: 2 })).toBe('0.3~2');
  expect(rangeText(null)).toBe('');
  expect(parseRange('0.3~2', whole)).toEqual({ from: 0.3, to: 2 });
  expect(parseRange(rangeText({ from: 1e-9, to: 2e-7 }), whole)).toEqual({ from: 1e-9, to: 2e-7 });
  expect(parseRange('9~99', whole)?.to).toBe(10);
  for (const no of ['', '2', '2~1', '1~x', '~', '11~12', '..~.', '1~2~3']) expect(parseRange(no, whole)).toBeNull();
});

test('a range goes to where a span is, and stays if some of it is seen', () => {
  const whole = { from: 0, to: 100 };
  expect(moveTo({ from: 10, to: 20 }, whole, 19, 90)).toEqual({ from: 10, to: 20 });
  expect(moveTo({ from: 10, to: 20 }, whole, 50, 52)).toEqual({ from: 46, to: 56 });
  expect(moveTo({ from: 10, to: 20 }, whole, 99, 100)).toEqual({ from: 90, to: 100 });
});

test('a zoom by key is about the span that is chosen, if it is seen', () => {
  expect(aboutSpan({ from: 10, to: 20 }, 12, 13)).toBe(0.25);
  expect(aboutSpan({ from: 10, to: 20 }, 30, 40)).toBe(0.5);
});
