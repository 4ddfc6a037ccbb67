/** What the dashboard shows: its address, its questions to the server, and the charts of the answers. */
import type { SumsAnswer, SumsGroup, SumsOfSpans as Sums } from '../api/sums';
import type { Quantiles } from '../api/types';
import { asQuery, nameOfKey, tokenFor } from './filter';
import { parseInstant } from './time';

export type Counted = 'calls' | 'traces' | 'spans';

/** The address. `only` is the series that is shown alone; `shown` the measure of each chart that has several, where groups are shown. */
export interface DashboardState {
  of: Counted;
  q: string;
  /** A preset; null where from and to say the window. */
  range: string | null;
  from: string | null;
  to: string | null;
  by: string;
  only: string | null;
  shown: Record<string, string>;
  /** The number of the saved view that was opened; '' is none. */
  saved: string;
}

export const counted: { id: Counted; label: string; noun: string }[] = [
  { id: 'calls', label: 'Model calls', noun: 'model call' },
  { id: 'traces', label: 'Traces', noun: 'trace' },
  { id: 'spans', label: 'Spans', noun: 'span' },
];

export const ranges: { id: string; label: string; seconds: number | null }[] = [
  { id: '15m', label: '15 min', seconds: 900 },
  { id: '1h', label: '1 h', seconds: 3600 },
  { id: '24h', label: '24 h', seconds: 86400 },
  { id: '7d', label: '7 d', seconds: 604800 },
  { id: '30d', label: '30 d', seconds: 2592000 },
  { id: 'all', label: 'All', seconds: null },
];
const usualRange = '24h';

/** What the groups can be; a key of metadata is `metadata__KEY`. */
export const groupings = [
  { id: '', label: 'nothing' },
  { id: 'model', label: 'model' },
  { id: 'customer_identifier', label: 'user' },
  { id: 'environment', label: 'environment' },
  { id: 'workflow', label: 'workflow' },
];

export function parseDashboard(search: string): DashboardState {
  const query = new URLSearchParams(search);
  const of = counted.find(({ id }) => id === query.get('of'))?.id ?? 'calls';
  const from = query.get('from');
  const to = query.get('to');
  const range = ranges.find(({ id }) => id === query.get('range'))?.id ?? usualRange;
  const shown: Record<string, string> = {};
  for (const { id, measures } of charts) {
    const named = query.get(id);
    if (measures.some((m) => m.id === named) && named !== null) shown[id] = named;
  }
  return {
    of,
    q: query.get('q') ?? '',
    range: from !== null || to !== null ? null : range,
    from,
    to,
    by: query.get('by') ?? '',
    only: query.get('only'),
    shown,
    saved: /^\d{1,15}$/.exec(query.get('view') ?? '')?.[0] ?? '',
  };
}

export function dashboardUrl(s: DashboardState): string {
  const query = new URLSearchParams();
  const put = (name: string, value: string | null, usual = ''): void => {
    if (value !== null && value !== usual) query.set(name, value);
  };
  put('of', s.of, 'calls');
  put('q', s.q);
  put('range', s.range, usualRange);
  put('from', s.from);
  put('to', s.to);
  put('by', s.by);
  put('only', s.only);
  for (const [chart, measure] of Object.entries(s.shown)) put(chart, measure);
  put('view', s.saved);
  // A view alone in an address is one to be opened.
  if (s.saved !== '' && s.q === '') query.set('q', '');
  const text = query.toString();
  return text === '' ? '/dashboard' : `/dashboard?${text}`;
}

/** What a saved view keeps of an address beside its filter and its window. */
export const optionsOf = (s: DashboardState): string =>
  dashboardUrl({ ...s, q: '', from: null, to: null, saved: '' }).replace(/^.*?(\?|$)/, '');

/* ---- questions --------------------------------------------------------------------------------------------------- */

export interface Window {
  /** Unix seconds; null: open. */
  start: number | null;
  end: number | null;
}

const secondsOf = (text: string | null): number | null => {
  if (text === null) return null;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  return Number.isFinite(ms) ? ms / 1000 : null;
};

