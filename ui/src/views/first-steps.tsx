/** No trace yet: what to do so that one comes, with a key filled in for whoever may make one. */
import { useRef, useState } from 'preact/hooks';
import { makeKey } from '../api/accounts';
import { firstSteps } from '../model/first-steps';
import { projectOf } from '../model/project';
import { useActing } from '../widgets/acting';
import { Copy } from '../widgets/copy';
import { Wrong } from '../widgets/wrong';

interface Props {
  mayMakeKeys: boolean;
  /** The page shows the first trace as it comes. */
  waits: boolean;
}

export function FirstSteps({ mayMakeKeys, waits }: Props) {
  const { busy, error, act } = useActing();
  const [key, setKey] = useState<string | null>(null);
  const [chosen, setChosen] = useState('python');
  const tabs = useRef<HTMLDivElement>(null);
  const all = firstSteps(location.origin, key);
  const at = Math.max(
    0,
    all.findIndex(({ id }) => id === chosen),
  );
  const steps = all[at];
  if (!steps) return null;
  const choose = (to: number): void => {
    const next = all[(to + all.length) % all.length];
    if (!next) return;
    setChosen(next.id);
    tabs.current?.querySelector<HTMLElement>(`#steps-${next.id}`)?.focus();
  };
  return (
    <div class="notice first-steps">
      <h2>No traces yet</h2>
      <div
        ref={tabs}
        role="tablist"
        aria-label="Sent by"
        onKeyDown={(event) => {
          const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
          if (step === 0) return;
          event.preventDefault();
          event.stopPropagation();
          choose(at + step);
        }}
      >
        {all.map(({ id, label }) => (
          <button
            key={id}
            id={`steps-${id}`}
            type="button"
            role="tab"
            aria-selected={id === steps.id}
            aria-controls="steps"
            tabIndex={id === steps.id ? 0 : -1}
            onClick={() => {
              setChosen(id);
            }}
          >
            {label}
          </button>
        ))}
      </div>
      <div id="steps" role="tabpanel" aria-labelledby={`steps-${steps.id}`}>
        <p>{steps.says}</p>
        <div class="code">
          <pre tabIndex={0}>{steps.code}</pre>
          <Copy text={steps.code} label="Copy these lines">
            Copy
          </Copy>
        </div>
      </div>
      {mayMakeKeys && key === null && (
        <div class="make-key">
          <button
            type="button"
            class="button"
            disabled={busy}
            onClick={() => {
              act(async () => {
                setKey((await makeKey({ name: 'first traces', scopes: ['ingest'] })).key);
              });
            }}
          >
            Make a key and fill it in
          </button>
          <span class="mute">
            {projectOf(location.search) === null
              ? 'A script on another machine needs a key; on this one it finds the server’s own.'
              : 'A script needs a key of this project: without one it sends to the one of the server’s own key.'}
          </span>
        </div>
      )}
      {key !== null && <p role="status">This key may send traces, no more. Copy it now: it is not shown again.</p>}
      <Wrong error={error} />
      {waits && (
        <p class="waits" role="status">
          <i aria-hidden="true" /> Waiting for the first trace…
        </p>
      )}
    </div>
  );
}
