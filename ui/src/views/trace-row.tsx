/** One trace as a line of the list. */
import { useState } from 'preact/hooks';
import type { Trace } from '../api/types';
import { newPreview } from '../model/content';
import { clock, count, duration, tokens } from '../model/format';
import { shortModel, traceLabel } from '../model/name';
import { traceUrl } from '../model/route';
import { oneLine } from '../model/text';
import { follow } from '../navigation';
import { Mark } from '../widgets/mark';

export const rowId = (trace: string): string => `t-${trace}`;

export function TracesHead() {
  return (
    <div class="trace-row head" role="row">
      <span role="columnheader">Time</span>
      <span role="columnheader">Name</span>
      <span role="columnheader">Input → output</span>
      <span role="columnheader">Model</span>
      <span role="columnheader" class="end">
        Tokens
      </span>
      <span role="columnheader" class="end">
        Latency
      </span>
      <span role="columnheader">Status</span>
    </div>
  );
}

interface Props {
  trace: Trace;
  index: number;
  selected: boolean;
  longest: number;
  /** It came just now. */
  arrived?: boolean;
  onOpen: () => void;
}

export function TraceRow({ trace, index, selected, longest, arrived = false, onOpen }: Props) {
  const url = traceUrl(trace.trace_unique_id);
  const failed = trace.status_code === 'error' || trace.error_count > 0;
  const share = longest > 0 ? (trace.duration ?? 0) / longest : 0;
  const [came] = useState(arrived); // as long as it is drawn
  return (
    <div
      id={rowId(trace.trace_unique_id)}
      class={`trace-row${selected ? ' selected' : ''}${failed ? ' failed' : ''}${came ? ' came' : ''}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
    >
      <span role="gridcell" class="time mono" title={trace.start_time}>
        {clock(trace.start_time)}
      </span>
      <span role="gridcell" class="name">
        <Mark logType={trace.log_type} />
        <a
          href={url}
          title={oneLine(trace.name ?? '', 400)}
          tabIndex={-1}
          onClick={(event) => {
            onOpen();
            follow(event, url);
          }}
        >
          <bdi>{oneLine(traceLabel(trace)) || 'unnamed'}</bdi>
        </a>
        {trace.span_count > 1 && (
          <span class="span-count mono" title={`${count(trace.span_count)} spans`}>
            {count(trace.span_count)}
          </span>
        )}
      </span>
      <span role="gridcell" class="preview">
        <Preview trace={trace} failed={failed} />
      </span>
      <span role="gridcell" class="model mono" title={trace.model ?? undefined}>
        {trace.model !== null && <bdi>{oneLine(shortModel(trace.model))}</bdi>}
      </span>
      <span role="gridcell" class="tokens mono end">
        {tokens(trace.total_prompt_tokens, trace.total_completion_tokens)}
      </span>
      <span role="gridcell" class="latency mono end">
        <i class="latency-bar" aria-hidden="true">
          <i style={{ width: `${String(Math.max(2, share * 100))}%` }} />
        </i>
        {duration(trace.duration)}
      </span>
      <span role="gridcell" class="status">
        <StatusDot trace={trace} failed={failed} />
      </span>
    </div>
  );
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
  const word = failed ? 'error' : trace.status_code === 'ok' ? 'ok' : '';
  if (word === '') return <span class="mute">–</span>;
  return (
    <span class={`dot ${word}`}>
      {word}
      {trace.error_count > 1 && ` ${count(trace.error_count)}`}
    </span>
  );
}
