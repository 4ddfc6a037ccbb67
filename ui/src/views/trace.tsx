/** One trace: its head, the tree with its waterfall, and the selected span beside them. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, type ApiError } from '../api/client';
import { getSince, getTree, onGrowth } from '../api/endpoints';
import { isTraceId, traceUrl, type TraceLook } from '../model/route';
import { grow, missingParents, withRunning, type Known } from '../model/running';
import { sumsOf } from '../model/sums';
import { oneLine } from '../model/text';
import { parseInstant, toDate } from '../model/time';
import { firstCall, Tree } from '../model/tree';
import { go } from '../navigation';
import { useClock, useKeys, useMedia, usePolling } from '../widgets/hooks';
import { later } from '../widgets/later';
import { useSize } from '../widgets/setting';
import { Splitter } from '../widgets/splitter';
import { Banner, Failed } from '../widgets/wrong';
import { SpanPane } from './span-pane';
import { TraceActions } from './trace-actions';
import { TraceHead } from './trace-head';
import { Waterfall } from './waterfall';

const Reader = later(async () => (await import('./more')).Reader);

interface Props extends TraceLook {
  id: string;
  span: string | null;
  listUrl: string;
  mayChange: boolean | null;
  onFailure: (error: ApiError) => void;
  /** There is something to see. */
  onShown?: (id: string) => void;
}

/** Spans that come late are shown for as long after a trace's last one. */
const lateFor = 60_000;
const none = new Set<string>();

