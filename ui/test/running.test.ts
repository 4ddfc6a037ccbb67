import { expect, test } from 'vitest';
import type { Branch, TraceFacts, TraceSince } from '../src/api/types';
import { grow, missingParents, withRunning, type Known } from '../src/model/running';
import { Spans } from '../src/model/spans';

const span = (id: string, parent: string | undefined, start: number, depth = 0, latency = 1): Branch => ({
  span_unique_id: id,
  ...(parent === undefined ? {} : { span_parent_id: parent }),
  depth,
  log_type: 'task',
  start,
  latency,
});
const facts = (start: number, count: number): TraceFacts =>
  ({ start_time: `2026-01-01T00:00:0${String(start)}Z`, span_count: count }) as TraceFacts;
const trace = (start: number, spans: Branch[]): Known => ({
  trace: facts(start, spans.length),
  spans: Spans.of(spans),
});
const since = (start: number, spans: Branch[], count: number): TraceSince => ({ ...facts(start, count), spans });
const branches = (spans: Spans | undefined) => spans?.ids.map((_, i) => spans.branch(i));
const shape = (spans: Spans | undefined) =>
  branches(spans)?.map((s) => `${'.'.repeat(s.depth)}${s.span_unique_id}@${String(s.start)}`);

test('what came since joins the tree in its place', () => {
  const known = trace(1, [span('a', 'r', 2), span('b', 'a', 3, 1), span('c', 'r', 4)]);
  const grown = grow(known, since(1, [span('r', undefined, 0), span('d', 'a', 2.5)], 5));
  expect(shape(grown?.spans)).toEqual(['r@0', '.a@2', '..d@2.5', '..b@3', '.c@4']);
});

test('an earlier start moves what was known; a span that comes again takes its own place', () => {
  const known = trace(5, [span('a', undefined, 0), span('b', 'a', 1, 1)]);
  const grown = grow(known, since(3, [span('x', undefined, 0), span('b', 'x', 4)], 3));
  expect(shape(grown?.spans)).toEqual(['x@0', '.b@4', 'a@2']);
});

test('a big trace takes in what came as fast as a small one, however often', () => {
  const many = Array.from({ length: 20_000 }, (_, i) => span(`s${String(i)}`, i ? 's0' : undefined, i, i ? 1 : 0));
  let known: Known | null = trace(1, many);
  for (let i = 0; i < 3; i++) {
    const late: Branch[] = Array.from({ length: 500 }, (_, k) => span(`l${String(i)}-${String(k)}`, 's0', k + 0.5));
    known = known && grow(known, since(1, late, 20_000 + 500 * (i + 1)));
  }
  expect(known?.spans.n).toBe(21_500);
  expect(shape(known?.spans)?.slice(0, 5)).toEqual(['s0@0', '.l0-0@0.5', '.l1-0@0.5', '.l2-0@0.5', '.s1@1']);
});

test('where more was deleted or a ring came, only the whole will do', () => {
  const known = trace(1, [span('a', undefined, 0)]);
  expect(grow(known, since(1, [], 3))).toBeNull();
  expect(grow(known, since(1, [span('p', 'q', 1), span('q', 'p', 2)], 3))).toBeNull();
});

test('spans without their parent are below one that runs, those of the same parent together', () => {
  const spans = [
    span('a', 'r', 1),
    span('b', 'a', 2, 1),
    span('whole', undefined, 3),
    span('c', 'r', 4, 0, 9),
    span('d', 's', 5),
  ];
  const missing = missingParents(Spans.of(spans));
  expect([...missing]).toEqual(['r', 's']);
  expect(missingParents(Spans.of(spans.slice(2, 3))).size).toBe(0);
  const shown = withRunning(Spans.of(spans), 8, missing);
  expect(shape(shown)).toEqual(['r@1', '.a@1', '..b@2', '.c@4', 'whole@3', 's@5', '.d@5']);
  expect(
    branches(shown)
      ?.filter((s) => s.running)
      .map((s) => s.latency),
  ).toEqual([12, 3]);
});

test('a ring awaits nobody: the parent of the one it was cut at is there', () => {
  const ring = Spans.of([span('a', 'b', 0), span('b', 'a', 1, 1), span('c', 'gone', 2)]);
  expect([...missingParents(ring)]).toEqual(['gone']);
  expect(shape(withRunning(ring, 9, new Set()))).toEqual(['a@0', '.b@1', 'c@2']);
});

const open = (id: string, parent: string | undefined, start: number, depth = 0): Branch => ({
  ...span(id, parent, start, depth, 0),
  name: id,
  running: true,
});

test('what is open reaches to now, by its name', () => {
  const spans = Spans.of([open('r', undefined, 0), span('a', 'r', 1, 1), open('b', 'r', 3, 1)]);
  expect(branches(withRunning(spans, 8, new Set()))?.map((s) => [s.name, s.latency])).toEqual([
    ['r', 8],
    [undefined, 1],
    ['b', 5],
  ]);
});

test('what is open is told anew each time, and gives way to itself', () => {
  const known: Known = {
    trace: facts(1, 1),
    spans: Spans.of([open('r', undefined, 0), span('a', 'r', 1, 1), open('b', 'r', 3, 1), open('x', 'b', 4, 2)]),
  };
  // x went, y came, b has ended; r is still open.
  const later = grow(
    known,
    since(1, [open('r', undefined, 0), { ...span('b', 'r', 3), latency: 2 }, open('y', 'b', 6)], 2),
  );
  expect(shape(later?.spans)).toEqual(['r@0', '.a@1', '.b@3', '..y@6']);
  expect(branches(later?.spans)?.map((s) => s.running ?? false)).toEqual([true, false, false, true]);
  const ended = later && grow(later, since(1, [span('r', undefined, 0), span('y', 'b', 6)], 4));
  expect(shape(ended?.spans)).toEqual(['r@0', '.a@1', '.b@3', '..y@6']);
  // The root's program died: what was below it names a parent that is missing.
  const orphaned = later && grow(later, since(1, [], 2));
  expect(shape(orphaned?.spans)).toEqual(['a@1', 'b@3']);
  expect(orphaned && [...missingParents(orphaned.spans)]).toEqual(['r']);
});
