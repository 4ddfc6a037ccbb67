/** The turns of a thread in their order, as they come page by page and as they grow. */
import type { Trace } from '../api/types';
import { type Call, nothingSaid, type Said, takeTurn, type Turn } from './conversation';
import { parseInstant, toDate } from './time';

export interface Entry {
  turn: Turn;
  /** What had been said before it. */
  before: Said;
  after: Said;
  /** Calls of it that were not asked for, before those that are shown. */
  callsBefore: number;
}

export interface Told {
  trace: Trace;
  calls: Call[];
  callsBefore: number;
}

/** The first so many entries, and what was told behind them. */
export function addTurns(entries: Entry[], keep: number, told: Told[]): Entry[] {
  const out = entries.slice(0, keep);
  for (const { trace, calls, callsBefore } of told) {
    const before = out.at(-1)?.after ?? nothingSaid();
    const { turn, said } = takeTurn(before, trace, calls);
    out.push({ turn, before, after: said, callsBefore });
  }
  return out;
}

/** One entry told anew where it stands; what is said behind it stays as it is. */
export function replaceTurn(entries: Entry[], at: number, { trace, calls, callsBefore }: Told): Entry[] {
  const old = entries[at];
  if (!old) return entries;
  const { turn } = takeTurn(old.before, trace, calls);
  return entries.toSpliced(at, 1, { ...old, turn, callsBefore });
}

export interface Changes {
  /** All traces as they are now, and the first that is another than it was. */
  traces: Trace[];
  from: number;
}

const idOf = ({ trace_unique_id: id }: Trace): string => id;

/** What the feed told joins what is shown: known traces where they stand, new ones by their start; behind the last only if there are
 *  no more pages. Null: nothing is another than it was. */
export function changed(shown: Trace[], told: Trace[], isWhole: boolean): Changes | null {
  const latest = new Map(told.map((t) => [idOf(t), t]));
  let from = Infinity;
  const traces = shown.map((was, i) => {
    const is = latest.get(idOf(was));
    latest.delete(idOf(was));
    if (!is || JSON.stringify(is) === JSON.stringify(was)) return was;
    from = Math.min(from, i);
    return is;
  });
  for (const fresh of latest.values()) {
    const behind = traces.findIndex((t) => t.start_time > fresh.start_time);
    if (behind < 0 && !isWhole) continue;
    const at = behind < 0 ? traces.length : behind;
    traces.splice(at, 0, fresh);
    from = Math.min(from, at);
  }
  return from === Infinity ? null : { traces, from };
}

/** The newest page, newest first, is the truth for its stretch: what is shown of it and is not in it was deleted. `isAll`: there is no
 *  other page. */
export function withoutDeleted(shown: Trace[], newest: Trace[], isAll: boolean): Changes | null {
  const there = new Set(newest.map(idOf));
  const since = isAll ? '' : (newest.at(-1)?.start_time ?? '');
  const gone = (t: Trace): boolean => !there.has(idOf(t)) && t.start_time > since;
  const from = shown.findIndex(gone);
  return from < 0 ? null : { traces: shown.filter((t) => !gone(t)), from };
}

/** A trace whose root has not come and that grew a little while ago. */
const lateFor = 60_000;
export function mayRun(trace: Trace, now: number): boolean {
  if (trace.running) return true;
  return trace.root_span_unique_id === null && now - toDate(parseInstant(trace.end_time)).getTime() < lateFor;
}

export function usersOf(entries: Entry[]): string[] {
  return [...new Set(entries.flatMap(({ turn }) => turn.trace.customer_identifier ?? []))];
}

/** Each model, and in how many turns it was called; the commonest first. */
export function modelsOf(entries: Entry[]): [model: string, turns: number][] {
  const turns = new Map<string, number>();
  for (const { turn } of entries) for (const model of turn.models) turns.set(model, (turns.get(model) ?? 0) + 1);
  return [...turns].sort((a, b) => b[1] - a[1]);
}