/** Presets end at the next whole minute, so that asking again within it is the same question. */
export function windowOf(s: DashboardState, nowSeconds: number): Window {
  if (s.range === null) return { start: secondsOf(s.from), end: secondsOf(s.to) };
  const length = ranges.find(({ id }) => id === s.range)?.seconds ?? null;
  if (length === null) return { start: null, end: null };
  const end = Math.ceil(nowSeconds / 60) * 60;
  return { start: end - length, end };
}

/** As long as the window, and right before it; null where the window is open. */
export function windowBefore(w: Window): Window | null {
  if (w.start === null || w.end === null || w.end <= w.start) return null;
  return { start: w.start - (w.end - w.start), end: w.start };
}

const callTypes = 'text, chat, completion, response, embedding, transcription, speech, generation';

/** The filter's text as the metrics take it: of model calls, these alone. */
function filterOf(s: DashboardState): string {
  const said = asQuery(s.q);
  if (s.of !== 'calls') return said;
  const calls = `type in (${callTypes})`;
  return said === '' ? calls : `(${said}) ${calls}`;
}

const fieldOf = (s: DashboardState): string =>
  s.by === 'workflow' ? (s.of === 'traces' ? 'name' : 'span_workflow_name') : s.by;

/** Groups share what there is: wider buckets have a value of each. */
const points = { whole: 96, grouped: 32 };
export const groupsShown = 7;
const coarse = 3600;

function question(s: DashboardState, w: Window): URLSearchParams {
  const query = new URLSearchParams({ of: s.of === 'traces' ? 'traces' : 'spans' });
  const q = filterOf(s);
  if (q !== '') query.set('q', q);
  if (w.start !== null) query.set('start_time', String(w.start));
  if (w.end !== null) query.set('end_time', String(w.end));
  return query;
}

export function seriesQuestion(s: DashboardState, w: Window, bucket: 'auto' | 'hour'): URLSearchParams {
  const query = question(s, w);
  query.set('bucket', bucket);
  if (bucket === 'auto') query.set('points', String(s.by === '' ? points.whole : points.grouped));
  query.set('limit', String(groupsShown));
  if (s.by !== '') query.set('group_by', fieldOf(s));
  return query;
}

export const totalsQuestion = (s: DashboardState, w: Window): URLSearchParams => question(s, w);

/** Parts of hours are counted row by row, and sampled where there are many; whole hours may be exact from the server's sums. */
export function isBetterByHour(answer: SumsAnswer): boolean {
  const length = parseInstant(answer.end_time).sec - parseInstant(answer.start_time).sec;
  return answer.is_estimate && (answer.bucket_seconds ?? coarse) < coarse && length >= 6 * coarse;
}

/* ---- charts ------------------------------------------------------------------------------------------------------ */

export type Unit = 'count' | 'share' | 'cost' | 'seconds' | 'rate';

export interface Measure {
  id: string;
  label: string;
  unit: Unit;
  /** A number that adds up is 0 where nothing is; others are not known there. */
  adds: boolean;
  of: (s: Sums) => number | null;
}

export interface ChartKind {
  id: string;
  title: string;
  measures: Measure[];
  /** Which of them is shown where there are groups. */
  usual: string;
}

const adding = (id: string, label: string, of: (s: Sums) => number | null, unit: Unit = 'count'): Measure => ({
  id,
  label,
  unit,
  adds: true,
  of,
});

const percentiles = (unit: Unit, of: (s: Sums) => Quantiles | null): Measure[] =>
  (['p50', 'p90', 'p99'] as const).map((id) => ({ id, label: id, unit, adds: false, of: (s) => of(s)?.[id] ?? null }));

const errorRate = (s: Sums): number | null => (s.count === 0 ? null : s.error_count / s.count);

