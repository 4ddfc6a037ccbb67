/** What the dashboard asks of /api/metrics/. */
import { getJson } from './client';
import type { Sums } from './types';

/** Of spans, the tokens of a prompt that came from a cache, and those of a completion that were of reasoning. */
export type SumsOfSpans = Sums & { cached_tokens?: number; reasoning_tokens?: number };

export type SumsGroup = SumsOfSpans & {
  value: string | null;
  is_others: boolean;
  points?: (SumsOfSpans & { time: string })[];
};

export interface SumsAnswer {
  start_time: string;
  end_time: string;
  bucket_seconds?: number;
  is_estimate: boolean;
  totals: SumsOfSpans;
  groups: SumsGroup[];
}

export const getSums = (what: 'totals' | 'series', params: URLSearchParams, signal: AbortSignal): Promise<SumsAnswer> =>
  getJson(`/api/metrics/${what}/?${params.toString()}`, signal);
