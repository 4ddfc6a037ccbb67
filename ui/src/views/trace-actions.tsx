/** What can be done with a trace: share it by a link, delete it. */
import { useState } from 'preact/hooks';
import { deleteTrace } from '../api/endpoints';
import { go } from '../navigation';
import { useActing } from '../widgets/acting';
import { Dialog } from '../widgets/dialog';
import { explain } from './notices';
import { ShareDialog } from './share-dialog';

export function TraceActions({ id, listUrl }: { id: string; listUrl: string }) {
  const [open, setOpen] = useState<'share' | 'delete' | null>(null);
  const close = (): void => {
    setOpen(null);
  };
  return (
    <span class="trace-actions">
      <button
        type="button"
        class="tool"
        onClick={() => {
          setOpen('share');
        }}
      >
        Share
      </button>
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

function DeleteDialog({ id, listUrl, onClose }: { id: string; listUrl: string; onClose: () => void }) {
  const { busy, error, act } = useActing();
  return (
    <Dialog title="Delete this trace?" onClose={onClose}>
      <p>All its spans go, from every list and sum at once and from the disk within minutes. This cannot be undone.</p>
      {error && (
        <p class="bad" role="alert">
          {explain(error)}
        </p>
      )}
      <form method="dialog" class="dialog-buttons">
        <button class="button">Keep it</button>
        <button
          type="button"
          class="button danger"
          disabled={busy}
          onClick={() => {
            act(async () => {
              await deleteTrace(id);
              go(listUrl, 'replace');
            });
          }}
        >
          Delete
        </button>
      </form>
    </Dialog>
  );
}
