import { expect, test } from 'vitest';
import {
  choices,
  columns,
  gridOf,
  leastWidth,
  moveColumn,
  nextSort,
  readColumns,
  resizeColumn,
  sortedBy,
  toggleColumn,
  usual,
  writeColumns,
} from '../src/model/columns';

const ids = (shown: { id: string }[]): string => shown.map(({ id }) => id).join(' ');

test('what is kept is read again, whatever its keys', () => {
  const shown = readColumns('cost metadata.two%20words nonsense time cost %');
  expect(ids(shown)).toBe('cost metadata.two words time');
  expect(readColumns(writeColumns(shown))).toEqual(shown);
  expect(readColumns('')).toBe(usual);
});

test('chosen, taken back, moved', () => {
  const [time, name] = columns;
  if (!time || !name) throw new Error('no columns');
  expect(ids(toggleColumn([time], name))).toBe('time name');
  expect(ids(toggleColumn([time, name], time))).toBe('name');
  expect(ids(toggleColumn([time], time))).toBe('time');
  expect(ids(moveColumn(usual, 6, 0)).startsWith('status time name')).toBe(true);
  expect(moveColumn(usual, 0, -1)).toBe(usual);
  expect(ids(choices([name], ['plan'])).startsWith('name time preview')).toBe(true);
  expect(ids(choices([name], ['plan'])).endsWith('environment metadata.plan')).toBe(true);
  expect(leastWidth([time])).toBe(140);
});

test('headers sort by the most, the least, and not at all', () => {
  expect(nextSort('duration', '')).toBe('-duration');
  expect(nextSort('duration', '-duration')).toBe('duration');
  expect(nextSort('duration', 'duration')).toBe('');
  expect(nextSort('start_time', '')).toBe('start_time');
  expect(nextSort('start_time', '-duration')).toBe('');
  expect(sortedBy('start_time', '')).toBe('descending');
  expect(sortedBy('duration', 'duration')).toBe('ascending');
  expect(sortedBy('duration', '')).toBeUndefined();
});

test('widths are set, kept within bounds and with the columns, and taken back', () => {
  const set = resizeColumn(readColumns('time metadata.a%3Ab'), 'metadata.a:b', 200.4);
  expect(writeColumns(set)).toBe('time metadata.a%3Ab:200');
  expect(readColumns(writeColumns(set))).toEqual(set);
  expect(gridOf(set)).toBe('112px 200px');
  expect(leastWidth(set)).toBe(28 + 112 + 13 + 200);
  expect(writeColumns(resizeColumn(set, 'time', 1))).toBe('time:40 metadata.a%3Ab:200');
  expect(resizeColumn(set, 'metadata.a:b', null)).toEqual(readColumns('time metadata.a%3Ab'));
  expect(writeColumns(readColumns('time:wide name:1e9'))).toBe('time name:1600');
});

test('what stands before an edge that is moved stays as wide as it was', () => {
  const shown = readColumns('time name model cost');
  expect(writeColumns(resizeColumn(shown, 'model', 150, [112, 300]))).toBe('time name:300 model:150 cost');
  expect(writeColumns(resizeColumn(shown, 'time', 90, []))).toBe('time:90 name model cost');
});
