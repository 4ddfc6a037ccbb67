/** A table of users or threads: sorted by its columns, endless, moved through by keys. */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, type ApiError } from '../api/client';
import { getGroups, groupsSize } from '../api/groups';
import type { Group, Groups } from '../api/types';
import { cost, unknown } from '../model/format';
import { addGroups, ariaSort, type GroupRows, nextSort, noGroups, refreshGroups, shiftOfGroup } from '../model/groups';
import { scrollToShow } from '../model/window';
import { go } from '../navigation';
import { useKeys, useMedia, usePolling } from '../widgets/hooks';
import { keep, recall } from '../widgets/kept';
import { Link } from '../widgets/link';
import { useLive } from '../widgets/live';
import { VirtualRows } from '../widgets/virtual';
import { Banner } from '../widgets/wrong';

export interface Column {
  /** What the API sorts it by. */
  sort: string | null;
  label: string;
  end?: boolean;
  cell: (group: Group) => ComponentChildren;
}

/** What calls cost in all. The sums do not tell calls that cost nothing from such as nobody knows a price of. */
export function Spent({ usd }: { usd: number }) {
  return usd === 0 ? <span title="No call has a price, or all prices are 0">{unknown}</span> : <>{cost(usd)}</>;
}

export interface GroupsState {
  list: GroupRows;
  answered: boolean;
  error: ApiError | null;
  more: () => void;
}

/** What a list of groups is asked. */
export interface GroupsQuestion {
  /** The address of the list: what it showed is found again under it. */
  url: string;
  /** For pages of that size. */
  pathOf: (size: number) => string;
  /** Where the live feed tells of its traces. */
  live: string;
  /** Whether traces without a value are a row. */
  keepNull: boolean;
}

/** So many rows are refreshed at once, those at the top. */
const mostFresh = 1000;
/** Sums go through all traces that fit: they are not asked for more often than this, nor than four times as long as they take. */
const refreshEvery = 2000;
const pollEvery = 5000;

/** The pages of a list, from the first whenever the question changes, and as the live feed tells of it; rows stay until the answer is
 *  there. */
export function useGroups(
  { url, pathOf, live, keepNull }: GroupsQuestion,
  onFailure: (error: ApiError) => void,
): GroupsState {
  const [list, setList] = useState(() => recall<GroupRows>(url) ?? noGroups);
  const [answered, setAnswered] = useState<string | null>(() => (recall(url) ? url : null));
  const [error, setError] = useState<ApiError | null>(null);
  const abort = useRef(new AbortController());
  const asked = useRef(0);
  const latest = useRef({ list, pathOf, of: answered });
  latest.current.pathOf = pathOf;

  const show = (to: GroupRows): void => {
    keep(url, to);
    Object.assign(latest.current, { list: to, of: url });
    setList(to);
    setAnswered(url);
    setError(null);
  };
  const ask = (page: number, size: number, take: (answer: Groups) => GroupRows): Promise<void> => {
    const { signal } = abort.current;
    return getGroups(latest.current.pathOf(size), page, signal).then(
      (answer) => {
        show(take(answer));
      },
      (reason: unknown) => {
        if (isAbort(reason) || signal.aborted) return;
        asked.current = 0;
        setError(asApiError(reason));
        onFailure(asApiError(reason));
      },
    );
  };

  const refreshing = useRef<ReturnType<typeof setTimeout> | null>(null);
  const mayAt = useRef(0);
  const refresh = (): void => {
    if (refreshing.current !== null) return;
    refreshing.current = setTimeout(
      () => {
        const begun = performance.now();
        const had = latest.current.of === url ? latest.current.list : noGroups;
        const pages = Math.ceil(had.rows.length / groupsSize);
        const size = Math.min(mostFresh, Math.max(1, pages) * groupsSize);
        void ask(1, size, (answer) => refreshGroups(had, answer, size, keepNull)).finally(() => {
          refreshing.current = null;
          const now = performance.now();
          mayAt.current = now + Math.max(refreshEvery, 4 * (now - begun));
        });
      },
      Math.max(0, mayAt.current - performance.now()),
    );
  };

  useEffect(() => {
    abort.current = new AbortController();
    asked.current = 1;
    if (answered === url && list.rows.length > 0) refresh();
    else void ask(1, groupsSize, (answer) => addGroups(noGroups, answer, 1, groupsSize, keepNull));
    return () => {
      abort.current.abort();
      if (refreshing.current !== null) clearTimeout(refreshing.current);
      refreshing.current = null;
    };
  }, [url]);
  const hears = useLive(answered === url ? live : null, { onTraces: refresh, onGone: refresh, onGap: refresh });
  usePolling(hears ? 6 * pollEvery : pollEvery, answered === url || error !== null, refresh);
  return {
    list,
    answered: answered !== null,
    error,
    more: () => {
      const { next } = list;
      if (next === null || answered !== url || asked.current === next) return;
      asked.current = next;
      void ask(next, groupsSize, (answer) => addGroups(latest.current.list, answer, next, groupsSize, keepNull));
    },
  };
}

interface Props {
  label: string;
  kind: string;
  columns: Column[];
  groups: GroupsState;
  /** The address of the list: the place in it is found again under it. */
  url: string;
  sort: string;
  onSort: (sort: string) => void;
  urlOf: (group: Group) => string;
  /** What stands there when nothing is. */
  empty: ComponentChildren;
  /** Focuses the search field. */
  onSearch: () => void;
}

