/** The questions the page asks, one function each. */
import type { FilterParams } from '../model/filter';
import { parseInstant, toDate } from '../model/time';
import { getJson, getText } from './client';
import type { Page, Session, Span, TraceWithTree } from './types';

const pageSize = 50;

export function tracesPath(filter: FilterParams, size = pageSize): string {
  const query = new URLSearchParams({ page_size: String(size) });
  for (const [name, value] of filter) query.append(name, value);
  return `/api/traces/list/?${query.toString()}`;
}

/** The body as text: a poll that brings the same bytes changes nothing. */
export const getTracePage = (path: string, signal: AbortSignal): Promise<string> => getText(path, signal);

export const getTree = (trace: string, signal: AbortSignal): Promise<string> =>
  getText(`/api/traces/${encodeURIComponent(trace)}/?view=tree`, signal);

/** What arrived behind an answer of getTree, which is not a tree. */
export const getSince = (trace: string, since: string, signal: AbortSignal): Promise<TraceWithTree> =>
  getJson(`/api/traces/${encodeURIComponent(trace)}/?view=tree&since=${encodeURIComponent(since)}`, signal);

export const getSession = (signal: AbortSignal): Promise<Session> => getJson('/api/session/', signal);

export const getSpan = (trace: string, span: string, signal: AbortSignal): Promise<Span> =>
  getJson(`/api/spans/${encodeURIComponent(span)}/?trace_id=${encodeURIComponent(trace)}`, signal);

/** Spans of a trace that say something, in pages; the path of the first. Looks only where the trace is. */
export function foundPath(
  trace: Pick<TraceWithTree, 'trace_unique_id' | 'start_time' | 'end_time'>,
  q: string,
): string {
  const behind = new Date(toDate(parseInstant(trace.end_time)).getTime() + 1000).toISOString();
  const query = new URLSearchParams({ trace_unique_id: trace.trace_unique_id, q, content: 'false', page_size: '1000' });
  query.set('start_time', trace.start_time);
  query.set('end_time', behind);
  return `/api/spans/list/?${query.toString()}`;
}

export const getFound = (path: string, signal: AbortSignal): Promise<Page<Pick<Span, 'span_unique_id'>>> =>
  getJson(path, signal);
