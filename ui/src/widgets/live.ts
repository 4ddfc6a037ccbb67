/** The live feed of a list: what is new or has grown, as the server tells it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { inProject } from '../api/client';
import type { Trace } from '../api/types';

interface Handlers {
  onTraces: (traces: Trace[]) => void;
  /** That trace was deleted. */
  onGone: (id: string) => void;
  /** From now on all is told, or something was left out: list again. */
  onGap: () => void;
}

const together = 100; // ms in which what is told is shown at once
const again = 10_000; // after which a server that refused is asked once more

/** Listens at a path (null: to nothing). Whether it hears: as long as it does not, somebody has to ask. */
export function useLive(path: string | null, handlers: Handlers): boolean {
  const [hears, setHears] = useState(false);
  const latest = useRef(handlers);
  latest.current = handlers;
  useEffect(() => {
    if (path === null) return;
    let source: EventSource;
    let told: Trace[] = [];
    let flushing: ReturnType<typeof setTimeout> | undefined;
    let retrying: ReturnType<typeof setTimeout> | undefined;
    const gap = (): void => {
      setHears(true);
      latest.current.onGap();
    };
    const flush = (): void => {
      flushing = undefined;
      const traces = told;
      told = [];
      latest.current.onTraces(traces);
    };
    const listen = (): void => {
      source = new EventSource(inProject(path));
      source.addEventListener('ready', gap);
      source.addEventListener('reset', gap);
      source.addEventListener('trace', (event: MessageEvent<string>) => {
        told.push(JSON.parse(event.data) as Trace);
        flushing ??= setTimeout(flush, together);
      });
      source.addEventListener('gone', (event: MessageEvent<string>) => {
        const { trace_unique_id: id } = JSON.parse(event.data) as Trace;
        told = told.filter((t) => t.trace_unique_id !== id);
        latest.current.onGone(id);
      });
      source.addEventListener('error', () => {
        setHears(false);
        // Where the line broke the browser tries again by itself.
        if (source.readyState === EventSource.CLOSED) retrying = setTimeout(listen, again);
      });
    };
    listen();
    return () => {
      source.close();
      clearTimeout(flushing);
      clearTimeout(retrying);
      setHears(false);
    };
  }, [path]);
  return hears;
}
