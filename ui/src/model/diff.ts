/** What differs between two texts, word by word (Myers' algorithm), in bounded time: texts that differ too much are compared by
 *  lines, then as wholes. */

export interface Piece {
  kind: 'same' | 'gone' | 'new';
  text: string;
}

/** So many words may differ; time and memory grow with its square. */
const mostEdits = 1500;
const mostTokens = 400_000;

export function diffWords(a: string, b: string): Piece[] {
  return diffBy(wordsOf(a), wordsOf(b)) ?? diffBy(linesOf(a), linesOf(b)) ?? wholes(a, b);
}

const wordsOf = (text: string): string[] => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
const wholes = (a: string, b: string): Piece[] => [
  { kind: 'gone', text: a },
  { kind: 'new', text: b },
];

/** Null if it would take too long. */
function diffBy(a: string[], b: string[]): Piece[] | null {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const middle = myers(a.slice(start, a.length - end), b.slice(start, b.length - end));
  if (middle === null) return null;
  const put = new Joined();
  put.add('same', a.slice(0, start).join(''));
  for (const { kind, text } of middle) put.add(kind, text);
  put.add('same', end === 0 ? '' : a.slice(-end).join(''));
  return put.done();
}

/** Pieces of a kind beside each other are one; between two that are the same, what went stands before what came. */
class Joined {
  private out: Piece[] = [];
  private gone = '';
  private fresh = '';

  add(kind: Piece['kind'], text: string): void {
    if (text === '') return;
    if (kind === 'gone') this.gone += text;
    else if (kind === 'new') this.fresh += text;
    else {
      this.flush();
      const last = this.out.at(-1);
      if (last?.kind === 'same') last.text += text;
      else this.out.push({ kind, text });
    }
  }

  private flush(): void {
    if (this.gone !== '') this.out.push({ kind: 'gone', text: this.gone });
    if (this.fresh !== '') this.out.push({ kind: 'new', text: this.fresh });
    this.gone = this.fresh = '';
  }

  done(): Piece[] {
    this.flush();
    return this.out;
  }
}

function myers(a: string[], b: string[]): Piece[] | null {
  const n = a.length;
  const m = b.length;
  if (n === 0 || m === 0) return [...a.map(piece('gone')), ...b.map(piece('new'))];
  if (n + m > mostTokens) return null;
  const most = Math.min(n + m, mostEdits);
  const zero = most + 1;
  const reach = new Int32Array(2 * most + 3); // by diagonal: how far it was come in a
  const before: Int32Array[] = []; // the diagonals -d to d, before the d-th edit
  for (let d = 0; d <= most; d++) {
    before.push(reach.slice(zero - d, zero + d + 1));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (reach[zero + k - 1] ?? 0) < (reach[zero + k + 1] ?? 0));
      let x = down ? (reach[zero + k + 1] ?? 0) : (reach[zero + k - 1] ?? 0) + 1;
      while (x < n && x - k < m && a[x] === b[x - k]) x++;
      reach[zero + k] = x;
      if (x >= n && x - k >= m) return pathBack(a, b, before);
    }
  }
  return null;
}

const piece =
  (kind: Piece['kind']) =>
  (text: string): Piece => ({ kind, text });

function pathBack(a: string[], b: string[], before: Int32Array[]): Piece[] {
  const out: Piece[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = before.length - 1; d > 0; d--) {
    const reach = (k: number): number => before[d]?.[k + d] ?? 0;
    const k = x - y;
    const from = k === -d || (k !== d && reach(k - 1) < reach(k + 1)) ? k + 1 : k - 1;
    const fromX = reach(from);
    const fromY = fromX - from;
    while (x > fromX && y > fromY) {
      out.push({ kind: 'same', text: a[--x] ?? '' });
      y--;
    }
    if (x === fromX) out.push({ kind: 'new', text: b[--y] ?? '' });
    else out.push({ kind: 'gone', text: a[--x] ?? '' });
  }
  while (x > 0) out.push({ kind: 'same', text: a[--x] ?? '' });
  return out.reverse();
}
