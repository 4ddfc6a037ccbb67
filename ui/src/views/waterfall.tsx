/** Tree and waterfall in one virtual surface, under a minimap of the whole trace. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { count } from '../model/format';
import { pan, tickLabel, ticks, wholeRange, zoom } from '../model/timeline';
import {
  fold,
  foldDeepest,
  nextFailed,
  reveal,
  shownFor,
  unfolded,
  unfoldShallowest,
  type Folded,
  type Row,
  type Tree,
} from '../model/tree';
import { scrollToShow } from '../model/window';
import { go } from '../navigation';
import { useKeys, useMedia } from '../widgets/hooks';
import { Minimap } from '../widgets/minimap';
import { useSize } from '../widgets/setting';
import { Splitter } from '../widgets/splitter';
import { VirtualRows } from '../widgets/virtual';
import { spanRowId, SpanRow } from './span-row';

const rowHeight = 28;

interface Props {
  tree: Tree;
  selected: string | null;
  listUrl: string;
  onSelect: (id: string, how: 'push' | 'replace') => void;
}

export function Waterfall({ tree, selected, listUrl, onSelect }: Props) {
  const [folded, setFolded] = useState<Folded>(new Set<string>());
  const [kept, setKept] = useSize('respan.names', 320);
  const narrow = useMedia('(max-width: 760px)');
  const nameWidth = narrow ? Math.min(kept, innerWidth * 0.55) : kept;
  const scroller = useRef<HTMLDivElement>(null);
  const whole = useMemo(() => wholeRange(tree.length), [tree.length]);
  const [zoomed, setZoomed] = useState<{ from: number; to: number } | null>(null);
  const range = zoomed ?? whole;
  const rows = useMemo(() => unfolded(tree, folded), [tree, folded]);
  const at = useMemo(() => rows.findIndex((r) => r.id === selected), [rows, selected]);

  // Whoever selects a span, by key, click or address, sees it.
  useEffect(() => {
    if (selected !== null) setFolded((was) => reveal(tree, was, selected));
  }, [tree, selected]);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element && at >= 0) element.scrollTop = scrollToShow(at, element.scrollTop, element.clientHeight, rowHeight);
  }, [at, selected]);

  const selectAt = (index: number): void => {
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    if (row) onSelect(row.id, 'replace');
  };
  const toggle = (row: Row, closed: boolean): void => {
    setFolded((was) => fold(was, row.id, closed));
    // A span that is hidden cannot stay selected.
    const inside = tree.byId.get(selected ?? '') ?? -1;
    if (closed && inside > row.index && inside <= row.index + row.descendants) onSelect(row.id, 'replace');
  };
  const closeLevel = (): void => {
    const to = foldDeepest(tree, folded);
    setFolded(to);
    const shown = selected === null ? null : shownFor(tree, to, selected);
    if (shown !== null && shown !== selected) onSelect(shown, 'replace');
  };
  const openLevel = (): void => {
    setFolded(unfoldShallowest(tree, folded));
  };
  const setRange = (to: { from: number; to: number }): void => {
    setZoomed(to.to - to.from >= (whole.to - whole.from) * 0.999 ? null : to);
  };

  useKeys((event) => {
    const row = rows[at];
    const pageful = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 300) / rowHeight) - 1);
    switch (event.key) {
      case 'j':
      case 'ArrowDown':
        selectAt(at + 1);
        return true;
      case 'k':
      case 'ArrowUp':
        selectAt(at - 1);
        return true;
      case 'PageDown':
        selectAt(at + pageful);
        return true;
      case 'PageUp':
        selectAt(at - pageful);
        return true;
      case 'Home':
        selectAt(0);
        return true;
      case 'End':
        selectAt(rows.length - 1);
        return true;
      case 'ArrowRight':
        if (row && row.descendants > 0) {
          if (folded.has(row.id)) toggle(row, false);
          else selectAt(at + 1);
        }
        return true;
      case 'ArrowLeft':
        if (row && row.descendants > 0 && !folded.has(row.id)) toggle(row, true);
        else {
          const parent = row && tree.rows[row.parent];
          if (parent) onSelect(parent.id, 'replace');
        }
        return true;
      case '[':
        closeLevel();
        return true;
      case ']':
        openLevel();
        return true;
      case 'w':
        setRange(zoom(range, whole, 0.6));
        return true;
      case 's':
        setRange(zoom(range, whole, 1 / 0.6));
        return true;
      case 'a':
        setRange(pan(range, whole, -0.2));
        return true;
      case 'd':
        setRange(pan(range, whole, 0.2));
        return true;
      case '0':
        setZoomed(null);
        return true;
      case 'e': {
        const failed = nextFailed(tree, selected);
        if (failed !== null) onSelect(failed, 'replace');
        return true;
      }
      case 'u':
        go(listUrl);
        return true;
      default:
        return false;
    }
  });

  return (
    <div class="tree" style={{ '--names': `${String(Math.round(nameWidth))}px` }}>
      <Minimap rows={tree.rows} whole={whole} range={range} onRange={setRange} />
      <div class="axis">
        <span class="axis-names">
          {rows.length === tree.rows.length ? 'span' : `${count(rows.length)} of ${count(tree.rows.length)}`}
          <span class="axis-keys">
            <button type="button" title="Close one level" aria-label="Close one level" onClick={closeLevel}>
              <kbd>[</kbd>
            </button>{' '}
            <button type="button" title="Open one level" aria-label="Open one level" onClick={openLevel}>
              <kbd>]</kbd>
            </button>
          </span>
        </span>
        <span class="axis-ticks mono" aria-hidden="true">
          {ticks(range, narrow ? 3 : 5).map((tick) => (
            <span key={tick.seconds} class="tick" style={{ left: `${String(tick.at * 100)}%` }}>
              {tickLabel(tick.seconds, range)}
            </span>
          ))}
        </span>
      </div>
      <div class="tree-body">
        <Splitter label="Width of the names" size={nameWidth} min={120} max={900} direction={1} onSize={setKept} />
        <div
          ref={scroller}
          class="tree-rows"
          role="tree"
          aria-label="Spans"
          aria-activedescendant={selected === null ? undefined : spanRowId(selected)}
          tabIndex={0}
        >
          <VirtualRows
            scroller={scroller}
            count={rows.length}
            rowHeight={rowHeight}
            render={(index) => {
              const row = rows[index];
              return (
                row && (
                  <SpanRow
                    key={row.id}
                    row={row}
                    range={range}
                    selected={row.id === selected}
                    folded={folded.has(row.id)}
                    onSelect={() => {
                      onSelect(row.id, 'push');
                    }}
                    onToggle={() => {
                      toggle(row, !folded.has(row.id));
                    }}
                  />
                )
              );
            }}
          />
        </div>
      </div>
    </div>
  );
}
