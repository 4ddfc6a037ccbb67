/** A list of any length whose lines have buttons: Tab comes to those of one line, arrows go from line to line. */
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { scrollToShow } from '../model/window';

interface Roving {
  /** Of the buttons in a line. */
  tabIndexOf: (index: number) => 0 | -1;
  onKeyDown: (event: KeyboardEvent) => void;
}

/** Lines have their place as `data-at`. */
export function useRoving(
  scroller: RefObject<HTMLElement | null>,
  count: number,
  rowHeight: number,
  headHeight = 0,
): Roving {
  const [at, setAt] = useState(0);
  const moved = useRef(false);
  const last = Math.max(0, count - 1);
  useLayoutEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    const line = scroller.current?.querySelector<HTMLElement>(`[data-at="${String(at)}"] button:enabled`);
    (line ?? scroller.current)?.focus({ preventScroll: true }); // a line that is far is not drawn yet
  }, [at]);
  return {
    tabIndexOf: (index) => (index === Math.min(at, last) ? 0 : -1),
    onKeyDown: (event) => {
      const element = scroller.current;
      if (!element || event.ctrlKey || event.metaKey || event.altKey) return;
      const { key } = event;
      const pageful = Math.max(1, Math.floor(element.clientHeight / rowHeight) - 2);
      // From the list itself the first step leads to the line that has its turn.
      const one = event.target === element ? 0 : 1;
      const step =
        {
          ArrowDown: one,
          j: one,
          ArrowUp: -one,
          k: -one,
          PageDown: pageful,
          PageUp: -pageful,
          Home: -count,
          End: count,
        }[key] ?? null;
      if (step === null) return;
      event.preventDefault();
      event.stopPropagation();
      const to = Math.min(Math.max(at + step, 0), last);
      element.scrollTop = scrollToShow(to, element.scrollTop, element.clientHeight - headHeight, rowHeight);
      moved.current = true;
      if (to === at) element.querySelector<HTMLElement>(`[data-at="${String(at)}"] button:enabled`)?.focus();
      else setAt(to);
    },
  };
}
