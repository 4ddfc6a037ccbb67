/** A trace that still grows: what came behind the rest joins it, and spans that have not ended reach to now: those that the server knows
 *  of, and those that others name as their parent. */
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
  // What has not ended is told anew each time.
  const place = new Int32Array(before.n).fill(-1);
  const kept: number[] = [];
  for (let i = 0; i < before.n; i++) if (!known.spans.at.running[i]) place[i] = kept.push(i) - 1;
  const rowOf = new Map<string, number>(); // of what was not there
  const rowFor = (id: string): number => rowOf.get(id) ?? place[before.find(id)] ?? -1;
  let n = kept.length;
  let open = 0;
  for (const { span_unique_id: id, running } of came) {
    if (rowFor(id) < 0) rowOf.set(id, n++);
    if (running) open++;
  }
  if (n - open !== since.span_count) return null;
  const all = known.spans.arranged(Array.from({ length: n }, (_, i) => kept[i] ?? -1));
  const parent = new Int32Array(n).fill(-1);
  for (const [i, was] of kept.entries()) {
    all.at.start[i] = (all.at.start[i] ?? 0) + later;
    const above = before.parent[was] ?? -1;
    if (above < 0) continue;
    parent[i] = place[above] ?? -1;
    if (parent[i] < 0) all.parents.set(i, before.idOf(above));
  }
  for (const span of came) {
    const row = rowFor(span.span_unique_id);
    all.put(row, span);
    parent[row] = -1;
  }
  for (const [row, id] of all.parents) parent[row] = rowFor(id);

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

/** The parents that are named and have not come: of a ring each has. */
export function missingParents({ parents, at, ids }: Spans): Set<string> {
  const missing = new Set<string>();
  for (const [row, id] of parents) if (at.depth[row] === 0) missing.add(id);
  if (missing.size > 0) for (const id of ids) missing.delete(id);
  return missing;
}

/** The spans with those that have not ended reaching to `now` (seconds since the trace's start), and those of a missing parent below a row
 *  that stands for it, and does too. */
export function withRunning(spans: Spans, now: number, missing: Set<string>): Spans {
  const { depth, start, latency } = spans.at;
  // What is below each missing parent, by its id, in the order of the first of them; and what has all above it.
  const groups: { parent: string | null; rows: number[] }[] = [];
  const below = new Map<string, number[]>();
  let to: number[] = [];
  for (let i = 0; i < spans.n; i++) {
    if (depth[i] === 0) {
      const named = spans.parents.get(i);
      const parent = named !== undefined && missing.has(named) ? named : null;
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
  for (let i = 0; i < out.n; i++) if (out.at.running[i]) out.at.latency[i] = Math.max(0, now - (out.at.start[i] ?? 0));
  for (const { row, branch } of heads) out.put(row, branch);
  return out;
}