/** Where one was in a list. */
interface Place {
  scrollTop: number;
  chosen: string | null | undefined;
}

const headHeight = 29;

/** With the focus. */
export const toList = (): void => document.getElementById('list')?.focus();

export function GroupTable({ label, kind, columns, groups, url, sort, onSort, urlOf, empty, onSearch }: Props) {
  const { list, error, answered, more } = groups;
  const { rows } = list;
  const scroller = useRef<HTMLDivElement>(null);
  const placeKey = `place in ${url}`;
  const [chosen, setChosen] = useState<string | null | undefined>(() => recall<Place>(placeKey)?.chosen);
  const selected = chosen === undefined ? -1 : rows.findIndex((g) => g.value === chosen);
  const narrow = useMedia('(max-width: 760px)');
  const rowHeight = narrow ? 56 : 30;

  const loadMore = (): void => {
    const element = scroller.current;
    if (element && element.scrollTop + element.clientHeight * 3 >= element.scrollHeight) more();
  };
  // What comes above the window must not move what is read.
  const before = useRef(rows);
  const shown = useRef(url);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element && shown.current !== url && answered) {
      shown.current = url;
      element.scrollTop = 0;
      setChosen(undefined);
    } else if (element && element.scrollTop > 0) {
      const at = Math.floor(element.scrollTop / rowHeight);
      element.scrollTop += shiftOfGroup(at, before.current, rows) * rowHeight;
    }
    before.current = rows;
    loadMore();
  }, [rows]);
  useLayoutEffect(() => {
    const element = scroller.current;
    const place = recall<Place>(placeKey);
    if (element && place) element.scrollTop = place.scrollTop;
  }, []);
  const remember = (value: string | null | undefined): void => {
    keep(placeKey, { scrollTop: scroller.current?.scrollTop ?? 0, chosen: value } satisfies Place);
  };

  const select = (index: number): void => {
    const to = Math.min(Math.max(index, 0), rows.length - 1);
    const element = scroller.current;
    setChosen(rows[to]?.value);
    if (element) element.scrollTop = scrollToShow(to, element.scrollTop, element.clientHeight - headHeight, rowHeight);
    toList();
    remember(rows[to]?.value);
  };
  useKeys((event) => {
    const pageful = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 300) / rowHeight) - 2);
    const steps: Record<string, number> = {
      j: 1,
      ArrowDown: 1,
      k: -1,
      ArrowUp: -1,
      PageDown: pageful,
      PageUp: -pageful,
      Home: -Infinity,
      End: Infinity,
    };
    const step = steps[event.key];
    if (step !== undefined && rows.length > 0) {
      select(selected + step);
      return true;
    }
    const row = rows[selected];
    if (event.key === 'Enter' && row) {
      go(urlOf(row));
      return true;
    }
    if (event.key === '/') {
      onSearch();
      return true;
    }
    return false;
  });

  return (
    <>
      {error && <Banner error={error} />}
      <div
        ref={scroller}
        id="list"
        class={`list groups ${kind}`}
        role={rows.length > 0 ? 'grid' : 'region'}
        aria-label={label}
        aria-rowcount={rows.length === 0 ? undefined : list.next === null ? rows.length + 1 : -1}
        aria-activedescendant={selected < 0 ? undefined : `g-${String(selected)}`}
        aria-busy={!answered}
        tabIndex={0}
        onScroll={() => {
          remember(chosen);
          loadMore();
        }}
      >
        {rows.length > 0 && (
          <div class="group-row head" role="row">
            {columns.map((column) => (
              <span
                key={column.label}
                role="columnheader"
                class={column.end ? 'end' : undefined}
                aria-sort={column.sort === null ? undefined : ariaSort(sort, column.sort)}
              >
                {column.sort === null ? (
                  column.label
                ) : (
                  <SortButton column={column.sort} label={column.label} sort={sort} onSort={onSort} />
                )}
              </span>
            ))}
          </div>
        )}
        <VirtualRows
          scroller={scroller}
          count={rows.length}
          rowHeight={rowHeight}
          headHeight={headHeight}
          render={(index) => {
            const group = rows[index];
            if (!group) return null;
            const to = urlOf(group);
            return (
              <div
                key={group.value ?? ''}
                id={`g-${String(index)}`}
                class={`group-row${index === selected ? ' selected' : ''}`}
                role="row"
                aria-rowindex={index + 2}
                aria-selected={index === selected}
              >
                {columns.map((column, i) => (
                  <span key={column.label} role="gridcell" class={column.end ? 'end mono' : undefined}>
                    {i > 0 ? (
                      column.cell(group)
                    ) : (
                      <Link
                        to={to}
                        tabIndex={-1}
                        onGo={() => {
                          remember(group.value);
                        }}
                      >
                        {column.cell(group)}
                      </Link>
                    )}
                  </span>
                ))}
              </div>
            );
          }}
        />
        {answered && rows.length === 0 && list.next === null && empty}
      </div>
    </>
  );
}

function SortButton(props: { column: string; label: string; sort: string; onSort: (sort: string) => void }) {
  const { column, label, sort, onSort } = props;
  const order = ariaSort(sort, column);
  return (
    <button
      type="button"
      class="sort"
      onClick={() => {
        onSort(nextSort(sort, column));
      }}
    >
      {label}
      {order && <span aria-hidden="true">{order === 'ascending' ? ' ↑' : ' ↓'}</span>}
    </button>
  );
}
