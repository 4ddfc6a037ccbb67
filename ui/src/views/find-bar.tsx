/** Looking for text in a trace: `/` begins, n and N go on. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort } from '../api/client';
import { foundPath, getFound } from '../api/endpoints';
import type { TraceFacts } from '../api/types';
import { findFilter, findRows, placeIn } from '../model/find';
import { count, plural } from '../model/format';
import type { Tree } from '../model/tree';

export interface Found {
  /** In order. */
  rows: number[];
  /** What stands beside the number of matches; empty when the server has looked through everything. */
  note: string;
}

const nothing: readonly string[] = [];

/** Whether the row is among them. */
export const isFound = ({ rows }: Found, row: number): boolean => rows[placeIn(rows, row)] === row;

export function useFind(trace: TraceFacts, tree: Tree, text: string): Found {
  const [said, setSaid] = useState<{ text: string; ids: readonly string[]; note: string }>({
    text: '',
    ids: nothing,
    note: '',
  });
  useEffect(() => {
    const q = findFilter(text);
    if (q === null) return;
    const abort = new AbortController();
    const look = async (): Promise<void> => {
      const ids: string[] = [];
      for (let path: string | null = foundPath(trace.trace_unique_id, q); path !== null;) {
        const page = await getFound(path, abort.signal);
        for (const span of page.results) ids.push(span.span_unique_id);
        path = page.next;
      }
      setSaid({ text, ids, note: '' });
    };
    const timer = setTimeout(() => {
      look().catch((reason: unknown) => {
        if (isAbort(reason)) return;
        const error = asApiError(reason);
        // Whoever has but a link to the trace cannot ask for it.
        const why = error.failure === 'signed-out' ? '' : `: ${error.message}`;
        setSaid({ text, ids: nothing, note: `content not searched${why}` });
      });
    }, 150);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [trace, text]);

  const asked = findFilter(text) !== null;
  const known = said.text === text;
  return useMemo(() => {
    const rows = findRows(tree, text, known ? said.ids : nothing);
    return { rows, note: known ? said.note : asked ? 'searching content …' : '' };
  }, [tree, text, said, known, asked]);
}

interface Props {
  text: string;
  found: Found;
  /** Row that is selected. */
  at: number;
  focus: number;
  onText: (text: string) => void;
  onStep: (step: 1 | -1) => void;
  onClose: () => void;
}

export function FindBar({ text, found, at, focus, onText, onStep, onClose }: Props) {
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    // A search that came with the address leaves the keys to the tree.
    if (focus === 0) return;
    field.current?.focus();
    field.current?.select();
  }, [focus]);
  const place = isFound(found, at) ? placeIn(found.rows, at) : -1;
  const says =
    text.trim() === ''
      ? ''
      : place >= 0
        ? `${count(place + 1)} of ${count(found.rows.length)}`
        : plural(found.rows.length, 'match', 'matches');
  return (
    <div class="find-bar" role="search">
      <input
        ref={field}
        class="mono"
        type="text"
        placeholder="Names, models, prompts, completions, attributes"
        aria-label="Search this trace"
        spellcheck={false}
        autocomplete="off"
        value={text}
        onInput={(event) => {
          onText(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onStep(event.shiftKey ? -1 : 1);
          else if (event.key === 'Escape') onClose();
          else return;
          event.preventDefault();
        }}
      />
      <span class="mute mono" role="status">
        {says}
        {found.note !== '' && <span class="find-note"> · {found.note}</span>}
      </span>
      <button
        type="button"
        class="find-step"
        title="Previous (N)"
        aria-label="Previous match"
        onClick={() => {
          onStep(-1);
        }}
      >
        ↑
      </button>
      <button
        type="button"
        class="find-step"
        title="Next (n)"
        aria-label="Next match"
        onClick={() => {
          onStep(1);
        }}
      >
        ↓
      </button>
      <button type="button" class="clear" aria-label="Close the search" onClick={onClose}>
        ×
      </button>
    </div>
  );
}
