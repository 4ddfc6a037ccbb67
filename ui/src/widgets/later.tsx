/** A view whose script is fetched when it is first shown, so that the list and the trace do not wait for it. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

/** `quiet`: of what is nice to have: until it is there, and where it does not come, there is nothing. */
export function later<P extends object>(load: () => Promise<ComponentType<P>>, quiet = false): ComponentType<P> {
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
    if (quiet) return null;
    return failed ? (
      <div class="notice" role="alert">
        <h2>This part of the page did not load</h2>
        <p>The server is away, or was replaced by another version.</p>
        <a class="button" href="">
          Load the page again
        </a>
      </div>
    ) : (
      <div class="notice" aria-busy="true" />
    );
  };
}
