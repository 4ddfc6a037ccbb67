/** The list of traces: newest first, endless, filtered by one text that lives in the URL. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, parse, type ApiError } from '../api/client';
import { getTracePage } from '../api/endpoints';
import { listPath, livePath } from '../api/traces';
import type { Page, Trace } from '../api/types';
import { addNewer, addOlder, addTold, emptyFeed, newOnes, firstPage, shiftOf, type Feed } from '../model/feed';
import { count } from '../model/format';
import { gridOf, leastWidth, readColumns, usual, writeColumns } from '../model/columns';
import { metadataKeys } from '../model/completion';
import { traceUrl, tracesUrl, type ListQuery } from '../model/route';
import { scrollToShow } from '../model/window';
import { go } from '../navigation';
import { useKeys, useMedia, usePolling } from '../widgets/hooks';
import { useLive } from '../widgets/live';
import { useKept } from '../widgets/setting';
import { toggleMark, useMarks } from '../widgets/marks';
import { VirtualRows } from '../widgets/virtual';
import { Banner } from '../widgets/wrong';
import { ColumnsMenu } from './columns-menu';
import { ExportMenu } from './export-menu';
import { CompareMarked, compareMarked } from './compare-marked';
import { Facets } from './facets';
import { FilterBar } from './filter-bar';
import { RangeMenu } from './range-menu';
import { TimeStrip } from './strip';
import { NoMatch, NoTraces } from './notices';
import { rowId, TraceRow, TracesHead } from './trace-row';

/** What the list remembers while another view is shown. */
export interface ListState {
  /** The address whose answer this is; null before the first. */
  url: string | null;
  feed: Feed;
  selected: string | null;
  scrollTop: number;
}

export const newListState = (): ListState => ({ url: null, feed: emptyFeed, selected: null, scrollTop: 0 });

const pollEvery = 2000;
/** Where the live feed tells what comes, it does not tell what was deleted. */
const checkEvery = 5000;
const headHeight = 29;

interface Props {
  query: ListQuery;
  list: ListState;
  onFailure: (error: ApiError) => void;
}

