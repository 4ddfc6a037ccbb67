import { expect, test } from 'vitest';
import type { SumsAnswer, SumsGroup, SumsOfSpans as Sums } from '../src/api/sums';
import {
  bucketsOf,
  changeOf,
  chartOf,
  charts,
  conditionOf,
  dashboardUrl,
  optionsOf,
  figuresOf,
  isBetterByHour,
  parseDashboard,
  seriesQuestion,
  totalsQuestion,
  tracesBehind,
  visible,
  windowBefore,
  windowOf,
  zoomed,
} from '../src/model/dashboard';

const usual = parseDashboard('');
const sums = (over: Partial<Sums> = {}): Sums => ({
  count: 10,
  error_count: 2,
  llm_call_count: 10,
  prompt_tokens: 100,
  completion_tokens: 50,
  total_tokens: 150,
  cached_tokens: 40,
  reasoning_tokens: 5,
  cost: 0.5,
  latency: { mean: 1, p50: 1, p90: 2, p95: 2.5, p99: 3 },
  time_to_first_token: null,
  tokens_per_second: null,
  ...over,
});
const group = (value: string | null, over: Partial<SumsGroup> = {}): SumsGroup => ({
  ...sums(),
  value,
  is_others: false,
  points: [
    { ...sums({ count: 4, error_count: 1 }), time: '2026-11-29T10:00:00.000000000Z' },
    { ...sums({ count: 6, error_count: 0 }), time: '2026-11-29T12:00:00.000000000Z' },
  ],
  ...over,
});
const answer = (groups: SumsGroup[], over: Partial<SumsAnswer> = {}): SumsAnswer => ({
  start_time: '2026-11-29T10:00:00.000000000Z',
  end_time: '2026-11-29T13:00:00.000000000Z',
  bucket_seconds: 3600,
  is_estimate: false,
  totals: sums(),
  groups,
  ...over,
});
const kindOf = (id: string) => {
  const kind = charts.find((c) => c.id === id);
  if (!kind) throw new Error(id);
  return kind;
};

test('the address is the state, and what is usual is not in it', () => {
  expect(dashboardUrl(usual)).toBe('/dashboard');
  const state = {
    ...usual,
    of: 'traces' as const,
    q: 'model:a',
    range: '7d',
    by: 'metadata__plan',
    only: 'pro',
    shown: { latency: 'p99' },
    saved: '12',
  };
  expect(parseDashboard(dashboardUrl(state).slice('/dashboard'.length))).toEqual(state);
  expect(optionsOf(state)).toBe('of=traces&range=7d&by=metadata__plan&only=pro&latency=p99');
  expect(dashboardUrl({ ...usual, saved: '3' })).toBe('/dashboard?view=3&q='); // else it would be opened again
  expect(parseDashboard('?range=never&of=nothing&latency=p12&view=x')).toEqual(usual);
  const drawn = zoomed(usual, 1_790_000_000.4, 1_790_003_599.2);
  expect(drawn).toMatchObject({ range: null, from: '2026-09-21T14:13:20Z', to: '2026-09-21T15:13:20Z' });
  expect(parseDashboard(dashboardUrl(drawn).slice('/dashboard'.length))).toEqual(drawn);
});

test('a window is a preset up to the next minute, or what the address says', () => {
  expect(windowOf(usual, 86_401)).toEqual({ start: 60, end: 86_460 });
  expect(windowOf({ ...usual, range: 'all' }, 5)).toEqual({ start: null, end: null });
  expect(windowOf({ ...usual, range: null, from: '1970-01-01T00:01:00Z', to: '120' }, 5)).toEqual({
    start: 60,
    end: 120,
  });
  expect(windowBefore({ start: 60, end: 120 })).toEqual({ start: 0, end: 60 });
  expect(windowBefore({ start: null, end: 120 })).toBeNull();
});

