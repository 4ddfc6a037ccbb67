import { expect, test } from 'vitest';
import {
  asQuery,
  choiceOf,
  fieldOf,
  placeOfError,
  spelled,
  tokenFor,
  toggleValue,
  typedName,
  withChoice,
} from '../src/model/filter';

test.each([
  ['', ''],
  ['release notes', 'release notes'],
  ['  status:error  ', '  status:error'],
  ['status:error OR duration>2', 'status:error OR duration>2'],
  ['model:x AND NOT', 'model:x'],
  ['OR', ''],
  ['a NOT model.dtype:', 'a'],
  ['span(type:tool latency>1)', 'span(type:tool latency>1)'],
  ['span(type:tool', 'span(type:tool)'],
  ['x span(', 'x'],
  ['model in (a, b)', 'model in (a, b)'],
  ['model in (a,', 'model in (a)'],
  ['model in (', ''],
  ['model in (a, "b c', 'model in (a, "b c")'],
  ['this or that', 'this or that'],
  ['metadata.pl', ''],
  ['model.dty', ''],
  ['a metadata."my ke', 'a'],
  ['metadata."my key"', ''],
  ['metadata."my key":', ''],
  ['metadata."my key":x', 'metadata."my key":x'],
  ['metadata."my key":"a b', 'metadata."my key":"a b"'],
  ['has:metadata."my ke', 'has:metadata."my ke"'],
  ['NOT has:metadata."my key" b', 'NOT has:metadata."my key" b'],
  ['model:', ''],
  ['latency:>', ''],
  ['latency>', ''],
  ['has:', ''],
  ['has:ttft', 'has:ttft'],
  ['span.', ''],
  ['span.name:', ''],
  ['name:"', ''],
  ['name:"unclosed quote', 'name:"unclosed quote"'],
  ['name:""', 'name:""'],
  ['"a phr', '"a phr"'],
  ['"', ''],
  ['say "he said \\"no', 'say "he said \\"no"'],
  ['http://example.org/x', 'http://example.org/x'],
  ['12:30', '12:30'],
  [
    'model:tiny-gpt2 latency:>2s status:error user:user_123 metadata.plan:pro has:ttft span.name:generate "free text"',
    'model:tiny-gpt2 latency:>2s status:error user:user_123 metadata.plan:pro has:ttft span.name:generate "free text"',
  ],
])('what is asked of «%s»', (text, q) => {
  expect(asQuery(text)).toBe(q);
});

test('names are those of the API', () => {
  expect(fieldOf('user')).toBe('customer_identifier');
  expect(fieldOf('session')).toBe('session_identifier');
  expect(fieldOf('metadata.a.b')).toBe('metadata__a.b');
  expect(fieldOf('metadata."my key"')).toBe('metadata__my key');
  expect(fieldOf('metadata__"a \\"b\\\\"')).toBe('metadata__a "b\\');
  expect(fieldOf('model.dtype')).toBe('respan.model.dtype');
  expect(fieldOf('http')).toBeNull();
});

test('a token asks for just the value that it was made for', () => {
  expect(tokenFor('model.dtype', 'float32')).toBe('model.dtype:float32');
  for (const value of ['org/name', 'bitsandbytes 4-bit nf4', '134515008', 'a:b', 'say "so"', '', 'a\\b', '*', '>2'])
    expect(choiceOf(tokenFor('model.x', value), 'respan.model.x')).toEqual({ in: [value], out: [] });
});

test('a key of metadata is in quotes where it has to be', () => {
  for (const key of ['my key', 'a "b\\', 'über:alles', '(x)', '"', 'plan']) {
    const field = `metadata__${key}`;
    const text = toggleValue('status:error', field, 'a b', 'in');
    expect(choiceOf(text, field)).toEqual({ in: ['a b'], out: [] });
    expect(toggleValue(text, field, 'a b', 'in')).toBe('status:error');
    expect(toggleValue(toggleValue(text, field, 'c', 'in'), field, 'd', 'out')).toContain(' NOT metadata.');
  }
  expect(typedName('metadata__my key')).toBe('metadata."my key"');
  expect(typedName('metadata__plan')).toBe('metadata.plan');
});

