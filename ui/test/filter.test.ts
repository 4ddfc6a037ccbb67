import { expect, test } from 'vitest';
import { beginToken, parseFilter, tokenFor } from '../src/model/filter';

test.each([
  ['', []],
  ['release notes', [['q', 'release notes']]],
  ['status:error', [['status_code', 'error']]],
  [
    'model:org/name status:ok',
    [
      ['model', 'org/name'],
      ['status_code', 'ok'],
    ],
  ],
  [
    'name:"two words" rest',
    [
      ['name', 'two words'],
      ['q', 'rest'],
    ],
  ],
  ['"a phrase" word', [['q', 'a phrase word']]],
  ['status:error OR duration>2', [['q', 'status:error OR duration>2']]],
  ['model:x AND NOT', [['q', 'model:x']]],
  ['OR', []],
  ['NOT model.dtype:bfloat16', [['q', 'NOT respan.model.dtype:bfloat16']]],
  ['span(type:tool latency>1)', [['q', 'span(type:tool latency>1)']]],
  ['model in (a, b)', [['q', 'model in (a, b)']]],
  ['this or that', [['q', 'this or that']]],
  [
    'user:u1 thread:t1 env:prod type:chat',
    [
      ['customer_identifier', 'u1'],
      ['session_identifier', 't1'],
      ['environment', 'prod'],
      ['log_type', 'chat'],
    ],
  ],
  ['metadata.plan:pro', [['metadata__plan', 'pro']]],
  ['metadata__plan:pro', [['metadata__plan', 'pro']]],
  ['model.dtype:bfloat16', [['respan.model.dtype', 'bfloat16']]],
  ['respan.model.quantization:"gptq 4-bit"', [['respan.model.quantization', 'gptq 4-bit']]],
  ['model.dty', []],
  ['model.dtype:', []],
  ['customer_identifier:u1', [['customer_identifier', 'u1']]],
  ['http://example.org/x', [['q', 'http://example.org/x']]],
  ['model:', []],
  ['metadata.pl', []],
  ['name:"unclosed quote', [['name', 'unclosed quote']]],
  ['STATUS:error', [['status_code', 'error']]],
])('%s', (text, params) => {
  expect(parseFilter(text)).toEqual(params);
});

test('a token is begun at the end', () => {
  expect(beginToken('', 'model:')).toBe('model:');
  expect(beginToken('status:error  ', 'model:')).toBe('status:error model:');
});

test('a token asks for just the value that it was made for', () => {
  expect(tokenFor('model.dtype', 'float32')).toBe('model.dtype:float32');
  for (const value of ['org/name', 'bitsandbytes 4-bit nf4', '134515008', 'a:b'])
    expect(parseFilter(tokenFor('model.x', value) ?? '')).toEqual([['respan.model.x', value]]);
  expect(tokenFor('model.x', 'say "so"')).toBeNull();
  expect(tokenFor('model.x', '')).toBeNull();
});