export const charts: ChartKind[] = [
  { id: 'requests', title: 'Requests', measures: [adding('count', 'requests', (s) => s.count)], usual: 'count' },
  {
    id: 'errors',
    title: 'Errors',
    measures: [
      adding('errors', 'errors', (s) => s.error_count),
      { id: 'rate', label: 'error rate', unit: 'share', adds: false, of: errorRate },
    ],
    usual: 'rate',
  },
  { id: 'latency', title: 'Latency', measures: percentiles('seconds', (s) => s.latency), usual: 'p50' },
  {
    id: 'ttft',
    title: 'Time to first token',
    measures: percentiles('seconds', (s) => s.time_to_first_token),
    usual: 'p50',
  },
  {
    id: 'tokens',
    title: 'Tokens',
    measures: [
      adding('prompt', 'prompt', (s) => s.prompt_tokens),
      adding('completion', 'completion', (s) => s.completion_tokens),
      adding('cached', 'cached (of prompt)', (s) => s.cached_tokens ?? null),
      adding('reasoning', 'reasoning (of completion)', (s) => s.reasoning_tokens ?? null),
    ],
    usual: 'completion',
  },
  {
    id: 'speed',
    title: 'Tokens per second',
    measures: percentiles('rate', (s) => s.tokens_per_second),
    usual: 'p50',
  },
  { id: 'cost', title: 'Cost', measures: [adding('cost', 'cost', (s) => s.cost, 'cost')], usual: 'cost' },
];

export interface Series {
  /** What `only` names. */
  key: string;
  label: string;
  unit: Unit;
  /** Number of its colour, from 1; 0: of the others. */
  colour: number;
  total: number | null;
  values: (number | null)[];
  /** Of which group; null where there are none. */
  group: SumsGroup | null;
}

export interface Chart {
  kind: ChartKind;
  /** Of those that groups are shown by; null without groups. */
  measure: Measure | null;
  series: Series[];
}

/** Starts of the buckets that the window has, in Unix seconds. */
export function bucketsOf(answer: SumsAnswer): number[] {
  const step = answer.bucket_seconds ?? 0;
  const end = parseInstant(answer.end_time);
  const out: number[] = [];
  if (step === 0 || answer.groups.length === 0) return out;
  const last = end.sec + (end.nano > 0 ? 1 : 0);
  for (let at = Math.floor(parseInstant(answer.start_time).sec / step) * step; at < last; at += step) out.push(at);
  return out;
}

export const nameOfGroup = (g: SumsGroup): string => (g.is_others ? 'others' : (g.value ?? 'none'));
const keyOfGroup = (g: SumsGroup): string => (g.is_others ? '*others' : (g.value ?? '*none'));

function valuesOf(group: SumsGroup | undefined, measure: Measure, buckets: number[]): (number | null)[] {
  const at = new Map((group?.points ?? []).map((p) => [parseInstant(p.time).sec, p]));
  return buckets.map((start) => {
    const sums = at.get(start);
    return sums ? measure.of(sums) : measure.adds ? 0 : null;
  });
}

export function chartOf(kind: ChartKind, answer: SumsAnswer, s: DashboardState, buckets: number[]): Chart {
  const isKnown = (m: Measure): boolean => m.of(answer.totals) !== null;
  if (s.by === '') {
    const series = kind.measures.filter(isKnown).map((m, i) => ({
      key: m.id,
      label: m.label,
      unit: m.unit,
      colour: i + 1,
      total: m.of(answer.totals),
      values: valuesOf(answer.groups[0], m, buckets),
      group: null,
    }));
    return { kind, measure: null, series };
  }
  const wanted = s.shown[kind.id] ?? kind.usual;
  const measure = kind.measures.find(({ id }) => id === wanted) ?? null;
  const series = answer.groups.map((group, i) => ({
    key: keyOfGroup(group),
    label: nameOfGroup(group),
    unit: measure?.unit ?? 'count',
    colour: group.is_others ? 0 : i + 1,
    total: measure?.of(group) ?? null,
    values: measure ? valuesOf(group, measure, buckets) : [],
    group,
  }));
  return { kind, measure, series: series.filter(({ total }) => total !== null) };
}

