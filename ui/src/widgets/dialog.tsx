/** Modal dialogs: closed by Escape, by their buttons (`method="dialog"`) and by a click beside them. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { focusNear } from './focus';

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** Without a title that is seen: what it holds says what it is. */
export function Modal({ title, class: name, onClose, children }: Props & { class: string }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      // One that is taken away, and not closed, leaves the focus nowhere.
      if (dialog.current?.open && before) focusNear(before);
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={name}
      aria-label={title}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      {children}
    </dialog>
  );
}

export function Dialog({ title, onClose, children }: Props) {
  return (
    <Modal title={title} class="dialog" onClose={onClose}>
      <div class="dialog-body">
        <h2>{title}</h2>
        {children}
      </div>
    </Modal>
  );
}
