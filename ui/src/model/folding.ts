/** Which rows of a tree are folded: those from some level down, but for single ones that are as the level does not have them. */
import { placeIn } from './find';
import type { Tree } from './tree';

export interface Folding {
  /** Rows of this depth and deeper are folded. */
  level: number;
  /** Spans that are folded above the level, or open below it. */
  but: ReadonlySet<string>;
}

export const allOpen: Folding = { level: Infinity, but: new Set() };
export const allClosed: Folding = { level: 0, but: new Set() };

/** An address keeps so many single spans. */
const mostSaid = 50;

export function parseFolding(text: string): Folding {
  const [level = '', ...but] = text.split('.');
  return { level: /^\d{1,6}$/.test(level) ? Number(level) : Infinity, but: new Set(but.filter((id) => id !== '')) };
}

export function foldingText({ level, but }: Folding): string {
  const said = [level === Infinity ? '' : String(level), ...[...but].slice(-mostSaid)];
  return said.length === 1 ? (said[0] ?? '') : said.join('.');
}

/** Whether rows of a tree are folded. */
export function foldedIn(tree: Tree, { level, but }: Folding): (row: number) => boolean {
  const { depth } = tree.spans.at;
  const single = new Set(but.size > 1 ? tree.findAll(but) : [...but].map((id) => tree.find(id)));
  return (row) => (tree.descendants[row] ?? 0) > 0 && (depth[row] ?? 0) >= level !== single.has(row);
}

/** The rows that can be seen, in order; null if all can. */
export function rowsSeen(tree: Tree, folding: Folding): Uint32Array | null {
  if (folding.level === Infinity && folding.but.size === 0) return null;
  const folded = foldedIn(tree, folding);
  const seen = new Uint32Array(tree.n);
  let n = 0;
  for (let i = 0; i < tree.n; i++) {
    seen[n++] = i;
    if (folded(i)) i += tree.descendants[i] ?? 0;
  }
  return seen.subarray(0, n);
}

/** Where among the rows that can be seen one stands, -1 if it is hidden. */
export function placeOf(seen: Uint32Array | null, row: number): number {
  if (!seen || row < 0) return row;
  const place = placeIn(seen, row);
  return seen[place] === row ? place : -1;
}

export function turn({ level, but }: Folding, id: string): Folding {
  const out = new Set(but);
  if (!out.delete(id)) out.add(id);
  return { level, but: out };
}

/** The depths of the rows that can be seen and are open (or folded): the least and the most; null if there is none. */
function depths(tree: Tree, folding: Folding, wanted: 'open' | 'folded'): { least: number; most: number } | null {
  const folded = foldedIn(tree, folding);
  const { depth } = tree.spans.at;
  let [least, most] = [Infinity, -1];
  for (let i = 0; i < tree.n; i++) {
    const below = tree.descendants[i] ?? 0;
    if (below === 0) continue;
    const closed = folded(i);
    if (closed === (wanted === 'folded')) {
      least = Math.min(least, depth[i] ?? 0);
      most = Math.max(most, depth[i] ?? 0);
    }
    if (closed) i += below;
  }
  return most < 0 ? null : { least, most };
}

function keepSingle(tree: Tree, but: ReadonlySet<string>, keep: (depth: number) => boolean): Set<string> {
  return new Set([...but].filter((id) => keep(tree.spans.at.depth[tree.find(id)] ?? -1)));
}

/** One level less: folds the deepest level that is still open. */
export function foldDeepest(tree: Tree, folding: Folding): Folding {
  const open = depths(tree, folding, 'open');
  if (!open) return folding;
  return {
    level: Math.min(folding.level, open.most),
    but: keepSingle(tree, folding.but, (depth) => depth >= 0 && depth < open.most),
  };
}

/** One level more: opens the shallowest folded spans that can be seen. */
export function openShallowest(tree: Tree, folding: Folding): Folding {
  const closed = depths(tree, folding, 'folded');
  if (!closed) return folding;
  const level = Math.max(folding.level, closed.least < folding.level ? 0 : closed.least + 1);
  const opened = { level, but: keepSingle(tree, folding.but, (depth) => depth > closed.least) };
  return depths(tree, opened, 'folded') ? opened : allOpen;
}

/** Opens whatever hides that row. */
export function reveal(tree: Tree, folding: Folding, row: number): Folding {
  if (folding.level === Infinity && folding.but.size === 0) return folding;
  const folded = foldedIn(tree, folding);
  let but: Set<string> | null = null;
  for (let at = tree.parent[row] ?? -1; at >= 0; at = tree.parent[at] ?? -1) {
    if (!folded(at)) continue;
    but ??= new Set(folding.but);
    if (!but.delete(tree.idOf(at))) but.add(tree.idOf(at));
  }
  return but ? { level: folding.level, but } : folding;
}

/** The row that stands for another one: itself, or the highest folded one above it. */
export function shownFor(tree: Tree, folding: Folding, row: number): number {
  const folded = foldedIn(tree, folding);
  let shown = row;
  for (let at = tree.parent[row] ?? -1; at >= 0; at = tree.parent[at] ?? -1) if (folded(at)) shown = at;
  return shown;
}
