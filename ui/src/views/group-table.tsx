/** A table of users or threads: sorted by its columns, endless, moved through by keys. */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, type ApiError } from '../api/client';
import { getGroups, groupsSize } from '../api/groups';
import type { Group } from '../api/types';
import { addGroups, ariaSort, type GroupRows, nextSort, noGroups } from '../model/groups';
import { scrollToShow } from '../model/window';
import { go } from '../navigation';
import { useKeys, useMedia } from '../widgets/hooks';
import { Link } from '../widgets/link';
import { VirtualRows } from '../widgets/virtual';
import { Banner } from '../widgets/wrong';

export interface Column {
  /** What the API sorts it by. */
  sort: string | null;
  label: string;
  end?: boolean;
  cell: (group: Group) => ComponentChildren;
}

export interface GroupsState {
  list: GroupRows;
  answered: boolean;
  error: ApiError | null;
  more: () => void;
}

/** The pages of a list, from the first whenever the question changes; the rows stay until the answer is there. */
export function useGroups(path: string, keepNull: boolean, onFailure: (error: ApiError) => void): GroupsState {
  const [list, setList] = useState(noGroups);
  const [answered, setAnswered] = useState<string | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const abort = useRef(new AbortController());
  const asked = useRef(0);

  const load = (page: number, onto: GroupRows): void => {
    asked.current = page;
    getGroups(path, page, abort.current.signal).then(
      (answer) => {
        setList(addGroups(onto, answer, page, groupsSize, keepNull));
        setAnswered(path);
        setError(null);
      },
      (reason: unknown) => {
        if (isAbort(reason)) return;
        asked.current = 0;
        setError(asApiError(reason));
        onFailure(asApiError(reason));
      },
    );
  };
  useEffect(() => {
    abort.current = new AbortController();
    load(1, noGroups);
    return () => {
      abort.current.abort();
    };
  }, [path]);
  return {
    list,
    answered: answered !== null,
    error,
    more: () => {
      if (list.next !== null && answered === path && asked.current !== list.next) load(list.next, list);
    },
  };
}

interface Props {
  label: string;
  kind: string;
  columns: Column[];
  groups: GroupsState;
  sort: string;
  onSort: (sort: string) => void;
  urlOf: (group: Group) => string;
  /** What stands there when nothing is. */
  empty: ComponentChildren;
  /** Focuses the search field. */
  onSearch: () => void;
}

const headHeight = 29;

export function GroupTable({ label, kind, columns, groups, sort, onSort, urlOf, empty, onSearch }: Props) {
  const { list, error, answered, more } = groups;
  const { rows } = list;
  const scroller = useRef<HTMLDivElement>(null);
  const [selected, setSelected] = useState(-1);
  const narrow = useMedia('(max-width: 760px)');
  const rowHeight = narrow ? 56 : 30;

  const loadMore = (): void => {
    const element = scroller.current;
    if (element && element.scrollTop + element.clientHeight * 3 >= element.scrollHeight) more();
  };
  useLayoutEffect(loadMore, [rows]);
  useLayoutEffect(() => {
    setSelected(-1);
    if (scroller.current) scroller.current.scrollTop = 0;
  }, [sort]);

  const select = (index: number): void => {
    const to = Math.min(Math.max(index, 0), rows.length - 1);
    const element = scroller.current;
    setSelected(to);
    if (element) element.scrollTop = scrollToShow(to, element.scrollTop, element.clientHeight - headHeight, rowHeight);
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
        class={`list groups ${kind}`}
        role="grid"
        aria-label={label}
        aria-rowcount={list.next === null ? rows.length + 1 : -1}
        aria-activedescendant={selected < 0 ? undefined : `g-${String(selected)}`}
        aria-busy={!answered}
        tabIndex={0}
        onScroll={loadMore}
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
            const url = urlOf(group);
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
                      <Link to={url} tabIndex={-1}>
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
