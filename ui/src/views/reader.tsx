/** A trace to read: its model calls alone, one below the other in the order in which they began, each with what it was asked and
 *  what it said. Only what comes near the window is fetched. */
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, type ApiError } from '../api/client';
import { SpanCache } from '../api/span-cache';
import type { Span } from '../api/types';
import { count, duration, plural } from '../model/format';
import { spanLabel } from '../model/name';
import { oneLine } from '../model/text';
import type { Row, Tree } from '../model/tree';
import { useKeys } from '../widgets/hooks';
import { Mark } from '../widgets/mark';
import { explain } from '../widgets/wrong';
import { Exchange } from './exchange';

/** So many calls are in the document at first, and are added when an end comes near. */
const step = 20;

interface Props {
  trace: string;
  tree: Tree;
  selected: string | null;
  onSelect: (id: string, how: 'push' | 'replace') => void;
  onClose: () => void;
  /** To the span's place in the tree. */
  onOpen: (id: string) => void;
  onFailure: (error: ApiError) => void;
}

export function Reader({ trace, tree, selected, onSelect, onClose, onOpen, onFailure }: Props) {
  const calls = useMemo(
    () =>
      Array.from({ length: tree.n }, (_, i) => i)
        .filter((i) => tree.isModelCall(i))
        .sort((a, b) => (tree.start[a] ?? 0) - (tree.start[b] ?? 0)),
    [tree],
  );
  const at = useMemo(() => calls.indexOf(tree.find(selected)), [calls, tree, selected]);
  const cache = useMemo(() => new SpanCache(), []);
  const [shown, setShown] = useState({ first: Math.max(0, at - 2), last: Math.max(0, at) + step });
  const scroller = useRef<HTMLDivElement>(null);

  // Whatever is selected is there to be seen.
  useEffect(() => {
    if (at < 0) return;
    setShown(({ first, last }) =>
      at >= first && at < last ? { first, last } : { first: Math.max(0, at - 2), last: at + step },
    );
  }, [at]);
  useLayoutEffect(() => {
    if (at >= 0) scroller.current?.querySelector('.read-call.selected')?.scrollIntoView({ block: 'nearest' });
  }, [at, shown.first]);

  const select = (index: number): void => {
    const row = calls[Math.min(Math.max(index, 0), calls.length - 1)];
    if (row !== undefined) onSelect(tree.idOf(row), 'replace');
  };
  useKeys((event) => {
    switch (event.key) {
      case 'j':
      case 'n':
        select(at + 1);
        return true;
      case 'k':
      case 'N':
        select(at - 1);
        return true;
      case 'Enter':
        if (selected !== null) onOpen(selected);
        return true;
      case 'Escape':
        onClose();
        return true;
      default:
        return false;
    }
  });

  return (
    <div ref={scroller} class="reader" role="region" aria-label="Model calls" tabIndex={0}>
      <div class="reader-head">
        <span class="mute">{plural(calls.length, 'model call')}</span>
        <button type="button" class="button" onClick={onClose}>
          Back to the tree
        </button>
      </div>
      {calls.length === 0 && <p class="nothing">No span of this trace is a model call.</p>}
      {shown.first > 0 && (
        <More
          key={shown.first}
          label={`${count(shown.first)} before these`}
          onNear={() => {
            setShown(({ first, last }) => ({ first: Math.max(0, first - step), last }));
          }}
        />
      )}
      <div role="feed" aria-label="Model calls">
        {rowsOf(tree, calls.slice(shown.first, shown.last)).map((row, i) => (
          <Call
            key={row.id}
            trace={trace}
            row={row}
            number={shown.first + i + 1}
            soon={i < 3}
            of={calls.length}
            cache={cache}
            selected={row.id === selected}
            onSelect={() => {
              onSelect(row.id, 'replace');
            }}
            onOpen={() => {
              onOpen(row.id);
            }}
            onFailure={onFailure}
          />
        ))}
      </div>
      {shown.last < calls.length && (
        <More
          key={-shown.last}
          label={`${count(calls.length - shown.last)} behind these`}
          onNear={() => {
            setShown(({ first, last }) => ({ first, last: last + step }));
          }}
        />
      )}
    </div>
  );
}

const rowsOf = (tree: Tree, rows: number[]): Row[] => rows.flatMap((i) => tree.row(i) ?? []);

/** Calls `near` each time the element comes near what can be seen of the reader. */
function useNear<E extends HTMLElement>(near: () => void): RefObject<E | null> {
  const element = useRef<E>(null);
  const latest = useRef(near);
  latest.current = near;
  useEffect(() => {
    if (!element.current) return;
    const seen = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) latest.current();
      },
      { root: element.current.closest('.reader'), rootMargin: '600px' },
    );
    seen.observe(element.current);
    return () => {
      seen.disconnect();
    };
  }, []);
  return element;
}

function More({ label, onNear }: { label: string; onNear: () => void }) {
  const element = useNear<HTMLDivElement>(onNear);
  return (
    <div ref={element} class="reader-more">
      <button type="button" class="more" onClick={onNear}>
        {label}
      </button>
    </div>
  );
}

interface CallProps {
  trace: string;
  row: Row;
  number: number;
  of: number;
  /** Likely in sight at once. */
  soon: boolean;
  cache: SpanCache;
  selected: boolean;
  onSelect: () => void;
  onOpen: () => void;
  onFailure: (error: ApiError) => void;
}

function Call({ trace, row, number, of, soon, cache, selected, onSelect, onOpen, onFailure }: CallProps) {
  const [near, setNear] = useState(soon);
  const [span, setSpan] = useState<Span | null>(cache.get(row.id) ?? null);
  const [error, setError] = useState<ApiError | null>(null);
  const element = useNear<HTMLElement>(() => {
    setNear(true);
  });
  useEffect(() => {
    if (!near) return;
    const abort = new AbortController();
    cache.load(trace, row.id, abort.signal).then(setSpan, (reason: unknown) => {
      if (isAbort(reason)) return;
      setError(asApiError(reason));
      onFailure(asApiError(reason));
    });
    return () => {
      abort.abort();
    };
  }, [near, cache, trace, row.id, onFailure]);
  const { span: head } = row;
  return (
    <article
      ref={element}
      class={`read-call f-${row.family}${selected ? ' selected' : ''}`}
      aria-posinset={number}
      aria-setsize={of}
      aria-current={selected}
      onClick={selected ? undefined : onSelect}
    >
      <div class="read-head">
        <Mark logType={head.log_type} />
        <h2>
          <button type="button" title="In the tree" onClick={onOpen}>
            <bdi>{oneLine(spanLabel(head)) || 'unnamed'}</bdi>
          </button>
        </h2>
        {row.failed && <span class="flag">error</span>}
        <span class="mute mono">
          {duration(row.end - row.start)} at {duration(row.start)} · {count(number)} of {count(of)}
        </span>
      </div>
      {span ? (
        <Exchange span={span} call />
      ) : (
        <div class="read-room" aria-busy={near && !error}>
          {error && explain(error)}
        </div>
      )}
    </article>
  );
}
