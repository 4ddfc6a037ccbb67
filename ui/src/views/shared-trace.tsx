/** A trace for whoever has its link: the trace's view alone, without the side bar and without a session. */
import { useCallback, useState } from 'preact/hooks';
import type { ApiError } from '../api/client';
import { traceUrl } from '../model/route';
import { useRoute } from '../navigation';
import { TraceView } from './trace';

export function SharedTrace() {
  const route = useRoute();
  const [ended, setEnded] = useState(false);
  const onFailure = useCallback((error: ApiError) => {
    if (error.failure === 'not-found') setEnded(true);
  }, []);
  if (ended || route.view !== 'trace') {
    return (
      <main class="alone">
        <div class="notice" role="alert">
          <h1>
            <i class="logo" aria-hidden="true" /> respan
          </h1>
          <h2>This link does not work</h2>
          <p>Whoever made it has ended it, or the trace is not kept any more.</p>
        </div>
      </main>
    );
  }
  return (
    <div class="shared">
      <header class="shared-bar">
        <i class="logo" aria-hidden="true" />
        <b>respan</b>
        <span class="mute">A trace that was shared with you</span>
      </header>
      <main>
        <TraceView key={route.id} {...route} listUrl={traceUrl(route.id)} mayChange={false} onFailure={onFailure} />
      </main>
    </div>
  );
}
