/** What the page asks for before it draws anything, so that the answer comes while the frame is drawn. */
import type { TracesQuery } from '../model/route';
import { getTracePage } from './endpoints';
import { listPath } from './traces';

let early: { query: string; answer: Promise<string> } | null = null;

const told = (query: TracesQuery): string => JSON.stringify(query);

/** Asks for the list's first rows; nothing is made of an error before somebody takes the answer. */
export function askEarly(query: TracesQuery): void {
  const answer = getTracePage(listPath(query, Date.now(), true), AbortSignal.timeout(20_000));
  answer.catch(() => undefined);
  early = { query: told(query), answer };
}

/** The answer to that, once and only for the same question; null: it has to be asked. */
export function takeEarly(query: TracesQuery): Promise<string> | null {
  const answer = early?.query === told(query) ? early.answer : null;
  early = null;
  return answer;
}
