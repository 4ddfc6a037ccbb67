/** Looking for text in a trace: in what the tree knows here, in all that its spans say by the server. */
import type { Tree } from './tree';

/** The rows, in their order, whose name, model, type, error or id has the text in it, or that are among `also`. */
export function findRows(tree: Tree, text: string, also: readonly string[]): number[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return [];
  const { strings, at } = tree.spans;
  // Each text is looked at once, however many spans have it.
  const says = Uint8Array.from(strings, (said) => (said.toLowerCase().includes(wanted) ? 1 : 0));
  const marked = new Uint8Array(tree.n);
  for (const row of also.length > 0 ? tree.findAll(also) : []) marked[row] = 1;
  const whole = tree.find(wanted);
  if (whole >= 0) marked[whole] = 1;
  const found: number[] = [];
  for (let i = 0; i < tree.n; i++) {
    const here = columns.some((name) => says[at[name][i] ?? 0] === 1);
    if (here || marked[i] === 1) found.push(i);
  }
  return found;
}

const columns = ['name', 'model', 'log_type', 'error_message'] as const;

/** The filter that asks for spans which say so: one phrase, whatever is in it. Null where there is no word to look for. */
export function findFilter(text: string): string | null {
  const wanted = text.trim();
  if (!/[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(wanted)) return null;
  return `"${wanted.replace(/["\\]/g, '\\$&')}"`;
}

/** The place in `found` (which ascends) of the first row that is not before that one. */
export function placeIn(found: ArrayLike<number>, row: number): number {
  let [low, high] = [0, found.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((found[middle] ?? 0) < row) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The next of those rows behind (or before) that one, round and round. */
export function nextFound(found: readonly number[], from: number, step: 1 | -1): number | null {
  const next = step === 1 ? placeIn(found, from + 1) : placeIn(found, from) - 1;
  return found[next] ?? found.at(step === 1 ? 0 : -1) ?? null;
}
