import { describe, expect, test } from 'vitest';
import type { Branch } from '../src/api/types';
import { Spans } from '../src/model/spans';
import { firstCall, nextFailed, Tree } from '../src/model/tree';

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
function treeOf(roots: Nested[]): Tree {
  const spans: Branch[] = [];
  const left = [...roots].reverse();
  for (let one = left.pop(); one; one = left.pop()) {
    const { depth, children } = one;
    spans.push(one);
    left.push(...children.map((child) => ({ ...child, depth: depth + 1 })).reverse());
  }
  return new Tree(Spans.of(spans));
}

const tree = treeOf([
  span('root', 0, 100, [
    span('a', 10, 30, [span('a1', 12, 5), span('a2', 20, 5, [], { status_code: 'error' })]),
    span('b', 50, 40, [span('b1', 55, 10, [span('b11', 56, 2, [], { log_type: 'text' })])]),
  ]),
  span('orphan', 120, 10),
]);
const ids = (rows: { id: string }[]): string => rows.map((r) => r.id).join(' ');

describe('a tree', () => {
  test('a span whose parent is not there is an orphan', () => {
    expect(
      treeOf([span('r', 0, 9, [span('c', 1, 2, [], { span_parent_id: 'r' })])])
        .all()
        .some((r) => r.orphan),
    ).toBe(false);
    expect(treeOf([span('r', 0, 9, [], { span_parent_id: 'gone' })]).row(0)?.orphan).toBe(true);
  });

  test('depth first, with places and sums', () => {
    expect(ids(tree.all())).toBe('root a a1 a2 b b1 b11 orphan');
    expect(tree.all().map((r) => r.depth)).toEqual([0, 1, 2, 2, 1, 2, 3, 0]);
    expect(tree.row(0)?.descendants).toBe(6);
    expect(tree.row(4)).toMatchObject({ place: 2, siblings: 2, parent: 0 });
    expect(tree.length).toBeCloseTo(0.13);
    expect(tree.row(2)?.start).toBeCloseTo(0.012);
  });

  test('failure shows above', () => {
    expect(
      tree
        .all()
        .filter((r) => r.failedBelow)
        .map((r) => r.id),
    ).toEqual(['root', 'a']);
  });

  test('a chain of 50,000 spans is no recursion', () => {
    let chain = span('s0', 0, 1);
    for (let i = 1; i < 50_000; i++) chain = span(`s${String(i)}`, 0, 1, [chain]);
    expect(treeOf([chain]).row(49_999)?.depth).toBe(49_999);
  });

  test('a child that begins before its parent is early', () => {
    const rows = treeOf([span('r', 10, 9, [span('c', 4, 2), span('d', 10, 2)])]).all();
    expect(rows.map((r) => Math.round(r.early * 1000))).toEqual([0, 6, 0]);
  });

  test('a child whose clock was not set is drawn where its parent begins, and makes nothing longer', () => {
    for (const far of [-1.8e18, 1.6e19]) {
      const tree = treeOf([span('r', 10, 9, [span('a', 12, 2), span('stray', far, 0), span('b', 14, 5)])]);
      expect(tree.length).toBeCloseTo(0.009);
      const row = tree.row(tree.find('stray'));
      expect(row).toMatchObject({ start: 0, end: 0, early: Infinity });
    }
  });

  test('a span that ends before it starts has no length', () => {
    expect(treeOf([span('x', 10, -5)]).row(0)).toMatchObject({ start: 0, end: 0 });
  });
});

test('spans are found by their ids, one or many', () => {
  expect(tree.find('b1')).toBe(5);
  expect(tree.find('gone')).toBe(-1);
  expect(tree.find(null)).toBe(-1);
  expect(tree.findAll(['orphan', 'gone', 'a'])).toEqual([1, 7]);
  expect(tree.find('b11')).toBe(6);
  expect(tree.find('gone')).toBe(-1);
});

test('a part of the spans is a tree, too', () => {
  const part = new Tree(tree.spans, 3);
  expect(ids(part.all())).toBe('root a a1');
  expect(part.find('b')).toBe(-1);
  expect(part.row(3)).toBeUndefined();
});

test('the span to show first', () => {
  expect(firstCall(tree)).toBe('b11');
  expect(firstCall(treeOf([span('x', 0, 1)]))).toBeNull();
  const embedding = span('e', 0, 1, [], { log_type: 'embedding' });
  expect(firstCall(treeOf([embedding, span('c', 2, 1, [], { log_type: 'chat' })]))).toBe('c');
  expect(firstCall(treeOf([span('t', 0, 1), embedding]))).toBe('e');
  expect(firstCall(treeOf([]))).toBeNull();
});

test('errors go round', () => {
  expect(nextFailed(tree, -1)).toBe('a2');
  expect(nextFailed(tree, 7)).toBe('a2');
  expect(nextFailed(treeOf([span('x', 0, 1)]), 0)).toBeNull();
});
