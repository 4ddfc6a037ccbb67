import { expect, test } from 'vitest';
import type { Json } from '../src/api/types';
import { isSmall } from '../src/model/json';

test('small is few parts in all', () => {
  expect(isSmall({ args: ['x'], kwargs: {} })).toBe(true);
  expect(isSmall(null)).toBe(true);
  expect(isSmall(Array.from({ length: 61 }, () => 1))).toBe(false);
  let deep: Json = 1;
  for (let i = 0; i < 100; i++) deep = [deep];
  expect(isSmall(deep)).toBe(false);
});
