/** Prices as they are typed, shown and reckoned with. */
import type { Span } from '../api/types';
import { duration } from './format';

/** What a field of dollars, watts or tokens says: null if it is empty, NaN if it is no such number. */
export function amountOf(text: string): number | null {
  const plain = text.trim().replace(/^\$/, '');
  if (plain === '') return null;
  return /^\d*\.?\d+$|^\d+\.$/.test(plain) ? Number(plain) : NaN;
}

/** Dollars with all digits that matter: $2.50, $0.075, $0.0001 */
export function dollars(usd: number): string {
  const [whole = '0', part = ''] = plainDigits(usd).split('.');
  return `$${whole}.${part.padEnd(2, '0')}`;
}

/** At most nine digits behind the point, without an exponent. */
function plainDigits(n: number): string {
  return n.toFixed(9).replace(/\.?0+$/, '');
}

/** What a call of so many seconds costs, reckoned before one's eyes. */
export function workedExample(perHour: number, seconds: number): string {
  const usd = Number(((seconds * perHour) / 3600).toPrecision(3));
  return `${duration(seconds)} × ${dollars(perHour)} an hour = ${dollars(usd)}`;
}

/** What an hour costs: said, or by what is drawn. NaN: not enough is said. */
export function hourOf(byEnergy: boolean, perHour: number | null, watts: number | null, perKwh: number | null): number {
  return byEnergy ? ((watts ?? NaN) / 1000) * (perKwh ?? NaN) : (perHour ?? NaN);
}

const sources: Record<string, string> = {
  sent: 'the span says it',
  tokens: 'its tokens, by the price when it came in',
  local: 'it ran here, and no price of time was set',
  outer: 'the call around it has its time',
};

type Priced = Pick<Span, 'cost' | 'cost_source' | 'latency' | 'attributes'>;

/** Where a span's cost is from, in words; null where that is not told. */
export function costSource(span: Priced): string | null {
  if (span.cost === null || span.cost_source === undefined || span.cost_source === null) return null;
  if (span.cost_source !== 'time') return sources[span.cost_source] ?? null;
  const seconds = span.latency ?? 0;
  if (seconds <= 0) return 'its time';
  const hour = Number(((span.cost / seconds) * 3600).toPrecision(6));
  const device = span.attributes?.['respan.model.device'];
  return `${duration(seconds)} × ${dollars(hour)} an hour${typeof device === 'string' ? ` of ${device}` : ''}`;
}
