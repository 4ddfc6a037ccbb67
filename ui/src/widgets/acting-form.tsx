/** A form that has something changed: what is under way, what is wrong (at the field it is about, if that asks), and that it is done. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useActing } from './acting';
import { Wrong } from './wrong';

interface Props {
  class?: string;
  /** What the button says, how it looks, and whether there is anything to do. */
  does: string;
  look?: 'main' | 'danger';
  ready?: boolean;
  /** What to say when it is done. */
  onGo: () => Promise<string | undefined>;
  /** The fields; `wrong` is what to say at one that the server refused. */
  children: (wrong: (field: string) => string | null) => ComponentChildren;
  /** Below the button. */
  after?: ComponentChildren;
}

export function ActingForm({ class: name = 'form', does, look, ready = true, onGo, children, after }: Props) {
  const [done, setDone] = useState('');
  const { busy, error, act } = useActing();
  let told = false;
  const fields = children((field) => {
    if (error?.field !== field) return null;
    told = true;
    return error.message;
  });
  return (
    <form
      class={name}
      onSubmit={(event) => {
        event.preventDefault();
        setDone('');
        act(async () => {
          setDone((await onGo()) ?? '');
        });
      }}
    >
      {fields}
      <Wrong error={told ? null : error} />
      <div class="buttons">
        <button class={look === undefined ? 'button' : `button ${look}`} disabled={busy || !ready}>
          {does}
        </button>
        {done !== '' && <span role="status">{done}</span>}
      </div>
      {after}
    </form>
  );
}
