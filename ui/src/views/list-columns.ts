/** Which columns the list shows: those of the view that is open, else those that were chosen in this browser; and which keys of metadata
 *  could be. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { getMetadataKeys } from '../api/traces';
import type { Trace } from '../api/types';
import type { SavedView } from '../api/views';
import { readColumns, usual, writeColumns, type Column } from '../model/columns';
import { metadataKeys } from '../model/completion';
import type { ListQuery } from '../model/route';
import { columnsOfView } from '../model/views';
import { useKept } from '../widgets/setting';

/** Columns that were changed while a view is open, until it is saved or left. */
export interface ColumnEdits {
  view: number;
  columns: string;
}

interface Columns {
  columns: Column[];
  /** Those that a wider screen shows. */
  chosen: Column[];
  setColumns: (to: Column[]) => void;
  /** They are those of the view again. */
  forgetEdits: () => void;
}

export function useListColumns(
  narrow: boolean,
  opened: SavedView | null,
  list: { edits: ColumnEdits | null },
): Columns {
  const [kept, setKept] = useKept('respan.columns', '');
  const [edits, setEdits] = useState(list.edits);
  const edit = (to: ColumnEdits | null): void => {
    list.edits = to;
    setEdits(to);
  };
  const chosen = useMemo(() => {
    if (opened === null) return readColumns(kept);
    return edits?.view === opened.id ? readColumns(edits.columns) : columnsOfView(opened);
  }, [opened, kept, edits]);
  return {
    columns: narrow ? usual : chosen,
    chosen,
    setColumns: (to) => {
      if (opened === null) setKept(writeColumns(to));
      else edit({ view: opened.id, columns: writeColumns(to) });
    },
    forgetEdits: () => {
      edit(null);
    },
  };
}

/** Those of the whole window, once they are known; and of what is loaded, which may be newer. */
export function useMetadataKeys(query: ListQuery, rows: Trace[], loaded: boolean): string[] {
  const [known, setKnown] = useState<string[]>([]);
  useEffect(() => {
    if (!loaded) return;
    const abort = new AbortController();
    getMetadataKeys(query.from, query.to, abort.signal).then(setKnown, () => undefined);
    return () => {
      abort.abort();
    };
  }, [query.from, query.to, loaded]);
  const here = useMemo(() => metadataKeys(rows), [rows]);
  return useMemo(() => [...new Set([...known, ...here])], [known, here]);
}
