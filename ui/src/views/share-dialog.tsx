/** A trace's public link: made with or without content, copied while it can be seen, ended. */
import { useEffect, useState } from 'preact/hooks';
import { asApiError, isAbort, type ApiError } from '../api/client';
import { endShare, getShare, makeShare, type Share } from '../api/endpoints';
import { clock } from '../model/format';
import { useActing } from '../widgets/acting';
import { Copy } from '../widgets/copy';
import { Dialog } from '../widgets/dialog';
import { Wrong } from '../widgets/wrong';

export function ShareDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const [share, setShare] = useState<Share | null>(null);
  const [missed, setMissed] = useState<ApiError | null>(null);
  const [url, setUrl] = useState('');
  const [content, setContent] = useState(false);
  const { busy, error, act } = useActing();

  useEffect(() => {
    const abort = new AbortController();
    getShare(id, abort.signal).then(setShare, (reason: unknown) => {
      if (!isAbort(reason)) setMissed(asApiError(reason));
    });
    return () => {
      abort.abort();
    };
  }, [id]);

  const make = (): void => {
    act(async () => {
      const made = await makeShare(id, content);
      setUrl(location.origin + new URL(made.url).pathname);
      setShare(made);
    });
  };
  const end = (): void => {
    act(async () => {
      setShare(await endShare(id));
      setUrl('');
    });
  };
  const wrong = error ?? missed;

  return (
    <Dialog title="Share this trace" onClose={onClose}>
      {share?.shared !== true && (
        <p>Nobody but this project sees it now. A link shows it, and nothing else, to whoever has the link.</p>
      )}
      {share?.shared === true && (
        <p>
          It is shared {share.content ? 'with' : 'without'} its content
          {share.created_at !== undefined && `, since ${clock(share.created_at)}`}.
          {url === '' && ' The link cannot be shown again; a new one ends it.'}
        </p>
      )}
      {url !== '' && (
        <div class="code">
          <input class="mono" aria-label="The link" readOnly value={url} />
          <Copy text={url} label="Copy the link">
            Copy
          </Copy>
        </div>
      )}
      {url === '' && share !== null && (
        <label class="check">
          <input
            type="checkbox"
            checked={content}
            onChange={(event) => {
              setContent(event.currentTarget.checked);
            }}
          />
          <span>
            With content: prompts, answers, attributes, messages of errors, and whose it is. Without, names, times,
            models and numbers alone.
          </span>
        </label>
      )}
      <Wrong error={wrong} />
      <form method="dialog" class="dialog-buttons">
        <button class="button">Close</button>
        {share?.shared === true && (
          <button type="button" class="button danger" disabled={busy} onClick={end}>
            End the link
          </button>
        )}
        {url === '' && share !== null && (
          <button type="button" class="button main" disabled={busy} onClick={make}>
            {share.shared ? 'New link' : 'Make a link'}
          </button>
        )}
      </form>
    </Dialog>
  );
}
