/** The questions the page asks, one function each. */
import type { FilterParams } from '../model/filter';
import { isTraceId } from '../model/route';
import type { Known } from '../model/running';
import { Spans, type Line } from '../model/spans';
import { ApiError, getJson, getLines, getText, inProject, send, setCsrfToken } from './client';
import type { Page, Session, Span, TraceFacts, TraceSince } from './types';

const pageSize = 50;

export function tracesPath(filter: FilterParams, size = pageSize): string {
  const query = new URLSearchParams({ page_size: String(size) });
  for (const [name, value] of filter) query.append(name, value);
  return `/api/traces/list/?${query.toString()}`;
}

/** The body as text: a poll that brings the same bytes changes nothing. */
export const getTracePage = (path: string, signal: AbortSignal): Promise<string> => getText(path, signal);

/** A trace may be asked for by the token of a link to it, too. */
const tracePath = (trace: string): string =>
  `/api/${isTraceId(trace) ? 'traces' : 'share'}/${encodeURIComponent(trace)}/`;

/** A trace of more spans is shown in part at once, any other if it has not come by then (ms). */
const big = 20_000;
const soon = 100;

/** A trace and its spans; `shown` is called with what is there whenever that is much more, while the rest of many is on its way. */
export async function getTree(trace: string, signal: AbortSignal, shown?: (part: Known) => void): Promise<Known> {
  const began = performance.now();
  const lines = getLines(`${tracePath(trace)}?view=columns`, signal);
  const first = await lines.next();
  const { spans: n, ...facts } = (first.value ?? { spans: 0 }) as TraceFacts & { spans: number };
  const spans = new Spans(n);
  let told = 0;
  for await (const line of lines) {
    spans.add(line as Line);
    if (!shown || spans.n === n || spans.n < told * 8 || (n < big && performance.now() - began < soon)) continue;
    told = spans.n;
    shown({ trace: facts, spans });
  }
  if (spans.n < n) throw new ApiError('away', 'the answer ended early');
  return { trace: facts, spans };
}

/** What arrived behind an answer of getTree, which is not a tree. */
export const getSince = (trace: string, since: string, signal: AbortSignal): Promise<TraceSince> =>
  getJson(`${tracePath(trace)}?view=tree&since=${encodeURIComponent(since)}`, signal);

/** Calls whenever that trace has grown, at once when it can tell, until it is called itself. */
export function onGrowth(trace: string, grown: () => void): () => void {
  const query = new URLSearchParams({ q: trace, content: 'false' });
  const events = new EventSource(inProject(`/api/live/?${query.toString()}`));
  for (const type of ['ready', 'trace', 'reset']) events.addEventListener(type, grown);
  return () => {
    events.close();
  };
}

/** Who asks; from then on he may change something. */
export async function getSession(signal: AbortSignal): Promise<Session> {
  const session = await getJson<Session>('/api/session/', signal);
  setCsrfToken(session.csrf_token ?? '');
  return session;
}

export async function getSpan(trace: string, span: string, signal: AbortSignal): Promise<Span> {
  const id = encodeURIComponent(span);
  if (isTraceId(trace)) return getJson(`/api/spans/${id}/?trace_id=${encodeURIComponent(trace)}`, signal);
  const said = await getJson<Partial<Content> & Omit<Span, keyof Content>>(`${tracePath(trace)}spans/${id}/`, signal);
  return 'attributes' in said ? { ...withoutContent, ...said } : { ...withoutContent, ...said, withheld: true };
}

export const getOtlp = (trace: string, span: string, signal: AbortSignal): Promise<string> => {
  const id = encodeURIComponent(span);
  return getText(
    isTraceId(trace)
      ? `/api/spans/${id}/?trace_id=${encodeURIComponent(trace)}&format=otlp`
      : `${tracePath(trace)}spans/${id}/?format=otlp`,
    signal,
  );
};

type Content = Pick<
  Span,
  'input' | 'output' | 'metadata' | 'parameters' | 'attributes' | 'events' | 'links' | 'resource' | 'scope'
>;
const withoutContent: Content = {
  input: null,
  output: null,
  metadata: null,
  parameters: null,
  attributes: null,
  events: null,
  links: null,
  resource: null,
  scope: null,
};

// --- one trace: its link, its end ---

export interface Share {
  shared: boolean;
  content?: boolean;
  created_at?: string;
}
const sharePath = (trace: string): string => `/api/traces/${encodeURIComponent(trace)}/share/`;

export const getShare = (trace: string, signal: AbortSignal): Promise<Share> => getJson(sharePath(trace), signal);
export const makeShare = (trace: string, content: boolean): Promise<Share & { url: string }> =>
  send('POST', sharePath(trace), { content });
export const endShare = (trace: string): Promise<Share> => send('DELETE', sharePath(trace));

const pinPath = (trace: string): string => `/api/traces/${encodeURIComponent(trace)}/pin/`;
export const getPin = (trace: string, signal: AbortSignal): Promise<{ pinned: boolean }> =>
  getJson(pinPath(trace), signal);
export const setPin = (trace: string, pinned: boolean): Promise<{ pinned: boolean }> =>
  send(pinned ? 'POST' : 'DELETE', pinPath(trace));

export const deleteTrace = (trace: string): Promise<{ deleted: number }> =>
  send('DELETE', `/api/traces/${encodeURIComponent(trace)}/`);

/** Where a trace says something, in pages; the path of the first. */
export const foundPath = (trace: string, q: string): string =>
  `/api/traces/${encodeURIComponent(trace)}/find/?${new URLSearchParams({ q, page_size: '100000' }).toString()}`;

export const getFound = (path: string, signal: AbortSignal): Promise<Page<Pick<Span, 'span_unique_id'>>> =>
  getJson(path, signal);
