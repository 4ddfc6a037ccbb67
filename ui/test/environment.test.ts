import { expect, test } from 'vitest';
import { environmentOf, placeIn, withEnvironment } from '../src/model/environment';
import { parseRoute } from '../src/model/route';

const at = (url: string) => {
  const { pathname, search } = new URL(url, 'http://x');
  return parseRoute(pathname, search);
};

test('the environment is read from the filter of a view', () => {
  expect(environmentOf(at('/?q=environment:staging status:error'))).toBe('staging');
  expect(environmentOf(at('/dashboard?q=environment:staging'))).toBe('staging');
  expect(environmentOf(at('/threads?q=environment:staging'))).toBe('staging');
  for (const url of [
    '/',
    '/?q=environment in (a, b)',
    '/?q=NOT environment:a',
    '/?q=a OR environment:b',
    '/users?q=environment:a',
    '/settings/keys',
  ])
    expect(environmentOf(at(url))).toBe(null);
});

test('another environment takes its place in the filter, and the rest stays', () => {
  const url = (from: string, to: string | null): string => decodeURIComponent(withEnvironment(at(from), to));
  expect(url('/?q=status:error environment:a&from=-1h', 'b c')).toBe('/?q=status:error env:"b c"&from=-1h');
  expect(url('/?q=status:error environment:a', null)).toBe('/?q=status:error');
  expect(url('/threads?sort=cost', 'a')).toBe('/threads?q=env:a&sort=cost');
  expect(url('/dashboard?by=model', 'a')).toBe('/dashboard?by=model&q=env:a');
  expect(url('/dashboard?q=environment:a', null)).toBe('/dashboard');
  expect(url('/settings/keys', 'a')).toBe('/?q=env:a');
});

test('places that have the filter are entered in the environment that one is in', () => {
  expect(placeIn(at('/?q=environment:a status:error'), '/dashboard')).toBe('/dashboard?q=env%3Aa');
  expect(placeIn(at('/?q=environment:a'), '/users')).toBe('/users');
  expect(placeIn(at('/'), '/threads')).toBe('/threads');
});
