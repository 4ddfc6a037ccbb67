/** Which columns the list shows: those of the view that is open, else those that were chosen in this browser; and which keys of metadata
 *  could be. */
import { useMemo, useState } from 'preact/hooks';
import { getMetadataKeys } from '../api/traces';
import type { Trace } from '../api/types';
import type { SavedView } from '../api/views';
import { readColumns, usual, writeColumns, type Column } from '../model/columns';
import { metadataKeys } from '../model/completion';
import type { ListQuery } from '../model/route';
import { columnsOfView } from '../model/views';
import { useAsking } from '../widgets/hooks';
import { useKept } from '../widgets/setting';

interface Columns {
  columns: Column[];
  /** Those that a wider screen shows. */
  chosen: Column[];
  setColumns: (to: Column[]) => void;
  /** They are those of the view again. */
  forgetEdits: () => void;
}

export function useListColumns(narrow: boolean, opened: SavedView | null): Columns {
  const [kept, setKept] = useKept('respan.columns', '');
  // What was changed while a view is open, behind its number, until it is saved, left or opened anew.
  const [edits, setEdits] = useKept('respan.edits', '');
  const chosen = useMemo(() => {
    if (opened === null) return readColumns(kept);
    const id = `${String(opened.id)} `;
    return edits.startsWith(id) ? readColumns(edits.slice(id.length)) : columnsOfView(opened);
  }, [opened, kept, edits]);
  return {
    columns: narrow ? usual : chosen,
    chosen,
    setColumns: (to) => {
      if (opened === null) setKept(writeColumns(to));
      else setEdits(`${String(opened.id)} ${writeColumns(to)}`);
    },
    forgetEdits: () => {
      setEdits('');
    },
  };
}

/** Those of the whole window, once they are known; and of what is loaded, which may be newer. */
export function useMetadataKeys(query: ListQuery, rows: Trace[], loaded: boolean): string[] {
  const [known, setKnown] = useState<string[]>([]);
  useAsking(
    (signal) => {
      if (loaded) getMetadataKeys(query.from, query.to, signal).then(setKnown, () => undefined);
    },
    [query.from, query.to, loaded],
  );
  const here = useMemo(() => metadataKeys(rows), [rows]);
  return useMemo(() => [...new Set([...known, ...here])], [known, here]);
}
