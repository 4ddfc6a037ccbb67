/** The saved views of the project, as they were when the page was last asked to show some. */
import { useState } from 'preact/hooks';
import { useAsking } from './hooks';
import { inProject, isAbort } from '../api/client';
import { getViews, type SavedView } from '../api/views';

const known = new Map<string, SavedView[]>(); // by project

/** null: not yet known. Where they cannot be had there are none: the list is shown without. */
export function useSavedViews(): [SavedView[] | null, (to: SavedView[]) => void] {
  const project = inProject('');
  const [views, setViews] = useState(known.get(project) ?? null);
  const keep = (to: SavedView[]): void => {
    known.set(project, to);
    setViews(to);
  };
  useAsking((signal) => {
    getViews(signal).then(keep, (reason: unknown) => {
      if (!isAbort(reason)) setViews((was) => was ?? []);
    });
  }, []);
  return [views, keep];
}
