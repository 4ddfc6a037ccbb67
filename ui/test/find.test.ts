import { expect, test } from 'vitest';
import { findFilter, findRows, nextFound } from '../src/model/find';
import { treeOf } from './nested';

const tree = treeOf([
  {
    id: 'r',
    at: 0,
    lasts: 9,
    more: { name: 'Nightly' },
    children: [
      { id: 'a', at: 1, lasts: 1, more: { name: 'chat', model: 'org/Tiny', log_type: 'chat' } },
      { id: 'b', at: 2, lasts: 1, more: { name: 'load', error_message: 'no tiny file' } },
      { id: 'c', at: 3, lasts: 1, more: { name: 'save' } },
    ],
  },
]);
const none: string[] = [];

test('names, models, types, errors and whole ids, in either case; and what the server found', () => {
  expect(findRows(tree, 'TINY', none)).toEqual([1, 2]);
  expect(findRows(tree, 'nightly', none)).toEqual([0]);
  expect(findRows(tree, 'chat', none)).toEqual([1]);
  expect(findRows(tree, 'c', none)).toEqual([1, 3]);
  expect(findRows(tree, 'save', ['r', 'gone'])).toEqual([0, 3]);
  expect(findRows(tree, '  ', ['r'])).toEqual([]);
});

test('the filter is one phrase, whatever is in it', () => {
  expect(findFilter(' a "b" OR c\\d ')).toBe('"a \\"b\\" OR c\\\\d"');
  expect(findFilter('语言')).toBe('"语言"');
  expect(findFilter(' ()* ')).toBeNull();
});

test('matches go round, both ways', () => {
  expect(nextFound([1, 4, 7], 4, 1)).toBe(7);
  expect(nextFound([1, 4, 7], 7, 1)).toBe(1);
  expect(nextFound([1, 4, 7], 5, -1)).toBe(4);
  expect(nextFound([1, 4, 7], 1, -1)).toBe(7);
  expect(nextFound([], 1, 1)).toBeNull();
});
