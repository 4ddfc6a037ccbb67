import { expect, test } from 'vitest';
import { nextPath } from '../src/model/door';

test('one goes back to where one came from, and nowhere else', () => {
  expect(nextPath('')).toBe('/');
  expect(nextPath('?next=%2Ftraces%2Fab%3Fspan%3D1')).toBe('/traces/ab?span=1');
  for (const next of [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    'javascript:alert(1)',
    '/a\\b',
    '/a b',
    '',
  ])
    expect(nextPath(`?next=${encodeURIComponent(next)}`)).toBe('/');
});