test('a value is chosen, excluded and taken back in the text', () => {
  const say = (text: string, value: string, how: 'in' | 'out' = 'in'): string => toggleValue(text, 'model', value, how);
  expect(say('', 'a')).toBe('model:a');
  expect(say('model:a', 'b')).toBe('model in (a, b)');
  expect(say('x model in (a, "b c") y', 'a')).toBe('x y model:"b c"');
  expect(say('model:a', 'a')).toBe('');
  expect(say('model:a', 'a', 'out')).toBe('NOT model:a');
  expect(say('NOT model:a', 'b', 'out')).toBe('NOT model in (a, b)');
  expect(say('model!=a z', 'a', 'out')).toBe('z');
  expect(say('x AND model:a AND y', 'a')).toBe('x AND y');
  expect(say('a OR b', 'c')).toBe('(a OR b) model:c');
  expect(say('(model:a OR x)', 'b')).toBe('(model:a OR x) model:b');
  expect(say('model:gpt*', 'b')).toBe('model:gpt* model:b');
  expect(withChoice('user:u', 'metadata__plan', { in: ['pro'], out: [] })).toBe('user:u metadata.plan:pro');
  expect(choiceOf('status:', 'status_code')).toEqual({ in: [], out: [] });
  expect(choiceOf('status:error NOT status:ok', 'status_code')).toEqual({ in: ['error'], out: ['ok'] });
});

test('the place of an error is one in the text, whatever its letters', () => {
  const message = "a trace has no field (at byte 7 of 'q')";
  expect(placeOfError('naïve modle:x', { message, position: 7 })).toEqual({
    at: 6,
    says: 'a trace has no field',
  });
  expect(placeOfError('x', { message: 'something else', position: null })).toBeNull();
});

test('what cannot be seen, or deceives, is written by its number, and read again', () => {
  expect(spelled('user:ev\u202eil "a\0b" \u2066x 👨\u200d👩 שלום')).toBe(
    'user:ev\\u202eil "a\\u0000b" \\u2066x 👨\u200d👩 שלום',
  );
  for (const value of ['ev\u202eil', 'a\0b', 'line\nbreak', 'tab\t', '\ufeff', 'a\\u202eb', 'q"\u0001\\']) {
    const token = tokenFor('user', value);
    expect(token).not.toMatch(/[\0-\x1f\u202a-\u202e\ufeff]/);
    expect(choiceOf(token, 'customer_identifier'), token).toEqual({ in: [value], out: [] });
  }
  expect(tokenFor('user', 'a\0b')).toBe('user:"a\\u0000b"');
  expect(tokenFor('metadata.n', '-5')).toBe('metadata.n:-5');
  expect(choiceOf('user:"a\\u0041\\"', 'customer_identifier').in).not.toContain('aA');
});

test('a minus is NOT before what can be negated', () => {
  expect(choiceOf('a -status:error', 'status_code')).toEqual({ in: [], out: ['error'] });
  expect(choiceOf('-model in (a, b)', 'model')).toEqual({ in: [], out: ['a', 'b'] });
  expect(choiceOf('NOT -status:error', 'status_code')).toEqual({ in: [], out: [] });
  expect(toggleValue('a -status:error', 'status_code', 'error', 'out')).toBe('a');
  expect(asQuery('a -(b')).toBe('a -(b)');
  for (const text of ['a -', 'a -(', 'a -"', 'a -status:']) expect(asQuery(text), text).toBe('a');
  for (const text of ['-1h', '-v', 'gpt-4 x', '--model=x']) expect(asQuery(text), text).toBe(text);
});
