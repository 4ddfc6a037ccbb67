/** What a generation's attributes say of its times, tokens and memory (docs/huggingface.md). */
import type { JsonObject, Span } from '../api/types';
import type { Fact } from './facts';
import { bytes, count, duration, rate } from './format';

type Attributes = Pick<Span, 'attributes'>;

function numberAt(attributes: JsonObject | null | undefined, key: string): number | null {
  const value = attributes?.[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function numbersAt(attributes: JsonObject | null | undefined, key: string): number[] {
  const value = attributes?.[key];
  return Array.isArray(value) && value.every((v) => typeof v === 'number') ? value : [];
}

/** What measured times are called: by Respan, by servers that follow vLLM, by TGI and TEI. */
const names = {
  queue: ['respan.generation.queue', 'gen_ai.latency.time_in_queue', 'queue_time'],
  prefill: ['respan.generation.prefill', 'gen_ai.latency.time_in_model_prefill'],
  decode: ['respan.generation.decode', 'gen_ai.latency.time_in_model_decode'],
  model: ['gen_ai.latency.time_in_model_inference', 'inference_time'],
};
const units: Record<string, number> = { ns: 1e-9, µs: 1e-6, ms: 1e-3, s: 1 };

/** In seconds; TGI writes "1.2ms". */
function timeOf({ attributes }: Attributes, which: keyof typeof names): number | null {
  for (const name of names[which]) {
    const value = attributes?.[name];
    const [, digits, unit = ''] = typeof value === 'string' ? (/^([\d.]+)(ns|µs|ms|s)$/.exec(value) ?? []) : [];
    const seconds = digits === undefined ? value : Number(digits) * (units[unit] ?? NaN);
    if (typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0) return seconds;
  }
  return null;
}

export interface Part {
  name: 'queue' | 'before' | 'prefill' | 'decode' | 'model' | 'after';
  seconds: number;
}

/** A call that lasts so long, in the order of what it does: how long it waited, up to the first token, the others, what comes before and
 *  after. Of one that does not say when its first token came, what it waited and the rest. */
export function partsOf(span: Attributes & Pick<Span, 'time_to_first_token'>, lasts: number): Part[] {
  const first = span.time_to_first_token;
  const waited = timeOf(span, 'queue') ?? 0;
  let parts: Part[] = [];
  if (first !== null && first >= 0 && first <= lasts) {
    const prefill = Math.min(first, timeOf(span, 'prefill') ?? Math.max(0, first - waited));
    const queue = Math.min(waited, first - prefill);
    const decode = Math.min(lasts - first, timeOf(span, 'decode') ?? lasts - first);
    parts = [
      { name: 'queue', seconds: queue },
      { name: 'before', seconds: first - prefill - queue },
      { name: 'prefill', seconds: prefill },
      { name: 'decode', seconds: decode },
      { name: 'after', seconds: lasts - first - decode },
    ];
  } else if (waited > 0 && waited <= lasts) {
    const model = Math.min(lasts - waited, timeOf(span, 'model') ?? lasts - waited);
    parts = [
      { name: 'queue', seconds: waited },
      { name: 'model', seconds: model },
      { name: 'after', seconds: lasts - waited - model },
    ];
  }
  return parts.filter(({ seconds }) => seconds > 1e-12);
}

export interface Gaps {
  /** Seconds between one token and the next, in their order. */
  values: number[];
  /** How many gaps each value is the mean of. */
  perValue: number;
  median: number;
  longest: number;
  /** A value above this is a stall. */
  stallFrom: number;
}

const stallTimes = 5;

export function gapsOf({ attributes }: Attributes): Gaps | null {
  const values = numbersAt(attributes, 'respan.generation.token_gaps');
  if (values.length < 2) return null;
  const inOrder = values.toSorted((a, b) => a - b);
  const median = numberAt(attributes, 'respan.generation.token_gap_p50') ?? inOrder[inOrder.length >> 1] ?? 0;
  return {
    values,
    perValue: numberAt(attributes, 'respan.generation.token_gaps_per_value') ?? 1,
    median,
    longest: numberAt(attributes, 'respan.generation.token_gap_max') ?? inOrder.at(-1) ?? 0,
    stallFrom: stallTimes * median,
  };
}

/** How many bars would fill the width: a few do not grow wide. */
export function barSlots({ values }: Gaps): number {
  return Math.max(values.length, 32);
}

/** Bars of a series, side by side: the ordinary ones and the stalls as two outlines, in a box of the given size. */
export function gapBars(gaps: Gaps, width: number, height: number): { ordinary: string; stalls: string } {
  const most = Math.max(...gaps.values);
  const step = width / barSlots(gaps);
  const bars = { ordinary: '', stalls: '' };
  gaps.values.forEach((gap, i) => {
    const tall = most > 0 ? Math.max(1, (gap / most) * height) : 1;
    const at = [i * step, height - tall, step * 0.8, tall].map((v) => String(Math.round(v * 100) / 100));
    const [x = '', y = '', w = '', h = ''] = at;
    bars[gap > gaps.stallFrom ? 'stalls' : 'ordinary'] += `M${x} ${y}h${w}v${h}h-${w}z`;
  });
  return bars;
}

/** Times as they stand below the bar. */
export function timingFacts(
  span: Attributes & Pick<Span, 'time_to_first_token' | 'tokens_per_second' | 'completion_tokens'>,
  lasts: number,
): Fact[] {
  const at = (name: string): number | null => numberAt(span.attributes, `respan.generation.${name}`);
  const facts: Fact[] = [];
  const put = (name: string, value: number | null, written: (value: number) => string): void => {
    if (value !== null) facts.push([name, written(value)]);
  };
  const first = span.time_to_first_token;
  const decode = timeOf(span, 'decode');
  put('queue', timeOf(span, 'queue'), duration);
  put('first token', first, duration);
  put('prefill', timeOf(span, 'prefill'), duration);
  put('decode', decode, duration);
  if (first === null) put('in the model', timeOf(span, 'model'), duration);
  else if (decode === null) facts.push(['rest', duration(Math.max(0, lasts - first))]);
  if (span.tokens_per_second !== null) facts.push(['tokens/s', rate(span.tokens_per_second)]);
  else if (span.completion_tokens && lasts > 0) facts.push(['tokens/s overall', rate(span.completion_tokens / lasts)]);
  const [p50, p99] = [at('token_gap_p50'), at('token_gap_p99')];
  if (p50 !== null && p99 !== null) facts.push(['gap p50, p99', `${duration(p50)}, ${duration(p99)}`]);
  const stalls = at('stalls');
  if (stalls) facts.push(['stalls', `${count(stalls)}, ${duration(at('stall_time'))} in all`]);
  const [proposed, accepted] = [at('draft_tokens'), at('draft_tokens_accepted')];
  if (accepted !== null) {
    const share = proposed ? ` of ${count(proposed)} (${String(Math.round((accepted / proposed) * 100))}%)` : '';
    facts.push(['draft tokens accepted', `${count(accepted)}${share}`]);
  }
  const strategy = span.attributes?.['respan.generation.strategy'];
  if (typeof strategy === 'string') facts.push(['strategy', strategy]);
  put('steps', at('steps'), count);
  return facts;
}

/** What of the counted tokens is special, and what was not counted. Not all spans say. */
export function tokenFacts(
  span: Attributes &
    Pick<Span, 'prompt_tokens' | 'completion_tokens' | 'usage_source' | 'cached_tokens' | 'reasoning_tokens'>,
): Fact[] {
  const facts: Fact[] = [];
  for (const [side, counted] of [
    ['prompt', span.prompt_tokens],
    ['completion', span.completion_tokens],
  ] as const) {
    if (counted === null) continue;
    facts.push([side, span.usage_source === null ? count(counted) : `${count(counted)} ${span.usage_source}`]);
    for (const kind of ['special', 'padding']) {
      const n = numberAt(span.attributes, `respan.usage.${side}_${kind}_tokens`);
      if (n) facts.push([`${side} ${kind}`, count(n)]);
    }
  }
  const { cached_tokens: cached, reasoning_tokens: reasoning } = span;
  if (cached) facts.push(['prompt cached', count(cached)]);
  if (reasoning) facts.push(['completion reasoning', count(reasoning)]);
  return facts;
}

export interface TokensEach {
  prompt: number[];
  completion: number[];
}

/** The counted tokens of each sequence of a batch; empty where a span does not say. */
export function tokensEach({ attributes }: Attributes): TokensEach {
  return {
    prompt: numbersAt(attributes, 'respan.usage.prompt_tokens_each'),
    completion: numbersAt(attributes, 'respan.usage.completion_tokens_each'),
  };
}

const places: [key: string, name: string][] = [
  ['peak_rss', 'peak RSS'],
  ['peak_device', 'peak GPU memory'],
];

export function memoryFacts({ attributes }: Attributes): Fact[] {
  return places.flatMap(([key, name]): Fact[] => {
    const value = numberAt(attributes, `respan.memory.${key}`);
    const source = attributes?.[`respan.memory.${key}_source`];
    return value === null ? [] : [[name, typeof source === 'string' ? `${bytes(value)} ${source}` : bytes(value)]];
  });
}
