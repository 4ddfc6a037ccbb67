/** A window of time as the address has it, and what it is now. */
import { parseInstant, toDate } from './time';

export interface Preset {
  label: string;
  from: string;
  key: string;
}

export const presets: Preset[] = [
  { label: '15 min', from: '-15m', key: '1' },
  { label: '1 hour', from: '-1h', key: '2' },
  { label: '24 hours', from: '-24h', key: '3' },
  { label: '7 days', from: '-7d', key: '4' },
  { label: 'All', from: '', key: '5' },
];

const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Milliseconds since 1970; null: open, or nothing that is a time. */
export function instantOf(text: string, now: number): number | null {
  const ago = /^-(\d+(?:\.\d+)?)([smhdw])$/.exec(text);
  if (ago) return now - Number(ago[1]) * (units[ago[2] ?? ''] ?? 0) * 1000;
  if (text === '') return null;
  const at = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  return Number.isFinite(at) ? at : null;
}

/** As parameters of the API: whole seconds for what slides, so that the same question is asked again for a while. */
export function windowParams(from: string, to: string, now: number): [name: string, value: string][] {
  const out: [string, string][] = [];
  const put = (name: string, text: string): void => {
    const at = instantOf(text, now);
    if (at === null) return;
    out.push([name, text.startsWith('-') ? String(Math.floor(at / 1000)) : new Date(at).toISOString()]);
  };
  put('start_time', from);
  put('end_time', to);
  return out;
}

export const isSliding = (from: string, to: string): boolean => from.startsWith('-') || to.startsWith('-');

function shown(at: number, now: number, withSeconds: boolean): string {
  const date = new Date(at);
  const time = date.toLocaleTimeString('en-GB', withSeconds ? {} : { hour: '2-digit', minute: '2-digit' });
  if (date.toDateString() === new Date(now).toDateString()) return time;
  return `${date.toLocaleDateString('en-GB', { day: '2-digit', month: 'short' })} ${time}`;
}

/** What the button says. */
export function rangeLabel(from: string, to: string, now: number): string {
  const preset = presets.find((p) => p.from === from);
  if (to === '' && preset) return preset.from === '' ? 'All time' : `Last ${preset.label}`;
  const a = instantOf(from, now);
  const b = instantOf(to, now);
  if (from.startsWith('-') && to === '') return `Last ${from.slice(1)}`;
  if (a === null && b === null) return 'All time';
  const fine = a !== null && b !== null && b - a < 120_000;
  if (a === null) return `until ${shown(b ?? now, now, fine)}`;
  return b === null ? `since ${shown(a, now, fine)}` : `${shown(a, now, fine)} – ${shown(b, now, fine)}`;
}

/** Three times as long around the same middle, and no later than now. */
export function widened(start: number, end: number, now: number): { from: string; to: string } {
  const length = end - start;
  const to = end + length;
  return { from: iso(start - length), to: to >= now ? '' : iso(to) };
}

export const iso = (ms: number): string => new Date(ms).toISOString();

/** For <input type="datetime-local">, in the browser's zone. */
export function localInput(ms: number): string {
  const at = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return at.toISOString().slice(0, 19);
}

export const milliseconds = (time: string): number => toDate(parseInstant(time)).getTime();
