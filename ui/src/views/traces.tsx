/** The list of traces: newest first, endless, filtered by one text that lives in the URL. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, parse, type ApiError } from '../api/client';
import { getTracePage, tracesPath } from '../api/endpoints';
import type { Page, Trace } from '../api/types';
import { addNewer, addOlder, emptyFeed, firstPage, shiftOf, type Feed } from '../model/feed';
import { parseFilter } from '../model/filter';
import { traceUrl, tracesUrl } from '../model/route';
import { scrollToShow } from '../model/window';
import { go } from '../navigation';
import { useKeys, useMedia, usePolling } from '../widgets/hooks';
import { VirtualRows } from '../widgets/virtual';
import { FilterBar } from './filter-bar';
import { explain, NoMatch, NoTraces } from './notices';
import { rowId, TraceRow, TracesHead } from './trace-row';

/** What the list remembers while another view is shown. */
export interface ListState {
  /** The filter whose answer this is; null before the first. */
  q: string | null;
  feed: Feed;
  selected: string | null;
  scrollTop: number;
}

export const newListState = (): ListState => ({ q: null, feed: emptyFeed, selected: null, scrollTop: 0 });

const pollEvery = 2000;
const headHeight = 29;

interface Props {
  q: string;
  list: ListState;
  onFailure: (error: ApiError) => void;
}

