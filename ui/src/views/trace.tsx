/** One trace: its head, the tree with its waterfall, and the selected span beside them. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, parse, type ApiError } from '../api/client';
import { getSince, getTree } from '../api/endpoints';
import type { TraceWithTree } from '../api/types';
import { isTraceId, traceUrl, type TraceLook } from '../model/route';
import { oneLine } from '../model/text';
import { parseInstant, toDate } from '../model/time';
import { defaultSpan, flatten } from '../model/tree';
import { go } from '../navigation';
import { useKeys, useMedia, usePolling } from '../widgets/hooks';
import { useSize } from '../widgets/setting';
import { Splitter } from '../widgets/splitter';
import { explain, Failed } from './notices';
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
  const last = useRef<{ body: string; trace: TraceWithTree } | null>(null);
  const loading = useRef(false);

  const load = useCallback(
    (signal: AbortSignal) => {
      if (loading.current) return;
      loading.current = true;
      const known = last.current?.trace;
      const hasGrown = async (): Promise<boolean> => {
        if (!known) return true;
        const now = await getSince(id, known.next_since, signal);
        return now.spans.length > 0 || now.span_count !== known.spans.length;
      };
      const read = async (): Promise<void> => {
        const body = (await hasGrown()) ? await getTree(id, signal) : last.current?.body;
        setError(null);
        if (body === undefined || body === last.current?.body) return;
        last.current = { body, trace: parse<TraceWithTree>(body) };
        setTrace(last.current.trace);
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

  usePolling(2000, true, () => {
    const recent = trace !== null && Date.now() - toDate(parseInstant(trace.end_time)).getTime() < lateFor;
    if (recent || error !== null) load(AbortSignal.timeout(20_000));
  });

  const tree = useMemo(() => (trace ? flatten(trace.spans) : null), [trace]);
  const selected = useMemo(() => {
    if (!tree) return null;
    return span !== null && tree.byId.has(span) ? span : defaultSpan(tree);
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
        listUrl={listUrl}
        reader={reader}
        onReader={() => {
          setLook({ reader: !reader });
        }}
        actions={isTraceId(id) ? <TraceActions id={id} listUrl={listUrl} /> : null}
      />
      {error && (
        <div class="banner" role="status">
          {explain(error)}
        </div>
      )}
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
