/** Where a waterfall draws what. Times are seconds from the beginning of the trace, places are fractions of the width. */
import type { Row } from './tree';
import type { Family } from './logtype';

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

function place(from: number, width: number, whole: Range): Range {
  const start = Math.min(Math.max(from, whole.from), whole.to - width);
  return { from: start, to: start + width };
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

export type LabelPlace = 'right' | 'left' | 'inside';

/** Where a bar's label has room: behind it, else before it, else on it. */
export function labelPlace(bar: Bar, roomPx: number, labelPx: number): LabelPlace {
  if ((1 - bar.left - bar.width) * roomPx >= labelPx) return 'right';
  return bar.left * roomPx >= labelPx ? 'left' : 'inside';
}

export interface FailureMark {
  at: number; // fraction of the range
  row: Row; // the first of them
  count: number;
}

/** Where in the range spans failed, at the ends of the innermost ones: their parents only pass it on. At most so many marks. */
export function failureMarks(rows: Row[], range: Range, slots = 100): FailureMark[] {
  const found = new Map<number, FailureMark>();
  const width = range.to - range.from;
  for (const row of rows) {
    if (!row.failed || row.failedBelow || row.end < range.from || row.end > range.to) continue;
    const at = (row.end - range.from) / width;
    const slot = Math.min(slots - 1, Math.floor(at * slots));
    const there = found.get(slot);
    if (there) there.count++;
    else found.set(slot, { at, row, count: 1 });
  }
  return [...found.values()].sort((a, b) => a.at - b.at);
}

/** The stretches in which something ran, of a trace whose spans lie so far apart that drawn whole it would be a few dots; else none.
 *  What lasts most of the trace and has spans below it only waits for them. */
export function busyParts(rows: Row[], whole: Range): Range[] {
  const length = whole.to - whole.from;
  const gap = Math.max(60, length * 0.1);
  if (length < gap) return [];
  const working = rows.filter((row) => row.descendants === 0 || row.end - row.start < length / 2);
  working.sort((a, b) => a.start - b.start);
  const parts: Range[] = [];
  for (const { start, end } of working) {
    const last = parts.at(-1);
    if (last && start - last.to < gap) last.to = Math.max(last.to, end);
    else parts.push({ from: start, to: end });
  }
  const busy = parts.reduce((sum, { from, to }) => sum + to - from, 0);
  return parts.length > 1 && busy < length * 0.1 ? parts : [];
}

export interface Tick {
  at: number; // fraction
  seconds: number;
}

/** About five round times across the range. */
export function ticks(range: Range, wanted = 5): Tick[] {
  const width = range.to - range.from;
  const raw = width / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
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
  const width = range.to - range.from;
  const [unit, scale] = range.to >= 1 ? ['s', 1] : range.to >= 1e-3 ? ['ms', 1e3] : ['µs', 1e6];
  const decimals = Math.max(0, Math.min(9, Math.ceil(-Math.log10((width * scale) / 5) - 1e-9)));
  return `${(seconds * scale).toFixed(decimals)} ${unit}`;
}

/** The whole trace in little: one path per family, in a box of width × height units, never more strokes than the box has room for. */
export function minimap(rows: Row[], whole: Range, width: number, height: number): Map<Family | 'failed', string> {
  const lines = Math.max(1, Math.floor(height / 3));
  const spread = rows.length > lines;
  const seen = new Map<Family | 'failed', Set<number>>();
  const parts = new Map<Family | 'failed', string[]>();
  const scale = width / (whole.to - whole.from);
  rows.forEach((row, i) => {
    const line = spread ? Math.floor((i * lines) / rows.length) : i;
    const x = Math.round((row.start - whole.from) * scale);
    const w = Math.max(2, Math.round((row.end - row.start) * scale));
    const key = row.failed ? 'failed' : row.family;
    let had = seen.get(key);
    if (!had) seen.set(key, (had = new Set()));
    const stroke = (line * (width + 1) + x) * (width + 3) + w;
    if (had.has(stroke)) return;
    had.add(stroke);
    let path = parts.get(key);
    if (!path) parts.set(key, (path = []));
    path.push(`M${String(Math.min(x, width - 2))} ${String(line * 3 + 1.5)}h${String(w)}`);
  });
  return new Map([...parts].map(([family, path]) => [family, path.join('')]));
}
