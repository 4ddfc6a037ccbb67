/** The turns of a thread: page by page, and as the live feed tells of them. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, parse, type ApiError } from '../api/client';
import { getCalls } from '../api/calls';
import { getTracePage, tracesPath } from '../api/endpoints';
import type { Page, Trace } from '../api/types';
import { addTurns, changed, type Changes, type Entry, replaceTurn, type Told, withoutDeleted } from '../model/thread';
import { usePolling } from '../widgets/hooks';
import { keep, recall } from '../widgets/kept';
import { useLive } from '../widgets/live';

const turnsAtOnce = 20;
const pollEvery = 5000;

interface State {
  entries: Entry[];
  /** Path of the next page; null at the end. */
  next: string | null;
  answered: boolean;
}

const nothing: State = { entries: [], next: null, answered: false };

export interface Turns extends State {
  error: ApiError | null;
  more: (() => void) | null;
}

export function useTurns(id: string, onFailure: (error: ApiError) => void, onChange: () => void): Turns {
  const key = `thread ${id}`;
  const [state, setState] = useState<State>(() => recall<State>(key) ?? nothing);
  const [error, setError] = useState<ApiError | null>(null);
  const now = useRef(state);
  const abort = useRef(new AbortController());
  const work = useRef(Promise.resolve()); // one thing after the other: each begins where the last one ended
  const paging = useRef(false);
  const waiting = useRef(new Map<string, Trace>());

  const show = (to: State): void => {
    now.current = to;
    keep(key, to);
    setState(to);
    setError(null);
  };
  const then = (task: (signal: AbortSignal) => Promise<void>): void => {
    const { signal } = abort.current;
    work.current = work.current
      .then(() => (signal.aborted ? undefined : task(signal)))
      .catch((reason: unknown) => {
        if (isAbort(reason) || signal.aborted) return;
        setError(asApiError(reason));
        onFailure(asApiError(reason));
      });
  };
  const tell = (traces: Trace[], signal: AbortSignal): Promise<Told[]> =>
    Promise.all(
      traces.map(async (trace) => {
        const { calls, before } = await getCalls(trace, signal).catch((reason: unknown) => {
          if (asApiError(reason).failure === 'not-found') return { calls: [], before: 0 }; // deleted meanwhile
          throw reason;
        });
        return { trace, calls, callsBefore: before };
      }),
    );

  const loadPage = (path: string): void => {
    if (paging.current) return;
    paging.current = true;
    then(async (signal) => {
      try {
        const page = parse<Page<Trace>>(await getTracePage(path, signal));
        const known = new Set(now.current.entries.map(({ turn }) => turn.trace.trace_unique_id));
        const told = await tell(
          page.results.filter((t) => !known.has(t.trace_unique_id)),
          signal,
        );
        const { entries } = now.current;
        show({ entries: addTurns(entries, entries.length, told), next: page.next, answered: true });
      } finally {
        paging.current = false;
      }
    });
  };
  const apply = async ({ traces, from }: Changes, signal: AbortSignal): Promise<void> => {
    const { entries } = now.current;
    const isOne = traces.length === entries.length && traces.length - from > turnsAtOnce;
    const told = await tell(isOne ? traces.slice(from, from + 1) : traces.slice(from), signal);
    const [one] = told;
    show({ ...now.current, entries: isOne && one ? replaceTurn(entries, from, one) : addTurns(entries, from, told) });
    onChange();
  };
  const takeTold = (): void => {
    then(async (signal) => {
      const told = [...waiting.current.values()];
      waiting.current.clear();
      const { entries, next, answered } = now.current;
      if (!answered || told.length === 0) return;
      const change = changed(
        entries.map(({ turn }) => turn.trace),
        told,
        next === null,
      );
      if (change) await apply(change, signal);
    });
  };
  const question = (sort: string): string =>
    tracesPath(
      [
        ['session_identifier', id],
        ['sort_by', sort],
      ],
      turnsAtOnce,
    );
  const check = (): void => {
    then(async (signal) => {
      const page = parse<Page<Trace>>(await getTracePage(question('-start_time'), signal));
      setError(null);
      if (!now.current.answered) return;
      const shown = (): Trace[] => now.current.entries.map(({ turn }) => turn.trace);
      const gone = withoutDeleted(shown(), page.results, page.next === null);
      if (gone) await apply(gone, signal);
      const change = changed(shown(), page.results, now.current.next === null);
      if (change) await apply(change, signal);
    });
  };

  useEffect(() => {
    abort.current = new AbortController();
    if (!now.current.answered) loadPage(question('start_time'));
    return () => {
      abort.current.abort();
    };
  }, [id]);
  const hears = useLive(`/api/live/?${new URLSearchParams({ session_identifier: id }).toString()}`, {
    onTraces: (told) => {
      for (const trace of told) waiting.current.set(trace.trace_unique_id, trace);
      takeTold();
    },
    onGone: check,
    onGap: check,
  });
  usePolling(hears ? 6 * pollEvery : pollEvery, true, () => {
    if (now.current.answered) check();
    else loadPage(question('start_time'));
  });
  const { next } = state;
  return {
    ...state,
    error,
    more:
      next === null
        ? null
        : () => {
            loadPage(next);
          },
  };
}
