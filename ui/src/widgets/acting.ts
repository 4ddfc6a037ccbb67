/** Having something changed: what is under way, and what went wrong in words. */
import { useCallback, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, type ApiError } from '../api/client';

export interface Acting {
  busy: boolean;
  error: ApiError | null;
  /** One at a time: while one is under way another is not begun. */
  act: (what: () => Promise<void>) => void;
}

export function useActing(): Acting {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const running = useRef(false);
  const act = useCallback((what: () => Promise<void>) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setError(null);
    what()
      .catch((reason: unknown) => {
        if (!isAbort(reason)) setError(asApiError(reason));
      })
      .finally(() => {
        running.current = false;
        setBusy(false);
      });
  }, []);
  return { busy, error, act };
}
