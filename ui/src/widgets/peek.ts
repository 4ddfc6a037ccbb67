/** Which line of a list is looked at without being opened: where the pointer rests, or the one that is chosen by key. */
import { useEffect, useRef, useState } from 'preact/hooks';

const rest = 450; // ms

export interface Peeked {
  id: string;
  by: 'pointer' | 'key';
  row: { top: number; bottom: number; x: number };
}

interface Peek {
  peeked: Peeked | null;
  hide: () => void;
  /** By key: the line with that element id. */
  look: (id: string, element: Element | null) => void;
  /** Of the list that has the lines. A finger has no rest: it is not meant. */
  on: {
    onPointerMove: (event: PointerEvent) => void;
    onPointerLeave: () => void;
    onPointerDown: () => void;
  };
}

/** `idOf`: of the line that an element is in. */
export function usePeek(idOf: (element: Element) => { id: string; row: Element } | null): Peek {
  const [peeked, setPeeked] = useState<Peeked | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const wait = (): void => {
    clearTimeout(timer.current);
  };
  useEffect(() => wait, []);
  const hide = (): void => {
    wait();
    setPeeked(null);
  };
  const look = (id: string, by: Peeked['by'], element: Element | null, x: number | null): void => {
    const box = element?.getBoundingClientRect();
    if (box) setPeeked({ id, by, row: { top: box.top, bottom: box.bottom, x: x ?? box.left + 120 } });
  };
  return {
    peeked,
    hide,
    look: (id, element) => {
      wait();
      look(id, 'key', element, null);
    },
    on: {
      onPointerMove: (event) => {
        if (event.pointerType !== 'mouse' || event.buttons !== 0) return;
        const at = event.target instanceof Element ? idOf(event.target) : null;
        if (at !== null && at.id === peeked?.id) return;
        wait();
        if (peeked?.by === 'pointer') setPeeked(null);
        if (at === null) return;
        const x = event.clientX + 12;
        timer.current = setTimeout(() => {
          look(at.id, 'pointer', at.row, x);
        }, rest);
      },
      onPointerLeave: () => {
        wait();
        setPeeked((was) => (was?.by === 'pointer' ? null : was));
      },
      onPointerDown: hide,
    },
  };
}
