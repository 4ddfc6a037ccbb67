/** The edge of a column's head: it is dragged, or moved by the arrow keys; a double click or Enter fits the column to what it shows, with
 *  Shift or by Delete it is as wide as it is by itself. */
import { useRef } from 'preact/hooks';
import { leastSet, mostSet, type Column } from '../model/columns';

interface Props {
  column: Column;
  /** null: as wide as it is by itself. `before`: how wide those that stand before it are now. */
  onWidth: (width: number | null, before: number[]) => void;
}

/** What the column needs, so that nothing of it is cut off in the lines that are drawn; no more than the list has. */
function fitting(cell: HTMLElement, at: number): number {
  const head = cell.parentElement;
  const list = head?.parentElement;
  if (!head || !list) return 0;
  const was = list.style.getPropertyValue('--columns');
  const tracks = getComputedStyle(head).gridTemplateColumns.split(' ');
  tracks[at] = 'max-content';
  list.style.setProperty('--columns', tracks.join(' '));
  const widths = [...list.querySelectorAll('.trace-row')].map((row) => widthOf(row.children[at] ?? null));
  list.style.setProperty('--columns', was);
  return Math.min(Math.max(...widths), list.clientWidth);
}

const widthOf = (element: Element | null): number => Math.round(element?.getBoundingClientRect().width ?? 0);

export function ColumnEdge({ column, onWidth }: Props) {
  const drag = useRef<{ x: number; width: number; before: number[] } | null>(null);
  const measure = (edge: HTMLElement): { width: number; before: number[] } => {
    const cell = edge.parentElement;
    const cells = [...(cell?.parentElement?.children ?? [])];
    return { width: widthOf(cell), before: cells.slice(0, cell ? cells.indexOf(cell) : 0).map(widthOf) };
  };
  const fit = (edge: HTMLElement, reset: boolean): void => {
    const { before } = measure(edge);
    if (reset) onWidth(null, []);
    else if (edge.parentElement) onWidth(fitting(edge.parentElement, before.length), before);
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
      title="Drag to set the width; a double click (Enter) fits it, with ⇧ (Delete) it is as at first"
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
      onDblClick={(event) => {
        fit(event.currentTarget, event.shiftKey);
      }}
      onKeyDown={(event) => {
        const step = event.key === 'ArrowLeft' ? -16 : event.key === 'ArrowRight' ? 16 : 0;
        const isReset = event.key === 'Delete' || event.key === 'Backspace';
        if (event.ctrlKey || event.metaKey || event.altKey || (step === 0 && !isReset && event.key !== 'Enter')) return;
        event.preventDefault();
        event.stopPropagation();
        const { width, before } = measure(event.currentTarget);
        if (step === 0) fit(event.currentTarget, isReset || event.shiftKey);
        else onWidth(width + step, before);
      }}
    />
  );
}
