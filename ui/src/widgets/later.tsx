/** A view whose script is fetched when it is first shown, so that the list and the trace do not wait for it. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

export function later<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | null = null;
  return function Later(props: P) {
    const [View, setView] = useState(() => loaded);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (loaded) return;
      load().then(
        (view) => {
          loaded = view;
          setView(() => view);
        },
        () => {
          setFailed(true);
        },
      );
    }, []);
    if (View) return <View {...props} />;
    return failed ? (
      <div class="notice" role="alert">
        <h2>This part of the page did not come</h2>
        <p>The server is away, or was replaced by another version: load the page again.</p>
      </div>
    ) : (
      <div class="notice" aria-busy="true" />
    );
  };
}
