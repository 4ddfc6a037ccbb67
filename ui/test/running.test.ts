import { expect, test } from 'vitest';
import type { Branch, TraceWithTree } from '../src/api/types';
import { awaitsParents, grow, withRunning } from '../src/model/running';

const span = (id: string, parent: string | undefined, start: number, depth = 0, latency = 1): Branch => ({
  span_unique_id: id,
  ...(parent === undefined ? {} : { span_parent_id: parent }),
  depth,
  log_type: 'task',
  start,
  latency,
});
const trace = (start: number, spans: Branch[], count = spans.length): TraceWithTree =>
  ({
    start_time: `2026-01-01T00:00:0${String(start)}Z`,
    span_count: count,
    spans,
  }) as TraceWithTree;
const shape = (spans: Branch[] | undefined) =>
  spans?.map((s) => `${'.'.repeat(s.depth)}${s.span_unique_id}@${String(s.start)}`);

test('what came since joins the tree in its place', () => {
  const known = trace(1, [span('a', 'r', 2), span('b', 'a', 3, 1), span('c', 'r', 4)]);
  const grown = grow(known, trace(1, [span('r', undefined, 0), span('d', 'a', 2.5)], 5));
  expect(shape(grown?.spans)).toEqual(['r@0', '.a@2', '..d@2.5', '..b@3', '.c@4']);
});

test('an earlier start moves what was known; a span that comes again takes its own place', () => {
  const known = trace(5, [span('a', undefined, 0), span('b', 'a', 1, 1)]);
  const grown = grow(known, trace(3, [span('x', undefined, 0), span('b', 'x', 4)], 3));
  expect(shape(grown?.spans)).toEqual(['x@0', '.b@4', 'a@2']);
});

test('where more was deleted or a ring came, only the whole will do', () => {
  const known = trace(1, [span('a', undefined, 0)]);
  expect(grow(known, trace(1, [], 3))).toBeNull();
  expect(grow(known, trace(1, [span('p', 'q', 1), span('q', 'p', 2)], 3))).toBeNull();
});

test('spans without their parent are below one that runs, those of the same parent together', () => {
  const spans = [
    span('a', 'r', 1),
    span('b', 'a', 2, 1),
    span('whole', undefined, 3),
    span('c', 'r', 4, 0, 9),
    span('d', 's', 5),
  ];
  expect(awaitsParents(spans)).toBe(true);
  expect(awaitsParents(spans.slice(2, 3))).toBe(false);
  const shown = withRunning(spans, 8);
  expect(shape(shown)).toEqual(['r@1', '.a@1', '..b@2', '.c@4', 'whole@3', 's@5', '.d@5']);
  expect(shown.filter((s) => s.running).map((s) => s.latency)).toEqual([12, 3]);
});
