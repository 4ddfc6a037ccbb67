import { describe, expect, test } from 'vitest';
import type { Branch } from '../src/api/types';
import {
  defaultSpan,
  flatten as flattenSpans,
  fold,
  foldDeepest,
  nextFailed,
  reveal,
  shownFor,
  unfolded,
  unfoldShallowest,
  type Tree,
} from '../src/model/tree';

interface Nested extends Branch {
  children: Nested[];
}

function span(id: string, at: number, lasts: number, children: Nested[] = [], more: Partial<Branch> = {}): Nested {
  return {
    depth: 0,
    span_unique_id: id,
    start: at / 1000,
    latency: Math.max(0, lasts) / 1000,
    status_code: 'ok',
    log_type: 'task',
    children,
    ...more,
  };
}

/** As the server writes them: in the order of the tree. */
function flatten(roots: Nested[]): Tree {
  const spans: Branch[] = [];
  const left = [...roots].reverse();
  for (let one = left.pop(); one; one = left.pop()) {
    const { depth, children } = one;
    spans.push(one);
    left.push(...children.map((child) => ({ ...child, depth: depth + 1 })).reverse());
  }
  return flattenSpans(spans);
}

const tree = flatten([
  span('root', 0, 100, [
    span('a', 10, 30, [span('a1', 12, 5), span('a2', 20, 5, [], { status_code: 'error' })]),
    span('b', 50, 40, [span('b1', 55, 10, [span('b11', 56, 2, [], { log_type: 'text' })])]),
  ]),
  span('orphan', 120, 10),
]);
const ids = (rows: { id: string }[]): string => rows.map((r) => r.id).join(' ');

describe('flatten', () => {
  test('a span whose parent is not there is an orphan', () => {
    expect(flatten([span('r', 0, 9, [span('c', 1, 2, [], { span_parent_id: 'r' })])]).rows.some((r) => r.orphan)).toBe(
      false,
    );
    expect(flatten([span('r', 0, 9, [], { span_parent_id: 'gone' })]).rows[0]?.orphan).toBe(true);
  });

  test('depth first, with places and sums', () => {
    expect(ids(tree.rows)).toBe('root a a1 a2 b b1 b11 orphan');
    expect(tree.rows.map((r) => r.depth)).toEqual([0, 1, 2, 2, 1, 2, 3, 0]);
    expect(tree.rows[0]?.descendants).toBe(6);
    expect(tree.rows[4]).toMatchObject({ place: 2, siblings: 2, parent: 0 });
    expect(tree.length).toBeCloseTo(0.13);
    expect(tree.rows[2]?.start).toBeCloseTo(0.012);
  });

  test('failure shows above', () => {
    expect(tree.rows.filter((r) => r.failedBelow).map((r) => r.id)).toEqual(['root', 'a']);
  });

  test('a chain of 50,000 spans is no recursion', () => {
    let chain = span('s0', 0, 1);
    for (let i = 1; i < 50_000; i++) chain = span(`s${String(i)}`, 0, 1, [chain]);
    expect(flatten([chain]).rows.at(-1)?.depth).toBe(49_999);
  });

  test('a child that begins before its parent is early', () => {
    const { rows } = flatten([span('r', 10, 9, [span('c', 4, 2), span('d', 10, 2)])]);
    expect(rows.map((r) => Math.round(r.early * 1000))).toEqual([0, 6, 0]);
  });

  test('a span that ends before it starts has no length', () => {
    expect(flatten([span('x', 10, -5)]).rows[0]).toMatchObject({ start: 0, end: 0 });
  });
});

describe('folding', () => {
  test('hides what is below', () => {
    expect(ids(unfolded(tree, fold(new Set(), 'a', true)))).toBe('root a b b1 b11 orphan');
  });

  test('level by level, and back', () => {
    const one = foldDeepest(tree, new Set());
    expect(ids(unfolded(tree, one))).toBe('root a a1 a2 b b1 orphan');
    const two = foldDeepest(tree, one);
    expect(ids(unfolded(tree, two))).toBe('root a b orphan');
    const three = foldDeepest(tree, two);
    expect(ids(unfolded(tree, three))).toBe('root orphan');
    expect(foldDeepest(tree, three)).toEqual(three);
    expect(ids(unfolded(tree, unfoldShallowest(tree, three)))).toBe('root a b orphan');
  });

  test('a span is revealed through all its parents', () => {
    const folded = new Set(['root', 'b', 'b1', 'a']);
    expect([...reveal(tree, folded, 'b11')]).toEqual(['a']);
  });
});

test('a hidden span is stood for by the highest folded one above it', () => {
  expect(shownFor(tree, new Set(['b', 'b1']), 'b11')).toBe('b');
  expect(shownFor(tree, new Set(['b11', 'a']), 'b11')).toBe('b11');
});

test('the span to show first', () => {
  expect(defaultSpan(tree)).toBe('b11');
  expect(defaultSpan(flatten([span('x', 0, 1)]))).toBe('x');
  const embedding = span('e', 0, 1, [], { log_type: 'embedding' });
  expect(defaultSpan(flatten([embedding, span('c', 2, 1, [], { log_type: 'chat' })]))).toBe('c');
  expect(defaultSpan(flatten([span('t', 0, 1), embedding]))).toBe('e');
  expect(defaultSpan(flatten([]))).toBeNull();
});

test('errors go round', () => {
  expect(nextFailed(tree, null)).toBe('a2');
  expect(nextFailed(tree, 'orphan')).toBe('a2');
  expect(nextFailed(flatten([span('x', 0, 1)]), 'x')).toBeNull();
});
