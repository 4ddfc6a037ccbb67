/** A row of bars for what came in each stretch of time. */
import type { Groups, Series } from '../api/types';
import { iso } from './range';
import { parseInstant } from './time';

export interface Bar {
  /** Where the stretch begins, in seconds since 1970. */
  at: number;
  count: number;
  errors: number;
  cost: number;
}

/** Every stretch of the window, those without anything too. */
export function barsOf(series: Series, most = 200): Bar[] {
  const step = series.bucket_seconds;
  const first = Math.floor(parseInstant(series.start_time).sec / step);
  const end = Math.ceil(parseInstant(series.end_time).sec / step);
  const bars: Bar[] = [];
  for (let i = Math.max(first, end - most); i < end; i++) bars.push({ at: i * step, count: 0, errors: 0, cost: 0 });
  for (const point of series.groups.flatMap((g) => g.points)) {
    const bar = bars[Math.floor(parseInstant(point.time).sec / step) - Math.floor((bars[0]?.at ?? 0) / step)];
    if (!bar) continue;
    bar.count += point.count;
    bar.errors += point.error_count;
    bar.cost += point.cost;
  }
  return trimmed(bars);
}

/** Fewer bars would be broad ones. */
const fewest = 24;

/** Without what is empty at both ends, but for as much that bars are slim. */
function trimmed(bars: Bar[]): Bar[] {
  const first = bars.findIndex((b) => b.count > 0);
  const end = Math.min(bars.length, bars.findLastIndex((b) => b.count > 0) + 2);
  return first < 0 ? [] : bars.slice(Math.max(0, Math.min(first - 1, end - fewest)), end);
}

/** What the series is asked with: only the time in which there is something, and an hour at least, so that what is short has bars of
 * a minute. That is not known of an estimate; and clocks that were not set are left to the server. */
export function seriesParams(
  params: [name: string, value: string][],
  { totals: { first_time: first, last_time: last }, is_estimate: isEstimate }: Groups,
  start: number,
  now: number,
): [name: string, value: string][] {
  if (isEstimate || first === null || last === null) return params;
  const [a, b] = [Date.parse(first), Date.parse(last)];
  if (a < 1e12 || b > now + 86_400_000) return params;
  return [
    ...params.filter(([name]) => name !== 'start_time' && name !== 'end_time'),
    ['start_time', iso(Math.max(start, Math.min(a, b - 3_540_000)))],
    ['end_time', iso(b + 1000)],
  ];
}
