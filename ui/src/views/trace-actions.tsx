/** What can be done with a trace: share it by a link, pin it, delete it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { deleteTrace, getPin, setPin } from '../api/endpoints';
import { go } from '../navigation';
import { useActing } from '../widgets/acting';
import { ConfirmDialog } from '../widgets/confirm-dialog';
import { explain } from '../widgets/wrong';
import { ShareDialog } from './share-dialog';

interface Props {
  id: string;
  listUrl: string;
  /** Something of it has ended: else there is nothing yet that a link or a pin could be to. */
  stored: boolean;
  /** Null until it is known who one is: their place is kept. */
  mayChange: boolean | null;
}

export function TraceActions({ id, listUrl, stored, mayChange }: Props) {
  const [open, setOpen] = useState<'share' | 'delete' | null>(null);
  const close = (): void => {
    setOpen(null);
  };
  if (mayChange === false) return null;
  return (
    <span class="trace-actions" style={mayChange ? undefined : { visibility: 'hidden' }}>
      <button
        type="button"
        class="tool"
        disabled={!stored}
        onClick={() => {
          setOpen('share');
        }}
      >
        Share
      </button>
      <PinButton id={id} stored={stored} />
      <button
        type="button"
        class="tool"
        onClick={() => {
          setOpen('delete');
        }}
      >
        Delete
      </button>
      {open === 'share' && <ShareDialog id={id} onClose={close} />}
      {open === 'delete' && <DeleteDialog id={id} listUrl={listUrl} onClose={close} />}
    </span>
  );
}

/** What is pinned stays when what is as old goes. */
function PinButton({ id, stored }: { id: string; stored: boolean }) {
  const [pinned, setPinned] = useState(false);
  const { busy, error, act } = useActing();
  const asking = useRef(new AbortController());
  useEffect(() => {
    const abort = new AbortController();
    asking.current = abort;
    getPin(id, abort.signal).then(
      (said) => {
        setPinned(said.pinned);
      },
      () => undefined, // the trace itself says what is wrong
    );
    return () => {
      abort.abort();
    };
  }, [id]);
  return (
    <button
      type="button"
      class={pinned ? 'tool pinned' : 'tool'}
      aria-pressed={pinned}
      disabled={busy || !stored}
      title={
        error
          ? explain(error)
          : pinned
            ? 'Kept however old it gets'
            : 'Keep this trace, however short the project keeps others'
      }
      onClick={() => {
        asking.current.abort(); // its answer is of before
        act(async () => {
          setPinned((await setPin(id, !pinned)).pinned);
        });
      }}
    >
      {error ? 'Not pinned' : pinned ? 'Pinned' : 'Pin'}
    </button>
  );
}

function DeleteDialog({ id, listUrl, onClose }: { id: string; listUrl: string; onClose: () => void }) {
  return (
    <ConfirmDialog
      title="Delete this trace?"
      does="Delete"
      onClose={onClose}
      onDo={async () => {
        await deleteTrace(id);
        go(listUrl, 'replace');
      }}
    >
      <p>All its spans go, from every list and sum at once and from the disk within minutes. This cannot be undone.</p>
    </ConfirmDialog>
  );
}
