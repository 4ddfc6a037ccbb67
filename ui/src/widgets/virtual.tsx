/** A list of any length whose DOM holds only the rows in the window. */
import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { sliceOf } from '../model/window';

interface Props {
  scroller: RefObject<HTMLElement | null>;
  count: number;
  rowHeight: number;
  /** Height of what stands above the rows and stays there while they scroll. */
  headHeight?: number;
  render: (index: number) => ComponentChildren;
}

export function VirtualRows({ scroller, count, rowHeight, headHeight = 0, render }: Props) {
  // What is drawn first needs no measure: a window is no higher than its screen's.
  const [view, setView] = useState({ top: 0, height: innerHeight });

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = (): void => {
      setView((was) => {
        // Steps of four rows: scrolling redraws only when rows come or go.
        const top = Math.floor(element.scrollTop / (rowHeight * 4)) * rowHeight * 4;
        const height = element.clientHeight;
        return was.top === top && was.height === height ? was : { top, height };
      });
    };
    element.addEventListener('scroll', measure, { passive: true });
    const resized = new ResizeObserver(measure); // which it does at once, before anything is painted
    resized.observe(element);
    return () => {
      element.removeEventListener('scroll', measure);
      resized.disconnect();
    };
  }, [scroller, rowHeight, count]);

  // At first only the rows that are seen; those around them once these are painted.
  const [around, setAround] = useState(false);
  useEffect(() => {
    if (count > 0) setAround(true);
  }, [count > 0]);

  const height = view.height - headHeight;
  const { first, last } = around
    ? sliceOf(view.top, height + rowHeight * 4, rowHeight, count)
    : sliceOf(view.top, height, rowHeight, count, 0);
  const rows: ComponentChildren[] = [];
  for (let i = first; i < last; i++) rows.push(render(i));
  return (
    <div class="virtual" role="presentation" style={{ height: `${String(count * rowHeight)}px` }}>
      <div class="virtual-rows" role="presentation" style={{ transform: `translateY(${String(first * rowHeight)}px)` }}>
        {rows}
      </div>
    </div>
  );
}
