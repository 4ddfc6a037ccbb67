/** Where a waterfall draws what. Times are seconds from the beginning of the trace, places are fractions of the width. */
import type { Family } from './logtype';
import { families, type Row, type Tree } from './tree';

export interface Range {
  from: number;
  to: number;
}

/** A range of some length, whatever the trace's is. */
export function wholeRange(length: number): Range {
  return { from: 0, to: length > 0 ? length : 1e-6 };
}

/** Zooms about a place, a fraction of the width, which stays where it is; keeps inside the trace. */
export function zoom(range: Range, whole: Range, factor: number, about = 0.5): Range {
  const was = range.to - range.from;
  const width = Math.min(Math.max(was * factor, shortest), whole.to - whole.from);
  return place(range.from + (was - width) * about, width, whole);
}

/** Moves the edges to there, in either order. */
export function between(a: number, b: number, whole: Range): Range {
  const width = Math.min(Math.max(Math.abs(b - a), shortest), whole.to - whole.from);
  return place(Math.min(a, b), width, whole);
}

const shortest = 1e-8;

export function pan(range: Range, whole: Range, part: number): Range {
  const width = range.to - range.from;
  return place(range.from + width * part, width, whole);
}

/** The same length of time where the span is seen; as it is, if some of it is. */
export function moveTo(range: Range, whole: Range, start: number, end: number): Range {
  const width = range.to - range.from;
  return end < range.from || start > range.to ? place((start + end - width) / 2, width, whole) : range;
}

/** Where in the range a span is, as a fraction: what a zoom by key keeps in its place. The middle, if it is not in it. */
export function aboutSpan(range: Range, start: number, end: number): number {
  const at = ((start + end) / 2 - range.from) / (range.to - range.from);
  return at >= 0 && at <= 1 ? at : 0.5;
}

function place(from: number, width: number, whole: Range): Range {
  const start = Math.min(Math.max(from, whole.from), whole.to - width);
  return { from: start, to: start + width };
}

/** A range as an address has it, to the nanosecond; '' is the whole. */
export function rangeText(range: Range | null): string {
  if (!range) return '';
  return [range.from, range.to].map((at) => String(Number(at.toFixed(9)))).join('~');
}

/** Null is the whole, or what is no range of it. */
export function parseRange(text: string, whole: Range): Range | null {
  const [from = NaN, to = NaN] = /^[\d.]+(e-\d+)?~[\d.]+(e-\d+)?$/.test(text) ? text.split('~').map(Number) : [];
  return to > from && from < whole.to ? between(from, to, whole) : null;
}

export interface Bar {
  left: number;
  width: number;
  /** The part before the first token, as a fraction of the bar; 0 if not known. */
  prefill: number;
}

/** The bar of a span, cut to the range; null if it lies outside. */
export function barOf(row: Row, range: Range): Bar | null {
  const width = range.to - range.from;
  const left = (row.start - range.from) / width;
  const right = (row.end - range.from) / width;
  if (right < 0 || left > 1) return null;
  const from = Math.max(0, left);
  const to = Math.min(1, Math.max(right, from));
  const ttft = row.span.time_to_first_token ?? null;
  const lasts = row.end - row.start;
  const prefill = ttft !== null && lasts > 0 && left >= 0 && right <= 1 ? Math.min(1, Math.max(0, ttft / lasts)) : 0;
  return { left: from, width: to - from, prefill };
}

/** Where a bar's label has room: behind it, where `gutterPx` are left free beside the bars, else before it, else on its end. */
export function labelPlace(bar: Bar, roomPx: number, labelPx: number, gutterPx = 0): 'right' | 'left' | 'over' {
  if ((1 - bar.left - bar.width) * roomPx + gutterPx >= labelPx) return 'right';
  return bar.left * roomPx >= labelPx ? 'left' : 'over';
}

export interface FailureMark {
  at: number; // fraction of the range
  row: number; // the first of them
  count: number;
}

/** Where in the range spans failed, at the ends of the innermost ones. At most so many marks. */
export function failureMarks(tree: Tree, range: Range, slots = 100): FailureMark[] {
  const found = new Map<number, FailureMark>();
  const width = range.to - range.from;
  for (const row of tree.failures) {
    const end = tree.end[row] ?? 0;
    if (end < range.from || end > range.to) continue;
    const at = (end - range.from) / width;
    const slot = Math.min(slots - 1, Math.floor(at * slots));
    const there = found.get(slot);
    if (there) there.count++;
    else found.set(slot, { at, row, count: 1 });
  }
  return [...found.values()].sort((a, b) => a.at - b.at);
}

/** Of the trace's length: what is nearer to each other is one part. */
const near = 0.1;
/** So many slices of its length, each shorter than that: what begins in one belongs together. */
const slices = 16;

