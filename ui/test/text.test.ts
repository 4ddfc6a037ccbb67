import { expect, test } from 'vitest';
import { cut, cutLong, oneLine, pieces, visible } from '../src/model/text';

test('what reorders or hides is written out, what is read is left', () => {
  expect(visible('a\u202egnp.exe')).toBe('a‹202E›gnp.exe');
  expect(visible('\u2066x\u2069')).toBe('‹2066›x‹2069›');
  expect(visible('bell\u0007 nul\u0000')).toBe('bell‹07› nul‹00›');
  expect(visible('line\r\nline\ttab مرحبا \u200f 👩‍🚀')).toBe('line\nline\ttab مرحبا \u200f 👩‍🚀');
});

test('one line', () => {
  expect(oneLine('a\n\n  b\tc')).toBe('a b c');
  expect(oneLine('x'.repeat(1000))).toBe(`${'x'.repeat(300)}…`);
});

test('no character is cut in half', () => {
  expect(cut('ab😀', 3)).toBe('ab');
  expect(cut('ab😀', 4)).toBe('ab😀');
  const text = '😀'.repeat(30_000);
  expect(pieces(text, 1001).join('')).toBe(text);
  expect(pieces(text, 1001).every((p) => !/^[\udc00-\udfff]/.test(p))).toBe(true);
});

test('long text is cut at lines and characters, short remainders are shown', () => {
  expect(cutLong('short', 100, 10)).toEqual({ shown: 'short', whole: true });
  expect(cutLong('x'.repeat(120), 100, 10).whole).toBe(true);
  expect(cutLong('x'.repeat(1000), 100, 10)).toEqual({ shown: 'x'.repeat(100), whole: false });
  const lines = Array.from({ length: 100 }, (_, i) => `line ${String(i)} of a hundred`).join('\n');
  expect(cutLong(lines, 1e6, 3).shown.split('\n')).toHaveLength(3);
});

test('pieces keep every byte, and end with lines', () => {
  const text = Array.from({ length: 5000 }, (_, i) => `line ${String(i)}`).join('\n');
  const parts = pieces(text, 1000);
  expect(parts.join('')).toBe(text);
  expect(parts.slice(0, -1).every((p) => p.endsWith('\n'))).toBe(true);
});
