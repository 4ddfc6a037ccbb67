import { expect, test } from 'vitest';
import { parseRoute, traceUrl } from '../src/model/route';

test('how one looks at a trace is in its address', () => {
  const id = 'ab'.repeat(16);
  const plain = { find: '', critical: false, reader: false, fold: '', zoom: '' };
  expect(traceUrl(id)).toBe(`/traces/${id}`);
  expect(parseRoute(`/traces/${id}`, '')).toEqual({ view: 'trace', id, span: null, ...plain });
  const look = { find: 'a&b "c"', critical: true, reader: true, fold: '2.00aa', zoom: '0.5~1.25' };
  const url = new URL(traceUrl(id, '00ff', look), 'http://x');
  expect(parseRoute(url.pathname, url.search)).toEqual({ view: 'trace', id, span: '00ff', ...look });
});
