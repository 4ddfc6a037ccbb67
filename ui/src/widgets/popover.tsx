/** A button with a panel below it, which closes by Escape, a click elsewhere, and when the focus leaves it. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

interface Props {
  label: ComponentChildren;
  title: string;
  children: (close: () => void) => ComponentChildren;
}

export function Popover({ label, title, children }: Props) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useLayoutEffect(() => {
    if (!open) return;
    box.current?.querySelector<HTMLElement>('.popover :is(button, input, select)')?.focus();
    const elsewhere = (event: Event): void => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) setOpen(false);
    };
    addEventListener('pointerdown', elsewhere, true);
    return () => {
      removeEventListener('pointerdown', elsewhere, true);
    };
  }, [open]);

  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div
      class="popover-box"
      ref={box}
      onFocusOut={({ relatedTarget }) => {
        // Where the focus goes from what is gone is nowhere.
        if (relatedTarget instanceof Node && !box.current?.contains(relatedTarget)) setOpen(false);
      }}
      onKeyDown={(event) => {
        if (!open) return;
        if (event.key === 'Escape') close();
        event.stopPropagation(); // the list's keys are not meant
      }}
    >
      <button
        ref={button}
        type="button"
        class="button"
        title={title}
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => {
          setOpen(!open);
        }}
      >
        {label}
      </button>
      {open && (
        <div class="popover" role="dialog" aria-label={title} tabIndex={-1}>
          {children(close)}
        </div>
      )}
    </div>
  );
}
