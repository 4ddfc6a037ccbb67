/** Trees for tests, written as they nest; times in milliseconds. */
import type { Branch } from '../src/api/types';
import { Spans } from '../src/model/spans';
import { Tree } from '../src/model/tree';

export interface Nested {
  id: string;
  at: number;
  lasts: number;
  children?: Nested[];
  more?: Partial<Branch>;
}

/** As the server writes them: in the order of the tree, siblings by their start. */
export function treeOf(roots: Nested[]): Tree {
  const spans: Branch[] = [];
  const byStart = (list: Nested[]): Nested[] => list.toReversed().sort((a, b) => b.at - a.at);
  const left = byStart(roots).map((one) => ({ one, depth: 0 }));
  for (let next = left.pop(); next; next = left.pop()) {
    const { one, depth } = next;
    spans.push({
      depth,
      span_unique_id: one.id,
      log_type: 'task',
      start: one.at / 1000,
      latency: one.lasts / 1000,
      ...one.more,
    });
    for (const child of byStart(one.children ?? [])) left.push({ one: child, depth: depth + 1 });
  }
  return new Tree(Spans.of(spans));
}
