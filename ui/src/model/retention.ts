/** How long a project's traces are kept, in words, and what it would mean to keep less. */
import { bytes, count, plural } from './format';

export interface Keeps {
  /** null: all is kept. */
  retention_days: number | null;
  retention_bytes: number | null;
}

const day = 86_400_000;
const units: Record<string, number> = { kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

function daysOf(days: number): string {
  const whole = Math.floor(days);
  const hours = Math.round((days - whole) * 24);
  if (hours === 0) return plural(whole, 'day');
  return whole === 0 ? plural(hours, 'hour') : `${plural(whole, 'day')} ${plural(hours, 'hour')}`;
}

export function keepsOf({ retention_days: days, retention_bytes: most }: Keeps): string {
  if (days === null && most === null) return 'all';
  if (days === null) return `at most ${bytes(most ?? 0)}`;
  return most === null ? daysOf(days) : `${daysOf(days)}, at most ${bytes(most)}`;
}

/** Days as they are typed: whole ones; '' keeps all. undefined: neither. */
export function readDays(text: string): number | null | undefined {
  const typed = text.trim();
  if (typed === '') return null;
  return /^[1-9]\d{0,4}$/.test(typed) ? Number(typed) : undefined;
}

/** A size as it is typed, 500 MB or 10G; '' keeps all. undefined: no size. */
export function readSize(text: string): number | null | undefined {
  const typed = text.trim();
  if (typed === '') return null;
  const m = /^(\d+(?:\.\d+)?)\s*([kMGT])B?$/i.exec(typed);
  if (!m) return undefined;
  const unit = (m[2] ?? '').toUpperCase();
  const size = Math.round(Number(m[1]) * (units[unit === 'K' ? 'kB' : `${unit}B`] ?? 0));
  return size > 0 && Number.isSafeInteger(size) ? size : undefined;
}

/** As it is typed again: the largest unit that says it exactly. */
export function sizeText(size: number | null): string {
  if (size === null) return '';
  const unit = ['TB', 'GB', 'MB', 'kB'].find((each) => Number.isInteger((size / (units[each] ?? 1)) * 10));
  return `${String(size / (units[unit ?? 'kB'] ?? 1))} ${unit ?? 'kB'}`;
}

export const olderThan = (days: number, now: number): string => new Date(now - days * day).toISOString();

/** What would go by age. */
export function goesByAge(days: number, older: number, all: number): string {
  if (older === 0) return `No trace is older than ${daysOf(days)}: none goes now.`;
  return `About ${plural(older, 'trace')} of ${count(all)} ${older === 1 ? 'is' : 'are'} older than ${daysOf(days)}, and would go.`;
}

/** What would go by size: the oldest, as many as the bytes that are too many hold. */
export function goesBySize(most: number, size: number, traces: number): string {
  if (size <= most) return `There are ${bytes(size)}: none goes now.`;
  return `There are ${bytes(size)}: about ${plural(Math.ceil((traces * (size - most)) / size), 'trace')}, the oldest, would go.`;
}
