/** What an export would have, said before it is made. */
import type { Trace } from '../api/types';

export const formats = [
  { id: 'jsonl', label: 'JSON lines' },
  { id: 'csv', label: 'CSV' },
  { id: 'parquet', label: 'Parquet' },
] as const;

export type Format = (typeof formats)[number]['id'];

/** A share of the traces, or at most so many, spread over all that fit. */
export type Part = { share: number } | { rows: number };

export const parts: { label: string; part: Part }[] = [
  { label: 'all that fit', part: { share: 1 } },
  { label: 'a tenth of them', part: { share: 0.1 } },
  { label: 'a hundredth of them', part: { share: 0.01 } },
  { label: '1,000 of them', part: { rows: 1000 } },
  { label: '100 of them', part: { rows: 100 } },
];

/** As parameters of the API. Of rows the share is a little more than needed, so that as many come. */
export function partParams(part: Part, count: number | null): [name: string, value: string][] {
  if ('share' in part) return part.share === 1 ? [] : [['sample', String(part.share)]];
  const limit: [string, string] = ['limit', String(part.rows)];
  if (count === null || count <= part.rows * 1.5) return [limit];
  const share = Math.min(1, (part.rows + 4 * Math.sqrt(part.rows)) / count);
  return [['sample', share.toPrecision(4)], limit];
}

/** How many traces that is, about; null: not known. */
export function rowsOf(part: Part, count: number | null): number | null {
  if ('rows' in part) return count === null ? part.rows : Math.min(count, part.rows);
  return count === null ? null : Math.round(count * part.share);
}

/** Bytes as JSON lines, by those that are shown; other formats are smaller. */
export function sizeOf(rows: number | null, shown: Trace[]): number | null {
  if (rows === null || shown.length === 0) return null;
  const some = shown.slice(0, 200);
  const bytes = some.reduce((sum, t) => sum + new TextEncoder().encode(JSON.stringify(t)).length + 1, 0);
  return Math.round((bytes / some.length) * rows);
}