export function TracesView({ q, list, onFailure }: Props) {
  const [feed, setFeed] = useState(list.feed);
  const [answered, setAnswered] = useState(list.q);
  const [selected, setSelected] = useState(list.selected);
  const [error, setError] = useState<ApiError | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const filterInput = useRef<HTMLInputElement>(null);
  const lastBody = useRef('');
  const polling = useRef(false);
  const paging = useRef(false);
  const current = useRef(q);
  current.current = q;
  const narrow = useMedia('(max-width: 760px)');
  const rowHeight = narrow ? 56 : 30;
  const path = useMemo(() => tracesPath(parseFilter(q)), [q]);

  const failed = useCallback(
    (reason: unknown) => {
      if (isAbort(reason)) return;
      const apiError = asApiError(reason);
      setError(apiError);
      onFailure(apiError);
    },
    [onFailure],
  );

  // A new filter asks at once and keeps the old rows until the answer is there.
  useEffect(() => {
    const abort = new AbortController();
    lastBody.current = '';
    getTracePage(path, abort.signal)
      .then((body) => {
        lastBody.current = body;
        const page = parse<Page<Trace>>(body);
        const same = list.q === q;
        setFeed((was) => (same ? addNewer(was, page) : firstPage(page)));
        if (!same && scroller.current) scroller.current.scrollTop = 0;
        list.q = q;
        setAnswered(q);
        setError(null);
      })
      .catch(failed);
    return () => {
      abort.abort();
    };
  }, [path, q, list, failed]);

  usePolling(pollEvery, true, () => {
    loadOlder(); // again, if it failed
    if (polling.current) return;
    polling.current = true;
    getTracePage(path, AbortSignal.timeout(20_000))
      .then((body) => {
        if (current.current !== q) return;
        setError(null);
        if (body === lastBody.current) return;
        lastBody.current = body;
        const page = parse<Page<Trace>>(body);
        setFeed((was) => addNewer(was, page));
      })
      .catch(failed)
      .finally(() => {
        polling.current = false;
      });
  });

  const loadOlder = (): void => {
    const element = scroller.current;
    if (!element || paging.current || feed.next === null || answered !== q) return;
    if (element.scrollTop + element.clientHeight * 3 < element.scrollHeight) return;
    paging.current = true;
    getTracePage(feed.next, AbortSignal.timeout(20_000))
      .then((body) => {
        paging.current = false; // before the rows are drawn: drawing them asks for more if there is room
        const page = parse<Page<Trace>>(body);
        if (current.current === q) setFeed((was) => addOlder(was, page));
      })
      .catch((reason: unknown) => {
        paging.current = false;
        failed(reason);
      });
  };

  // Rows that come above the window must not move what is read.
  const before = useRef(feed.rows);
  useLayoutEffect(() => {
    const element = scroller.current;
    const top = element && before.current[Math.floor(element.scrollTop / rowHeight)];
    if (element && top && element.scrollTop > 0) {
      element.scrollTop += shiftOf(top.trace_unique_id, before.current, feed.rows) * rowHeight;
    }
    before.current = feed.rows;
    list.feed = feed;
    loadOlder();
  }, [feed]);

  useLayoutEffect(() => {
    if (scroller.current) scroller.current.scrollTop = list.scrollTop;
  }, []);

  useEffect(() => {
    document.title = 'Traces · respan';
  }, []);

  const select = (index: number): void => {
    const row = feed.rows[Math.min(Math.max(index, 0), feed.rows.length - 1)];
    if (!row) return;
    list.selected = row.trace_unique_id;
    setSelected(row.trace_unique_id);
    const element = scroller.current;
    if (element) {
      element.scrollTop = scrollToShow(
        feed.rows.indexOf(row),
        element.scrollTop,
        element.clientHeight - headHeight,
        rowHeight,
      );
    }
  };

  useKeys((event) => {
    const at = feed.rows.findIndex((t) => t.trace_unique_id === selected);
    const pageful = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 300) / rowHeight) - 2);
    switch (event.key) {
      case 'j':
      case 'ArrowDown':
        select(at + 1);
        return true;
      case 'k':
      case 'ArrowUp':
        select(at < 0 ? 0 : at - 1);
        return true;
      case 'PageDown':
        select(at + pageful);
        return true;
      case 'PageUp':
        select(at - pageful);
        return true;
      case 'Home':
        select(0);
        return true;
      case 'End':
        select(feed.rows.length - 1);
        return true;
      case 'Enter':
        if (selected === null || at < 0) return false;
        go(traceUrl(selected));
        return true;
      case '/':
        filterInput.current?.focus();
        filterInput.current?.select();
        return true;
      default:
        return false;
    }
  });

  const longest = useMemo(() => feed.rows.reduce((max, t) => Math.max(max, t.duration ?? 0), 0), [feed.rows]);
  const setQ = (text: string, how: 'push' | 'replace'): void => {
    go(tracesUrl(text), how);
  };
  const loaded = answered !== null;
  const fieldError = error?.failure === 'refused' ? error.message : null;

  return (
    <>
      <FilterBar
        q={q}
        input={filterInput}
        count={loaded ? feed.count : null}
        isEstimate={feed.isEstimate}
        error={fieldError}
        onChange={setQ}
      />
      {error && error.failure !== 'refused' && (
        <div class="banner" role="status">
          {explain(error)}
        </div>
      )}
      <div
        ref={scroller}
        class="list"
        role="grid"
        aria-label="Traces, newest first"
        aria-rowcount={feed.next === null ? feed.rows.length + 1 : -1}
        aria-activedescendant={selected === null ? undefined : rowId(selected)}
        aria-busy={!loaded}
        tabIndex={0}
        onScroll={(event) => {
          list.scrollTop = event.currentTarget.scrollTop;
          loadOlder();
        }}
      >
        {feed.rows.length > 0 && <TracesHead />}
        <VirtualRows
          scroller={scroller}
          count={feed.rows.length}
          rowHeight={rowHeight}
          headHeight={headHeight}
          render={(index) => {
            const trace = feed.rows[index];
            return (
              trace && (
                <TraceRow
                  key={trace.trace_unique_id}
                  trace={trace}
                  index={index}
                  selected={trace.trace_unique_id === selected}
                  longest={longest}
                  onOpen={() => {
                    list.selected = trace.trace_unique_id;
                  }}
                />
              )
            );
          }}
        />
        {loaded &&
          feed.rows.length === 0 &&
          feed.next === null &&
          !fieldError &&
          (q.trim() === '' ? (
            <NoTraces />
          ) : (
            <NoMatch
              onClear={() => {
                setQ('', 'push');
              }}
            />
          ))}
      </div>
    </>
  );
}
