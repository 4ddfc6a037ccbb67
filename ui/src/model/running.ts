/** A trace that still grows: what came behind the rest joins it, and spans that others name as their parent but that have not ended
 *  yet have a row of their own, which grows and gives way to the span itself. */
import type { Branch, TraceFacts, TraceSince } from '../api/types';
import type { Spans } from './spans';
import { parseInstant, secondsBetween } from './time';
import { isStray, Tree } from './tree';

/** A trace, and its spans in the order of the tree. */
export interface Known {
  trace: TraceFacts;
  spans: Spans;
}

/** What is known with what came since; null where only the whole tells how it is. */
export function grow(known: Known, since: TraceSince): Known | null {
  const { spans: came, ...trace } = since;
  const later = secondsBetween(parseInstant(trace.start_time), parseInstant(known.trace.start_time));
  const before = new Tree(known.spans);
  before.findAll([]); // from here on each is found at once
  const rowOf = new Map<string, number>(); // of what was not there
  let n = before.n;
  for (const { span_unique_id: id } of came) if (before.find(id) < 0) rowOf.set(id, n++);
  if (n !== since.span_count) return null;
  const all = known.spans.arranged(Array.from({ length: n }, (_, i) => (i < before.n ? i : -1)));
  for (let i = 0; i < before.n; i++) all.at.start[i] = (all.at.start[i] ?? 0) + later;
  const parent = new Int32Array(n).fill(-1);
  parent.set(before.parent);
  for (const span of came) {
    const row = rowOf.get(span.span_unique_id) ?? before.find(span.span_unique_id);
    all.put(row, span);
    parent[row] = -1;
  }
  for (const [row, id] of all.parents) parent[row] = rowOf.get(id) ?? before.find(id);

  // Siblings by their start, as a list that each row (the roots' parent comes last) begins.
  const byStart = Uint32Array.from({ length: n }, (_, i) => i);
  byStart.sort((a, b) => (all.at.start[a] ?? 0) - (all.at.start[b] ?? 0) || a - b);
  const first = new Int32Array(n + 1).fill(-1);
  const next = new Int32Array(n);
  for (const row of byStart.reverse()) {
    const above = parent[row] ?? -1;
    const list = above < 0 ? n : above;
    next[row] = first[list] ?? -1;
    first[list] = row;
  }
  const order: number[] = [];
  const depths: number[] = [];
  for (let row = first[n] ?? -1, depth = 0; row >= 0;) {
    order.push(row);
    depths.push(depth);
    const below = first[row] ?? -1;
    if (below >= 0) {
      depth++;
      row = below;
      continue;
    }
    while (row >= 0 && (next[row] ?? -1) < 0) {
      row = parent[row] ?? -1;
      depth--;
    }
    if (row >= 0) row = next[row] ?? -1;
  }
  // Rings have no root.
  return order.length === n ? { trace, spans: all.arranged(order, depths) } : null;
}

/** Whether spans are there whose parents have not come. */
export function awaitsParents({ parents, at }: Spans): boolean {
  for (const row of parents.keys()) if (at.depth[row] === 0) return true;
  return false;
}

/** The spans with those without their parent below a row that stands for it and reaches to `now` (seconds since the trace's start). */
export function withRunning(spans: Spans, now: number): Spans {
  const { depth, start, latency } = spans.at;
  // What is below each missing parent, by its id, in the order of the first of them; and what has all above it.
  const groups: { parent: string | null; rows: number[] }[] = [];
  const below = new Map<string, number[]>();
  let to: number[] = [];
  for (let i = 0; i < spans.n; i++) {
    if (depth[i] === 0) {
      const parent = spans.parents.get(i) ?? null;
      const had = parent === null ? undefined : below.get(parent);
      to = had ?? [];
      if (!had) groups.push({ parent, rows: to });
      if (parent !== null && !had) below.set(parent, to);
    }
    to.push(i);
  }
  const order: number[] = [];
  const depths: number[] = [];
  const heads: { row: number; branch: Branch }[] = [];
  for (const { parent, rows } of groups) {
    if (parent !== null) {
      const told = rows.filter((i) => !isStray(start[i]));
      const begins = start[told[0] ?? -1] ?? 0;
      const ends = told.reduce((end, i) => Math.max(end, (start[i] ?? 0) + (latency[i] ?? 0)), now);
      const branch = { depth: 0, span_unique_id: parent, log_type: 'unknown', start: begins, running: true };
      heads.push({ row: order.length, branch: { ...branch, latency: ends - begins } });
      order.push(-1);
      depths.push(0);
    }
    for (const i of rows) {
      order.push(i);
      depths.push((depth[i] ?? 0) + (parent === null ? 0 : 1));
    }
  }
  const out = spans.arranged(order, depths);
  for (const { row, branch } of heads) out.put(row, branch);
  return out;
}
