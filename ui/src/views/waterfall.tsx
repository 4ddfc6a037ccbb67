/** Tree and waterfall in one virtual surface, under a minimap of the whole trace. */
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { TraceFacts } from '../api/types';
import { criticalPath } from '../model/critical-path';
import { nextFound } from '../model/find';
import { count, duration } from '../model/format';
import type { TraceLook } from '../model/route';
import type { Sums } from '../model/sums';
import {
  allClosed,
  allOpen,
  foldDeepest,
  foldedIn,
  foldingText,
  openShallowest,
  parseFolding,
  placeOf,
  reveal,
  rowsSeen,
  shownFor,
  turn,
  type Folding,
} from '../model/folding';
import {
  aboutSpan,
  busyParts,
  moveTo,
  pan,
  parseRange,
  rangeText,
  ticks,
  wholeRange,
  zoom,
  type Range,
} from '../model/timeline';
import { nextFailed, type Row, type Tree } from '../model/tree';
import { scrollToShow } from '../model/window';
import { go } from '../navigation';
import { useKeys, useMedia, useSaid, useWidth } from '../widgets/hooks';
import { Minimap } from '../widgets/minimap';
import { useSize } from '../widgets/setting';
import { Splitter } from '../widgets/splitter';
import { VirtualRows } from '../widgets/virtual';
import { Axis } from './axis';
import { FindBar, isFound, useFind } from './find-bar';
import { spanRowId, SpanRow } from './span-row';

const rowHeight = 28;

/** The column of sums, without and with cost, where the whole is wide enough for it. */
const sumsWidth = [58, 112] as const;
const sumsFrom = 600;
/** What stands before the bars, and behind them: there a label has room, however long its bar is. */
const barMargin = 14;
const labelRoom = 88;

interface Props {
  trace: TraceFacts;
  tree: Tree;
  /** Else more spans are coming. */
  isWhole: boolean;
  /** Null while not all spans are there. */
  sums: Sums | null;
  selected: string | null;
  look: TraceLook;
  onLook: (look: Partial<TraceLook>) => void;
  listUrl: string;
  onSelect: (id: string, how: 'push' | 'replace') => void;
}

