import { expect, test } from 'vitest';
import type { Branch } from '../src/api/types';
import { change, differences, firstPair, pairTrees, parseEnd, textOf } from '../src/model/compare';
import { compareUrl, parseRoute } from '../src/model/route';
import { Spans } from '../src/model/spans';
import { Tree } from '../src/model/tree';

let ids = 0;
/** [depth, name, log type, model] */
const tree = (...spans: [number, string, string?, string?][]) =>
  new Tree(
    Spans.of(
      spans.map(([depth, name, log_type = 'task', model], i): Branch => ({
        depth,
        name,
        log_type,
        span_unique_id: String(++ids).padStart(16, '0'),
        start: i,
        latency: 1,
        ...(model === undefined ? {} : { model }),
      })),
    ),
  );
const pairs = (...args: Parameters<typeof pairTrees>) =>
  pairTrees(...args).map((p) => `${' '.repeat(p.depth)}${p.a?.span.name ?? '-'}/${p.b?.span.name ?? '-'}`);

test('spans stand for each other by path and order; the others stand alone in their place', () => {
  const a = tree([0, 'flow'], [1, 'plan'], [1, 'call'], [1, 'call'], [1, 'save'], [2, 'disk']);
  const b = tree([0, 'flow'], [1, 'check'], [1, 'call'], [1, 'save'], [1, 'call'], [1, 'call']);
  expect(pairs(a, b)).toEqual([
    'flow/flow',
    ' -/check',
    ' plan/-',
    ' call/call',
    ' call/call',
    ' -/call',
    ' save/save',
    '  disk/-',
  ]);
});

test('calls of other models are compared, and so are roots of other names', () => {
  const a = tree([0, 'one'], [1, 'chat m/a', 'chat', 'm/a']);
  const b = tree([0, 'two'], [1, 'chat m/b', 'chat', 'm/b']);
  expect(pairs(a, b)).toEqual(['one/two', ' chat m/a/chat m/b']);
  expect(firstPair(pairTrees(a, b))?.a?.span.name).toBe('chat m/a');
  expect(firstPair(pairTrees(tree(), tree()))).toBeNull();
});

test('a tree of ten thousand levels is paired', () => {
  const deep = () => tree(...Array.from({ length: 10_000 }, (_, i): [number, string] => [i, `level ${String(i)}`]));
  expect(pairTrees(deep(), deep()).every((p) => p.a && p.b)).toBe(true);
});

test('values are removed, added, changed or the same', () => {
  expect(differences({ a: 1, b: 2, c: [3] }, { b: 5, c: [3], d: 'x' }).map((d) => [d.key, d.kind, d.a, d.b])).toEqual([
    ['a', 'removed', '1', null],
    ['b', 'changed', '2', '5'],
    ['c', 'same', '[3]', '[3]'],
    ['d', 'added', null, 'x'],
  ]);
  expect(differences(null, null)).toEqual([]);
});

test('what goes in is one text, with who said it', () => {
  expect(
    textOf([
      { role: 'user', content: 'a' },
      { role: 'assistant', content: null, tool_calls: [{ name: 'f' }] },
    ]),
  ).toBe('user: a\n\nassistant: \n[\n  {\n    "name": "f"\n  }\n]');
  expect([textOf(null), textOf('x'), textOf({ a: 1 })]).toEqual(['', 'x', '{\n  "a": 1\n}']);
});

test('a change is said in parts of a hundred', () => {
  expect([change(1, 1.5), change(2, 1), change(1, 1.012), change(1, 1), change(0, 3), change(null, 1)]).toEqual([
    '+50 %',
    '−50 %',
    '+1.2 %',
    '',
    '',
    '',
  ]);
});

test('both ends are in the address', () => {
  const [t, s] = ['ab'.repeat(16), '0c'.repeat(8)];
  const url = new URL(compareUrl(t, `${t}.${s}`), 'http://x');
  expect(parseRoute(url.pathname, url.search)).toEqual({ view: 'compare', a: t, b: `${t}.${s}` });
  expect(parseEnd(`${t}.${s}`)).toEqual({ trace: t, span: s });
  expect([parseEnd(t)?.span, parseEnd('x'), parseEnd(`${t}.1`)]).toEqual([null, null, null]);
});
