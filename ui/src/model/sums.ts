/** What a trace's rows say of each span beside its own figures: the time it spent itself, and what the model calls below it add up to. */
import type { Tree } from './tree';

export interface Sums {
  /** Seconds in which no child ran, by row. */
  self: Float64Array;
  /** Model calls at or below a row; their tokens, and what they and custom spans cost in dollars (NaN where none says). */
  calls: Uint32Array;
  tokens: Float64Array;
  cost: Float64Array;
}

/** Takes a tree whose siblings stand by their start, as the server sends them. */
export function sumsOf(tree: Tree): Sums {
  const { n, parent, start, end } = tree;
  const { strings, at } = tree.spans;
  const { prompt_tokens, completion_tokens, log_type, cost: costs } = at;
  const self = new Float64Array(n);
  const covered = new Float64Array(n); // to where in time the children so far reach
  const calls = new Uint32Array(n);
  const tokens = new Float64Array(n);
  const cost = new Float64Array(n).fill(NaN);
  for (let i = 0; i < n; i++) {
    const [from, to, above] = [start[i] ?? 0, end[i] ?? 0, parent[i] ?? -1];
    self[i] = to - from;
    covered[i] = from;
    if (above >= 0) {
      const begin = Math.max(from, covered[above] ?? 0);
      const stop = Math.min(to, end[above] ?? 0);
      if (stop > begin) {
        self[above] = (self[above] ?? 0) - (stop - begin);
        covered[above] = stop;
      }
    }
    const isCall = tree.isModelCall(i);
    const spent = costs[i] ?? -1;
    // A pipeline of any other task is custom, and costs its time.
    if (spent >= 0 && (isCall || strings[log_type[i] ?? 0] === 'custom')) cost[i] = spent;
    if (!isCall) continue;
    calls[i] = 1;
    tokens[i] = Math.max(0, prompt_tokens[i] ?? 0) + Math.max(0, completion_tokens[i] ?? 0);
  }
  // Children stand behind their parents.
  for (let i = n - 1; i >= 0; i--) {
    self[i] = Math.max(0, self[i] ?? 0);
    const above = parent[i] ?? -1;
    if (above < 0) continue;
    calls[above] = (calls[above] ?? 0) + (calls[i] ?? 0);
    tokens[above] = (tokens[above] ?? 0) + (tokens[i] ?? 0);
    cost[above] = plus(cost[above] ?? NaN, cost[i] ?? NaN);
  }
  return { self, calls, tokens, cost };
}

function plus(a: number, b: number): number {
  return Number.isNaN(a) ? b : Number.isNaN(b) ? a : a + b;
}