export function Waterfall({ trace, tree, isWhole, sums, selected, look, onLook, listUrl, onSelect }: Props) {
  const [folding, setFolding] = useSaid<Folding>(look.fold, parseFolding, foldingText, (fold) => {
    onLook({ fold });
  });
  const [kept, setKept] = useSize('respan.names', Math.round(180 + innerWidth * 0.09));
  const narrow = useMedia('(max-width: 760px)');
  const nameWidth = narrow ? Math.min(kept, innerWidth * 0.55) : kept;
  const scroller = useRef<HTMLDivElement>(null);
  const length = isWhole ? tree.length : Math.max(tree.length, trace.duration ?? 0);
  const whole = useMemo(() => wholeRange(length), [length]);
  const [zoomed, setZoomed] = useSaid<Range | null>(
    look.zoom,
    (text) => parseRange(text, whole),
    rangeText,
    (to) => {
      onLook({ zoom: to });
    },
  );
  const range = zoomed ?? whole;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const behind = narrow ? barMargin : labelRoom;
  const sumsNeed = (trace.total_cost ?? 0) > 0 ? sumsWidth[1] : (trace.total_tokens ?? 0) > 0 ? sumsWidth[0] : 0;
  const sumsPx = width - nameWidth >= sumsFrom / 2 && width >= sumsFrom ? sumsNeed : 0;
  const room = Math.max(0, (scroller.current?.clientWidth ?? width) - nameWidth - sumsPx - barMargin - behind);
  const marks = useMemo(() => ticks(range, Math.min(8, Math.max(2, room / 80))), [range, room]);
  const [first = 0, second = 1] = marks.map(({ at }) => at);
  const critical = useMemo(
    () => (look.critical && isWhole ? criticalPath(tree) : null),
    [tree, isWhole, look.critical],
  );
  const parts = useMemo(() => (isWhole ? busyParts(tree, whole) : []), [tree, isWhole, whole]);
  const [finding, setFinding] = useState(0); // how often one asked for the field; 0: it is shut
  const found = useFind(trace, tree, look.find);
  const selectedRow = tree.find(selected);
  const seen = useMemo(() => rowsSeen(tree, folding), [tree, folding]);
  const folded = useMemo(() => foldedIn(tree, folding), [tree, folding]);
  const seenCount = seen?.length ?? tree.n;
  const at = placeOf(seen, selectedRow);
  const rowAt = (place: number): Row | undefined => tree.row(seen ? (seen[place] ?? -1) : place);

  // Whoever selects a span, by key, click or address, sees it.
  useLayoutEffect(() => {
    const open = reveal(tree, folding, selectedRow);
    if (open !== folding) setFolding(open);
  }, [tree, selected]);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element && at >= 0) element.scrollTop = scrollToShow(at, element.scrollTop, element.clientHeight, rowHeight);
  }, [at, selected]);

  const selectAt = (place: number): void => {
    const row = rowAt(Math.min(Math.max(place, 0), seenCount - 1));
    scroller.current?.focus({ preventScroll: true }); // what is chosen is said of what has the focus
    if (row) onSelect(row.id, 'replace');
  };
  /** A span that is hidden cannot stay selected. */
  const foldTo = (to: Folding): void => {
    setFolding(to);
    const shown = selectedRow < 0 ? -1 : shownFor(tree, to, selectedRow);
    if (shown !== selectedRow) onSelect(tree.idOf(shown), 'replace');
  };
  const toggle = (row: Row): void => {
    foldTo(turn(folding, row.id));
  };
  const closeLevel = (): void => {
    foldTo(foldDeepest(tree, folding));
  };
  const openLevel = (): void => {
    setFolding(openShallowest(tree, folding));
  };
  const setRange = (to: Range): void => {
    setZoomed(to.to - to.from >= (whole.to - whole.from) * 0.999 ? null : to);
  };
  /** To a span that may be anywhere: also in time. */
  const leapTo = (id: string): void => {
    const row = tree.row(tree.find(id));
    if (row && zoomed) setRange(moveTo(range, whole, row.start, row.end));
    onSelect(id, 'replace');
  };
  const zoomBy = (factor: number): void => {
    const row = rowAt(at);
    setRange(zoom(range, whole, factor, row ? aboutSpan(range, row.start, row.end) : 0.5));
  };
  const stepFound = (step: 1 | -1): void => {
    const row = nextFound(found.rows, selectedRow, step);
    if (row !== null) leapTo(tree.idOf(row));
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
    const left = (scroller.current?.getBoundingClientRect().left ?? 0) + nameWidth + sumsPx + barMargin;
    const about = Math.min(1, Math.max(0, (event.clientX - left) / Math.max(1, room)));
    setRange(event.ctrlKey ? zoom(range, whole, Math.exp(by * 0.002), about) : pan(range, whole, by * 0.001));
  };

  useKeys((event) => {
    const row = rowAt(at);
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
        selectAt(seenCount - 1);
        return true;
      case 'ArrowRight':
        if (row && row.descendants > 0) {
          if (folded(row.index)) toggle(row);
          else selectAt(at + 1);
        }
        return true;
      case 'ArrowLeft':
        if (row && row.descendants > 0 && !folded(row.index)) toggle(row);
        else {
          const parent = row && tree.row(row.parent);
          if (parent) onSelect(parent.id, 'replace');
        }
        return true;
      case '[':
        closeLevel();
        return true;
      case ']':
        openLevel();
        return true;
      case '{':
        foldTo(allClosed);
        return true;
      case '}':
        setFolding(allOpen);
        return true;
      case 'w':
        zoomBy(0.6);
        return true;
      case 's':
        zoomBy(1 / 0.6);
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
        const failed = nextFailed(tree, selectedRow);
        if (failed !== null) leapTo(failed);
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
        if (finding > 0 || look.find !== '') closeFind();
        else if (document.activeElement?.closest('.pane')) scroller.current?.focus();
        else return false;
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
      style={{
        '--names': `${String(Math.round(nameWidth))}px`,
        '--sums': `${String(sumsPx)}px`,
        '--behind': `${String(behind)}px`,
        '--tick': String(second - first),
        '--tick-at': String(first),
      }}
    >
      <Minimap tree={tree} whole={whole} range={range} onRange={setRange} />
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
        marks={marks}
        room={room}
        gutter={behind}
        onRange={setRange}
        onSelect={(id) => {
          onSelect(id, 'push');
        }}
      >
        <span class="axis-names">
          {seenCount === tree.n ? 'Span' : `${count(seenCount)} of ${count(tree.n)}`}
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
        <span class="axis-sums">{sumsPx === 0 ? '' : sumsPx === sumsWidth[0] ? 'Tokens' : 'Tokens, cost'}</span>
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
            count={seenCount}
            rowHeight={rowHeight}
            render={(index) => {
              const row = rowAt(index);
              return (
                row && (
                  <SpanRow
                    key={row.id}
                    row={row}
                    range={range}
                    names={nameWidth}
                    room={room}
                    gutter={behind}
                    sums={sums}
                    critical={critical}
                    selected={row.id === selected}
                    matched={isFound(found, row.index)}
                    folded={folded(row.index)}
                    onSelect={() => {
                      onSelect(row.id, 'push');
                    }}
                    onToggle={() => {
                      toggle(row);
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
