import { expect, test } from 'vitest';
import type { Json } from '../src/api/types';
import { around, isSmall, pathTo, searchJson } from '../src/model/json';

test('small is few parts in all', () => {
  expect(isSmall({ args: ['x'], kwargs: {} })).toBe(true);
  expect(isSmall(null)).toBe(true);
  expect(isSmall(Array.from({ length: 61 }, () => 1))).toBe(false);
  let deep: Json = 1;
  for (let i = 0; i < 100; i++) deep = [deep];
  expect(isSmall(deep)).toBe(false);
});

test('where a value stands', () => {
  expect(pathTo(pathTo(pathTo(pathTo('', 'a'), 'b c'), 3), 'd')).toBe('a["b c"][3].d');
  expect(pathTo('', 'x"y')).toBe('["x\\"y"]');
});

test('a long value is shown about what was found in it', () => {
  expect(around(`${'a'.repeat(900)} Needle ${'b'.repeat(900)}`, ' needle', 3)).toEqual(['…aa ', 'Needle', ' bb…']);
  expect(around('a needle', 'NEEDLE')).toEqual(['a ', 'needle', '']);
  expect(around('hay', 'needle')).toBeNull();
});

test('values are found by key and by text, in their order, with where they stand', () => {
  const value = { user: { name: 'Ann', tags: ['blue', 'red'] }, list: [{ name: 'Blues' }, { n: 7 }], blue: null };
  expect(searchJson(value, 'BLUE')).toEqual([
    { path: 'user.tags[0]', value: 'blue' },
    { path: 'list[0].name', value: 'Blues' },
    { path: 'blue', value: null },
  ]);
  expect(searchJson(value, 'name').map(({ path }) => path)).toEqual(['user.name', 'list[0].name']);
  expect(searchJson(value, ' ')).toEqual([]);
  expect(
    searchJson(
      Array.from({ length: 900 }, () => 'x'),
      'x',
    ),
  ).toHaveLength(200);
});
