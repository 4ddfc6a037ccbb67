import { expect, test } from 'vitest';
import { askAgainMs, erasure } from '../src/model/erasure';

test('what is deleted is said to be gone from the disk only when it is', () => {
  const done = { compacting: false, erased: true, error: null };
  expect(erasure('3 traces', null)).toMatch(/being rid of them/);
  expect(erasure('3 traces', { ...done, compacting: true })).toMatch(/being rid of them/);
  expect(erasure('3 traces', done)).toBe('3 traces deleted, and gone from the disk.');
  expect(erasure('3 traces', { ...done, erased: false })).toMatch(/within minutes/);
  expect(erasure('3 traces', { ...done, erased: false, error: 'no room on the disk' })).toMatch(
    /not yet gone from the disk: no room on the disk\. The server tries again/,
  );
});

test('it is asked until the disk is rid of it and nobody is at it', () => {
  expect(askAgainMs({ compacting: true, erased: false })).not.toBeNull();
  expect(askAgainMs({ compacting: true, erased: true })).not.toBeNull();
  expect(askAgainMs({ compacting: false, erased: false })).not.toBeNull();
  expect(askAgainMs({ compacting: false, erased: true })).toBeNull();
});
