/** The model calls of a trace, with all they said. */
import type { Call } from '../model/conversation';
import { isGeneration } from '../model/logtype';
import { getJson } from './client';
import { getSpan, getTree } from './endpoints';
import type { Span, Trace } from './types';

/** A trace with more spans is asked for its tree, then for its last calls one by one. */
const wholeTo = 60;
const lastCalls = 20;

export interface Calls {
  calls: Call[];
  /** Those before them, which were not asked for. */
  before: number;
}

export async function getCalls(trace: Trace, signal: AbortSignal): Promise<Calls> {
  const id = trace.trace_unique_id;
  if (trace.span_count <= wholeTo) {
    const { spans } = await getJson<{ spans: Span[] }>(`/api/traces/${id}/?flat=true`, signal);
    return { calls: inOrder(spans.filter((s) => isGeneration(s.log_type))), before: 0 };
  }
  const { spans } = await getTree(id, signal);
  const calls = spans.ids.flatMap((call, i) =>
    isGeneration(spans.textOf('log_type', i)) ? [{ call, start: spans.at.start[i] ?? 0 }] : [],
  );
  calls.sort((a, b) => a.start - b.start);
  const last = calls.slice(-lastCalls);
  return {
    calls: await Promise.all(last.map(({ call }) => getSpan(id, call, signal))),
    before: calls.length - last.length,
  };
}

/** By their start: times of one length are ordered as their texts are. */
function inOrder(spans: Span[]): Span[] {
  return spans.sort((a, b) => (a.start_time < b.start_time ? -1 : a.start_time > b.start_time ? 1 : 0));
}
