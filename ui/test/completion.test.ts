import { expect, test } from 'vitest';
import { fieldToAsk, metadataKeys, optionsAt, placeAt, take } from '../src/model/completion';

const labels = (text: string, values: string[] = [], keys: string[] = []): string[] => {
  const place = placeAt(text, text.length);
  return place
    ? optionsAt(
        place,
        values.map((value) => ({ value, count: 1 })),
        keys,
      ).map((o) => o.label)
    : [];
};

test('fields by what is typed of them, keys of metadata among them', () => {
  expect(labels('mo')[0]).toBe('model');
  expect(labels('status:ok use')).toEqual(['user']);
  expect(labels('meta', [], ['plan'])).toEqual(['metadata.plan']);
  for (const text of ['meta', 'metadata.my', 'metadata."my', 'a metadata."my k', 'has:my', 'has:metadata."my k'])
    expect(labels(text, [], ['my key', 'your key']).slice(0, 1), text).toEqual(['metadata."my key"']);
  expect(labels('metadata."my key":p', ['pro', 'x'])).toEqual(['pro']);
  expect(labels('metadata."my key" in (a, p', ['pro', 'x'])).toEqual(['pro']);
  expect(labels('span.na')).toEqual(['span.name']);
  expect(labels('span.')[0]).toBe('span.name');
  expect(labels('a -mo')[0]).toBe('model');
  expect(labels('a -status:e', ['error', 'ok'])).toEqual(['error']);
  expect(labels('"free te')).toEqual([]);
  expect(labels('')).toHaveLength(12);
});

test('values of a field, in quotes where they need them', () => {
  expect(labels('model:g', ['gemma', 'gpt', 'x'])).toEqual(['gemma', 'gpt']);
  expect(labels('model in (a, g', ['gemma', 'x'])).toEqual(['gemma']);
  expect(labels('latency:>')[0]).toBe('500ms');
  expect(labels('has:tt')).toEqual(['ttft']);
  expect(labels('http:x')).toEqual([]);
  const place = placeAt('name:tw rest', 7);
  if (!place) throw new Error('no place');
  const [option] = optionsAt(place, [{ value: 'two words', count: 3 }], []);
  if (!option) throw new Error('no option');
  expect(take('name:tw rest', 7, place, option)).toEqual({ text: 'name:"two words" rest', cursor: 17 });
});

test('what is asked for values', () => {
  const ask = (text: string): unknown => fieldToAsk(placeAt(text, text.length));
  expect(ask('user:')).toEqual({ field: 'customer_identifier', of: 'traces' });
  expect(ask('span.thread:')).toEqual({ field: 'thread_identifier', of: 'spans' });
  expect(ask('span(type:')).toEqual({ field: 'log_type', of: 'spans' });
  expect(ask('metadata.plan:p')).toEqual({ field: 'metadata__plan', of: 'traces' });
  expect(ask('metadata."my key":p')).toEqual({ field: 'metadata__my key', of: 'traces' });
  expect(ask('latency>')).toBeNull();
  expect(ask('output~')).toBeNull();
});

test('keys of metadata, the usual first', () => {
  expect(metadataKeys([{ metadata: { b: 1 } }, { metadata: { a: 1, b: 2 } }, { metadata: null }])).toEqual(['b', 'a']);
});

test('span(…): offered, filled with fields of spans, and ended', () => {
  expect(labels('span')).toContain('span(…)');
  expect(labels('span(')[0]).toBe('name');
  expect(labels('span(')).not.toContain(')');
  expect(labels('span(err')).toEqual(['error_message']);
  expect(labels('span(type:tool ')[0]).toBe(')');
  expect(labels('span(type in (a, b) ')[0]).toBe(')');
  expect(labels('span(type:tool NOT ')).not.toContain(')');
  expect(labels('span(type:tool) ')).not.toContain(')');
  expect(labels('span(type:tool) err')).toContain('errors');
  const text = 'span(type:tool ';
  const place = placeAt(text, text.length);
  const [end] = place ? optionsAt(place, [], []) : [];
  if (!place || !end) throw new Error('no option');
  expect(take(text, text.length, place, end).text).toBe('span(type:tool) ');
});
