import { expect, test } from 'vitest';
import type { JsonObject } from '../src/api/types';
import { gapBars, gapsOf, memoryFacts, partsOf, timingFacts, tokenFacts, tokensEach } from '../src/model/generation';

const generation = (facts: JsonObject): { attributes: JsonObject } => ({
  attributes: Object.fromEntries(Object.entries(facts).map(([key, value]) => [`respan.generation.${key}`, value])),
});

test('a call in its parts', () => {
  const measured = { ...generation({ prefill: 0.2, decode: 0.5 }), time_to_first_token: 0.25 };
  const parts = partsOf(measured, 1).map(({ name, seconds }) => [name, Number(seconds.toFixed(3))]);
  expect(parts).toEqual([
    ['before', 0.05],
    ['prefill', 0.2],
    ['decode', 0.5],
    ['after', 0.25],
  ]);
  expect(partsOf({ attributes: null, time_to_first_token: 0.25 }, 1)).toEqual([
    { name: 'prefill', seconds: 0.25 },
    { name: 'decode', seconds: 0.75 },
  ]);
  expect(partsOf({ attributes: null, time_to_first_token: null }, 1)).toEqual([]);
  expect(partsOf({ attributes: null, time_to_first_token: 3 }, 1)).toEqual([]);
});

test('what a call waited in a queue stands before its prefill; servers have names of their own for it', () => {
  const vllm = {
    'gen_ai.latency.time_in_queue': 0.5,
    'gen_ai.latency.time_in_model_prefill': 0.2,
    'gen_ai.latency.time_in_model_decode': 1,
  };
  const seconds = (attributes: JsonObject, time_to_first_token: number | null, lasts: number) =>
    partsOf({ attributes, time_to_first_token }, lasts).map((part) => [part.name, Number(part.seconds.toFixed(3))]);
  expect(seconds(vllm, 0.75, 2)).toEqual([
    ['queue', 0.5],
    ['before', 0.05],
    ['prefill', 0.2],
    ['decode', 1],
    ['after', 0.25],
  ]);
  const tgi = { queue_time: '250.5ms', inference_time: '1.2s' };
  expect(seconds(tgi, null, 1.5)).toEqual([
    ['queue', 0.251],
    ['model', 1.2],
    ['after', 0.05],
  ]);
  expect(partsOf({ attributes: { queue_time: '12.5µs' }, time_to_first_token: 0.1 }, 1)[0]?.seconds).toBeCloseTo(
    12.5e-6,
    9,
  );
  expect(seconds({ queue_time: 'soon' }, null, 1)).toEqual([]);
  const facts = { tokens_per_second: null, completion_tokens: null, time_to_first_token: null };
  expect(timingFacts({ ...facts, attributes: tgi }, 1.5)).toEqual([
    ['queue', '251 ms'],
    ['in the model', '1.20 s'],
  ]);
});

test('pauses between tokens, the long ones apart', () => {
  const gaps = gapsOf(generation({ token_gaps: [0.01, 0.02, 0.1, 0.01], token_gap_p50: 0.01, token_gap_max: 0.12 }));
  expect(gaps).toEqual({ values: [0.01, 0.02, 0.1, 0.01], perValue: 1, median: 0.01, longest: 0.12, stallFrom: 0.05 });
  if (gaps === null) return;
  const bars = gapBars(gaps, 320, 10);
  expect(bars.stalls).toBe('M20 0h8v10h-8z');
  expect(bars.ordinary).toBe('M0 9h8v1h-8zM10 8h8v2h-8zM30 9h8v1h-8z');
  expect(gapsOf(generation({ token_gaps: [0.01] }))).toBeNull();
  expect(gapsOf(generation({ token_gaps: ['0.01', 0.02] }))).toBeNull();
  expect(gapsOf({ attributes: null })).toBeNull();
  expect(gapsOf(generation({ token_gaps: [2, 4, 6], token_gaps_per_value: 3 }))).toMatchObject({
    perValue: 3,
    median: 4,
    longest: 6,
  });
});

test('times, stalls and draft tokens as they are read', () => {
  const span = {
    ...generation({
      prefill: 0.2,
      decode: 0.5,
      steps: 20,
      strategy: 'greedy_search',
      token_gap_p50: 0.02,
      token_gap_p99: 0.2,
      stalls: 2,
      stall_time: 0.3,
      draft_tokens: 40,
      draft_tokens_accepted: 31,
    }),
    time_to_first_token: 0.25,
    tokens_per_second: 38,
    completion_tokens: 20,
  };
  expect(timingFacts(span, 1)).toEqual([
    ['first token', '250 ms'],
    ['prefill', '200 ms'],
    ['decode', '500 ms'],
    ['tokens/s', '38.0'],
    ['gap p50, p99', '20 ms, 200 ms'],
    ['stalls', '2, 300 ms in all'],
    ['draft tokens accepted', '31 of 40 (78%)'],
    ['strategy', 'greedy_search'],
    ['steps', '20'],
  ]);
  const bare = { attributes: null, time_to_first_token: 0.25, tokens_per_second: null, completion_tokens: 20 };
  expect(timingFacts(bare, 1)).toEqual([
    ['first token', '250 ms'],
    ['rest', '750 ms'],
    ['tokens/s overall', '20.0'],
  ]);
  const lookup = { ...bare, ...generation({ draft_tokens_accepted: 5, stalls: 0 }) };
  expect(timingFacts(lookup, 1).at(-1)).toEqual(['draft tokens accepted', '5']);
});

test('tokens with their source; special, padding and cached ones where there are any', () => {
  const attributes = {
    'respan.usage.prompt_special_tokens': 3,
    'respan.usage.prompt_padding_tokens': 17,
    'respan.usage.completion_special_tokens': 0,
    'respan.usage.prompt_tokens_each': [4, 5],
  };
  expect(
    tokenFacts({
      attributes,
      prompt_tokens: 9,
      completion_tokens: 8,
      usage_source: 'measured',
      cached_tokens: 12,
      reasoning_tokens: 3,
    }),
  ).toEqual([
    ['prompt', '9 measured'],
    ['prompt special', '3'],
    ['prompt padding', '17'],
    ['completion', '8 measured'],
    ['prompt cached', '12'],
    ['completion reasoning', '3'],
  ]);
  expect(tokenFacts({ attributes: null, prompt_tokens: null, completion_tokens: null, usage_source: null })).toEqual(
    [],
  );
  expect(tokensEach({ attributes })).toEqual({ prompt: [4, 5], completion: [] });
});

test('memory with its source', () => {
  const attributes = {
    'respan.memory.peak_rss': 1_234_000_000,
    'respan.memory.peak_rss_source': 'sampled',
    'respan.memory.peak_device': 2_000_000,
  };
  expect(memoryFacts({ attributes })).toEqual([
    ['peak RSS', '1.2 GB sampled'],
    ['peak GPU memory', '2.0 MB'],
  ]);
  expect(memoryFacts({ attributes: null })).toEqual([]);
});
