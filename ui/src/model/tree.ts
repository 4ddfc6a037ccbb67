/** A trace's spans as rows of a tree: flattened once, then hidden and shown by folding. */
import type { Branch } from '../api/types';
import { familyOf, isGeneration, type Family } from './logtype';

export interface Row {
  span: Branch;
  id: string;
  /** Index in the rows of the whole tree. */
  index: number;
  depth: number;
  parent: number; // -1 for a root
  /** Rows below this one that belong to it. */
  descendants: number;
  /** Place among its siblings, from 1, and how many they are. */
  place: number;
  siblings: number;
  family: Family;
  /** Seconds from the beginning of the trace. */
  start: number;
  end: number;
  failed: boolean;
  /** It names a parent that is not in the trace. */
  orphan: boolean;
  /** A descendant failed. */
  failedBelow: boolean;
  /** Seconds by which it begins before its parent: more than none says that their clocks differ. */
  early: number;
}

export interface Tree {
  rows: Row[]; // in depth-first order
  byId: Map<string, number>;
  length: number; // seconds
}

/** Takes the spans in the order of the tree, in one pass: it stands between a big trace's arrival and its picture. */
export function flatten(spans: Branch[]): Tree {
  const rows: Row[] = [];
  const byId = new Map<string, number>();
  const open: number[] = []; // the row of each level that the next one may be below
  const children: number[] = []; // how many each row has
  let roots = 0;
  let first = Infinity;
  for (const span of spans) {
    const { depth, start } = span;
    const index = rows.length;
    const parent = depth > 0 ? (open[depth - 1] ?? -1) : -1;
    if (start < first) first = start;
    open[depth] = index;
    children.push(0);
    byId.set(span.span_unique_id, index);
    rows.push({
      span,
      id: span.span_unique_id,
      index,
      depth,
      parent,
      descendants: 0,
      place: parent < 0 ? ++roots : (children[parent] = (children[parent] ?? 0) + 1),
      siblings: 0,
      family: familyOf(span.log_type),
      start,
      end: start + span.latency,
      failed: span.status_code === 'error',
      orphan: parent < 0 && span.span_parent_id !== undefined,
      failedBelow: false,
      early: parent < 0 ? 0 : Math.max(0, (rows[parent]?.start ?? 0) - start - 0.5e-9),
    });
  }
  let length = 0;
  // Children stand behind their parents, so one walk from the end sums them up.
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i];
    if (!row) break;
    row.siblings = row.parent < 0 ? roots : (children[row.parent] ?? 0);
    row.start -= first;
    row.end -= first;
    if (row.end > length) length = row.end;
    const parent = rows[row.parent];
    if (parent) {
      parent.descendants += row.descendants + 1;
      parent.failedBelow ||= row.failed || row.failedBelow;
    }
  }
  return { rows, byId, length };
}

export type Folded = ReadonlySet<string>;

/** The rows that can be seen while these spans are folded. */
export function unfolded(tree: Tree, folded: Folded): Row[] {
  if (folded.size === 0) return tree.rows;
  const out: Row[] = [];
  for (let i = 0; i < tree.rows.length; i++) {
    const row = tree.rows[i];
    if (!row) break;
    out.push(row);
    if (folded.has(row.id)) i += row.descendants;
  }
  return out;
}

export function fold(folded: Folded, id: string, closed: boolean): Folded {
  const out = new Set(folded);
  if (closed) out.add(id);
  else out.delete(id);
  return out;
}

/** One level less: folds the deepest level that is still open. */
export function foldDeepest(tree: Tree, folded: Folded): Folded {
  const open = unfolded(tree, folded).filter((r) => r.descendants > 0 && !folded.has(r.id));
  const depth = Math.max(-1, ...depthsOf(open));
  const out = new Set(folded);
  for (const row of open) if (row.depth === depth) out.add(row.id);
  return out;
}

/** One level more: opens the shallowest folded spans that can be seen. */
export function unfoldShallowest(tree: Tree, folded: Folded): Folded {
  const closed = unfolded(tree, folded).filter((r) => folded.has(r.id));
  const depth = Math.min(Infinity, ...depthsOf(closed));
  const out = new Set(folded);
  for (const row of closed) if (row.depth === depth) out.delete(row.id);
  return out;
}

/** The distinct depths, few whatever the number of rows (so they may be spread as arguments). */
function depthsOf(rows: Row[]): number[] {
  let min = Infinity;
  let max = -Infinity;
  for (const { depth } of rows) {
    min = Math.min(min, depth);
    max = Math.max(max, depth);
  }
  return rows.length === 0 ? [] : [min, max];
}

/** Opens whatever hides that span. */
export function reveal(tree: Tree, folded: Folded, id: string): Folded {
  let out = folded;
  let row = tree.rows[tree.byId.get(id) ?? -1];
  for (row = row && tree.rows[row.parent]; row; row = tree.rows[row.parent]) {
    if (out.has(row.id)) out = fold(out, row.id, false);
  }
  return out;
}

/** The span that stands for another one: itself, or the highest folded one above it. */
export function shownFor(tree: Tree, folded: Folded, id: string): string {
  let shown = id;
  let row = tree.rows[tree.byId.get(id) ?? -1];
  for (row = row && tree.rows[row.parent]; row; row = tree.rows[row.parent]) if (folded.has(row.id)) shown = row.id;
  return shown;
}

/** The span to show first: the first that generates, else the first model call, else the root. */
export function defaultSpan(tree: Tree): string | null {
  const first =
    tree.rows.find((r) => isGeneration(r.span.log_type)) ?? tree.rows.find((r) => r.family === 'model') ?? tree.rows[0];
  return first?.id ?? null;
}

/** The next failed span behind that one, round and round. */
export function nextFailed(tree: Tree, id: string | null): string | null {
  const from = id === null ? -1 : (tree.byId.get(id) ?? -1);
  const n = tree.rows.length;
  for (let step = 1; step <= n; step++) {
    const row = tree.rows[(from + step + n) % n];
    if (row?.failed) return row.id;
  }
  return null;
}
