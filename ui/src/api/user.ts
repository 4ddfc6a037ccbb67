/** All that the page of one user shows, in one go. */
import { isModelCallQuery } from '../model/logtype';
import { instantOf, windowParams } from '../model/range';
import { seriesParams } from '../model/spark';
import { parse } from './client';
import { getTracePage, tracesPath } from './endpoints';
import { getGroups, getSeries, groupsPath } from './groups';
import type { Groups, Page, Series, Totals, Trace } from './types';

export interface FoundUser {
  totals: Totals;
  isEstimate: boolean;
  series: Series;
  models: Groups;
  /** Whether `models` counts calls; else traces, each for the model that it called first. */
  modelsOfCalls: boolean;
  threads: Groups;
  page: Page<Trace>;
}

const shown = 50;

export async function findUser(
  id: string,
  { from, to, env }: { from: string; to: string; env: string },
  signal: AbortSignal,
): Promise<FoundUser> {
  const now = Date.now();
  const mine: [string, string][] = [['customer_identifier', id], ...windowParams(from, to, now)];
  if (env !== '') mine.push(['environment', env]);
  const sums = getGroups(groupsPath('model', mine, '-count', false, 20), 1, signal);
  const [byTrace, byCall, threads, series, body] = await Promise.all([
    sums,
    getGroups(groupsPath('model', [...mine, ['q', isModelCallQuery]], '-count', false, 20, 'spans'), 1, signal),
    getGroups(groupsPath('session_identifier', mine, '-last_time', true, 10), 1, signal),
    sums.then((g) => getSeries(seriesParams(mine, g, instantOf(from, now) ?? 0, now), 60, signal)),
    getTracePage(tracesPath(mine, shown), signal),
  ]);
  // Where only a trace's root says whose it is, its calls are not found by him.
  const modelsOfCalls = byCall.totals.llm_call_count >= byTrace.totals.llm_call_count;
  return {
    totals: byTrace.totals,
    isEstimate: byTrace.is_estimate,
    models: modelsOfCalls ? byCall : byTrace,
    modelsOfCalls,
    threads,
    series,
    page: parse<Page<Trace>>(body),
  };
}
