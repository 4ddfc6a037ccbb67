import { expect, test } from 'vitest';
import { shortModel, spanLabel, traceLabel } from '../src/model/name';

test('the owner of a model gives way', () => {
  expect(shortModel('org/name')).toBe('name');
  expect(shortModel('name')).toBe('name');
  expect(spanLabel({ name: 'chat org/m', model: 'org/m' })).toBe('chat m');
  expect(spanLabel({ model: 'org/m' })).toBe('');
  expect(spanLabel({ name: 'mine', model: 'org/m' })).toBe('mine');
  expect(spanLabel({ name: 'mine' })).toBe('mine');
  expect(traceLabel({ name: 'load org/m', model: null })).toBe('load m');
  expect(traceLabel({ name: 'load m', model: null })).toBe('load m');
  expect(traceLabel({ name: 'load /home/me/models/m', model: null })).toBe('load m');
  expect(traceLabel({ name: 'ask a/b', model: 'a/c' })).toBe('ask a/b');
  expect(traceLabel({ name: 'chat a/b', model: 'a/b' })).toBe('chat b');
  expect(traceLabel({ name: null, model: null })).toBe('');
});
