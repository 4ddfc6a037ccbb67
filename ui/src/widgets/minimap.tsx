/** The whole trace in little. Drag over it to look at a part; a click without a drag shows all again. */
import { useMemo, useRef, useState } from 'preact/hooks';
import { minimap, type Range } from '../model/timeline';
import type { Row } from '../model/tree';

const width = 1200;
const height = 36;

interface Props {
  rows: Row[];
  whole: Range;
  range: Range;
  onRange: (range: Range) => void;
}

export function Minimap({ rows, whole, range, onRange }: Props) {
  const paths = useMemo(() => minimap(rows, whole, width, height), [rows, whole]);
  const box = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const length = whole.to - whole.from;
  const timeAt = (clientX: number): number => {
    const rect = box.current?.getBoundingClientRect();
    if (!rect) return whole.from;
    return whole.from + length * Math.min(1, Math.max(0, (clientX - rect.left) / rect.width));
  };
  const x = (t: number): number => ((t - whole.from) / length) * width;
  const shown = drag ? { from: Math.min(drag.from, drag.to), to: Math.max(drag.from, drag.to) } : range;
  const all = shown.from <= whole.from && shown.to >= whole.to;
  return (
    <div
      ref={box}
      class="minimap"
      title="Drag to zoom in; click to see all"
      onPointerDown={(event) => {
        const at = timeAt(event.clientX);
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ from: at, to: at });
      }}
      onPointerMove={(event) => {
        if (drag) setDrag({ ...drag, to: timeAt(event.clientX) });
      }}
      onPointerUp={() => {
        if (!drag) return;
        setDrag(null);
        onRange(shown.to - shown.from < length * 0.005 ? whole : shown);
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
          </>
        )}
      </svg>
    </div>
  );
}
