/** The strip of time above a list: its bars, its line, and what a drag over it means. */
import { milliseconds } from './range';

export interface Bucket {
  /** Milliseconds since 1970. */
  at: number;
  count: number;
  errors: number;
  /** Seconds; null: nothing is known. */
  p50: number | null;
  p99: number | null;
}

export interface Strip {
  start: number;
  end: number;
  /** Milliseconds. */
  width: number;
  buckets: Bucket[];
  isEstimate: boolean;
}

/** Of the answer of metrics/series, which leaves out buckets without anything. */
export interface StripAnswer {
  start_time: string | null;
  end_time: string | null;
  bucket_seconds?: number;
  is_estimate: boolean;
  groups: {
    points: { time: string; count: number; error_count: number; latency: { p50: number; p99: number } | null }[];
  }[];
}

export function stripOf(answer: StripAnswer): Strip | null {
  const width = (answer.bucket_seconds ?? 0) * 1000;
  if (width === 0 || answer.start_time === null || answer.end_time === null) return null;
  const start = Math.floor(milliseconds(answer.start_time) / width) * width;
  const end = Math.ceil(milliseconds(answer.end_time) / width) * width;
  if (!(end > start)) return null;
  const buckets = answer.groups.flatMap(({ points }) =>
    points.map((p) => ({
      at: milliseconds(p.time),
      count: p.count,
      errors: p.error_count,
      p50: p.latency?.p50 ?? null,
      p99: p.latency?.p99 ?? null,
    })),
  );
  return { start, end, width, buckets, isEstimate: answer.is_estimate };
}

export interface Bar {
  x: number;
  width: number;
  /** Shares of the height: all, and those of them that failed. */
  all: number;
  failed: number;
  bucket: Bucket;
}

/** Bars as shares of the strip's width and height. Few are seen beside many: the height is that of the root. */
export function barsOf({ start, end, width, buckets }: Strip): Bar[] {
  const most = buckets.reduce((max, b) => Math.max(max, b.count), 0);
  const length = end - start;
  return buckets
    .filter((b) => b.count > 0)
    .map((bucket) => {
      const all = Math.sqrt(bucket.count / most);
      return {
        x: (bucket.at - start) / length,
        width: width / length,
        all,
        failed: (all * bucket.errors) / bucket.count,
        bucket,
      };
    });
}

/** Of the buckets' p99, so many count: the few that took far longer stand at the top, and the others keep their height. */
const told = 0.95;

/** Points of a percentile's line by pieces without a gap, as shares; a piece of one bucket is as wide as that. */
export function linesOf(strip: Strip, which: 'p50' | 'p99'): { x: number; y: number }[][] {
  const long = strip.buckets.flatMap(({ p99 }) => p99 ?? []).toSorted((a, b) => a - b);
  const highest = long[Math.ceil(told * long.length) - 1] ?? 0;
  const share = (ms: number): number => (ms - strip.start) / (strip.end - strip.start);
  const pieces: { x: number; y: number }[][] = [];
  let last = -Infinity;
  for (const b of strip.buckets) {
    const value = b[which];
    if (value === null || highest === 0) continue;
    if (b.at - last > strip.width * 1.5) pieces.push([]);
    last = b.at;
    pieces.at(-1)?.push({ x: share(b.at + strip.width / 2), y: Math.min(1, value / highest) });
  }
  const half = share(strip.start + strip.width / 2);
  return pieces.map((piece) => {
    const [only] = piece;
    return piece.length > 1 || !only ? piece : [-half, half].map((aside) => ({ x: only.x + aside, y: only.y }));
  });
}

export const timeAt = (strip: Strip, x: number): number =>
  strip.start + Math.min(1, Math.max(0, x)) * (strip.end - strip.start);

/** What a drag from a to b (shares) asks for: whole buckets where it is wider than one. */
export function draggedWindow(strip: Strip, a: number, b: number): { from: number; to: number } {
  const [lo, hi] = [timeAt(strip, Math.min(a, b)), timeAt(strip, Math.max(a, b))];
  if (hi - lo < strip.width) return { from: lo, to: hi };
  const whole = (t: number): number => Math.round(t / strip.width) * strip.width;
  return { from: whole(lo), to: whole(hi) };
}

export function bucketAt(strip: Strip, x: number): Bucket | null {
  const at = Math.floor(timeAt(strip, x) / strip.width) * strip.width;
  return strip.buckets.find((b) => b.at === at) ?? null;
}
