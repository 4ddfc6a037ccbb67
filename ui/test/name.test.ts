import { expect, test } from 'vitest';
import { shortModel, spanLabel, traceLabel } from '../src/model/name';

test('the owner of a model gives way', () => {
  expect(shortModel('org/name')).toBe('name');
  expect(shortModel('name')).toBe('name');
  expect(spanLabel({ name: 'chat org/m', span_name: 'x', model: 'org/m' })).toBe('chat m');
  expect(spanLabel({ name: null, span_name: 'chat org/m', model: 'org/m' })).toBe('chat m');
  expect(spanLabel({ name: 'mine', span_name: 'x', model: 'org/m' })).toBe('mine');
  expect(spanLabel({ name: 'mine', span_name: 'x', model: null })).toBe('mine');
  expect(traceLabel('load org/m')).toBe('load m');
  expect(traceLabel('load m')).toBe('load m');
  expect(traceLabel('load /home/me/models/m')).toBe('load m');
  expect(traceLabel('ask a/b')).toBe('ask a/b');
});