/** Those that are drawn: `only` where this chart has it, else all. */
export function visible(series: Series[], only: string | null): Series[] {
  const alone = series.filter(({ key }) => key === only);
  return alone.length > 0 ? alone : series;
}

/* ---- figures above the charts -------------------------------------------------------------------------------------- */

export interface Figure {
  label: string;
  unit: Unit;
  value: number | null;
  before: number | null;
}

export function figuresOf(now: Sums, before: Sums | null, of: Counted): Figure[] {
  const noun = counted.find(({ id }) => id === of)?.label ?? '';
  const rows: [label: string, unit: Unit, of: (s: Sums) => number | null][] = [
    [noun, 'count', (s) => s.count],
    ['Error rate', 'share', errorRate],
    ['Tokens', 'count', (s) => s.total_tokens],
    ['Cost', 'cost', (s) => s.cost || null], // no call has a price, or all prices are 0
    ['Latency p50', 'seconds', (s) => s.latency?.p50 ?? null],
    ['Latency p99', 'seconds', (s) => s.latency?.p99 ?? null],
    ['First token p50', 'seconds', (s) => s.time_to_first_token?.p50 ?? null],
    ['Tokens/s p50', 'rate', (s) => s.tokens_per_second?.p50 ?? null],
  ];
  return rows.map(([label, unit, value]) => ({
    label,
    unit,
    value: value(now),
    before: before === null || before.count === 0 ? null : value(before),
  }));
}

/** The change in words: percent, of a share in points; null where there is nothing to compare. */
export function changeOf({ unit, value, before }: Figure): string | null {
  if (value === null || before === null) return null;
  if (unit === 'share') {
    const moved = (value - before) * 100;
    return Math.abs(moved) < 0.05 ? 'no change' : `${moved > 0 ? '+' : '−'}${Math.abs(moved).toFixed(1)} pts`;
  }
  if (before === 0) return value === 0 ? 'no change' : null;
  const share = value / before - 1;
  if (Math.abs(share) < 0.005) return 'no change';
  if (share >= 9.995) return `×${(share + 1).toFixed(0)}`;
  return `${share > 0 ? '+' : '−'}${Math.abs(share * 100).toFixed(0)} %`;
}

/* ---- the traces behind a point --------------------------------------------------------------------------------------- */

const namesInFilter: Record<string, string> = {
  model: 'model',
  customer_identifier: 'user',
  environment: 'env',
};

/** A condition on traces that says of which group they are; '' where no condition can. */
export function conditionOf(s: DashboardState, group: SumsGroup | null): string {
  if (group === null || group.is_others) return '';
  const key = /^metadata__(.+)$/.exec(s.by)?.[1];
  const field =
    key !== undefined
      ? nameOfKey(key)
      : s.by === 'workflow'
        ? s.of === 'traces'
          ? 'name'
          : 'workflow'
        : namesInFilter[s.by];
  if (field === undefined) return '';
  const token = group.value === null ? `NOT ${field}:*` : tokenFor(field, group.value);
  return s.of !== 'traces' && (field === 'workflow' || key !== undefined) ? `span(${token})` : token;
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

/** The list of traces in a bucket: those of the filter, of the group, and of errors those that failed. */
export function tracesBehind(
  s: DashboardState,
  group: SumsGroup | null,
  kind: ChartKind,
  start: number,
  seconds: number,
): string {
  const parts = [s.q.trim(), conditionOf(s, group), kind.id === 'errors' ? 'status:error' : ''].filter((p) => p !== '');
  const q = parts.length > 1 && / OR /.test(parts[0] ?? '') ? [`(${parts[0] ?? ''})`, ...parts.slice(1)] : parts;
  const query = new URLSearchParams();
  if (q.length > 0) query.set('q', q.join(' '));
  query.set('from', iso(start));
  query.set('to', iso(start + seconds));
  return `/?${query.toString()}`;
}

/** The state with a window that was drawn over a chart. */
export function zoomed(s: DashboardState, start: number, end: number): DashboardState {
  return { ...s, range: null, from: iso(Math.floor(start)), to: iso(Math.ceil(end)) };
}
