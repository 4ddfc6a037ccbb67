/** One trace as a line of the list. */
import { useState } from 'preact/hooks';
import type { Trace } from '../api/types';
import { newPreview } from '../model/content';
import { keyOf, nextSort, sortedBy, usual, type Column } from '../model/columns';
import { valueText } from '../model/facts';
import { clock, cost, count, duration, rate, tokens } from '../model/format';
import { shortModel, traceLabel } from '../model/name';
import { traceUrl } from '../model/route';
import { oneLine } from '../model/text';
import { Link } from '../widgets/link';
import { Mark } from '../widgets/mark';
import { ColumnEdge } from './column-edge';

export const rowId = (trace: string): string => `t-${trace}`;

interface HeadProps {
  columns?: Column[];
  /** As the API's sort_by; without onSort nothing is sorted. */
  sort?: string;
  onSort?: (sort: string) => void;
  /** As ColumnEdge says it. */
  onWidth?: (column: Column, width: number | null, before: number[]) => void;
}

export function TracesHead({ columns = usual, sort = '', onSort, onWidth }: HeadProps) {
  return (
    <div class="trace-row head" role="row">
      {columns.map((column) => {
        const { id, title, end, sort: field } = column;
        const by = onSort && sortedBy(field, sort);
        return (
          <span key={id} role="columnheader" class={end ? 'end' : undefined} aria-sort={by}>
            {onSort && field !== undefined ? (
              <button
                type="button"
                onClick={() => {
                  onSort(nextSort(field, sort));
                }}
              >
                {title}
                {by !== undefined && <i aria-hidden="true">{by === 'ascending' ? ' ↑' : ' ↓'}</i>}
              </button>
            ) : (
              <bdi>{title}</bdi>
            )}
            {onWidth && (
              <ColumnEdge
                column={column}
                onWidth={(width, before) => {
                  onWidth(column, width, before);
                }}
              />
            )}
          </span>
        );
      })}
    </div>
  );
}

interface Props {
  trace: Trace;
  index: number;
  selected: boolean;
  /** There is a look at it. */
  described?: boolean;
  /** To be compared. */
  marked?: boolean;
  longest: number;
  /** It came just now. */
  arrived?: boolean;
  columns?: Column[];
  /** Keys of the list lead to it, and it is no stop of Tab. */
  byKeys?: boolean;
  onOpen: () => void;
}

export function TraceRow({
  trace,
  index,
  selected,
  described = false,
  marked = false,
  longest,
  arrived = false,
  columns = usual,
  byKeys = true,
  onOpen,
}: Props) {
  const url = traceUrl(trace.trace_unique_id);
  const failed = trace.status_code === 'error' || trace.error_count > 0;
  const share = longest > 0 ? (trace.duration ?? 0) / longest : 0;
  const [came] = useState(arrived); // as long as it is drawn
  return (
    <div
      id={rowId(trace.trace_unique_id)}
      class={`trace-row${selected ? ' selected' : ''}${marked ? ' marked' : ''}${failed ? ' failed' : ''}${came ? ' came' : ''}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      aria-describedby={described ? 'peek' : undefined}
    >
      {columns.map((column) => cellOf(column, { trace, url, failed, share, byKeys, onOpen }))}
    </div>
  );
}

interface Shown {
  trace: Trace;
  url: string;
  failed: boolean;
  share: number;
  byKeys: boolean;
  onOpen: () => void;
}

function cellOf(column: Column, shown: Shown) {
  const { trace, url, failed, share, byKeys, onOpen } = shown;
  switch (column.id) {
    case 'time':
      return (
        <span key="time" role="gridcell" class="time mono" title={trace.start_time}>
          {clock(trace.start_time)}
        </span>
      );
    case 'name':
      return (
        <span key="name" role="gridcell" class="name">
          <Mark logType={trace.log_type} />
          <Link to={url} title={oneLine(trace.name ?? '', 400)} tabIndex={byKeys ? -1 : 0} onGo={onOpen}>
            <bdi>{oneLine(traceLabel(trace)) || 'unnamed'}</bdi>
          </Link>
          {trace.span_count > 1 && (
            <span class="span-count mono" title={`${count(trace.span_count)} spans`}>
              {count(trace.span_count)}
            </span>
          )}
        </span>
      );
    case 'preview':
      return (
        <span key="preview" role="gridcell" class="preview">
          <Preview trace={trace} failed={failed} />
        </span>
      );
    case 'model':
      return (
        <span key="model" role="gridcell" class="model mono" title={trace.model ?? undefined}>
          {trace.model !== null && <bdi>{oneLine(shortModel(trace.model))}</bdi>}
        </span>
      );
    case 'tokens':
      return (
        <span key="tokens" role="gridcell" class="tokens mono end">
          {tokens(trace.total_prompt_tokens, trace.total_completion_tokens)}
        </span>
      );
    case 'latency':
      return (
        <span key="latency" role="gridcell" class="latency mono end">
          <i class="latency-bar" aria-hidden="true">
            <i style={{ width: `${String(Math.max(2, Math.sqrt(share) * 100))}%` }} />
          </i>
          {duration(trace.duration)}
        </span>
      );
    case 'status':
      return (
        <span key="status" role="gridcell" class="status">
          <StatusDot trace={trace} failed={failed} />
        </span>
      );
    default:
      return (
        <span key={column.id} role="gridcell" class={`plain mono${column.end ? ' end' : ''}`}>
          <bdi>{oneLine(plainText(column, trace), 200)}</bdi>
        </span>
      );
  }
}

function plainText(column: Column, trace: Trace): string {
  const key = keyOf(column);
  if (key !== null) {
    const value = trace.metadata?.[key];
    return value === undefined || value === null ? '' : valueText(value);
  }
  switch (column.id) {
    case 'cost':
      return cost(trace.total_cost);
    case 'ttft':
      return duration(trace.time_to_first_token);
    case 'rate':
      return rate(trace.tokens_per_second);
    case 'spans':
      return count(trace.span_count);
    case 'errors':
      return count(trace.error_count);
    case 'type':
      return trace.log_type ?? '';
    case 'user':
      return trace.customer_identifier ?? '';
    case 'thread':
      return trace.session_identifier ?? '';
    default:
      return trace.environment ?? '';
  }
}

function Preview({ trace, failed }: { trace: Trace; failed: boolean }) {
  if (failed && trace.error_message) return <bdi class="bad">{oneLine(trace.error_message)}</bdi>;
  if (trace.input === null && trace.output === null) return null;
  return (
    <>
      <bdi class="in">{oneLine(trace.input ?? '')}</bdi>
      {trace.output !== null && (
        <>
          <span class="arrow" aria-hidden="true">
            →
          </span>
          <bdi class="out">{oneLine(newPreview(trace.input ?? '', trace.output))}</bdi>
        </>
      )}
    </>
  );
}

function StatusDot({ trace, failed }: { trace: Trace; failed: boolean }) {
  const word = trace.running ? 'running' : failed ? 'error' : trace.status_code === 'ok' ? 'ok' : '';
  if (word === '') return <span class="mute">–</span>;
  return (
    <span class={`dot ${failed ? 'error' : word}`}>
      {word}
      {trace.error_count > 1 && ` ${count(trace.error_count)}`}
    </span>
  );
}
