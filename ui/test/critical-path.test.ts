import { expect, test } from 'vitest';
import { criticalPath, join } from '../src/model/critical-path';
import { sumsOf } from '../src/model/sums';
import { treeOf, type Nested } from './nested';

const at = (id: string, from: number, to: number, children: Nested[] = []): Nested => ({
  id,
  at: from,
  lasts: to - from,
  children,
});

/** "root 0-10 40-100" for each span that the path goes through. */
function path(...roots: Nested[]): string[] {
  const tree = treeOf(roots);
  const critical = criticalPath(tree);
  return tree.all().flatMap(({ id, index }) => {
    const said = critical
      .sections(index, index + 1)
      .map(({ from, to }) => `${String(Math.round(from * 1000))}-${String(Math.round(to * 1000))}`);
    return said.length === 0 ? [] : [`${id} ${said.join(' ')}`];
  });
}

test('a span alone is its own path', () => {
  expect(path(at('a', 0, 100))).toEqual(['a 0-100']);
});

test('one child after another: the parent has what lies between', () => {
  expect(path(at('r', 0, 100, [at('a', 10, 40), at('b', 50, 90)]))).toEqual([
    'r 0-10 40-50 90-100',
    'a 10-40',
    'b 50-90',
  ]);
  expect(path(at('r', 0, 90, [at('a', 0, 40), at('b', 40, 90)]))).toEqual(['a 0-40', 'b 40-90']);
});

test('of parallel children the last to finish was waited for', () => {
  expect(path(at('r', 0, 100, [at('a', 10, 60), at('b', 10, 90), at('c', 12, 30)]))).toEqual([
    'r 0-10 90-100',
    'b 10-90',
  ]);
  // a ended before c began, b did not.
  expect(path(at('r', 0, 100, [at('a', 5, 30), at('b', 10, 60), at('c', 40, 100)]))).toEqual([
    'r 0-5 30-40',
    'a 5-30',
    'c 40-100',
  ]);
});

test('grandchildren are waited for through their parents', () => {
  expect(path(at('r', 0, 100, [at('a', 10, 80, [at('b', 20, 70, [at('c', 30, 60)])])]))).toEqual([
    'r 0-10 80-100',
    'a 10-20 70-80',
    'b 20-30 60-70',
    'c 30-60',
  ]);
});

test('a child that outlives its parent counts to its end, one that begins behind it not at all', () => {
  expect(path(at('r', 0, 50, [at('a', 10, 200, [at('b', 60, 190)])]))).toEqual(['r 0-10', 'a 10-50']);
  expect(path(at('r', 0, 50, [at('late', 60, 90)]))).toEqual(['r 0-50']);
});

test('a child whose clock is behind counts from its start', () => {
  expect(path(at('x', 0, 5), at('r', 10, 50, [at('early', 2, 30)]))).toEqual(['x 0-5', 'r 30-50', 'early 10-30']);
});

test('several roots: whoever ran last was waited for', () => {
  expect(path(at('a', 0, 40), at('b', 10, 30), at('c', 50, 90))).toEqual(['a 0-40', 'c 50-90']);
});

test('a span without length is passed over', () => {
  expect(path(at('r', 0, 10, [at('a', 10, 10), at('b', 5, 5)]))).toEqual(['r 0-10']);
});

test('of a folded span the sections below it are its own', () => {
  const tree = treeOf([at('r', 0, 100, [at('a', 10, 40), at('b', 50, 90)])]);
  expect(criticalPath(tree).sections(0, 3)).toEqual([{ from: 0, to: 0.1 }]);
});

test('a hundred thousand spans, side by side or one in the other, take no recursion', () => {
  const wide = treeOf([
    at(
      'r',
      0,
      100_000,
      Array.from({ length: 100_000 }, (_, i) => at(String(i), i, i + 1)),
    ),
  ]);
  expect(criticalPath(wide).sections(0, wide.n)).toEqual([{ from: 0, to: 100 }]);
  let deep = at('x', 0, 20_000);
  for (let i = 0; i < 20_000; i++) deep = at(String(i), 0, 20_000, [deep]);
  const chain = treeOf([deep]);
  expect(criticalPath(chain).sections(0, 20_000)).toEqual([]);
  expect(criticalPath(chain).sections(20_000, 20_001)).toEqual([{ from: 0, to: 20 }]);
});

test('sections that touch are one', () => {
  expect(
    join(
      [
        { from: 0, to: 1 },
        { from: 1, to: 2 },
        { from: 3, to: 4 },
      ],
      0.1,
    ),
  ).toEqual([
    { from: 0, to: 2 },
    { from: 3, to: 4 },
  ]);
});

test('self time is what no child covers, whatever they overlap or outlive', () => {
  const tree = treeOf([at('r', 0, 100, [at('a', 10, 50), at('b', 30, 60, [at('c', 0, 40)]), at('d', 90, 200)])]);
  const self = [...sumsOf(tree).self].map((s) => Math.round(s * 1000));
  expect(tree.all().map((r, i) => `${r.id} ${String(self[i])}`)).toEqual(['r 40', 'a 40', 'b 20', 'c 40', 'd 110']);
});

test('what a pipeline of another task costs is counted; it is no model call', () => {
  const tree = treeOf([
    { ...at('r', 0, 9, [{ ...at('a', 0, 5), more: { log_type: 'custom', cost: 0.5, prompt_tokens: 7 } }]) },
  ]);
  const { calls, tokens, cost } = sumsOf(tree);
  expect([[...calls], [...tokens], [...cost]]).toEqual([
    [0, 0],
    [0, 0],
    [0.5, 0.5],
  ]);
});

test('tokens and cost of the model calls below; those that a workflow repeats are not counted', () => {
  const call = (id: string, prompt: number, completion: number, cost?: number): Nested => ({
    ...at(id, 0, 1),
    more: {
      log_type: 'chat',
      prompt_tokens: prompt,
      completion_tokens: completion,
      ...(cost === undefined ? {} : { cost }),
    },
  });
  const tree = treeOf([
    {
      ...at('r', 0, 9, [at('t', 0, 5, [call('a', 10, 2, 0.5), call('b', 1, 1)]), call('c', 3, 0, 0.25)]),
      more: { prompt_tokens: 99 },
    },
  ]);
  const { calls, tokens, cost } = sumsOf(tree);
  expect([...calls]).toEqual([3, 2, 1, 1, 1]);
  expect([...tokens]).toEqual([17, 14, 12, 2, 3]);
  expect([...cost]).toEqual([0.75, 0.5, 0.5, NaN, 0.25]);
});
