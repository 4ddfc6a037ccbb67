/** The whole trace in little. Drag the window over it, or its edges; drag beside it to look at another part; a click shows all again. */
import { useMemo, useRef, useState } from 'preact/hooks';
import { between, minimap, pan, type Range } from '../model/timeline';
import type { Tree } from '../model/tree';

const width = 1200;
const height = 36;
/** So near to an edge of the window, in pixels, is on it. */
const reach = 5;

interface Props {
  tree: Tree;
  whole: Range;
  range: Range;
  onRange: (range: Range) => void;
}

type Grip = 'new' | 'from' | 'to' | 'window';

interface Drag {
  grip: Grip;
  /** Where it began, and the window then. */
  start: number;
  range: Range;
  at: number;
}

export function Minimap({ tree, whole, range, onRange }: Props) {
  const paths = useMemo(() => minimap(tree, whole, width, height), [tree, whole]);
  const box = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<Drag | null>(null);
  const length = whole.to - whole.from;
  const isWhole = range.from <= whole.from && range.to >= whole.to;
  const placeOf = (clientX: number): { time: number; perPixel: number } => {
    const rect = box.current?.getBoundingClientRect();
    if (!rect || rect.width === 0) return { time: whole.from, perPixel: 0 };
    const perPixel = length / rect.width;
    return { time: Math.min(whole.to, Math.max(whole.from, whole.from + (clientX - rect.left) * perPixel)), perPixel };
  };
  const gripAt = (clientX: number): Grip => {
    const { time, perPixel } = placeOf(clientX);
    if (isWhole) return 'new';
    if (Math.abs(time - range.from) <= reach * perPixel) return 'from';
    if (Math.abs(time - range.to) <= reach * perPixel) return 'to';
    return time > range.from && time < range.to ? 'window' : 'new';
  };
  const moved = ({ grip, start, range: was, at }: Drag): Range => {
    if (grip === 'from') return between(at, was.to, whole);
    if (grip === 'to') return between(was.from, at, whole);
    if (grip === 'window') return pan(was, whole, (at - start) / (was.to - was.from));
    return between(start, at, whole);
  };
  const x = (t: number): number => ((t - whole.from) / length) * width;
  const shown = drag ? moved(drag) : range;
  const all = drag?.grip === 'new' ? drag.at === drag.start : isWhole;
  return (
    <div
      ref={box}
      class={`minimap${drag ? ` drags-${drag.grip}` : ''}`}
      title="Drag to zoom in, or the window and its edges; click to see all"
      onPointerDown={(event) => {
        const at = placeOf(event.clientX).time;
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ grip: gripAt(event.clientX), start: at, range, at });
      }}
      onPointerMove={(event) => {
        if (!drag) {
          event.currentTarget.dataset.grip = gripAt(event.clientX);
          return;
        }
        const to = { ...drag, at: placeOf(event.clientX).time };
        setDrag(to);
        // What is held moves what is looked at; a part that is only marked out is shown when it is let go.
        if (to.grip !== 'new') onRange(moved(to));
      }}
      onPointerUp={() => {
        if (!drag) return;
        setDrag(null);
        if (Math.abs(drag.at - drag.start) < length * 0.003) onRange(whole);
        else onRange(moved(drag));
      }}
      onPointerCancel={() => {
        setDrag(null);
      }}
    >
      <svg viewBox={`0 0 ${String(width)} ${String(height)}`} preserveAspectRatio="none" aria-hidden="true">
        {[...paths].map(([family, d]) => (
          <path key={family} class={`f-${family}`} d={d} />
        ))}
        {!all && (
          <>
            <rect class="out" x={0} y={0} width={x(shown.from)} height={height} />
            <rect class="out" x={x(shown.to)} y={0} width={Math.max(0, width - x(shown.to))} height={height} />
            <line class="edge" x1={x(shown.from)} x2={x(shown.from)} y1={0} y2={height} />
            <line class="edge" x1={x(shown.to)} x2={x(shown.to)} y1={0} y2={height} />
          </>
        )}
      </svg>
    </div>
  );
}
