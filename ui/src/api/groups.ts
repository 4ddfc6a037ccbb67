/** Traces summed up by what they share. */
import type { FilterParams } from '../model/filter';
import { getJson } from './client';
import type { Groups, Series } from './types';

export const groupsSize = 100;

/** Traces (or spans) by what they share: `by` is a field, `sort` one of their sums. */
export function groupsPath(
  by: string,
  filter: FilterParams,
  sort: string,
  latest = false,
  size = groupsSize,
  of: 'traces' | 'spans' = 'traces',
): string {
  const query = new URLSearchParams({ of, group_by: by, sort_by: sort, limit: String(size) });
  if (latest) query.set('latest', 'true');
  for (const [name, value] of filter) query.append(name, value);
  return `/api/metrics/totals/?${query.toString()}`;
}

export const getGroups = (path: string, page: number, signal: AbortSignal): Promise<Groups> =>
  getJson(`${path}&page=${String(page)}`, signal);

export function getSeries(filter: FilterParams, points: number, signal: AbortSignal): Promise<Series> {
  const query = new URLSearchParams([['of', 'traces'], ['points', String(points)], ...filter]);
  return getJson(`/api/metrics/series/?${query.toString()}`, signal);
}
