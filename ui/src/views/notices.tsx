/** Pages without data: nothing yet, nothing found, signed out, out of reach. */
import { address } from '../navigation';
import { Copy } from '../widgets/copy';
import { later } from '../widgets/later';
import { Link } from '../widgets/link';

export const NoTraces = later(async () => (await import('./more')).FirstSteps);

function Code({ text, label }: { text: string; label: string }) {
  return (
    <div class="code">
      <pre>{text}</pre>
      <Copy text={text} label={label}>
        Copy
      </Copy>
    </div>
  );
}

/** `wrong`: the filter could not be read; `hint`: it likely was meant otherwise. */
export function NoMatch({ wrong, hint, onClear }: { wrong: boolean; hint: string | undefined; onClear: () => void }) {
  return (
    <div class="notice">
      <h2>{wrong ? 'The filter has a mistake' : 'No trace matches'}</h2>
      <p>{wrong ? 'It is underlined above.' : (hint ?? 'New ones that do will appear here.')}</p>
      <button type="button" class="button" onClick={onClear}>
        Clear the filter
      </button>
    </div>
  );
}

export function SignedOut() {
  return (
    <main class="alone">
      <div class="notice">
        <h1>
          <i class="logo" aria-hidden="true" /> respan
        </h1>
        <h2>This browser is not signed in</h2>
        <p>In a terminal on the machine that runs the server:</p>
        <Code text="respan auth link" label="Copy the command" />
        <p>It prints a link that works once. Open it in this browser.</p>
        <p>
          Or <a href={`/signin?next=${encodeURIComponent(address())}`}>sign in with a password</a>.
        </p>
      </div>
    </main>
  );
}

export function NoProject() {
  return (
    <main class="alone">
      <div class="notice" role="alert">
        <h1>
          <i class="logo" aria-hidden="true" /> respan
        </h1>
        <h2>There is no such project</h2>
        <p>It was deleted, or the address is not right.</p>
        <p>
          <a href="/">The first project</a>
        </p>
      </div>
    </main>
  );
}

export function Nowhere() {
  return (
    <div class="notice">
      <h2>There is nothing at this address</h2>
      <p>
        <Link to="/">All traces</Link>
      </p>
    </div>
  );
}
