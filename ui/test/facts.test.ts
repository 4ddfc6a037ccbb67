import { expect, test } from 'vitest';
import { loadFacts, metadataFacts, modelFacts } from '../src/model/facts';

test('what was loaded, and how long its parts took', () => {
  const attributes = {
    'respan.load.cache': 'warm',
    'respan.load.bytes': 288768,
    'respan.load.downloaded_bytes': 12,
    'respan.load.model_seconds': 0.25,
    'respan.model.dtype': 'float32',
  };
  expect(loadFacts({ attributes })).toEqual([
    ['cache', 'warm'],
    ['bytes', '289 kB'],
    ['downloaded_bytes', '12 B'],
    ['model', '250 ms'],
  ]);
  expect(loadFacts({ attributes: null })).toEqual([]);
});

test('a model: what tells models apart first, each with the traces that share it', () => {
  const attributes = {
    'respan.model.attention': 'sdpa',
    'respan.model.adapters': ['a', 'b'],
    'respan.model.parameters': 134515008,
    'respan.model.quantization': 'bitsandbytes 4-bit nf4',
    'respan.model.quantization_config': '{"bits": 4}',
    'respan.model.revision': '7e27bd9',
    'gen_ai.request.model': 'org/name',
  };
  expect(modelFacts({ attributes, model: 'org/name', provider: 'huggingface' })).toEqual([
    ['name', 'org/name', '/?q=model%3Aorg%2Fname'],
    ['provider', 'huggingface'],
    ['revision', '7e27bd9', '/?q=model.revision%3A7e27bd9'],
    ['quantization', 'bitsandbytes 4-bit nf4', '/?q=model.quantization%3A%22bitsandbytes%204-bit%20nf4%22'],
    ['parameters', '134,515,008', '/?q=model.parameters%3A134515008'],
    ['adapters', '["a","b"]'],
    ['attention', 'sdpa', '/?q=model.attention%3Asdpa'],
    ['quantization_config', '{"bits": 4}', '/?q=model.quantization_config%3A%22%7B%5C%22bits%5C%22%3A%204%7D%22'],
  ]);
  expect(modelFacts({ attributes: null, model: null, provider: null })).toEqual([]);
});

test('metadata is shown and asked as what it was sent', () => {
  expect(
    metadataFacts(
      { plan: 'pro', n: '1', m: 1, on: 'true', off: false, 'a b': 'x', deep: { a: 1 }, none: null },
      'user:u',
    ),
  ).toEqual([
    ['plan', 'pro', '/?q=user%3Au%20metadata.plan%3Apro', '/?q=user%3Au%20NOT%20metadata.plan%3Apro'],
    ['n', '"1"', '/?q=user%3Au%20metadata.n%3A%221%22', '/?q=user%3Au%20NOT%20metadata.n%3A%221%22'],
    ['m', '1', '/?q=user%3Au%20metadata.m%3A1', '/?q=user%3Au%20NOT%20metadata.m%3A1'],
    ['on', '"true"', '/?q=user%3Au%20metadata.on%3A%22true%22', '/?q=user%3Au%20NOT%20metadata.on%3A%22true%22'],
    ['off', 'false', '/?q=user%3Au%20metadata.off%3Afalse', '/?q=user%3Au%20NOT%20metadata.off%3Afalse'],
    ['a b', 'x', '/?q=user%3Au%20metadata.%22a%20b%22%3Ax', '/?q=user%3Au%20NOT%20metadata.%22a%20b%22%3Ax'],
    ['deep', '{"a":1}'],
    ['none', 'null'],
  ]);
});
