/** One span as a row: its name in the tree, its bar in the waterfall. */
import { count, duration } from '../model/format';
import { spanLabel } from '../model/name';
import { oneLine } from '../model/text';
import { barOf, type Bar, type Range } from '../model/timeline';
import type { Row } from '../model/tree';
import { Mark } from '../widgets/mark';

export const spanRowId = (span: string): string => `s-${span}`;

/** A deep level is drawn no further in than leaves room for a name, however narrow the column. */
const indent = (depth: number): string => `min(${String(10 + depth * 16)}px, max(10px, var(--names) - 140px))`;

interface Props {
  row: Row;
  range: Range;
  selected: boolean;
  folded: boolean;
  onSelect: () => void;
  onToggle: () => void;
}

export function SpanRow({ row, range, selected, folded, onSelect, onToggle }: Props) {
  const { span } = row;
  const bar = barOf(row, range);
  const name = oneLine(span.name ?? '') || 'unnamed';
  const lasts = duration(row.end - row.start);
  return (
    <div
      id={spanRowId(row.id)}
      class={`span-row f-${row.family}${selected ? ' selected' : ''}${row.failed ? ' failed' : ''}`}
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
      <span class="span-name" style={{ paddingLeft: indent(row.depth) }}>
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
      </span>
      <span class="span-bar">{bar && <BarShape bar={bar} label={lasts} />}</span>
    </div>
  );
}

function BarShape({ bar, label }: { bar: Bar; label: string }) {
  const percent = (x: number): string => `${String(x * 100)}%`;
  return (
    <>
      <i class="bar" style={{ left: percent(bar.left), width: percent(bar.width) }}>
        {bar.prefill > 0 && <i class="prefill" style={{ width: percent(bar.prefill) }} />}
      </i>
      <span class="bar-label mono" style={{ left: `calc(${percent(bar.left + bar.width)} + 6px)` }}>
        {label}
      </span>
    </>
  );
}
