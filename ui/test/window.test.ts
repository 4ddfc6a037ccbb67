import { expect, test } from 'vitest';
import { parseRoute, traceUrl, tracesUrl } from '../src/model/route';
import { scrollToShow, sliceOf } from '../src/model/window';

test('only what is in the window, and a little around it', () => {
  expect(sliceOf(0, 300, 30, 10_000, 2)).toEqual({ first: 0, last: 12 });
  expect(sliceOf(30_000, 300, 30, 10_000, 2)).toEqual({ first: 998, last: 1012 });
  expect(sliceOf(9e9, 300, 30, 100, 2)).toEqual({ first: 100, last: 100 });
  expect(sliceOf(0, 300, 30, 0)).toEqual({ first: 0, last: 0 });
});

test('a step scrolls by a row, a leap to the middle', () => {
  expect(scrollToShow(5, 0, 300, 30)).toBe(0);
  expect(scrollToShow(10, 0, 300, 30)).toBe(30);
  expect(scrollToShow(9, 300, 300, 30)).toBe(270);
  expect(scrollToShow(500, 0, 300, 30)).toBe(15_000 - 135);
});

test('addresses', () => {
  const id = '0123456789abcdef0123456789abcdef';
  expect(parseRoute('/', '?q=a%20b&view=x')).toMatchObject({ view: 'traces', q: 'a b', sort: '', saved: '' });
  expect(parseRoute('/', '?q=&view=12')).toMatchObject({ q: '', saved: '12' });
  expect(parseRoute(`/traces/${id}`, '?span=ff')).toMatchObject({ view: 'trace', id, span: 'ff' });
  const token = `${'aB3-_'.repeat(8)}xyz`;
  expect(parseRoute(`/share/${token}`, '?span=ff')).toMatchObject({ view: 'trace', id: token, span: 'ff' });
  expect(parseRoute('/share/short', '')).toEqual({ view: 'none' });
  expect(traceUrl(token, 'ff')).toBe(`/share/${token}?span=ff`);
  expect(parseRoute('/traces/nonsense', '')).toEqual({ view: 'none' });
  expect(tracesUrl('a b&c')).toBe('/?q=a%20b%26c');
  expect(tracesUrl('', { from: '-1h', sort: '-duration' })).toBe('/?from=-1h&sort=-duration');
  expect(traceUrl(id, 'ff')).toBe(`/traces/${id}?span=ff`);
});
