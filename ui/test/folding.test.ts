import { expect, test } from 'vitest';
import {
  allClosed,
  allOpen,
  foldDeepest,
  foldedIn,
  foldingText,
  openShallowest,
  parseFolding,
  placeOf,
  reveal,
  rowsSeen,
  shownFor,
  turn,
  type Folding,
} from '../src/model/folding';
import { treeOf } from './nested';

const at = (id: string, ...children: ReturnType<typeof leaf>[]) => ({ ...leaf(id), children });
const leaf = (id: string) => ({ id, at: 0, lasts: 1, children: [] as { id: string; at: number; lasts: number }[] });
const tree = treeOf([at('root', at('a', leaf('a1'), leaf('a2')), at('b', at('b1', leaf('b11')))), leaf('last')]);
const seen = (folding: Folding): string =>
  [...(rowsSeen(tree, folding) ?? Uint32Array.from({ length: tree.n }, (_, i) => i))]
    .map((i) => tree.idOf(i))
    .join(' ');

test('hides what is below', () => {
  expect(seen(turn(allOpen, 'a'))).toBe('root a b b1 b11 last');
  expect(seen(turn(turn(allOpen, 'a'), 'a'))).toBe('root a a1 a2 b b1 b11 last');
  expect(rowsSeen(tree, allOpen)).toBeNull();
});

test('level by level, and back', () => {
  const one = foldDeepest(tree, allOpen);
  expect(seen(one)).toBe('root a a1 a2 b b1 last');
  const two = foldDeepest(tree, one);
  expect(seen(two)).toBe('root a b last');
  const three = foldDeepest(tree, two);
  expect(seen(three)).toBe('root last');
  expect(foldDeepest(tree, three)).toEqual(three);
  expect(seen(openShallowest(tree, three))).toBe('root a b last');
  expect(openShallowest(tree, one)).toEqual(allOpen);
  expect(openShallowest(tree, allOpen)).toBe(allOpen);
});

test('what was folded by itself stays so below the level, and opens with its own', () => {
  const a = turn(allOpen, 'a');
  const one = foldDeepest(tree, a);
  expect(seen(one)).toBe('root a b b1 last');
  const two = foldDeepest(tree, one);
  expect(seen(two)).toBe('root a b last');
  expect(seen(openShallowest(tree, two))).toBe('root a a1 a2 b b1 last');
  expect(seen(openShallowest(tree, a))).toBe('root a a1 a2 b b1 b11 last');
});

test('all at once', () => {
  expect(seen(allClosed)).toBe('root last');
  expect(seen(turn(allClosed, 'root'))).toBe('root a b last');
});

test('a span is revealed through all its parents', () => {
  const b11 = tree.find('b11');
  expect(seen(reveal(tree, allClosed, b11))).toBe('root a b b1 b11 last');
  expect(reveal(tree, allOpen, b11)).toBe(allOpen);
  const folded = { level: Infinity, but: new Set(['root', 'b', 'b1', 'a']) };
  expect([...reveal(tree, folded, b11).but]).toEqual(['a']);
});

test('a hidden span is stood for by the highest folded one above it', () => {
  const b11 = tree.find('b11');
  const of = (...but: string[]) => tree.idOf(shownFor(tree, { level: Infinity, but: new Set(but) }, b11));
  expect(of('b', 'b1')).toBe('b');
  expect(of('b11', 'a')).toBe('b11');
  expect(foldedIn(tree, allClosed)(b11)).toBe(false); // nothing is below it
});

test('where a row stands among those that can be seen', () => {
  const rows = rowsSeen(tree, turn(allOpen, 'a'));
  expect(placeOf(rows, tree.find('b'))).toBe(2);
  expect(placeOf(rows, tree.find('a2'))).toBe(-1);
  expect(placeOf(null, 5)).toBe(5);
  expect(placeOf(rows, -1)).toBe(-1);
});

test('folding is kept in an address: a level, single spans, or both', () => {
  for (const folding of [allOpen, allClosed, turn(allOpen, 'a'), turn(turn({ ...allOpen, level: 2 }, 'b'), 'root')]) {
    expect(parseFolding(foldingText(folding))).toEqual(folding);
  }
  expect(foldingText(allOpen)).toBe('');
  expect(foldingText(turn({ ...allOpen, level: 2 }, 'b'))).toBe('2.b');
  expect(foldingText(turn(allOpen, 'b'))).toBe('.b');
  let many = allOpen;
  for (let i = 0; i < 200; i++) many = turn(many, String(i));
  expect(foldingText(many).split('.').length).toBe(51);
  expect(parseFolding('x').level).toBe(Infinity);
});