test('model calls are asked for beside the filter of the list', () => {
  const window = { start: 0, end: 60 };
  const said = totalsQuestion({ ...usual, q: 'model:a OR env:b' }, window);
  expect(said.get('q')).toMatch(/^\(model:a OR env:b\) type in \(text, chat, /);
  expect(said.get('of')).toBe('spans');
  expect(said.get('start_time')).toBe('0');
  expect(totalsQuestion(usual, window).get('q')).toMatch(/^type in \(/);
  const traces = seriesQuestion({ ...usual, of: 'traces', by: 'workflow' }, { start: null, end: null }, 'auto');
  expect(traces.get('q')).toBeNull();
  expect(traces.get('group_by')).toBe('name');
  expect(traces.has('start_time')).toBe(false);
  expect(traces.get('points')).toBe('32'); // a group has a value in each
  expect(seriesQuestion(usual, window, 'auto').get('points')).toBe('96');
  expect(seriesQuestion({ ...usual, by: 'workflow' }, window, 'hour').get('group_by')).toBe('span_workflow_name');
});

test('an estimate is asked for again by the hour where that is fine enough', () => {
  const fine = { bucket_seconds: 900, is_estimate: true, end_time: '2026-11-29T20:00:00.000000000Z' };
  expect(isBetterByHour(answer([], fine))).toBe(true);
  expect(isBetterByHour(answer([], { ...fine, is_estimate: false }))).toBe(false);
  expect(isBetterByHour(answer([], { ...fine, bucket_seconds: 3600 }))).toBe(false);
  expect(isBetterByHour(answer([], { ...fine, end_time: '2026-11-29T12:00:00.000000000Z' }))).toBe(false);
});

test('what adds up is nothing where nothing was, what does not is not known there', () => {
  const got = answer([group(null)]);
  const buckets = bucketsOf(got);
  expect(buckets.length).toBe(3);
  const requests = chartOf(kindOf('requests'), got, usual, buckets);
  expect(requests.series.map((s) => s.values)).toEqual([[4, 0, 6]]);
  const errors = chartOf(kindOf('errors'), got, usual, buckets);
  expect(errors.series.map((s) => s.values)).toEqual([
    [1, 0, 0],
    [0.25, null, 0],
  ]);
  expect(chartOf(kindOf('latency'), got, usual, buckets).series.map((s) => s.total)).toEqual([1, 2, 3]);
  expect(chartOf(kindOf('ttft'), got, usual, buckets).series).toEqual([]);
  expect(chartOf(kindOf('tokens'), got, usual, buckets).series.map((s) => s.total)).toEqual([100, 50, 40, 5]);
});

test('groups are a line each, of the measure that is chosen', () => {
  const got = answer([group('a'), group(null), group(null, { is_others: true })]);
  const state = { ...usual, by: 'model', shown: { latency: 'p99' } };
  const latency = chartOf(kindOf('latency'), got, state, bucketsOf(got));
  expect(latency.measure?.id).toBe('p99');
  expect(latency.series.map((s) => [s.label, s.colour, s.total])).toEqual([
    ['a', 1, 3],
    ['none', 2, 3],
    ['others', 0, 3],
  ]);
  expect(visible(latency.series, 'a').map((s) => s.label)).toEqual(['a']);
  expect(visible(latency.series, 'gone').length).toBe(3);
});

test('a change is in percent, of a share in points, and not said where nothing was before', () => {
  const said = (before: Partial<Sums>): (string | null)[] =>
    figuresOf(sums(), sums(before), 'calls').map((figure) => changeOf(figure));
  expect(said({ count: 5, error_count: 0, total_tokens: 300, cost: 0, latency: null })).toEqual([
    '+100 %',
    '+20.0 pts',
    '−50 %',
    null,
    null,
    null,
    null,
    null,
  ]);
  expect(changeOf({ label: '', unit: 'count', value: 1000, before: 10 })).toBe('×100');
  expect(figuresOf(sums(), sums({ count: 0 }), 'calls').every(({ before }) => before === null)).toBe(true);
});

test('what costs nothing in all is not said to: nobody may know a price', () => {
  const cost = (s: Partial<Sums>): unknown => figuresOf(sums(s), null, 'calls').find((f) => f.unit === 'cost')?.value;
  expect([cost({ cost: 0.5 }), cost({ cost: 0 })]).toEqual([0.5, null]);
});

test('a point leads to the traces behind it', () => {
  const by = (name: string, of: 'calls' | 'traces' = 'calls') => ({ ...usual, by: name, of });
  expect(conditionOf(by('model'), group('a b'))).toBe('model:"a b"');
  expect(conditionOf(by('customer_identifier'), group('ann'))).toBe('user:ann');
  expect(conditionOf(by('environment'), group(null))).toBe('NOT env:*');
  expect(conditionOf(by('workflow'), group('w'))).toBe('span(workflow:w)');
  expect(conditionOf(by('workflow', 'traces'), group('w'))).toBe('name:w');
  expect(conditionOf(by('metadata__plan'), group('pro'))).toBe('span(metadata.plan:pro)');
  expect(conditionOf(by('metadata__plan', 'traces'), group('pro'))).toBe('metadata.plan:pro');
  expect(conditionOf(by('model'), group(null, { is_others: true }))).toBe('');
  const url = new URL(tracesBehind({ ...by('model'), q: 'a OR b' }, group('m'), kindOf('errors'), 0, 60), 'http://x');
  expect(url.pathname).toBe('/');
  expect(url.searchParams.get('q')).toBe('(a OR b) model:m status:error');
  expect(url.searchParams.get('from')).toBe('1970-01-01T00:00:00Z');
  expect(url.searchParams.get('to')).toBe('1970-01-01T00:01:00Z');
});
