/** The questions the page asks, one function each. */
import type { FilterParams } from '../model/filter';
import { getJson, getText } from './client';
import type { Session, Span, TraceWithTree } from './types';

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
