import { expect, test } from 'vitest';
import { parseRoute, threadUrl, traceUrl, userUrl } from '../src/model/route';

test('how one looks at a trace is in its address', () => {
  const id = 'ab'.repeat(16);
  const plain = { find: '', critical: false, reader: false, fold: '', zoom: '' };
  expect(traceUrl(id)).toBe(`/traces/${id}`);
  expect(parseRoute(`/traces/${id}`, '')).toEqual({ view: 'trace', id, span: null, ...plain });
  const look = { find: 'a&b "c"', critical: true, reader: true, fold: '2.00aa', zoom: '0.5~1.25' };
  const url = new URL(traceUrl(id, '00ff', look), 'http://x');
  expect(parseRoute(url.pathname, url.search)).toEqual({ view: 'trace', id, span: '00ff', ...look });
});

test('whatever the name of a user or a thread, its address leads to it', () => {
  const at = (url: string) => {
    const { pathname, search } = new URL(url, 'http://x');
    return parseRoute(pathname, search);
  };
  for (const id of ['ann', '.', '..', 'a/../b', '%2e', '%00', 'nul\0in', 'line\nfeed', ' ', '?id=x', 'ü']) {
    expect(at(userUrl(id, { from: '-1h', env: 'a' }))).toEqual({ view: 'user', id, from: '-1h', to: '', env: 'a' });
    expect(at(threadUrl(id))).toEqual({ view: 'thread', id });
  }
  expect(at('/users').view).toBe('users');
  expect(at('/threads/').view).toBe('threads');
});
