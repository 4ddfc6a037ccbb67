/** What is asked of the server once it is needed, and again when that is wanted. */
import { useCallback, useRef, useState } from 'preact/hooks';
import { useAsking } from './hooks';
import { asApiError, isAbort, type ApiError } from '../api/client';

export interface Loaded<T> {
  /** null until the first answer; stays when asking again fails. */
  value: T | null;
  error: ApiError | null;
  reload: () => void;
}

/** Asks anew whenever what it depends on changes; an answer that is not wanted any more is not waited for. */
export function useLoaded<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  dependsOn: readonly unknown[],
  onFailure?: (error: ApiError) => void,
): Loaded<T> {
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [again, setAgain] = useState(0);
  const latest = useRef({ ask, onFailure });
  latest.current = { ask, onFailure };
  useAsking(
    (signal) => {
      latest.current.ask(signal).then(
        (answer) => {
          setValue(() => answer);
          setError(null);
        },
        (reason: unknown) => {
          if (isAbort(reason)) return;
          setError(asApiError(reason));
          latest.current.onFailure?.(asApiError(reason));
        },
      );
    },
    [...dependsOn, again],
  );
  const reload = useCallback(() => {
    setAgain((n) => n + 1);
  }, []);
  return { value, error, reload };
}
