import { expect, test } from 'vitest';
import { diffWords } from '../src/model/diff';

const shown = (a: string, b: string): string =>
  diffWords(a, b)
    .map(({ kind, text }) => (kind === 'same' ? text : kind === 'gone' ? `[-${text}-]` : `[+${text}+]`))
    .join('');
const side = (a: string, b: string, without: 'gone' | 'new'): string =>
  diffWords(a, b)
    .filter((p) => p.kind !== without)
    .map((p) => p.text)
    .join('');

test('texts differ by words', () => {
  expect(shown('the cat sat', 'the dog sat')).toBe('the [-cat-][+dog+] sat');
  expect(shown('a b', 'a b c')).toBe('a b[+ c+]');
  expect(shown('a b c', 'b c')).toBe('[-a -]b c');
  expect(shown('', 'new')).toBe('[+new+]');
  expect(shown('Größe: 1', 'Größe: 2')).toBe('Größe: [-1-][+2+]');
  expect(diffWords('same', 'same')).toEqual([{ kind: 'same', text: 'same' }]);
  expect(diffWords('', '')).toEqual([]);
});

test('either text can be put together again from the pieces, whatever they are', () => {
  let state = 7;
  const random = (n: number): number => (state = (state * 16807) % 2147483647) % n;
  for (let round = 0; round < 200; round++) {
    const text = (): string =>
      Array.from({ length: random(40) }, () => ['a', 'b', ' ', '\n', 'é!'][random(5)]).join('');
    const [a, b] = [text(), text()];
    expect([side(a, b, 'new'), side(a, b, 'gone')]).toEqual([a, b]);
  }
});

test('long texts that have nothing in common take bounded time and stay whole', () => {
  const a = Array.from({ length: 200_000 }, (_, i) => `a${String(i)}`).join(' ');
  const b = Array.from({ length: 200_000 }, (_, i) => `b${String(i)}`).join(' ');
  expect(diffWords(a, b).map((p) => p.kind)).toEqual(['gone', 'new']);
  const lines = (by: string): string =>
    Array.from({ length: 20_000 }, (_, i) => (i % 100 ? `line ${String(i)}` : by + String(i))).join('\n');
  expect(diffWords(lines('a'), lines('b')).length).toBeGreaterThan(100);
});