export function TraceView({
  id,
  span,
  find,
  critical,
  reader,
  fold,
  zoom,
  listUrl,
  mayChange,
  onFailure,
  onShown,
}: Props) {
  // While many spans come, those that are there are shown.
  const [{ known, whole }, setKnown] = useState<{ known: Known | null; whole: boolean }>({ known: null, whole: false });
  const [error, setError] = useState<ApiError | null>(null);
  const [paneWidth, setPaneWidth] = useSize(
    'respan.pane',
    Math.round(Math.min(innerWidth * 0.33, 320 + innerWidth * 0.11)),
  );
  const narrow = useMedia('(max-width: 760px)');
  const last = useRef<Known | null>(null);
  const loading = useRef(false);
  const again = useRef(false);
  // Where one is: several steps may be taken before the next drawing.
  const place = useRef({ span, find, critical, reader, fold, zoom });
  place.current = { span, find, critical, reader, fold, zoom };

  const load = useCallback(
    (signal: AbortSignal) => {
      if (loading.current) {
        again.current = true; // what grew meanwhile may not be in the answer
        return;
      }
      loading.current = true;
      const before = last.current;
      const show = (part: Known): void => {
        const wanted = place.current.span;
        // Whoever follows a link to a span sees the tree about it, and no other part first.
        if (wanted === null || part.spans.ids.includes(wanted)) setKnown({ known: part, whole: false });
      };
      const newest = async (): Promise<Known> => {
        if (before) {
          const since = await getSince(id, before.trace.next_since, signal);
          if (since.spans.length === 0 && since.span_count === before.spans.n) return before;
          const grown = grow(before, since);
          if (grown) return grown;
        }
        return getTree(id, signal, before ? undefined : show);
      };
      const read = async (): Promise<void> => {
        const now = await newest();
        last.current = now;
        setError(null);
        setKnown((was) => (was.known === now && was.whole ? was : { known: now, whole: true }));
      };
      read()
        .catch((reason: unknown) => {
          if (isAbort(reason)) return;
          const apiError = asApiError(reason);
          setError(apiError);
          onFailure(apiError);
        })
        .finally(() => {
          loading.current = false;
          if (again.current && !signal.aborted) load(signal);
          again.current = false;
        });
    },
    [id, onFailure],
  );

  // Before anything is drawn.
  useLayoutEffect(() => {
    const abort = new AbortController();
    load(abort.signal);
    return () => {
      abort.abort();
      loading.current = false;
    };
  }, [load]);

  const isShown = known !== null || error !== null;
  useLayoutEffect(() => {
    if (isShown) onShown?.(id);
  }, [isShown, id, onShown]);

  const trace = known?.trace ?? null;
  const open = trace?.running === true;
  // Where the root has ended, a parent that is missing is not awaited.
  const absent = useMemo(
    () => (known && whole && (open || known.trace.root_span_unique_id === null) ? missingParents(known.spans) : none),
    [known, whole],
  );
  const awaits = open || absent.size > 0;
  const recent = open || (trace !== null && Date.now() - toDate(parseInstant(trace.end_time)).getTime() < lateFor);
  const now = useClock(awaits ? Math.max(500, (trace?.span_count ?? 0) / 50) : 5000, recent);
  usePolling(recent && isTraceId(id) ? 10_000 : 2000, recent || error !== null, () => {
    load(AbortSignal.timeout(20_000));
  });
  useEffect(() => {
    if (!recent || !isTraceId(id)) return;
    return onGrowth(id, () => {
      load(AbortSignal.timeout(20_000));
    });
  }, [id, recent, load]);

  const running = recent && awaits;
  const reach = running && trace ? (now - toDate(parseInstant(trace.start_time)).getTime()) / 1000 : 0;
  const tree = useMemo(() => {
    if (!known) return null;
    return new Tree(running ? withRunning(known.spans, reach, absent) : known.spans);
  }, [known, whole, running, reach]);
  const sums = useMemo(() => (tree && whole ? sumsOf(tree) : null), [tree, whole]);
  // What one looks at stays the same while a trace grows.
  const shown = useRef<string | null>(null);
  const selected = useMemo(() => {
    if (!tree) return null;
    if (span !== null && tree.find(span) >= 0) return span;
    if (tree.find(shown.current) < 0) shown.current = firstCall(tree) ?? (whole && tree.n > 0 ? tree.idOf(0) : null);
    return shown.current;
  }, [tree, span, whole]);
  const look = useMemo(() => ({ find, critical, reader, fold, zoom }), [find, critical, reader, fold, zoom]);
  const move = useCallback(
    (to: Partial<typeof place.current>, how: 'push' | 'replace') => {
      place.current = { ...place.current, ...to };
      go(traceUrl(id, place.current.span, place.current), how);
    },
    [id],
  );
  const select = useCallback(
    (to: string, how: 'push' | 'replace') => {
      move({ span: to }, how);
    },
    [move],
  );
  const setLook = useCallback(
    (to: Partial<TraceLook>) => {
      move(to, 'replace');
    },
    [move],
  );

  useKeys((event) => {
    if (event.key !== 'r') return false;
    setLook({ reader: !reader });
    return true;
  });

  useEffect(() => {
    document.title = `${oneLine(trace?.name ?? 'Trace', 80)} · respan`;
  }, [trace?.name]);

  if (!known || !trace || !tree) {
    return error ? <Failed error={error} what="trace" /> : <div class="notice" aria-busy="true" />;
  }
  const row = tree.row(tree.find(selected));
  const missing = whole && span !== null && tree.find(span) < 0 ? span : null;
  const maxPane = Math.max(320, innerWidth - 480);
  const pane = Math.min(paneWidth, maxPane);
  return (
    <>
      <TraceHead
        trace={running ? { ...trace, duration: tree.length } : trace}
        running={running}
        listUrl={listUrl}
        reader={reader}
        onReader={() => {
          setLook({ reader: !reader });
        }}
        actions={
          isTraceId(id) ? (
            <TraceActions id={id} listUrl={listUrl} stored={trace.span_count > 0} mayChange={mayChange} />
          ) : null
        }
      />
      {error && <Banner error={error} />}
      {reader ? (
        <Reader
          trace={id}
          tree={tree}
          selected={selected}
          onSelect={select}
          onClose={() => {
            setLook({ reader: false });
          }}
          onOpen={(to) => {
            go(traceUrl(id, to, { ...look, reader: false }));
          }}
          onFailure={onFailure}
        />
      ) : (
        <div class="split" style={narrow ? undefined : { gridTemplateColumns: `minmax(0, 1fr) 0 ${String(pane)}px` }}>
          <Waterfall
            trace={trace}
            tree={tree}
            isWhole={whole}
            sums={sums}
            selected={selected}
            look={look}
            onLook={setLook}
            onSelect={select}
            listUrl={listUrl}
          />
          {!narrow && (
            <Splitter
              label="Width of the span's pane"
              size={pane}
              min={320}
              max={maxPane}
              direction={-1}
              onSize={setPaneWidth}
            />
          )}
          {row && (
            <SpanPane
              trace={id}
              row={row}
              self={sums?.self[row.index] ?? null}
              missing={missing}
              revision={known}
              onFailure={onFailure}
            />
          )}
        </div>
      )}
    </>
  );
}