export function TracesView({ query, list, onFailure }: Props) {
  const url = tracesUrl(query.q, query);
  const [feed, setFeed] = useState(list.feed);
  const [answered, setAnswered] = useState(list.url);
  const [selected, setSelected] = useState(list.selected);
  const [error, setError] = useState<ApiError | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const filterInput = useRef<HTMLInputElement>(null);
  const lastBody = useRef('');
  const polling = useRef(false);
  const paging = useRef(false);
  const current = useRef(url);
  current.current = url;
  const narrow = useMedia('(max-width: 760px)');
  const rowHeight = narrow ? 56 : 30;

  const failed = useCallback(
    (reason: unknown) => {
      if (isAbort(reason)) return;
      const apiError = asApiError(reason);
      setError(apiError);
      onFailure(apiError);
    },
    [onFailure],
  );

  // A new filter asks at once, before anything is drawn, and keeps the old rows until the answer is there.
  useLayoutEffect(() => {
    const abort = new AbortController();
    lastBody.current = '';
    getTracePage(listPath(query, Date.now()), abort.signal)
      .then((body) => {
        lastBody.current = body;
        const page = parse<Page<Trace>>(body);
        const same = list.url === url;
        setFeed((was) => (same ? addNewer(was, page) : firstPage(page)));
        if (!same && scroller.current) scroller.current.scrollTop = 0;
        list.url = url;
        setAnswered(url);
        setError(null);
      })
      .catch(failed);
    return () => {
      abort.abort();
    };
  }, [url, list, failed]);

  // Told while an answer is on its way, which does not know of it.
  const meanwhile = useRef<Trace[]>([]);
  const poll = (): void => {
    if (polling.current) return;
    polling.current = true;
    meanwhile.current = [];
    getTracePage(listPath(query, Date.now()), AbortSignal.timeout(20_000))
      .then((body) => {
        if (current.current !== url) return;
        setError(null);
        if (body === lastBody.current) return;
        lastBody.current = body;
        const page = parse<Page<Trace>>(body);
        const told = meanwhile.current;
        setFeed((was) => addTold(addNewer(was, page), told));
      })
      .catch(failed)
      .finally(() => {
        polling.current = false;
      });
  };

  // Paused: what is told waits, by its id.
  const [waiting, setWaiting] = useState<Map<string, Trace> | null>(null);
  const arrived = useRef(new Set<string>());
  const show = (told: Trace[]): void => {
    const known = new Set(feed.rows.map((t) => t.trace_unique_id));
    for (const { trace_unique_id: id } of told) if (!known.has(id)) arrived.current.add(id);
    meanwhile.current.push(...told);
    setFeed((was) => addTold(was, told));
  };
  const hears = useLive(answered === url && query.sort === '' ? livePath(query, Date.now()) : null, {
    onTraces: (told) => {
      if (waiting === null) show(told);
      else setWaiting(new Map([...waiting, ...told.map((t) => [t.trace_unique_id, t] as const)]));
    },
    onGap: () => {
      if (waiting === null) poll();
    },
  });
  const togglePause = (): void => {
    if (waiting === null) setWaiting(new Map());
    else {
      show([...waiting.values()]);
      setWaiting(null);
      poll();
    }
  };
  usePolling(hears ? checkEvery : pollEvery, true, () => {
    loadOlder(); // again, if it failed
    if (waiting === null) poll();
  });

  const loadOlder = (): void => {
    const element = scroller.current;
    if (!element || paging.current || feed.next === null || answered !== url) return;
    if (element.scrollTop + element.clientHeight * 3 < element.scrollHeight) return;
    paging.current = true;
    getTracePage(feed.next, AbortSignal.timeout(20_000))
      .then((body) => {
        paging.current = false; // before the rows are drawn: drawing them asks for more if there is room
        const page = parse<Page<Trace>>(body);
        if (current.current === url) setFeed((was) => addOlder(was, page));
      })
      .catch((reason: unknown) => {
        paging.current = false;
        failed(reason);
      });
  };

  // Rows that come above the window must not move what is read.
  const before = useRef(feed.rows);
  useLayoutEffect(() => {
    // The first rows ask for no measure, which would have the page laid out twice.
    const element = before.current.length > 0 ? scroller.current : null;
    const top = element && before.current[Math.floor(element.scrollTop / rowHeight)];
    if (element && top && element.scrollTop > 0) {
      element.scrollTop += shiftOf(top.trace_unique_id, before.current, feed.rows) * rowHeight;
    }
    before.current = feed.rows;
    list.feed = feed;
  }, [feed]);
  useEffect(() => {
    loadOlder();
  }, [feed]);

  useLayoutEffect(() => {
    if (scroller.current && list.scrollTop > 0) scroller.current.scrollTop = list.scrollTop;
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

  const keys = useMemo(() => metadataKeys(feed.rows), [feed.rows]);
  const [keptColumns, setKeptColumns] = useKept('respan.columns', '');
  const columns = useMemo(() => (narrow ? usual : readColumns(keptColumns)), [narrow, keptColumns]);
  const [facets, setFacets] = useKept('respan.facets', 'shown');
  const [facetsHere, setFacetsHere] = useState(false); // on a narrow screen, until the page is left
  const showFacets = narrow ? facetsHere : facets === 'shown';
  const toggleFacets = (): void => {
    if (narrow) setFacetsHere(!facetsHere);
    else setFacets(showFacets ? 'hidden' : 'shown');
  };

  const marks = useMarks();
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
      case 'p':
        togglePause();
        return true;
      case 'x':
        if (selected === null || at < 0) return false;
        toggleMark(selected);
        return true;
      case '=':
        return compareMarked(marks, selected);
      case 'f':
        toggleFacets();
        return true;
      default:
        return false;
    }
  });

  const longest = useMemo(() => feed.rows.reduce((max, t) => Math.max(max, t.duration ?? 0), 0), [feed.rows]);
  const setWindow = (from: string, to: string): void => {
    go(tracesUrl(query.q, { ...query, from, to }));
  };
  const setSort = (sort: string): void => {
    go(tracesUrl(query.q, { ...query, sort }));
  };
  const setQ = (q: string, how: 'push' | 'replace'): void => {
    go(tracesUrl(q, query), how);
  };
  const loaded = answered !== null;
  const fieldError = error?.field === 'q' ? error : null; // the others are not the text's fault

  return (
    <>
      <FilterBar
        list={query}
        input={filterInput}
        keys={keys}
        count={loaded ? feed.count : null}
        isEstimate={feed.isEstimate}
        error={fieldError}
        onChange={setQ}
      >
        <button
          type="button"
          class={`button live${waiting === null && hears ? ' on' : ''}`}
          aria-pressed={waiting !== null}
          title={`${waiting === null ? 'Pause' : 'Go on'} (p)`}
          onClick={togglePause}
        >
          {waiting === null ? 'Live' : `Paused · ${count(newOnes(feed, waiting.values()))} new`}
        </button>
        <RangeMenu from={query.from} to={query.to} onChange={setWindow} />
        <button
          type="button"
          class="button"
          aria-pressed={showFacets}
          title="Values to filter by (f)"
          onClick={toggleFacets}
        >
          Facets
        </button>
        {loaded && <ExportMenu list={query} count={feed.count} isEstimate={feed.isEstimate} shown={feed.rows} />}
        {!narrow && (
          <ColumnsMenu
            shown={columns}
            keys={keys}
            onChange={(shown) => {
              setKeptColumns(writeColumns(shown));
            }}
          />
        )}
        <CompareMarked marks={marks} />
      </FilterBar>
      {error && fieldError === null && <Banner error={error} />}
      <TimeStrip list={query} onChange={setWindow} />
      <div class="list-area">
        {showFacets && loaded && (
          <Facets
            list={query}
            keys={keys}
            onChange={(q) => {
              setQ(q, 'push');
            }}
          />
        )}
        <div
          ref={scroller}
          class="list"
          role={feed.rows.length > 0 ? 'grid' : 'region'}
          aria-label={query.sort === '' ? 'Traces, newest first' : 'Traces'}
          style={narrow ? undefined : { '--columns': gridOf(columns), '--least': `${String(leastWidth(columns))}px` }}
          aria-rowcount={feed.rows.length === 0 ? undefined : feed.next === null ? feed.rows.length + 1 : -1}
          aria-activedescendant={selected === null ? undefined : rowId(selected)}
          aria-busy={!loaded}
          tabIndex={0}
          onScroll={(event) => {
            list.scrollTop = event.currentTarget.scrollTop;
            loadOlder();
          }}
        >
          {feed.rows.length > 0 && <TracesHead columns={columns} sort={query.sort} onSort={setSort} />}
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
                    marked={marks.includes(trace.trace_unique_id)}
                    longest={longest}
                    columns={columns}
                    arrived={arrived.current.delete(trace.trace_unique_id)}
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
            (query.q.trim() === '' && query.from === '' && query.to === '' ? (
              <NoTraces />
            ) : (
              <NoMatch
                onClear={() => {
                  go('/');
                }}
              />
            ))}
        </div>
      </div>
    </>
  );
}
