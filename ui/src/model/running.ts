/** A trace that still grows: what came behind the rest joins it, and spans that others name as their parent but that have not ended
 *  yet have a row of their own, which grows and gives way to the span itself. */
import type { Branch, TraceWithTree } from '../api/types';
import { parseInstant, secondsBetween } from './time';

/** What is known with what came since; null where only the whole tells how it is. */
export function grow(known: TraceWithTree, now: TraceWithTree): TraceWithTree | null {
  const later = secondsBetween(parseInstant(now.start_time), parseInstant(known.start_time));
  const byId = new Map<string, Branch>();
  for (const span of known.spans) {
    byId.set(span.span_unique_id, later === 0 ? span : { ...span, start: span.start + later });
  }
  for (const span of now.spans) byId.set(span.span_unique_id, span);
  if (byId.size !== now.span_count) return null;
  const children = new Map<string, Branch[]>();
  const roots: Branch[] = [];
  for (const span of byId.values()) {
    const parent = span.span_parent_id;
    if (parent === undefined || !byId.has(parent)) roots.push(span);
    else {
      const siblings = children.get(parent);
      if (siblings) siblings.push(span);
      else children.set(parent, [span]);
    }
  }
  const spans: Branch[] = [];
  // The last first: a stack turns them round.
  const push = (list: Branch[], depth: number, stack: Branch[]): void => {
    for (const span of list.sort((a, b) => b.start - a.start)) stack.push({ ...span, depth });
  };
  const stack: Branch[] = [];
  push(roots, 0, stack);
  for (let span = stack.pop(); span; span = stack.pop()) {
    spans.push(span);
    push(children.get(span.span_unique_id) ?? [], span.depth + 1, stack);
  }
  // Rings have no root.
  return spans.length === byId.size ? { ...now, spans } : null;
}

/** Whether spans are there whose parents have not come. */
export function awaitsParents(spans: Branch[]): boolean {
  return spans.some(({ depth, span_parent_id }) => depth === 0 && span_parent_id !== undefined);
}

/** Spans in the order of the tree, those without their parent below a row that stands for it and reaches to `now` (seconds since
 *  the trace's start). */
export function withRunning(spans: Branch[], now: number): Branch[] {
  const below = new Map<string, Branch[]>();
  const out: (Branch | Branch[])[] = [];
  let to: Branch[] | null = null; // where the tree that is gone through goes
  for (const span of spans) {
    if (span.depth === 0) {
      const parent = span.span_parent_id;
      to = null;
      if (parent !== undefined) {
        to = below.get(parent) ?? [];
        if (to.length === 0) {
          below.set(parent, to);
          out.push(to);
          to.push({
            depth: 0,
            span_unique_id: parent,
            log_type: 'unknown',
            start: span.start,
            latency: 0,
            running: true,
          });
        }
      }
    }
    if (to) to.push({ ...span, depth: span.depth + 1 });
    else out.push(span);
  }
  for (const [head, ...rest] of below.values()) {
    if (head) head.latency = rest.reduce((end, { start, latency }) => Math.max(end, start + latency), now) - head.start;
  }
  return out.flat();
}
