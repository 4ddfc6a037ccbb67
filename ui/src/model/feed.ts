/** The list of traces as it grows at both ends: older pages by cursor, newer ones by polling. */
import type { Page, Trace } from '../api/types';

export interface Feed {
  rows: Trace[];
  /** Path of the next older page, or null at the end. */
  next: string | null;
  count: number | null;
  /** The count is reckoned from the newest, not counted. */
  isEstimate: boolean;
  /** What was looked for as text though it likely was meant otherwise. */
  hint?: string | undefined;
}

export const emptyFeed: Feed = { rows: [], next: null, count: null, isEstimate: false };

export function firstPage(page: Page<Trace>): Feed {
  return {
    rows: page.results,
    next: page.next,
    count: page.count,
    isEstimate: page.count_is_estimate,
    hint: page.hint,
  };
}

export function addOlder(feed: Feed, page: Page<Trace>): Feed {
  const known = new Set(feed.rows.map((t) => t.trace_unique_id));
  return {
    rows: feed.rows.concat(page.results.filter((t) => !known.has(t.trace_unique_id))),
    next: page.next,
    count: page.count ?? feed.count,
    isEstimate: page.count_is_estimate,
  };
}

/** Merges the newest page into what is shown. The page is the truth for its stretch of the list; what is older stays.
 *  A page that shares nothing with the list (more came than fits in it) starts the list anew. */
export function addNewer(feed: Feed, page: Page<Trace>): Feed {
  const fresh = new Set(page.results.map((t) => t.trace_unique_id));
  const lastKnown = feed.rows.findLastIndex((t) => fresh.has(t.trace_unique_id));
  if (lastKnown < 0) return firstPage(page);
  const older = feed.rows.slice(lastKnown + 1).filter((t) => !fresh.has(t.trace_unique_id));
  return {
    rows: page.results.concat(older),
    next: older.length > 0 ? feed.next : page.next,
    count: page.count ?? feed.count,
    isEstimate: page.count_is_estimate,
  };
}

/** How many rows came to stand above the row with that id: by so much the list must scroll to stand still. */
export function shiftOf(id: string, before: Trace[], after: Trace[]): number {
  const was = before.findIndex((t) => t.trace_unique_id === id);
  const is = after.findIndex((t) => t.trace_unique_id === id);
  return was < 0 || is < 0 ? 0 : is - was;
}

/** Puts in what the live feed told: a trace that is shown is replaced where it stands, a new one stands by its start. One older than
 *  all that is loaded is left to the next page. */
export function addTold(feed: Feed, told: Trace[]): Feed {
  const latest = new Map(told.map((t) => [t.trace_unique_id, t]));
  const rows = feed.rows.map((t) => {
    const is = latest.get(t.trace_unique_id);
    latest.delete(t.trace_unique_id);
    return is ?? t;
  });
  const last = rows.at(-1);
  const fresh = [...latest.values()].filter((t) => feed.next === null || !last || t.start_time > last.start_time);
  for (const t of fresh) {
    const at = rows.findIndex((row) => row.start_time < t.start_time);
    rows.splice(at < 0 ? rows.length : at, 0, t);
  }
  return { ...feed, rows, count: feed.count === null ? null : feed.count + latest.size };
}

/** Without those that were deleted. */
export function withoutGone(feed: Feed, gone: ReadonlySet<string>): Feed {
  const rows = feed.rows.filter((t) => !gone.has(t.trace_unique_id));
  const less = feed.rows.length - rows.length;
  return less === 0 ? feed : { ...feed, rows, count: feed.count === null ? null : feed.count - less };
}

/** Those of them that are not in the list. */
export function newOnes(feed: Feed, told: Iterable<Trace>): number {
  const known = new Set(feed.rows.map((t) => t.trace_unique_id));
  return [...told].filter((t) => !known.has(t.trace_unique_id)).length;
}
