/** Numbers and times as people read them. What is not known is an en dash. */
import { parseInstant, toDate } from './time';

export const unknown = '–';

const pad = (n: number, width = 2): string => String(n).padStart(width, '0');

/** 850 ns · 12.3 µs · 4.1 ms · 378 ms · 1.18 s · 12.3 s · 2 min 05 s · 1 h 02 min · 3 d 04 h */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return unknown;
  if (seconds < 0) return `−${duration(-seconds)}`;
  if (seconds === 0) return '0 ms';
  if (seconds < 0.9995e-6) return `${String(Math.round(seconds * 1e9))} ns`;
  if (seconds < 0.9995e-3) return `${three(seconds * 1e6)} µs`;
  if (seconds < 0.9995) return `${three(seconds * 1e3)} ms`;
  if (seconds < 59.95) return `${seconds < 9.995 ? seconds.toFixed(2) : seconds.toFixed(1)} s`;
  const [big, small, bigs, smalls] =
    seconds < 3599.5 ? [60, 1, 'min', 's'] : seconds < 172_770 ? [3600, 60, 'h', 'min'] : [86_400, 3600, 'd', 'h'];
  const whole = Math.round(seconds / small);
  const rest = whole % (big / small);
  return `${String(Math.floor((whole * small) / big))} ${bigs}${rest > 0 ? ` ${pad(rest)} ${smalls}` : ''}`;
}

/** At most three digits that matter, at most one behind the point. */
function three(x: number): string {
  return x < 9.95 ? x.toFixed(1) : String(Math.round(x));
}

const grouped = new Intl.NumberFormat('en-GB');
export function count(n: number | null | undefined): string {
  return n === null || n === undefined ? unknown : grouped.format(n);
}

/** A count in little room: 1,234, 56.8k, 3.4M. */
export function short(n: number): string {
  if (n < 9999.5) return count(n);
  const [scale, unit] = n < 999_500 ? [1e3, 'k'] : n < 999_500_000 ? [1e6, 'M'] : [1e9, 'G'];
  const scaled = n / scale;
  return `${scaled < 99.95 ? scaled.toFixed(1) : String(Math.round(scaled))}${unit}`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

export function bytes(n: number): string {
  if (n < 1000) return `${String(n)} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let unit = -1;
  while (n >= 999.5 && unit < units.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${n < 9.95 ? n.toFixed(1) : String(Math.round(n))} ${units[unit] ?? ''}`;
}

export function cost(usd: number | null | undefined): string {
  if (usd === null || usd === undefined) return unknown;
  if (usd === 0) return '$0';
  return usd < 0.01 ? `$${usd.toPrecision(2)}` : `$${usd.toFixed(2)}`;
}

export function rate(perSecond: number | null | undefined): string {
  if (perSecond === null || perSecond === undefined) return unknown;
  return perSecond < 99.95 ? perSecond.toFixed(1) : count(Math.round(perSecond));
}

export function tokens(prompt: number | null, completion: number | null): string {
  return prompt === null && completion === null ? unknown : `${count(prompt)} → ${count(completion)}`;
}

/** The clock time, with the day before it if that is not today. */
export function clock(time: string, now = new Date()): string {
  const at = toDate(parseInstant(time));
  const hms = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  if (at.toDateString() === now.toDateString()) return `${hms}.${pad(at.getMilliseconds(), 3)}`;
  const day = at.toLocaleDateString('en-GB', { day: '2-digit', month: 'short' });
  return at.getFullYear() === now.getFullYear() ? `${day} ${hms}` : `${day} ${String(at.getFullYear())}`;
}

/** A window of time: as fine as it has to be for both ends; the day of each where they are of two, of the first where that is not
 *  today. */
export function clockRange(from: number, to: number, now = new Date()): string {
  const ends = [new Date(from), new Date(to)];
  const fine = ends.some((at) => at.getMilliseconds() !== 0) ? 2 : ends.some((at) => at.getSeconds() !== 0) ? 1 : 0;
  const said = ends.map((at, i) => {
    const time =
      `${pad(at.getHours())}:${pad(at.getMinutes())}` +
      (fine > 0 ? `:${pad(at.getSeconds())}` : '') +
      (fine > 1 ? `.${pad(at.getMilliseconds(), 3)}` : '');
    const day = at.toDateString();
    const other = ends[1 - i] ?? at;
    const withDay = day === other.toDateString() ? i === 0 && day !== now.toDateString() : true;
    if (!withDay) return time;
    const year = at.getFullYear() === now.getFullYear() ? '' : ` ${String(at.getFullYear())}`;
    return `${at.toLocaleDateString('en-GB', { day: '2-digit', month: 'short' })}${year} ${time}`;
  });
  return said.join(' – ');
}

export function shortId(id: string): string {
  return id.slice(0, 8);
}
