/** All of one user's traces go, once his name is typed; said to be gone from the disk only when they are. */
import '../style/settings.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import { deleteUser, getCompacting, type Compacting } from '../api/accounts';
import { plural } from '../model/format';
import { askAgainMs, askSeldomMs, erasure } from '../model/erasure';
import { oneLine } from '../model/text';
import { go } from '../navigation';
import { useActing } from '../widgets/acting';
import { Dialog } from '../widgets/dialog';
import { Field } from '../widgets/field';
import { Wrong } from '../widgets/wrong';

/** All batches of it: one request deletes at most some thousands. */
export async function deleteAllOf(customer: string, onDeleted: (deleted: number) => void): Promise<number> {
  let deleted = 0;
  for (let more = true; more;) {
    const said = await deleteUser(customer);
    deleted += said.deleted;
    more = said.more;
    onDeleted(deleted);
  }
  return deleted;
}

/** How the disk is being rid of what was deleted, asked until it is rid of it; null before the first answer. */
function useErasure(): Compacting | null {
  const [state, setState] = useState<Compacting | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    const ask = (): void => {
      getCompacting(abort.signal).then(
        (said) => {
          setState(said);
          const ms = askAgainMs(said);
          if (ms !== null) timer = window.setTimeout(ask, ms);
        },
        () => {
          if (!abort.signal.aborted) timer = window.setTimeout(ask, askSeldomMs);
        },
      );
    };
    ask();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, []);
  return state;
}

/** What became of the deleted, told as it goes on. */
export function Erasure({ what }: { what: string }) {
  return <p role="status">{erasure(what, useErasure())}</p>;
}

export function DeleteUserButton({ customer }: { customer: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        class="tool"
        onClick={() => {
          setOpen(true);
        }}
      >
        Delete this user&apos;s data
      </button>
      {open && (
        <DeleteUserDialog
          customer={customer}
          onClose={() => {
            setOpen(false);
          }}
        />
      )}
    </>
  );
}

function DeleteUserDialog({ customer, onClose }: { customer: string; onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const [deleted, setDeleted] = useState<number | null>(null);
  const [done, setDone] = useState(false);
  const { busy, error, act } = useActing();
  const leave = useRef(onClose);
  leave.current = () => {
    if (done) go('/users', 'replace');
    else onClose();
  };
  return (
    <Dialog
      title={done ? 'Deleted' : `Delete the data of ${oneLine(customer, 60)}?`}
      onClose={() => {
        leave.current();
      }}
    >
      {done ? (
        <>
          <Erasure what={plural(deleted ?? 0, 'trace')} />
          <form method="dialog" class="dialog-buttons">
            <button class="button main">All users</button>
          </form>
        </>
      ) : (
        <form
          class="confirm"
          onSubmit={(event) => {
            event.preventDefault();
            act(async () => {
              await deleteAllOf(customer, setDeleted);
              setDone(true);
            });
          }}
        >
          <p>
            Every trace with a span of this user goes, pinned and shared ones too: from every answer at once, and from
            the disk as soon as it is written anew. This cannot be undone. Backups are yours to delete.
          </p>
          <Field
            label="Type the user's name to confirm"
            autocomplete="off"
            autoFocus
            hint={customer}
            value={typed}
            onText={setTyped}
          />
          {busy && deleted !== null && <p role="status">{plural(deleted, 'trace')} deleted so far …</p>}
          <Wrong error={error} />
          <div class="dialog-buttons">
            <button type="button" class="button" onClick={onClose}>
              Keep it
            </button>
            <button class="button danger" disabled={busy || typed !== customer}>
              Delete all of it
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
