/** What is shown of a trace of the list that is not opened: its first steps, what it comes to, and where that has room. */
import type { Trace } from '../api/types';
import { cost, count, duration, tokens } from './format';
import { shortModel } from './name';
import { failed, type Spans } from './spans';

export const stepsShown = 7;

/** A longer trace is not fetched for a look. */
export const hasSteps = (trace: Pick<Trace, 'span_count'>): boolean => trace.span_count > 1 && trace.span_count <= 2000;

export interface Step {
  id: string;
  depth: number;
  name: string;
  logType: string;
  latency: number;
  failed: boolean;
}

export function stepsOf(spans: Spans): { steps: Step[]; more: number } {
  const { at } = spans;
  const steps = spans.ids.slice(0, stepsShown).map((id, i) => ({
    id,
    depth: Math.min(at.depth[i] ?? 0, 6),
    name: spans.textOf('name', i) || 'unnamed',
    logType: spans.textOf('log_type', i),
    latency: at.latency[i] ?? 0,
    failed: at.status_code[i] === failed,
  }));
  return { steps, more: spans.n - steps.length };
}

/** In one line, what is known. */
export function figuresOf(trace: Trace): string {
  const said = [
    duration(trace.duration),
    trace.total_tokens === null ? '' : `${tokens(trace.total_prompt_tokens, trace.total_completion_tokens)} tokens`,
    trace.total_cost === null ? '' : cost(trace.total_cost),
    trace.span_count === 1 ? '1 span' : `${count(trace.span_count)} spans`,
    trace.model === null ? '' : shortModel(trace.model),
  ];
  return said.filter((text) => text !== '').join(' · ');
}

/** Below the row where there is room, else above it, within the window. */
export function placeOf(
  row: { top: number; bottom: number; x: number },
  size: { width: number; height: number },
  view: { width: number; height: number },
): { left: number; top: number } {
  const edge = 8;
  const left = Math.max(edge, Math.min(row.x, view.width - size.width - edge));
  const below = row.bottom + 4;
  const fits = below + size.height + edge <= view.height;
  const above = row.top - 4 - size.height;
  const top = fits || above < edge ? Math.min(below, Math.max(edge, view.height - size.height - edge)) : above;
  return { left, top };
}
