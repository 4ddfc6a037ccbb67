/** Looking for text in a trace: in what the tree knows here, in all that its spans say by the server. */
import type { Tree } from './tree';

/** The rows, in their order, whose name, model, type, error or id has the text in it, or that are among `also`. */
export function findRows(tree: Tree, text: string, also: ReadonlySet<string>): number[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return [];
  const found: number[] = [];
  const says = (said: string | undefined): boolean => said?.toLowerCase().includes(wanted) === true;
  for (const { span, id, index } of tree.rows) {
    const here = says(span.name) || says(span.model) || says(span.log_type) || says(span.error_message);
    if (here || id === wanted || also.has(id)) found.push(index);
  }
  return found;
}

/** The filter that asks for spans which say so: one phrase, whatever is in it. Null where there is no word to look for. */
export function findFilter(text: string): string | null {
  const wanted = text.trim();
  if (!/[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(wanted)) return null;
  return `"${wanted.replace(/["\\]/g, '\\$&')}"`;
}

/** The next of those rows behind (or before) that one, round and round. */
export function nextFound(found: number[], from: number, step: 1 | -1): number | null {
  if (found.length === 0) return null;
  const next = step === 1 ? found.find((row) => row > from) : found.findLast((row) => row < from);
  return next ?? found.at(step === 1 ? 0 : -1) ?? null;
}
