/** The times above the bars: drag over them to look at a part. Spans that failed have a mark there. */
import type { ComponentChildren } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { duration, plural } from '../model/format';
import { between, failureMarks, tickLabel, type Range, type Tick } from '../model/timeline';
import type { Tree } from '../model/tree';

interface Props {
  tree: Tree;
  whole: Range;
  range: Range;
  marks: Tick[];
  /** Of the bars, and behind them. */
  room: number;
  gutter: number;
  onRange: (range: Range) => void;
  onSelect: (id: string) => void;
  /** What stands over the names. */
  children: ComponentChildren;
}

export function Axis({ tree, whole, range, marks, room, gutter, onRange, onSelect, children }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const failures = useMemo(() => failureMarks(tree, range), [tree, range]);
  const width = range.to - range.from;
  const timeAt = (clientX: number): number => {
    const rect = box.current?.getBoundingClientRect();
    if (!rect) return range.from;
    return range.from + width * Math.min(1, Math.max(0, (clientX - rect.left) / rect.width));
  };
  const percent = (time: number): string => `${String(((time - range.from) / width) * 100)}%`;
  const part = drag && between(drag.from, drag.to, whole);
  return (
    <div class="axis">
      {children}
      <div
        ref={box}
        class="axis-ticks mono"
        title="Drag to zoom in"
        onPointerDown={(event) => {
          if (event.target instanceof Element && event.target.closest('button')) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ from: timeAt(event.clientX), to: timeAt(event.clientX) });
        }}
        onPointerMove={(event) => {
          if (drag) setDrag({ ...drag, to: timeAt(event.clientX) });
        }}
        onPointerUp={() => {
          setDrag(null);
          if (part && part.to - part.from > width * 0.005) onRange(part);
        }}
        onPointerCancel={() => {
          setDrag(null);
        }}
        onDblClick={() => {
          onRange(whole);
        }}
      >
        {marks.map((tick) => (
          <span key={tick.seconds} class="tick" aria-hidden="true" style={{ left: `${String(tick.at * 100)}%` }}>
            {(1 - tick.at) * room + gutter > 48 && tickLabel(tick.seconds, range)}
          </span>
        ))}
        {part && (
          <span
            class="axis-drag"
            aria-hidden="true"
            style={{ left: percent(part.from), width: `${String(((part.to - part.from) / width) * 100)}%` }}
          >
            {duration(part.to - part.from)}
          </span>
        )}
        {failures.map(({ at, row, count }) => {
          const says = `${count === 1 ? 'Error' : plural(count, 'error')} at ${duration(tree.end[row] ?? 0)}`;
          return (
            <button
              key={row}
              type="button"
              class="axis-error"
              tabIndex={-1}
              aria-keyshortcuts="e"
              style={{ left: `${String(at * 100)}%` }}
              title={says}
              aria-label={says}
              onClick={() => {
                onSelect(tree.idOf(row));
              }}
            />
          );
        })}
      </div>
    </div>
  );
}
