/** The spans that decide how long a trace takes, as Jaeger has it: from the end back, whoever finished last was waited for.
 *
 *  A child counts for as long as it runs inside its parent: one that outlives it (nobody waits for it) is cut at the parent's end,
 *  one whose clock is ahead at its start, one that lies outside is left out. Sections do not overlap, and together they are the roots' time. */
import type { Tree } from './tree';

export interface Section {
  from: number;
  to: number;
}

export interface CriticalPath {
  /** What is spent in the rows from `first` to `last` (not included), in order of time, neighbours joined. */
  sections: (first: number, last: number) => Section[];
}

/** Times come as sums of floating-point numbers: what touches to the nanosecond touches. */
const tolerance = 0.5e-9;

interface Frame {
  row: number; // -1: nobody, above the roots
  /** As far as it counts. */
  from: number;
  to: number;
  /** What lies behind is decided. */
  at: number;
  /** The next child to look at, in `children`. */
  next: number;
  end: number; // of its children
}

export function criticalPath({ n, parent, start: starts, end: ends, length }: Tree): CriticalPath {
  // Children of each row (the roots' parent comes last), those that end last first: one array, sliced by parent.
  const begin = new Uint32Array(n + 2);
  const slot = (parent: number): number => (parent < 0 ? n : parent);
  for (const above of parent) begin[slot(above) + 1] = (begin[slot(above) + 1] ?? 0) + 1;
  for (let i = 1; i < begin.length; i++) begin[i] = (begin[i] ?? 0) + (begin[i - 1] ?? 0);
  const filled = begin.slice();
  const children = new Uint32Array(n);
  for (let row = 0; row < n; row++) {
    const above = slot(parent[row] ?? -1);
    const place = filled[above] ?? 0;
    children[place] = row;
    filled[above] = place + 1;
  }
  const endOf = (row: number): number => ends[row] ?? 0;
  for (let i = 0; i <= n; i++) {
    const [from, to] = [begin[i] ?? 0, begin[i + 1] ?? 0];
    if (to - from > 1) children.subarray(from, to).sort((a, b) => endOf(b) - endOf(a));
  }

  const found: { row: number; section: Section }[] = [];
  const frame = (row: number, from: number, to: number): Frame => ({
    row,
    from,
    to,
    at: to,
    next: begin[slot(row)] ?? 0,
    end: begin[slot(row) + 1] ?? 0,
  });
  const spend = (row: number, from: number, to: number): void => {
    if (row >= 0 && to - from > tolerance) found.push({ row, section: { from, to } });
  };
  const open = [frame(-1, 0, length)];
  for (let top = open.at(-1); top; top = open.at(-1)) {
    if (top.next >= top.end) {
      spend(top.row, top.from, top.at);
      open.pop();
      continue;
    }
    const child = children[top.next++] ?? 0;
    const end = Math.min(endOf(child), top.to);
    const start = Math.max(starts[child] ?? 0, top.from);
    // One that still ran when the one behind it began was not waited for.
    if (end > top.at + tolerance || start >= end) continue;
    spend(top.row, end, top.at);
    top.at = start;
    open.push(frame(child, start, end));
  }

  found.sort((a, b) => a.row - b.row || a.section.from - b.section.from);
  const firstOf = new Uint32Array(n + 1);
  for (const { row } of found) firstOf[row + 1] = (firstOf[row + 1] ?? 0) + 1;
  for (let i = 1; i <= n; i++) firstOf[i] = (firstOf[i] ?? 0) + (firstOf[i - 1] ?? 0);
  return {
    sections: (first, last) => {
      const some = found.slice(firstOf[first], firstOf[last]).map(({ section }) => section);
      return join(last - first > 1 ? some.sort((a, b) => a.from - b.from) : some, tolerance);
    },
  };
}

/** Sections in order of time, those closer than `gap` as one. */
export function join(sections: Section[], gap: number): Section[] {
  const out: Section[] = [];
  for (const { from, to } of sections) {
    const last = out.at(-1);
    if (last && from - last.to <= gap) last.to = Math.max(last.to, to);
    else out.push({ from, to });
  }
  return out;
}
