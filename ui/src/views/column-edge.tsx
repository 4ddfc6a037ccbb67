/** The edge of a column's head: it is dragged, or moved by the arrow keys; a double click or Enter lets the column be as wide as it is by
 *  itself. */
import { useRef } from 'preact/hooks';
import { leastSet, mostSet, type Column } from '../model/columns';

interface Props {
  column: Column;
  /** null: as wide as it is by itself. `before`: how wide those that stand before it are now. */
  onWidth: (width: number | null, before: number[]) => void;
}

const widthOf = (element: Element | null): number => Math.round(element?.getBoundingClientRect().width ?? 0);

export function ColumnEdge({ column, onWidth }: Props) {
  const drag = useRef<{ x: number; width: number; before: number[] } | null>(null);
  const measure = (edge: HTMLElement): { width: number; before: number[] } => {
    const cell = edge.parentElement;
    const cells = [...(cell?.parentElement?.children ?? [])];
    return { width: widthOf(cell), before: cells.slice(0, cell ? cells.indexOf(cell) : 0).map(widthOf) };
  };
  return (
    <i
      class="edge"
      role="separator"
      aria-orientation="vertical"
      aria-label={`Width of ${column.title}`}
      aria-valuenow={column.width ?? column.least}
      aria-valuemin={leastSet}
      aria-valuemax={mostSet}
      title="Drag to set the width, double click to let it be"
      tabIndex={0}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        drag.current = { x: event.clientX, ...measure(event.currentTarget) };
        event.currentTarget.setPointerCapture(event.pointerId);
        event.preventDefault();
      }}
      onPointerMove={(event) => {
        if (!drag.current) return;
        const { x, width, before } = drag.current;
        if (event.clientX !== x) onWidth(width + event.clientX - x, before);
      }}
      onPointerUp={() => {
        drag.current = null;
      }}
      onPointerCancel={() => {
        drag.current = null;
      }}
      onDblClick={() => {
        onWidth(null, []);
      }}
      onKeyDown={(event) => {
        const step = event.key === 'ArrowLeft' ? -16 : event.key === 'ArrowRight' ? 16 : 0;
        if (step === 0 && event.key !== 'Enter') return;
        event.preventDefault();
        event.stopPropagation();
        const { width, before } = measure(event.currentTarget);
        if (step === 0) onWidth(null, []);
        else onWidth(width + step, before);
      }}
    />
  );
}
