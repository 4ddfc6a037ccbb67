/** The list of traces: newest first, endless, filtered by one text that lives in the URL. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, parse, type ApiError } from '../api/client';
import { takeEarly } from '../api/early';
import { getTracePage } from '../api/endpoints';
import { listPath, livePath } from '../api/traces';
import type { Page, Session, Trace } from '../api/types';
import {
  addNewer,
  addOlder,
  addTold,
  emptyFeed,
  newOnes,
  firstPage,
  shiftOf,
  withoutGone,
  type Feed,
} from '../model/feed';
import { count } from '../model/format';
import { asQuery } from '../model/filter';
import { gridOf, leastWidth, resizeColumn } from '../model/columns';
import { isSliding } from '../model/range';
import { mayChange } from '../model/role';
import { traceUrl, tracesUrl, type TracesQuery } from '../model/route';
import { ofPage, shownOf, toOpen, viewUrl } from '../model/views';
import { scrollToShow } from '../model/window';
import { go } from '../navigation';
import { useKeys, useMedia, usePolling } from '../widgets/hooks';
import { later } from '../widgets/later';
import { useLive } from '../widgets/live';
import { useSavedViews } from '../widgets/saved-views';
import { useKept } from '../widgets/setting';
import { toggleMark, useMarks } from '../widgets/marks';
import { usePeek } from '../widgets/peek';
import { VirtualRows } from '../widgets/virtual';
import { Banner } from '../widgets/wrong';
import { ColumnsMenu } from './columns-menu';
import { ExportMenu } from './export-menu';
import { CompareMarked, compareMarked } from './compare-marked';
import { Facets } from './facets';
import { FilterBar } from './filter-bar';
import { useListColumns, useMetadataKeys } from './list-columns';
import { RangeMenu } from './range-menu';
import { TimeStrip } from './strip';
import { NoMatch, NoTraces } from './notices';
import { rowId, TraceRow, TracesHead } from './trace-row';
import { ViewsMenu } from './views-menu';

const TracePeek = later(async () => (await import('./more')).TracePeek, true);

/** The line that an element is in. */
function lineOf(element: Element): { id: string; row: Element } | null {
  const row = element.closest('.trace-row:not(.head)');
  return row ? { id: row.id, row } : null;
}

/** What the list remembers while another view is shown. */
export interface ListState {
  /** The address whose answer this is; null before the first. */
  url: string | null;
  feed: Feed;
  selected: string | null;
  scrollTop: number;
  /** The project's own view was opened, or something else: it is not opened again. */
  begun: boolean;
}

export const newListState = (): ListState => ({
  url: null,
  feed: emptyFeed,
  selected: null,
  scrollTop: 0,
  begun: false,
});

/** Where the live feed does not tell: it is broken, or the order is another one. */
const pollEvery = 2000;
const pollSorted = 5000;
/** A window that slides leaves traces behind, which nobody tells. */
const slideEvery = 30_000;
const headHeight = 29;

interface Props {
  query: TracesQuery;
  list: ListState;
  session: Session | null;
  /** The server did not answer when it was last asked who one is, whatever the live feed's line looks like. */
  away: boolean;
  onFailure: (error: ApiError) => void;
}

