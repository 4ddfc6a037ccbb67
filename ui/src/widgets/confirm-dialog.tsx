/** Asks before something goes. What cannot be undone may want its name typed first. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useActing } from './acting';
import { Dialog } from './dialog';
import { Field } from './field';
import { Wrong } from './wrong';

interface Props {
  title: string;
  /** What the button says that has it done, and the other. */
  does: string;
  keep?: string;
  /** Has to be typed; without it the button is enough. */
  name?: string;
  onDo: () => Promise<void>;
  onClose: () => void;
  children: ComponentChildren;
}

export function ConfirmDialog({ title, does, keep = 'Keep it', name, onDo, onClose, children }: Props) {
  const [typed, setTyped] = useState('');
  const { busy, error, act } = useActing();
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <form
        class="confirm"
        onSubmit={(event) => {
          event.preventDefault();
          act(async () => {
            await onDo();
            onClose();
          });
        }}
      >
        {name !== undefined && (
          <Field label={`Type ${name} to confirm`} autocomplete="off" autoFocus value={typed} onText={setTyped} />
        )}
        <Wrong error={error} />
        <div class="dialog-buttons">
          <button type="button" class="button" onClick={onClose}>
            {keep}
          </button>
          <button class="button danger" disabled={busy || (name !== undefined && typed !== name)}>
            {does}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