/** The stretches in which something ran, of a trace whose spans lie so far apart that drawn whole it would be a few dots; else none.
 *  What lasts most of the trace and has spans below it only waits for them. */
export function busyParts(tree: Tree, whole: Range): Range[] {
  const length = whole.to - whole.from;
  const gap = Math.max(60, length * near);
  if (length < gap) return [];
  const begun: Range[] = Array.from({ length: slices }, () => ({ from: Infinity, to: -Infinity }));
  for (let i = 0; i < tree.n; i++) {
    const [start, end] = [tree.start[i] ?? 0, tree.end[i] ?? 0];
    if ((tree.descendants[i] ?? 0) > 0 && end - start >= length / 2) continue;
    const slice = begun[Math.min(slices - 1, Math.floor(((start - whole.from) / length) * slices))];
    if (!slice) continue;
    slice.from = Math.min(slice.from, start);
    slice.to = Math.max(slice.to, end);
  }
  const parts: Range[] = [];
  for (const { from, to } of begun) {
    if (from > to) continue;
    const last = parts.at(-1);
    if (last && from - last.to < gap) last.to = Math.max(last.to, to);
    else parts.push({ from, to });
  }
  const busy = parts.reduce((sum, { from, to }) => sum + to - from, 0);
  return parts.length > 1 && busy < length * near ? parts : [];
}

export interface Tick {
  at: number; // fraction
  seconds: number;
}

/** What times of a range are said in, by the range's end. */
const units: [name: string, seconds: number, from: number][] = [
  ['h', 3600, 7200],
  ['min', 60, 120],
  ['s', 1, 1],
  ['ms', 1e-3, 1e-3],
  ['µs', 1e-6, -Infinity],
];
const unitOf = (range: Range) => units.find(([, , from]) => range.to >= from) ?? (['s', 1] as const);

/** About five round times across the range. */
export function ticks(range: Range, wanted = 5): Tick[] {
  const width = range.to - range.from;
  const raw = width / wanted;
  const unit = Math.max(1, unitOf(range)[1]);
  const power = unit * 10 ** Math.floor(Math.log10(raw / unit));
  const step = ([1, 2, 5, 10].find((m) => m * power >= raw) ?? 10) * power;
  const out: Tick[] = [];
  for (let n = Math.max(0, Math.ceil(range.from / step - 1e-9)); n * step <= range.to - width * 0.02; n++) {
    out.push({ at: (n * step - range.from) / width, seconds: n * step });
  }
  return out;
}

/** Labels for those times, all in one unit: 0, 0.5 s, 1.0 s. */
export function tickLabel(seconds: number, range: Range): string {
  if (Math.abs(seconds) < 1e-12) return '0';
  const [name, unit] = unitOf(range);
  const decimals = Math.max(0, Math.min(9, Math.ceil(-Math.log10((range.to - range.from) / unit / 5) - 1e-9)));
  return `${(seconds / unit).toFixed(decimals)} ${name}`;
}

/** The whole trace in little: one path per family, in a box of width × height units, whose strokes do not lie on each other. */
export function minimap(tree: Tree, whole: Range, width: number, height: number): Map<Family | 'failed', string> {
  const lines = Math.max(1, Math.floor(height / 3));
  const shown = Math.min(tree.n, lines);
  const keys: (Family | 'failed')[] = [...families, 'failed'];
  // How long the longest stroke is that begins there: by key, line and place.
  const longest = new Uint16Array(keys.length * shown * (width + 1));
  const scale = width / (whole.to - whole.from);
  for (let i = 0; i < tree.n; i++) {
    const start = tree.start[i] ?? 0;
    const key = tree.fails(i) ? families.length : (tree.family[i] ?? 0);
    const x = Math.min(width - 2, Math.max(0, Math.round((start - whole.from) * scale)));
    const long = Math.min(width - x, Math.max(2, Math.round(((tree.end[i] ?? 0) - start) * scale)));
    const place = (key * shown + Math.floor((i * shown) / tree.n)) * (width + 1) + x;
    if (long > (longest[place] ?? 0)) longest[place] = long;
  }
  const paths = new Map<Family | 'failed', string>();
  for (const [key, name] of keys.entries()) {
    let path = '';
    for (let line = 0; line < shown; line++) {
      const row = (key * shown + line) * (width + 1);
      let [from, to] = [0, 0];
      for (let x = 0; x <= width; x++) {
        const long = longest[row + x] ?? 0;
        if (to > from && (x > to || x === width)) {
          path += `M${String(from)} ${String(line * 3 + 1.5)}h${String(to - from)}`;
          to = from;
        }
        if (long === 0) continue;
        if (to <= from) [from, to] = [x, x + long];
        else to = Math.max(to, x + long);
      }
    }
    if (path !== '') paths.set(name, path);
  }
  return paths;
}
