/** What a trace's rows say of each span beside its own figures: the time it spent itself, and what the model calls below it add up to. */
import { isModelCall } from './logtype';
import type { Tree } from './tree';

export interface Sums {
  /** Seconds in which no child ran, by row. */
  self: Float64Array;
  /** Model calls at or below a row; their tokens, and their cost in dollars (NaN where none says). */
  calls: Uint32Array;
  tokens: Float64Array;
  cost: Float64Array;
}

/** Takes rows whose siblings stand by their start, as the server sends them. */
export function sumsOf({ rows }: Tree): Sums {
  const n = rows.length;
  const self = new Float64Array(n);
  const covered = new Float64Array(n); // to where in time the children so far reach
  const calls = new Uint32Array(n);
  const tokens = new Float64Array(n);
  const cost = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const row = rows[i];
    if (!row) break;
    self[i] = row.end - row.start;
    covered[i] = row.start;
    const parent = rows[row.parent];
    if (parent) {
      const from = Math.max(row.start, covered[parent.index] ?? 0);
      const to = Math.min(row.end, parent.end);
      if (to > from) {
        self[parent.index] = (self[parent.index] ?? 0) - (to - from);
        covered[parent.index] = to;
      }
    }
    const { log_type, prompt_tokens, completion_tokens } = row.span;
    const counts = isModelCall(log_type);
    calls[i] = counts ? 1 : 0;
    tokens[i] = counts ? (prompt_tokens ?? 0) + (completion_tokens ?? 0) : 0;
    cost[i] = counts ? (row.span.cost ?? NaN) : NaN;
  }
  // Children stand behind their parents.
  for (let i = n - 1; i >= 0; i--) {
    self[i] = Math.max(0, self[i] ?? 0);
    const parent = rows[i]?.parent ?? -1;
    if (parent < 0) continue;
    calls[parent] = (calls[parent] ?? 0) + (calls[i] ?? 0);
    tokens[parent] = (tokens[parent] ?? 0) + (tokens[i] ?? 0);
    cost[parent] = plus(cost[parent] ?? NaN, cost[i] ?? NaN);
  }
  return { self, calls, tokens, cost };
}

function plus(a: number, b: number): number {
  return Number.isNaN(a) ? b : Number.isNaN(b) ? a : a + b;
}
