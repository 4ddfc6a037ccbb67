/** What model calls cost: the lists of prices, and what an owner sets of them. */
import { getJson, send } from './client';
import type { SumsAnswer } from './sums';

export type Origin = 'own' | 'file' | 'built-in';

/** Dollars for a million tokens; what is null costs as other tokens of its side. */
export interface Rates {
  input: number;
  output: number | null;
  cached: number | null;
  reasoning: number | null;
  /** Holds up to so many prompt tokens. */
  limit: number | null;
}
export interface Price extends Rates {
  /** Of an own one. */
  id: number | null;
  model: string;
  /** Null: whoever is asked. */
  provider: string | null;
  providers: string[];
  origin: Origin;
  in_force: boolean;
}
export interface TimePrice {
  id: number;
  device: string;
  /** Dollars, also where it is by energy. */
  per_hour: number;
  watts: number | null;
  per_kwh: number | null;
}
export interface PricePage {
  results: Price[];
  count: number;
  match: Price | null;
  time: TimePrice[];
}

export const pricesSize = 200;

export function getPrices(q: string, origin: Origin | '', page: number, signal: AbortSignal): Promise<PricePage> {
  const query = new URLSearchParams({ page: String(page), page_size: String(pricesSize) });
  if (q !== '') query.set('q', q);
  if (origin !== '') query.set('origin', origin);
  return getJson(`/api/prices/?${query.toString()}`, signal);
}

export type PriceWish = Rates & { model: string; provider: string | null };
export const setPrice = (wish: PriceWish): Promise<unknown> => send('POST', '/api/prices/', wish);
export const unsetPrice = (id: number): Promise<unknown> => send('DELETE', `/api/prices/${String(id)}/`);

export type TimeWish = { device: string } & ({ per_hour: number } | { watts: number; per_kwh: number });
export const setTimePrice = (wish: TimeWish): Promise<unknown> => send('POST', '/api/prices/time/', wish);
export const unsetTimePrice = (id: number): Promise<unknown> => send('DELETE', `/api/prices/time/${String(id)}/`);

const types = ['text', 'chat', 'completion', 'response', 'embedding', 'transcription', 'speech', 'generation'];

/** Calls whose tokens were counted and that have no cost, by model, since that time. */
export function getUnpriced(since: string, signal: AbortSignal): Promise<SumsAnswer> {
  const query = new URLSearchParams({
    of: 'spans',
    group_by: 'model',
    sort_by: '-count',
    limit: '20',
    start_time: since,
    q: `NOT cost:* model:* usage_source in (reported, measured) log_type in (${types.join(', ')})`,
  });
  return getJson(`/api/metrics/totals/?${query.toString()}`, signal);
}
