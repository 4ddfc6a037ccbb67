/** A bar between two panes that is dragged, or moved with the arrow keys. The caller keeps the size. */
import { useRef } from 'preact/hooks';

interface Props {
  label: string;
  size: number;
  min: number;
  max: number;
  /** +1 if the sized pane stands before the bar, -1 if behind it. */
  direction: 1 | -1;
  onSize: (size: number) => void;
}

export function Splitter({ label, size, min, max, direction, onSize }: Props) {
  const drag = useRef<{ x: number; size: number } | null>(null);
  const set = (to: number): void => {
    onSize(Math.round(Math.min(max, Math.max(min, to))));
  };
  return (
    <div
      class="splitter"
      role="separator"
      aria-label={label}
      aria-orientation="vertical"
      aria-valuenow={Math.round(size)}
      aria-valuemin={min}
      aria-valuemax={Math.round(max)}
      tabIndex={0}
      onPointerDown={(event) => {
        drag.current = { x: event.clientX, size };
        event.currentTarget.setPointerCapture(event.pointerId);
        event.preventDefault();
      }}
      onPointerMove={(event) => {
        if (drag.current) set(drag.current.size + direction * (event.clientX - drag.current.x));
      }}
      onPointerUp={() => {
        drag.current = null;
      }}
      onPointerCancel={() => {
        drag.current = null;
      }}
      onKeyDown={(event) => {
        const step = event.key === 'ArrowLeft' ? -16 : event.key === 'ArrowRight' ? 16 : 0;
        if (step === 0) return;
        event.preventDefault();
        event.stopPropagation();
        set(size + direction * step);
      }}
    />
  );
}
