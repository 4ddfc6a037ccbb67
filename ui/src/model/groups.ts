/** Lists of users and threads: groups of traces that share a value, page by page. */
import type { Group, Groups, Totals } from '../api/types';

export interface GroupRows {
  rows: Group[];
  /** The next page's number; null at the end. */
  next: number | null;
  /** How many values there are, those without one left out. */
  count: number;
  /** There are traces without a value. */
  hasNull: boolean;
  isEstimate: boolean;
  totals: Totals | null;
}

export const noGroups: GroupRows = { rows: [], next: null, count: 0, hasNull: false, isEstimate: false, totals: null };

/** The page behind what is shown. A value that moved up meanwhile is not shown twice. */
export function addGroups(to: GroupRows, answer: Groups, page: number, size: number, keepNull: boolean): GroupRows {
  const known = new Set(to.rows.map((g) => g.value));
  const own = answer.groups.filter((g) => !g.is_others);
  const rows = own.filter((g) => !known.has(g.value) && (keepNull || g.value !== null));
  const hasNull = to.hasNull || own.some((g) => g.value === null);
  return {
    rows: to.rows.concat(rows),
    next: page * size < answer.group_count ? page + 1 : null,
    count: answer.group_count - (hasNull ? 1 : 0),
    hasNull,
    isEstimate: answer.is_estimate,
    totals: answer.totals,
  };
}

/** The first so many rows as they are now; those behind them stay, but for what moved up. */
export function refreshGroups(was: GroupRows, answer: Groups, size: number, keepNull: boolean): GroupRows {
  const fresh = addGroups(noGroups, answer, 1, size, keepNull);
  const known = new Set(fresh.rows.map((g) => g.value));
  const behind = was.rows.slice(size).filter((g) => !known.has(g.value));
  if (behind.length === 0) return fresh;
  return { ...fresh, rows: fresh.rows.concat(behind), next: was.next };
}

/** By how many rows the one that stood there has moved: by so much a list scrolls to stand still. */
export function shiftOfGroup(at: number, before: Group[], after: Group[]): number {
  const top = before[at];
  const is = top ? after.findIndex((g) => g.value === top.value) : -1;
  return is < 0 ? 0 : is - at;
}

/** The order that a click on a column asks for: the greatest first, then the least. */
export function nextSort(sort: string, column: string): string {
  if (column === 'value') return sort === 'value' ? '-value' : 'value';
  return sort === `-${column}` ? column : `-${column}`;
}

export function ariaSort(sort: string, column: string): 'ascending' | 'descending' | undefined {
  if (sort === column) return 'ascending';
  return sort === `-${column}` ? 'descending' : undefined;
}
