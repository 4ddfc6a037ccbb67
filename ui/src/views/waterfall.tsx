/** Tree and waterfall in one virtual surface, under a minimap of the whole trace. */
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { TraceWithTree } from '../api/types';
import { criticalPath } from '../model/critical-path';
import { nextFound } from '../model/find';
import { count, duration } from '../model/format';
import type { TraceLook } from '../model/route';
import { sumsOf } from '../model/sums';
import { busyParts, pan, wholeRange, zoom, type Range } from '../model/timeline';
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
import { useKeys, useMedia, useWidth } from '../widgets/hooks';
import { Minimap } from '../widgets/minimap';
import { useSize } from '../widgets/setting';
import { Splitter } from '../widgets/splitter';
import { VirtualRows } from '../widgets/virtual';
import { Axis } from './axis';
import { FindBar, useFind } from './find-bar';
import { spanRowId, SpanRow } from './span-row';

const rowHeight = 28;

/** The column of sums, without and with cost, where the whole is wide enough for it. */
const sumsWidth = [58, 112] as const;
const sumsFrom = 600;
/** What stands beside the bars. */
const barMargins = 28;

interface Props {
  trace: TraceWithTree;
  tree: Tree;
  selected: string | null;
  look: TraceLook;
  onLook: (look: Partial<TraceLook>) => void;
  listUrl: string;
  onSelect: (id: string, how: 'push' | 'replace') => void;
}

