/** A trace's spans as rows of a tree, and which of them are hidden by folding. Rows are made objects of as they are looked at. */
import type { Branch } from '../api/types';
import { familyOf, isGeneration, type Family } from './logtype';
import { failed, type Spans } from './spans';

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
  /** Seconds by which it begins before its parent: more than none says that their clocks differ; without end: it is a stray. */
  early: number;
}

export const families: readonly Family[] = ['workflow', 'task', 'agent', 'model', 'tool', 'guard', 'other'];
const modelFamily = families.indexOf('model');

/** Ten years and more from its trace's start: a clock that was not set. It is drawn where its parent begins. */
export const isStray = (start = 0): boolean => Math.abs(start) > 3e8;

export class Tree {
  readonly n: number;
  /** By row, in depth-first order. */
  readonly parent: Int32Array;
  readonly descendants: Uint32Array;
  readonly start: Float64Array;
  readonly end: Float64Array;
  readonly family: Uint8Array;
  readonly failedBelow: Uint8Array;
  /** Seconds. */
  readonly length: number;
  /** The innermost failed rows: their parents only pass it on. */
  readonly failures: number[] = [];
  private readonly place: Uint32Array;
  private readonly children: Uint32Array; // how many each row has
  private readonly roots: number;
  private readonly rows: (Row | undefined)[];
  private readonly known = new Map<string, number>();
  private knowsAll = false;

  /** Of the first n spans. One pass there and one back: it stands between a big trace's arrival and its picture. */
  constructor(
    readonly spans: Spans,
    n = spans.n,
  ) {
    const { depth, start, latency, log_type, status_code } = spans.at;
    this.n = n;
    this.parent = new Int32Array(n);
    this.descendants = new Uint32Array(n);
    this.start = new Float64Array(n);
    this.end = new Float64Array(n);
    this.family = new Uint8Array(n);
    this.failedBelow = new Uint8Array(n);
    this.place = new Uint32Array(n);
    this.children = new Uint32Array(n);
    this.rows = new Array<Row | undefined>(n);
    const open: number[] = []; // the row of each level that the next one may be below
    const familyAt = new Map<number, number>(); // by the place of the log type's text
    let roots = 0;
    let first = Infinity;
    for (let i = 0; i < n; i++) if (!isStray(start[i]) && (start[i] ?? 0) < first) first = start[i] ?? 0;
    for (let i = 0; i < n; i++) {
      const level = depth[i] ?? 0;
      const parent = level > 0 ? (open[level - 1] ?? -1) : -1;
      open[level] = i;
      this.parent[i] = parent;
      this.place[i] = parent < 0 ? ++roots : (this.children[parent] = (this.children[parent] ?? 0) + 1);
      const begins = isStray(start[i]) ? (this.start[parent] ?? 0) : (start[i] ?? 0) - first;
      this.start[i] = begins;
      this.end[i] = begins + (latency[i] ?? 0);
      const type = log_type[i] ?? 0;
      let family = familyAt.get(type);
      if (family === undefined) familyAt.set(type, (family = families.indexOf(familyOf(spans.strings[type]))));
      this.family[i] = family;
    }
    this.roots = roots;
    let length = 0;
    // Children stand behind their parents, so one walk from the end sums them up.
    for (let i = n - 1; i >= 0; i--) {
      const end = this.end[i] ?? 0;
      if (end > length) length = end;
      const fails = status_code[i] === failed;
      if (fails && !this.failedBelow[i]) this.failures.push(i);
      const parent = this.parent[i] ?? -1;
      if (parent < 0) continue;
      this.descendants[parent] = (this.descendants[parent] ?? 0) + (this.descendants[i] ?? 0) + 1;
      if (fails || this.failedBelow[i]) this.failedBelow[parent] = 1;
    }
    this.failures.reverse();
    this.length = length;
  }

  idOf(i: number): string {
    return this.spans.ids[i] ?? '';
  }

  fails(i: number): boolean {
    return this.spans.at.status_code[i] === failed;
  }

  isModelCall(i: number): boolean {
    return this.family[i] === modelFamily;
  }

  row(i: number): Row | undefined {
    if (!(i >= 0 && i < this.n)) return undefined;
    const had = this.rows[i];
    if (had) return had;
    const parent = this.parent[i] ?? -1;
    const start = this.start[i] ?? 0;
    const span = this.spans.branch(i, parent < 0 ? undefined : this.idOf(parent));
    const row: Row = {
      span,
      id: span.span_unique_id,
      index: i,
      depth: span.depth,
      parent,
      descendants: this.descendants[i] ?? 0,
      place: this.place[i] ?? 0,
      siblings: parent < 0 ? this.roots : (this.children[parent] ?? 0),
      family: families[this.family[i] ?? 0] ?? 'other',
      start,
      end: this.end[i] ?? 0,
      failed: this.fails(i),
      orphan: parent < 0 && span.span_parent_id !== undefined,
      failedBelow: this.failedBelow[i] === 1,
      early: isStray(span.start) ? Infinity : parent < 0 ? 0 : Math.max(0, (this.start[parent] ?? 0) - start - 0.5e-9),
    };
    this.known.set(row.id, i);
    return (this.rows[i] = row);
  }

  /** All of them, for trees of no great size. */
  all(): Row[] {
    return Array.from({ length: this.n }, (_, i) => this.row(i)).filter((row) => row !== undefined);
  }

  /** The row of a span; -1 if it is not there. */
  find(id: string | null): number {
    if (id === null) return -1;
    const known = this.known.get(id);
    if (known !== undefined || this.knowsAll) return known ?? -1;
    const at = this.spans.ids.indexOf(id);
    const row = at < this.n ? at : -1;
    this.known.set(id, row);
    return row;
  }

  /** The rows of many spans, in order; those that are not there are left out. */
  findAll(ids: Iterable<string>): number[] {
    if (!this.knowsAll) for (let i = 0; i < this.n; i++) this.known.set(this.idOf(i), i);
    this.knowsAll = true;
    const rows: number[] = [];
    for (const id of ids) {
      const row = this.known.get(id) ?? -1;
      if (row >= 0) rows.push(row);
    }
    return rows.sort((a, b) => a - b);
  }
}

/** The span to show first: the first that generates, else the first model call; null if there is neither. */
export function firstCall(tree: Tree): string | null {
  let call = -1;
  for (let i = 0; i < tree.n; i++) {
    if (!tree.isModelCall(i)) continue;
    if (isGeneration(tree.spans.textOf('log_type', i))) return tree.idOf(i);
    if (call < 0) call = i;
  }
  return call < 0 ? null : tree.idOf(call);
}

/** The next failed span behind that one, round and round. */
export function nextFailed(tree: Tree, from: number): string | null {
  for (let step = 1; step <= tree.n; step++) {
    const row = (from + step + tree.n) % tree.n;
    if (tree.fails(row)) return tree.idOf(row);
  }
  return null;
}
