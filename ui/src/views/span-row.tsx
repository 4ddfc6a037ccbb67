/** One span as a row: its name in the tree, its bar in the waterfall. */
import { useMemo } from 'preact/hooks';
import { join, type CriticalPath } from '../model/critical-path';
import { cost, count, duration, plural, short } from '../model/format';
import { spanLabel } from '../model/name';
import type { Sums } from '../model/sums';
import { oneLine } from '../model/text';
import { barOf, labelPlace, type Bar, type Range } from '../model/timeline';
import type { Row } from '../model/tree';
import { Mark } from '../widgets/mark';

export const spanRowId = (span: string): string => `s-${span}`;

/** A deep level is drawn no further in than leaves room for a name, however narrow the column. */
const indent = (depth: number, names: number): number => Math.min(10 + depth * 16, Math.max(10, names - 140));

interface Props {
  row: Row;
  range: Range;
  /** Width of the names' column, in pixels. */
  names: number;
  /** Width of the bars' column. */
  room: number;
  /** What is free behind it, for a label. */
  gutter: number;
  /** Null while not all spans are there. */
  sums: Sums | null;
  critical: CriticalPath | null;
  selected: boolean;
  matched: boolean;
  folded: boolean;
  onSelect: () => void;
  onToggle: () => void;
}

export function SpanRow(props: Props) {
  const { row, range, names, room, gutter, sums, critical, selected, matched, folded, onSelect, onToggle } = props;
  const { span } = row;
  const bar = barOf(row, range);
  const name = oneLine(span.name ?? '') || (span.running ? 'still running' : 'unnamed');
  const lasts = duration(row.end - row.start);
  const inside = indent(row.depth, names);
  return (
    <div
      id={spanRowId(row.id)}
      class={`span-row f-${row.family}${selected ? ' selected' : ''}${row.failed ? ' failed' : ''}${matched ? ' matched' : ''}${span.running ? ' running' : ''}`}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-posinset={row.place}
      aria-setsize={row.siblings}
      aria-selected={selected}
      aria-expanded={row.descendants > 0 ? !folded : undefined}
      aria-label={`${name}, ${span.log_type}, ${lasts}${row.failed ? ', error' : ''}${row.orphan ? ', parent missing' : ''}`}
      onClick={onSelect}
      onDblClick={row.descendants > 0 ? onToggle : undefined}
    >
      <span class="span-name" style={{ paddingLeft: `${String(inside)}px` }}>
        {row.descendants > 0 ? (
          <button
            type="button"
            class="twist-button"
            tabIndex={-1}
            aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation();
              onToggle();
            }}
          >
            <i class={folded ? 'twist' : 'twist open'} />
          </button>
        ) : (
          <span class="twist-room" />
        )}
        {inside < 10 + row.depth * 16 && (
          <span class="level mono" title={`Level ${count(row.depth + 1)}`}>
            {count(row.depth + 1)}
          </span>
        )}
        <Mark logType={span.log_type} />
        <bdi class="label" title={name}>
          {oneLine(spanLabel(span)) || name}
        </bdi>
        {folded && <span class="hidden-count mono">+{count(row.descendants)}</span>}
        {row.failed && (
          <span class="flag" title={span.error_message ?? 'error'}>
            error
          </span>
        )}
        {!row.failed && folded && row.failedBelow && <span class="flag">error below</span>}
        {row.orphan && (
          <span class="flag warn" title={`Its parent ${span.span_parent_id ?? ''} is not in this trace`}>
            parent missing
          </span>
        )}
        {span.interrupted === true && <span class="flag warn">interrupted</span>}
        {row.early > 0 && (
          <span
            class="flag warn"
            title={
              row.early < Infinity
                ? `It begins ${duration(row.early)} before its parent: their clocks differ`
                : 'Its clock is wrong by years: it is drawn where its parent begins'
            }
          >
            clock
          </span>
        )}
      </span>
      {sums ? <SumsCell row={row} sums={sums} /> : <span class="span-sums" />}
      <span class="span-bar">
        {bar && <BarShape bar={bar} label={lasts} room={room} gutter={gutter} title={barTitle(row, sums)} />}
        {critical && <CriticalLine row={row} range={range} room={room} folded={folded} path={critical} />}
      </span>
    </div>
  );
}

function barTitle(row: Row, sums: Sums | null): string {
  const lasts = `${oneLine(row.span.name ?? '', 80)}: ${duration(row.end - row.start)} from ${duration(row.start)}`;
  return row.descendants === 0 || !sums ? lasts : `${lasts}, ${duration(sums.self[row.index])} of it itself`;
}

/** What the model calls at and below a span add up to. */
function SumsCell({ row, sums }: { row: Row; sums: Sums }) {
  const calls = sums.calls[row.index] ?? 0;
  const tokens = sums.tokens[row.index] ?? 0;
  const spent = sums.cost[row.index] ?? NaN;
  if (calls === 0) return <span class="span-sums" />;
  const says = `${plural(calls, 'model call')}: ${plural(tokens, 'token')}${Number.isNaN(spent) ? '' : `, ${cost(spent)}`}`;
  return (
    <span class={`span-sums mono${row.descendants > 0 ? ' of-many' : ''}`} title={says}>
      {tokens > 0 && <span>{short(tokens)}</span>}
      {spent > 0 && <span>{cost(spent)}</span>}
    </span>
  );
}

/** The part of a span in which the trace waited for it; of a folded one, for whatever is below it too. */
function CriticalLine({
  row,
  range,
  room,
  folded,
  path,
}: {
  row: Row;
  range: Range;
  room: number;
  folded: boolean;
  path: CriticalPath;
}) {
  const sections = useMemo(() => {
    const width = range.to - range.from;
    const all = path.sections(row.index, row.index + 1 + (folded ? row.descendants : 0));
    const seen = all.filter(({ from, to }) => to >= range.from && from <= range.to);
    return join(seen, width / Math.max(1, room)).map(({ from, to }) => {
      const left = Math.max(0, (from - range.from) / width);
      return { left, width: Math.min(1, (to - range.from) / width) - left };
    });
  }, [path, row, folded, range, room]);
  return (
    <>
      {sections.map(({ left, width }) => (
        <i key={left} class="critical" style={{ left: `${String(left * 100)}%`, width: `${String(width * 100)}%` }} />
      ))}
    </>
  );
}

/** A character of a label, and the room around it, in pixels. */
const labelPx = (label: string): number => label.length * 6.7 + 12;

interface BarProps extends Pick<Props, 'room' | 'gutter'> {
  bar: Bar;
  label: string;
  title: string;
}

function BarShape({ bar, label, room, gutter, title }: BarProps) {
  const percent = (x: number): string => `${String(x * 100)}%`;
  const place = labelPlace(bar, room, labelPx(label), gutter);
  return (
    <>
      <i class="bar" style={{ left: percent(bar.left), width: percent(bar.width) }} title={title}>
        {bar.prefill > 0 && <i class="prefill" style={{ width: percent(bar.prefill) }} />}
      </i>
      <span
        class={`bar-label mono ${place}`}
        style={
          place === 'right'
            ? { left: `calc(${percent(bar.left + bar.width)} + 6px)` }
            : { right: place === 'left' ? `calc(${percent(1 - bar.left)} + 6px)` : percent(1 - bar.left - bar.width) }
        }
      >
        {label}
      </span>
    </>
  );
}
