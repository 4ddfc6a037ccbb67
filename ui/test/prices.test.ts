import { expect, test } from 'vitest';
import { amountOf, costSource, dollars, hourOf, workedExample } from '../src/model/prices';

test('amounts are read as they are typed', () => {
  expect(['', ' ', '2.5', '$2.50', '.5', '3.', '0'].map(amountOf)).toEqual([null, null, 2.5, 2.5, 0.5, 3, 0]);
  for (const wrong of ['x', '-1', '1e3', '1,5', '2 5', '.', 'NaN', 'Infinity']) expect(amountOf(wrong)).toBeNaN();
});

test('dollars keep the digits that matter', () => {
  expect([0, 2, 2.5, 0.075, 0.0001, 1e-9, 1234.5].map(dollars)).toEqual([
    '$0.00',
    '$2.00',
    '$2.50',
    '$0.075',
    '$0.0001',
    '$0.000000001',
    '$1234.50',
  ]);
});

test('an hour costs what is said, or what is drawn', () => {
  expect(hourOf(false, 2.1, null, null)).toBe(2.1);
  expect(hourOf(true, 2.1, 350, 0.3)).toBeCloseTo(0.105);
  expect(hourOf(true, null, 350, null)).toBeNaN();
  expect(hourOf(false, null, 350, 0.3)).toBeNaN();
  expect(workedExample(2.1, 0.42)).toBe('420 ms × $2.10 an hour = $0.000245');
});

test('a cost says where it is from', () => {
  const span = { cost: 0.000245, cost_source: 'time', latency: 0.42, attributes: { 'respan.model.device': 'cuda:0' } };
  expect(costSource(span)).toBe('420 ms × $2.10 an hour of cuda:0');
  expect(costSource({ ...span, attributes: null })).toBe('420 ms × $2.10 an hour');
  expect(costSource({ ...span, latency: 0 })).toBe('its time');
  expect(costSource({ ...span, cost_source: 'local', cost: 0 })).toMatch(/ran here/);
  expect(costSource({ ...span, cost_source: 'outer', cost: 0 })).toMatch(/around it/);
  expect(costSource({ ...span, cost_source: null })).toBeNull();
  expect(costSource({ ...span, cost: null })).toBeNull();
  expect(costSource({ ...span, cost_source: 'another' })).toBeNull();
});