export function Waterfall({ trace, tree, selected, look, onLook, listUrl, onSelect }: Props) {
  const [folded, setFolded] = useState<Folded>(new Set<string>());
  const [kept, setKept] = useSize('respan.names', 320);
  const narrow = useMedia('(max-width: 760px)');
  const nameWidth = narrow ? Math.min(kept, innerWidth * 0.55) : kept;
  const scroller = useRef<HTMLDivElement>(null);
  const whole = useMemo(() => wholeRange(tree.length), [tree.length]);
  const [zoomed, setZoomed] = useState<Range | null>(null);
  const range = zoomed ?? whole;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const sums = useMemo(() => sumsOf(tree), [tree]);
  const sumsNeed = useMemo(() => {
    if (sums.cost.some((c) => c > 0)) return sumsWidth[1];
    return sums.tokens.some((n) => n > 0) ? sumsWidth[0] : 0;
  }, [sums]);
  const sumsPx = width - nameWidth >= sumsFrom / 2 && width >= sumsFrom ? sumsNeed : 0;
  const room = Math.max(0, (scroller.current?.clientWidth ?? width) - nameWidth - sumsPx - barMargins);
  const critical = useMemo(() => (look.critical ? criticalPath(tree) : null), [tree, look.critical]);
  const parts = useMemo(() => busyParts(tree.rows, whole), [tree, whole]);
  const [finding, setFinding] = useState(0); // how often one asked for the field; 0: it is shut
  const found = useFind(trace, tree, look.find);
  const selectedRow = tree.byId.get(selected ?? '') ?? -1;
  const rows = useMemo(() => unfolded(tree, folded), [tree, folded]);
  const at = useMemo(() => rows.findIndex((r) => r.id === selected), [rows, selected]);

  // Whoever selects a span, by key, click or address, sees it.
  useLayoutEffect(() => {
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
  const setRange = (to: Range): void => {
    setZoomed(to.to - to.from >= (whole.to - whole.from) * 0.999 ? null : to);
  };
  const stepFound = (step: 1 | -1): void => {
    const row = tree.rows[nextFound(found.rows, selectedRow, step) ?? -1];
    if (row) onSelect(row.id, 'replace');
  };
  const closeFind = (): void => {
    setFinding(0);
    if (look.find !== '') onLook({ find: '' });
    scroller.current?.focus();
  };

  /** With ctrl (or a pinch) about the pointer, with shift along. */
  const wheel = (event: WheelEvent): void => {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    const by = event.deltaY === 0 ? event.deltaX : event.deltaY;
    const left = (scroller.current?.getBoundingClientRect().left ?? 0) + nameWidth + sumsPx + barMargins / 2;
    const about = Math.min(1, Math.max(0, (event.clientX - left) / Math.max(1, room)));
    setRange(event.ctrlKey ? zoom(range, whole, Math.exp(by * 0.002), about) : pan(range, whole, by * 0.001));
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
      case 'c':
        onLook({ critical: !look.critical });
        return true;
      case '/':
        setFinding(finding + 1);
        return true;
      case 'n':
        stepFound(1);
        return true;
      case 'N':
        stepFound(-1);
        return true;
      case 'Escape':
        if (finding === 0 && look.find === '') return false;
        closeFind();
        return true;
      case 'u':
        go(listUrl);
        return true;
      default:
        return false;
    }
  });

  return (
    <div
      ref={box}
      class="tree"
      style={{ '--names': `${String(Math.round(nameWidth))}px`, '--sums': `${String(sumsPx)}px` }}
    >
      <Minimap rows={tree.rows} whole={whole} range={range} onRange={setRange} />
      {(finding > 0 || look.find !== '') && (
        <FindBar
          text={look.find}
          found={found}
          at={selectedRow}
          focus={finding}
          onText={(find) => {
            onLook({ find });
          }}
          onStep={stepFound}
          onClose={closeFind}
        />
      )}
      {parts.length > 1 && <FarApart parts={parts} whole={whole} onRange={setRange} />}
      <Axis
        tree={tree}
        whole={whole}
        range={range}
        narrow={narrow}
        onRange={setRange}
        onSelect={(id) => {
          onSelect(id, 'push');
        }}
      >
        <span class="axis-names">
          {rows.length === tree.rows.length ? 'span' : `${count(rows.length)} of ${count(tree.rows.length)}`}
          <span class="axis-keys">
            <button type="button" title="Close one level" aria-label="Close one level" onClick={closeLevel}>
              <kbd>[</kbd>
            </button>{' '}
            <button type="button" title="Open one level" aria-label="Open one level" onClick={openLevel}>
              <kbd>]</kbd>
            </button>{' '}
            <button
              type="button"
              title="What the trace waited for"
              aria-label="Critical path"
              aria-pressed={look.critical}
              onClick={() => {
                onLook({ critical: !look.critical });
              }}
            >
              <kbd>c</kbd>
            </button>{' '}
            <button
              type="button"
              title="Search this trace"
              aria-label="Search this trace"
              onClick={() => {
                setFinding(finding + 1);
              }}
            >
              <kbd>/</kbd>
            </button>
          </span>
        </span>
        <span class="axis-sums">{sumsPx === 0 ? '' : sumsPx === sumsWidth[0] ? 'tokens' : 'tokens, cost'}</span>
      </Axis>
      <div class="tree-body" onWheel={wheel}>
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
                    room={room}
                    sums={sums}
                    critical={critical}
                    selected={row.id === selected}
                    matched={found.ids.has(row.id)}
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

/** Says that the trace is a few stretches with long pauses between them, and leads to each. */
function FarApart({ parts, whole, onRange }: { parts: Range[]; whole: Range; onRange: (range: Range) => void }) {
  const shown = parts.slice(0, 8);
  return (
    <div class="far-apart" role="note">
      <span>
        {count(parts.length)} parts, far apart in {duration(whole.to - whole.from)}:
      </span>
      {shown.map((part, i) => {
        const about = Math.max(part.to - part.from, 1e-6) * 0.03;
        return (
          <button
            key={part.from}
            type="button"
            class="more"
            aria-label={`Part ${String(i + 1)}`}
            onClick={() => {
              onRange({ from: Math.max(whole.from, part.from - about), to: Math.min(whole.to, part.to + about) });
            }}
          >
            {duration(part.to - part.from)} at {duration(part.from)}
          </button>
        );
      })}
      <button
        type="button"
        class="more"
        onClick={() => {
          onRange(whole);
        }}
      >
        all
      </button>
    </div>
  );
}
