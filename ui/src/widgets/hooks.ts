import { createContext, type RefObject } from 'preact';
import { useContext, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Asks whenever what it depends on changes; what is not wanted any more is not waited for. */
export function useAsking(ask: (signal: AbortSignal) => void, dependsOn: readonly unknown[]): void {
  useEffect(() => {
    const abort = new AbortController();
    ask(abort.signal);
    return () => {
      abort.abort();
    };
  }, dependsOn);
}

/** Runs `tick` every `ms` while the tab can be seen, and at once when it comes back into view. */
export function usePolling(ms: number, active: boolean, tick: () => void): void {
  const latest = useRef(tick);
  latest.current = tick;
  useEffect(() => {
    if (!active) return;
    const run = (): void => {
      if (document.visibilityState === 'visible') latest.current();
    };
    const timer = setInterval(run, ms);
    document.addEventListener('visibilitychange', run);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', run);
    };
  }, [ms, active]);
}

/** The time in milliseconds, told as often as that while it is wanted and the tab can be seen. */
export function useClock(ms: number, active: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  usePolling(ms, active, () => {
    setNow(Date.now());
  });
  return now;
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const changed = (): void => {
      setMatches(media.matches);
    };
    media.addEventListener('change', changed);
    return () => {
      media.removeEventListener('change', changed);
    };
  }, [query]);
  return matches;
}

/** The width of an element's inside, as it changes. */
export function useWidth(of: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = of.current;
    if (!element) return;
    const measure = (): void => {
      setWidth(element.clientWidth);
    };
    measure();
    const resized = new ResizeObserver(measure);
    resized.observe(element);
    return () => {
      resized.disconnect();
    };
  }, [of]);
  return width;
}

/** What an address says of something that is more than its text: it is read when somebody else has changed the text, and written
 *  when it changes here. */
export function useSaid<T>(
  text: string,
  read: (text: string) => T,
  write: (value: T) => string,
  put: (text: string) => void,
): [T, (value: T) => void] {
  const kept = useRef<{ text: string; value: T } | null>(null);
  const [, draw] = useState(0);
  if (kept.current?.text !== text) kept.current = { text, value: read(text) };
  const set = (value: T): void => {
    kept.current = { text: write(value), value };
    put(kept.current.text);
    draw((n) => n + 1);
  };
  return [kept.current.value, set];
}

const scrolling = new Set(['ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End']);

/** Of a view that stands only until another is there: keys are no more its own. */
export const Stale = createContext(false);

/** Keys pressed anywhere but in a field. The handler says whether the key was its own. */
export function useKeys(handler: (event: KeyboardEvent) => boolean): void {
  const latest = useRef(handler);
  latest.current = useContext(Stale) ? () => false : handler;
  // As soon as the view can be seen: a key that is pressed at once is heard.
  useLayoutEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const at = event.target;
      // A field has its keys for itself, a list of choices too.
      if (at instanceof Element && at.matches('input, textarea, select')) return;
      if (document.querySelector('dialog[open]')) return;
      // A focused button or link keeps the keys that press it.
      if ((event.key === 'Enter' || event.key === ' ') && at instanceof Element && at.closest('button, a, summary'))
        return;
      // A pane that has the focus scrolls itself.
      if (scrolling.has(event.key) && at instanceof Element && at.closest('.pane-body')) return;
      if (latest.current(event)) event.preventDefault();
    };
    addEventListener('keydown', pressed);
    return () => {
      removeEventListener('keydown', pressed);
    };
  }, []);
}
