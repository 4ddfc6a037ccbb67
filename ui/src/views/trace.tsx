/** One trace: its head, the tree with its waterfall, and the selected span beside them. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, parse, type ApiError } from '../api/client';
import { getSince, getTree, onGrowth } from '../api/endpoints';
import type { TraceWithTree } from '../api/types';
import { isTraceId, traceUrl, type TraceLook } from '../model/route';
import { awaitsParents, grow, withRunning } from '../model/running';
import { oneLine } from '../model/text';
import { parseInstant, toDate } from '../model/time';
import { defaultSpan, flatten } from '../model/tree';
import { go } from '../navigation';
import { useClock, useKeys, useMedia, usePolling } from '../widgets/hooks';
import { useSize } from '../widgets/setting';
import { Splitter } from '../widgets/splitter';
import { Banner, Failed } from '../widgets/wrong';
import { Reader } from './reader';
import { SpanPane } from './span-pane';
import { TraceActions } from './trace-actions';
import { TraceHead } from './trace-head';
import { Waterfall } from './waterfall';

interface Props extends TraceLook {
  id: string;
  span: string | null;
  listUrl: string;
  onFailure: (error: ApiError) => void;
}

/** Spans that come late are shown for as long after a trace's last one. */
const lateFor = 60_000;

export function TraceView({ id, span, find, critical, reader, listUrl, onFailure }: Props) {
  const [trace, setTrace] = useState<TraceWithTree | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [paneWidth, setPaneWidth] = useSize('respan.pane', 480);
  const narrow = useMedia('(max-width: 760px)');
  const last = useRef<TraceWithTree | null>(null);
  const loading = useRef(false);
  const again = useRef(false);

  const load = useCallback(
    (signal: AbortSignal) => {
      if (loading.current) {
        again.current = true; // what grew meanwhile may not be in the answer
        return;
      }
      loading.current = true;
      const known = last.current;
      const newest = async (): Promise<TraceWithTree> => {
        if (known) {
          const since = await getSince(id, known.next_since, signal);
          if (since.spans.length === 0 && since.span_count === known.spans.length) return known;
          const grown = grow(known, since);
          if (grown) return grown;
        }
        return parse<TraceWithTree>(await getTree(id, signal));
      };
      const read = async (): Promise<void> => {
        last.current = await newest();
        setError(null);
        setTrace(last.current);
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

  useEffect(() => {
    const abort = new AbortController();
    load(abort.signal);
    return () => {
      abort.abort();
      loading.current = false;
    };
  }, [load]);

  const awaits = useMemo(() => trace !== null && awaitsParents(trace.spans), [trace]);
  const recent = trace !== null && Date.now() - toDate(parseInstant(trace.end_time)).getTime() < lateFor;
  const now = useClock(awaits ? 500 : 5000, recent);
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
  const reach = running ? (now - toDate(parseInstant(trace.start_time)).getTime()) / 1000 : 0;
  const tree = useMemo(() => {
    if (!trace) return null;
    return flatten(running ? withRunning(trace.spans, reach) : trace.spans);
  }, [trace, running, reach]);
  // What one looks at stays the same while a trace grows.
  const shown = useRef<string | null>(null);
  const selected = useMemo(() => {
    if (!tree) return null;
    if (span !== null && tree.byId.has(span)) return span;
    if (shown.current === null || !tree.byId.has(shown.current)) shown.current = defaultSpan(tree);
    return shown.current;
  }, [tree, span]);
  const look = useMemo(() => ({ find, critical, reader }), [find, critical, reader]);
  const select = useCallback(
    (to: string, how: 'push' | 'replace') => {
      go(traceUrl(id, to, look), how);
    },
    [id, look],
  );
  const setLook = useCallback(
    (to: Partial<TraceLook>) => {
      go(traceUrl(id, span, { ...look, ...to }), 'replace');
    },
    [id, span, look],
  );

  useKeys((event) => {
    if (event.key !== 'r') return false;
    setLook({ reader: !reader });
    return true;
  });

  useEffect(() => {
    document.title = `${oneLine(trace?.name ?? 'Trace', 80)} · respan`;
  }, [trace?.name]);

  if (!trace || !tree) {
    return error ? <Failed error={error} what="trace" /> : <div class="notice" aria-busy="true" />;
  }
  const row = selected === null ? undefined : tree.rows[tree.byId.get(selected) ?? -1];
  const maxPane = Math.max(320, innerWidth - 480);
  const pane = Math.min(paneWidth, maxPane);
  return (
    <>
      <TraceHead
        trace={trace}
        running={running}
        listUrl={listUrl}
        reader={reader}
        onReader={() => {
          setLook({ reader: !reader });
        }}
        actions={isTraceId(id) ? <TraceActions id={id} listUrl={listUrl} /> : null}
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
          {row && <SpanPane trace={id} row={row} revision={trace} onFailure={onFailure} />}
        </div>
      )}
    </>
  );
}
