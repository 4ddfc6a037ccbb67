import { expect, test } from 'vitest';
import { environmentOf, inEnvironment, withEnvironment } from '../src/model/environment';
import { parseRoute } from '../src/model/route';

const at = (url: string) => {
  const { pathname, search } = new URL(url, 'http://x');
  return parseRoute(pathname, search);
};

test('the environment is read from the filter of a view', () => {
  expect(environmentOf(at('/?q=environment:staging status:error'))).toBe('staging');
  expect(environmentOf(at('/dashboard?q=environment:staging'))).toBe('staging');
  expect(environmentOf(at('/threads?q=environment:staging'))).toBe('staging');
  expect(environmentOf(at('/users?q=ann&env=staging'))).toBe('staging');
  expect(environmentOf(at('/users/ann?env=staging'))).toBe('staging');
  for (const url of [
    '/',
    '/?q=environment in (a, b)',
    '/?q=NOT environment:a',
    '/?q=a OR environment:b',
    '/users?q=environment:a',
  ])
    expect(environmentOf(at(url))).toBe('');
  for (const url of ['/settings/keys', `/traces/${'ab'.repeat(16)}`, '/threads/x', '/compare'])
    expect(environmentOf(at(url))).toBe(null);
});

test('another environment takes its place in the filter, and the rest stays', () => {
  const url = (from: string, to: string): string => decodeURIComponent(withEnvironment(at(from), to));
  expect(url('/?q=status:error environment:a&from=-1h', 'b c')).toBe('/?q=status:error env:"b c"&from=-1h');
  expect(url('/?q=status:error environment:a', '')).toBe('/?q=status:error');
  expect(url('/users?q=ann&sort=cost', 'a')).toBe('/users?q=ann&sort=cost&env=a');
  expect(url('/users/ann?from=-1h&env=a', '')).toBe('/users/ann?from=-1h');
  expect(url('/threads?sort=cost', 'a')).toBe('/threads?q=env:a&sort=cost');
  expect(url('/dashboard?by=model', 'a')).toBe('/dashboard?by=model&q=env:a');
  expect(url('/dashboard?q=environment:a', '')).toBe('/dashboard');
  expect(url('/settings/keys', 'a')).toBe('/?q=env:a');
});

test('places are entered in the environment that one is in', () => {
  expect(inEnvironment('a', '/dashboard')).toBe('/dashboard?q=env%3Aa');
  expect(inEnvironment('a', '/users')).toBe('/users?env=a');
  expect(inEnvironment('', '/threads')).toBe('/threads');
  expect(inEnvironment('a', '/settings')).toBe('/settings');
  expect(inEnvironment('a', '/?q=env%3Ab+model%3Ax&from=-1h')).toBe('/?q=model%3Ax%20env%3Aa&from=-1h');
  expect(inEnvironment('', '/?q=environment%20in%20(a,%20b)')).toBe('/?q=environment%20in%20(a,%20b)');
});