export function TracesView({ query, list, session, away, onFailure }: Props) {
  const url = tracesUrl(query.q, { ...query, saved: '' });
  const [feed, setFeed] = useState(list.feed);
  const [answered, setAnswered] = useState(list.url);
  const [selected, setSelected] = useState(list.selected);
  const [error, setError] = useState<ApiError | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const filterInput = useRef<HTMLInputElement>(null);
  const lastBody = useRef('');
  const polling = useRef(false);
  const [missed, setMissed] = useState(false); // older ones that did not come
  const paging = useRef(false);
  const old = answered !== url;
  const [whole, setWhole] = useState(true); // nothing of the filter is still being typed
  const asked = whole ? query.q : asQuery(query.q);
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
    (takeEarly(query) ?? getTracePage(listPath(query, Date.now(), whole), abort.signal))
      .then((body) => {
        if (abort.signal.aborted) return;
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
  }, [url, asked, list, failed]);

  // Told while an answer is on its way, which does not know of it.
  const meanwhile = useRef<Trace[]>([]);
  const erased = useRef(new Set<string>());
  const poll = (): void => {
    if (polling.current) return;
    polling.current = true;
    meanwhile.current = [];
    erased.current = new Set();
    getTracePage(listPath(query, Date.now(), whole), AbortSignal.timeout(20_000))
      .then((body) => {
        if (current.current !== url) return;
        setError(null);
        if (body === lastBody.current) return;
        lastBody.current = body;
        const page = parse<Page<Trace>>(body);
        const told = meanwhile.current;
        const gone = erased.current;
        setFeed((was) => withoutGone(addTold(addNewer(was, page), told), gone));
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
  const [told, setTold] = useState(0);
  const hears = useLive(!old && query.sort === '' ? livePath(query, Date.now()) : null, {
    onTraces: (told) => {
      setTold((n) => n + 1);
      if (waiting === null) show(told);
      else setWaiting(new Map([...waiting, ...told.map((t) => [t.trace_unique_id, t] as const)]));
    },
    onGone: (id) => {
      erased.current.add(id);
      setTold((n) => n + 1);
      meanwhile.current = meanwhile.current.filter((t) => t.trace_unique_id !== id);
      setFeed((was) => withoutGone(was, new Set([id])));
      setWaiting((was) => was && new Map([...was].filter(([waits]) => waits !== id)));
    },
    onGap: () => {
      setTold((n) => n + 1);
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
  usePolling(
    query.sort === '' ? pollEvery : pollSorted,
    !hears || away || error !== null || (missed && feed.next !== null),
    () => {
      loadOlder(); // again, if it failed
      if (waiting === null) poll();
    },
  );
  usePolling(slideEvery, hears && waiting === null && isSliding(query.from, query.to), poll);

  const loadOlder = (): void => {
    const element = scroller.current;
    if (!element || paging.current || feed.next === null || old) return;
    if (element.scrollTop + element.clientHeight * 3 < element.scrollHeight) return;
    paging.current = true;
    getTracePage(feed.next, AbortSignal.timeout(20_000))
      .then((body) => {
        setMissed(false);
        paging.current = false; // before the rows are drawn: drawing them asks for more if there is room
        const page = parse<Page<Trace>>(body);
        if (current.current === url) setFeed((was) => addOlder(was, page));
      })
      .catch((reason: unknown) => {
        paging.current = false;
        setMissed(true);
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
      element.focus({ preventScroll: true }); // what is chosen is said of what has the focus
      element.scrollTop = scrollToShow(
        feed.rows.indexOf(row),
        element.scrollTop,
        element.clientHeight - headHeight,
        rowHeight,
      );
    }
  };

  const [saved, setSaved] = useSavedViews();
  const views = useMemo(() => ofPage(saved ?? [], 'traces'), [saved]);
  const opened = views.find(({ id }) => String(id) === query.saved) ?? null;
  useEffect(() => {
    if (saved === null) return;
    const wanted = toOpen(location.search, views, opened, list.begun);
    list.begun = true;
    if (!wanted) return;
    forgetEdits();
    go(viewUrl(wanted), 'replace');
  }, [saved, query.saved]);

  const may = mayChange(session);
  const loaded = answered !== null && (query.saved === '' || saved !== null);
  const fieldError = error?.field === 'q' ? error : null; // the others are not the text's fault
  const ready = loaded || fieldError !== null;
  const keys = useMetadataKeys(query, feed.rows, ready);
  const { columns, chosen, setColumns, forgetEdits } = useListColumns(narrow, opened);
  const [facets, setFacets] = useKept('respan.facets', 'shown');
  const [facetsHere, setFacetsHere] = useState(false); // on a narrow screen, until the page is left
  const showFacets = narrow ? facetsHere : facets === 'shown';
  const toggleFacets = (): void => {
    if (narrow) setFacetsHere(!facetsHere);
    else setFacets(showFacets ? 'hidden' : 'shown');
  };

  const peek = usePeek(lineOf);
  const peeked = feed.rows.find((t) => rowId(t.trace_unique_id) === peek.peeked?.id);
  const lookAt = (id: string): void => {
    peek.look(rowId(id), document.getElementById(rowId(id)));
  };
  // By key it goes along with what is chosen, which is drawn first.
  useEffect(() => {
    if (peek.peeked?.by === 'key' && selected !== null) lookAt(selected);
  }, [selected]);

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
      case ' ':
        if (selected === null || at < 0) return false;
        if (peek.peeked?.by === 'key') peek.hide();
        else lookAt(selected);
        return true;
      case 'Escape':
        if (peek.peeked !== null) peek.hide();
        else if (document.activeElement?.closest('.facets')) scroller.current?.focus();
        else return false;
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
    setWhole(false);
    go(tracesUrl(q, query), how);
  };

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
        onLeave={() => scroller.current?.focus()}
        onBlur={() => {
          setWhole(true);
        }}
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
        {!narrow && <ColumnsMenu shown={columns} keys={keys} onChange={setColumns} />}
        <ViewsMenu
          page="traces"
          views={views}
          opened={opened}
          shown={shownOf(query, chosen)}
          mayChange={may}
          onViews={setSaved}
          onOpen={(to) => {
            forgetEdits();
            go(to);
          }}
          onSaved={forgetEdits}
        />
      </FilterBar>
      {error && fieldError === null && <Banner error={error} />}
      <TimeStrip list={query} told={hears ? told : null} onChange={setWindow} />
      <div class="list-area">
        {showFacets &&
          (ready ? (
            <Facets
              list={query}
              all={answered === null}
              keys={keys}
              told={hears ? told : null}
              onChange={(q) => {
                setQ(q, 'push');
              }}
            />
          ) : (
            <aside class="facets" />
          ))}
        <div
          ref={scroller}
          id="list"
          class={old ? 'list old' : 'list'}
          role={feed.rows.length > 0 ? 'grid' : 'region'}
          aria-label={query.sort === '' ? 'Traces, newest first' : 'Traces'}
          style={narrow ? undefined : { '--columns': gridOf(columns), '--least': `${String(leastWidth(columns))}px` }}
          aria-rowcount={feed.rows.length === 0 ? undefined : feed.next === null ? feed.rows.length + 1 : -1}
          aria-activedescendant={selected === null ? undefined : rowId(selected)}
          aria-busy={(old || !loaded) && !fieldError}
          tabIndex={0}
          onScroll={(event) => {
            list.scrollTop = event.currentTarget.scrollTop;
            if (peek.peeked?.by === 'pointer') peek.hide();
            loadOlder();
          }}
          {...peek.on}
        >
          {loaded && feed.rows.length > 0 && (
            <TracesHead
              columns={columns}
              sort={query.sort}
              onSort={setSort}
              onWidth={(column, width, before) => {
                setColumns(resizeColumn(columns, column.id, width, before));
              }}
            />
          )}
          <VirtualRows
            scroller={scroller}
            count={loaded ? feed.rows.length : 0}
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
                    described={trace === peeked}
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
          {ready &&
            feed.rows.length === 0 &&
            feed.next === null &&
            (query.q.trim() === '' && query.from === '' && query.to === '' ? (
              <NoTraces mayMakeKeys={may} waits />
            ) : (
              <NoMatch
                wrong={fieldError !== null}
                hint={feed.hint}
                onClear={() => {
                  go('/');
                }}
              />
            ))}
        </div>
      </div>
      {peeked && peek.peeked && <TracePeek trace={peeked} at={peek.peeked} />}
      <CompareMarked marks={marks} />
    </>
  );
}
