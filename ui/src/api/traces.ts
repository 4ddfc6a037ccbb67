/** What the list of traces asks: rows, values, sums of one question. */
import { asQuery, spelled, type FilterParams } from '../model/filter';
import { partParams, type Format, type Part } from '../model/export';
import { windowParams } from '../model/range';
import type { ListQuery } from '../model/route';
import type { StripAnswer } from '../model/strip';
import { getJson, inProject } from './client';
import { tracesPath } from './endpoints';
import type { Facet } from './types';

/** What lists, sums and exports of one question share. `whole`: nothing of the text is still being typed. */
export function paramsOf(list: ListQuery, now: number, whole = false): FilterParams {
  const params: FilterParams = windowParams(list.from, list.to, now);
  const q = spelled(whole ? list.q : asQuery(list.q));
  if (q.trim() !== '') params.push(['q', q]);
  return params;
}

export function listPath(list: ListQuery, now: number, whole: boolean): string {
  const params = paramsOf(list, now, whole);
  if (list.sort !== '') params.push(['sort_by', list.sort]);
  return tracesPath(params);
}

export async function getFacets(
  list: ListQuery,
  of: 'traces' | 'spans',
  fields: string[],
  limit: number,
  signal: AbortSignal,
): Promise<{ is_estimate: boolean; facets: Facet[] }> {
  const query = new URLSearchParams([
    ...paramsOf(list, Date.now()),
    ['of', of],
    ['fields', fields.join(',')],
    ['limit', String(limit)],
  ]);
  return getJson(`/api/metrics/facets/?${query.toString()}`, signal);
}

const mostKeys = 200;

/** The keys of metadata that traces of the window have, those that most have first; whatever the filter says. */
export async function getMetadataKeys(from: string, to: string, signal: AbortSignal): Promise<string[]> {
  const list = { q: '', from, to, sort: '' };
  const { facets } = await getFacets(list, 'traces', ['metadata'], mostKeys, signal);
  return (facets[0]?.values ?? []).flatMap(({ value, is_others }) =>
    is_others || value === null ? [] : [String(value)],
  );
}

/** Traces over time, with percentiles of how long they took. */
export function getStrip(list: ListQuery, points: number, signal: AbortSignal): Promise<StripAnswer> {
  const query = new URLSearchParams([...paramsOf(list, Date.now()), ['of', 'traces'], ['points', String(points)]]);
  return getJson(`/api/metrics/series/?${query.toString()}`, signal);
}

/** What slides stays where it was when listening began: what comes is later than that. */
export function livePath(list: ListQuery, now: number): string {
  const query = new URLSearchParams(paramsOf(list, now)).toString();
  return query === '' ? '/api/live/' : `/api/live/?${query}`;
}

export function exportPath(list: ListQuery, format: Format, part: Part, count: number | null): string {
  const query = new URLSearchParams([...paramsOf(list, Date.now()), ['format', format], ...partParams(part, count)]);
  return inProject(`/api/traces/export/?${query.toString()}`);
}
