/** Two traces, or two spans, beside each other: which spans stand for each other, and which values differ. */
import type { Json, JsonObject, Span } from '../api/types';
import { parametersOf, sideOf } from './content';
import { attributesBelow, valueText } from './facts';
import { isGeneration } from './logtype';
import type { Row, Tree } from './tree';

/** One of the two: a trace, or a span of it. */
export interface End {
  trace: string;
  span: string | null;
}

export function parseEnd(text: string): End | null {
  const m = /^([0-9a-f]{32})(?:\.([0-9a-f]{16}))?$/i.exec(text);
  return m ? { trace: (m[1] ?? '').toLowerCase(), span: m[2]?.toLowerCase() ?? null } : null;
}

export const endText = ({ trace, span }: End): string => (span === null ? trace : `${trace}.${span}`);

/** A span of both, or of one of them. */
export interface Pair {
  depth: number;
  a: Row | null;
  b: Row | null;
}

/** What tells siblings apart: the name without the model, since models are what one compares. */
function keyOf({ span }: Row): string {
  const name = span.name ?? '';
  const plain = span.model && name.endsWith(` ${span.model}`) ? name.slice(0, -span.model.length) : name;
  return `${span.log_type} ${plain}`;
}

function childrenOf(tree: Tree): Row[][] {
  const rows = tree.all();
  const children: Row[][] = rows.map(() => []);
  const roots: Row[] = [];
  for (const row of rows) (children[row.parent] ?? roots).push(row);
  children.push(roots);
  return children;
}

/** Siblings of a name stand for each other in their order; others stand alone, behind the one they came behind. */
function pairUp(as: Row[], bs: Row[], depth: number): Pair[] {
  const left = new Map<string, Row[]>();
  for (const b of bs) left.set(keyOf(b), [...(left.get(keyOf(b)) ?? []), b]);
  const alone = as.length === 1 && bs.length === 1;
  const matched = new Map<Row, number>();
  const pairs = as.map((a, i): Pair => {
    const b = alone ? bs[0] : left.get(keyOf(a))?.shift();
    if (b) matched.set(b, i);
    return { depth, a, b: b ?? null };
  });
  const behind: Pair[][] = [[], ...as.map(() => [])];
  let at = 0;
  for (const b of bs) {
    const to = matched.get(b);
    if (to !== undefined) at = to + 1;
    else behind[at]?.push({ depth, a: null, b });
  }
  return [...(behind[0] ?? []), ...pairs.flatMap((pair, i) => [pair, ...(behind[i + 1] ?? [])])];
}

/** Both trees as one, depth first. */
export function pairTrees(a: Tree, b: Tree): Pair[] {
  const childrenA = childrenOf(a);
  const childrenB = childrenOf(b);
  const out: Pair[] = [];
  const open = pairUp(childrenA.at(-1) ?? [], childrenB.at(-1) ?? [], 0).reverse();
  for (let pair = open.pop(); pair; pair = open.pop()) {
    out.push(pair);
    const below = pairUp(
      pair.a ? (childrenA[pair.a.index] ?? []) : [],
      pair.b ? (childrenB[pair.b.index] ?? []) : [],
      pair.depth + 1,
    );
    for (const child of below.reverse()) open.push(child);
  }
  return out;
}

/** The pair to look at first: the first that generates in both, else the first of both. */
export function firstPair(pairs: Pair[]): Pair | null {
  return pairs.find(({ a, b }) => a && b && isGeneration(a.span.log_type)) ?? pairs.find(({ a, b }) => a && b) ?? null;
}

export interface Difference {
  key: string;
  a: string | null;
  b: string | null;
  kind: 'same' | 'changed' | 'removed' | 'added';
}

export function differences(a: JsonObject | null, b: JsonObject | null): Difference[] {
  const keys = [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])].sort();
  return keys.map((key): Difference => {
    const x = a?.[key];
    const y = b?.[key];
    const [was, is] = [x === undefined ? null : valueText(x), y === undefined ? null : valueText(y)];
    const kind = was === is ? 'same' : was === null ? 'added' : is === null ? 'removed' : 'changed';
    return { key, a: was, b: is, kind };
  });
}

export const parameterDifferences = (a: Span, b: Span): Difference[] => differences(parametersOf(a), parametersOf(b));

/** Which model it was: its name, and all that is said of it. */
export function modelDifferences(a: Span, b: Span): Difference[] {
  const of = (span: Span): JsonObject => ({
    ...(span.model === null ? {} : { model: span.model }),
    ...attributesBelow(span, 'respan.model.'),
  });
  return differences(of(a), of(b));
}

/** What went in or came out, as one text to be compared. */
export function textOf(value: Json): string {
  const side = sideOf(value);
  switch (side.shape) {
    case 'none':
      return '';
    case 'text':
      return side.text;
    case 'json':
      return JSON.stringify(side.value, null, 2);
    case 'messages':
      return side.messages
        .map(({ role, content, extra }) => {
          const said = content === null ? '' : typeof content === 'string' ? content : JSON.stringify(content, null, 2);
          const calls = extra.tool_calls === undefined ? '' : `\n${JSON.stringify(extra.tool_calls, null, 2)}`;
          return `${role === '' ? '' : `${role}: `}${said}${calls}`;
        })
        .join('\n\n');
  }
}

/** How much more or less the second is, as +12 %, of ten times and more as ×12; '' where that says nothing. */
export function change(a: number | null | undefined, b: number | null | undefined): string {
  if (a === null || a === undefined || b === null || b === undefined || a === b || a === 0) return '';
  const part = ((b - a) / Math.abs(a)) * 100;
  if (part >= 999.5) return `×${String(Math.round(b / a))}`;
  const text = Math.abs(part) < 9.95 ? Math.abs(part).toFixed(1) : String(Math.round(Math.abs(part)));
  return `${part > 0 ? '+' : '−'}${text} %`;
}
