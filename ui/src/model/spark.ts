/** A row of bars for what came in each stretch of time. */
import type { Series } from '../api/types';
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

/** Without what is empty at both ends: the window is made of whole hours, and of all that is stored. */
function trimmed(bars: Bar[]): Bar[] {
  const first = bars.findIndex((b) => b.count > 0);
  return first < 0 ? [] : bars.slice(Math.max(0, first - 1), bars.findLastIndex((b) => b.count > 0) + 2);
}
