import type { ComponentChildren } from 'preact';
import type { TraceFacts } from '../api/types';
import { clock, cost, count, duration, shortId, tokens } from '../model/format';
import { traceLabel } from '../model/name';
import { threadUrl, userUrl } from '../model/route';
import { place } from '../widgets/place';
import { oneLine } from '../model/text';
import { Copy } from '../widgets/copy';
import { Link } from '../widgets/link';
import { Popover } from '../widgets/popover';
import { MetadataList } from './metadata';

interface Props {
  trace: TraceFacts;
  running: boolean;
  listUrl: string;
  reader: boolean;
  onReader: () => void;
  /** What can be done with it, at the end of the head; null: it is somebody else's, and shown alone. */
  actions: ComponentChildren | null;
}

export function TraceHead({ trace, running, listUrl, reader, onReader, actions }: Props) {
  const failed = trace.status_code === 'error' || trace.error_count > 0;
  const hasTokens = trace.total_prompt_tokens !== null || trace.total_completion_tokens !== null;
  return (
    <header class="trace-head of-trace">
      {actions !== null && (
        <Link class="back" to={listUrl}>
          ‹ Traces
        </Link>
      )}
      <h1 title={oneLine(trace.name ?? '', 400)}>
        <bdi>{oneLine(traceLabel(trace)) || 'unnamed'}</bdi>
      </h1>
      {failed ? (
        <span class="dot error">{trace.error_count > 1 ? `${count(trace.error_count)} errors` : 'error'}</span>
      ) : (
        !running && trace.status_code === 'ok' && <span class="dot ok">ok</span>
      )}
      {running && (
        <span class="dot running" role="status">
          running
        </span>
      )}
      <span class="fact when">
        <span class="mono" title={trace.start_time}>
          {clock(trace.start_time)}
        </span>
        <b class="mono" title={trace.trace_unique_id}>
          {shortId(trace.trace_unique_id)}
        </b>
        <Copy text={trace.trace_unique_id} label="Copy the trace id" />
        {trace.llm_call_count > 0 && (
          <button
            type="button"
            class="tool"
            title="Model calls alone, to read (r)"
            aria-pressed={reader}
            onClick={onReader}
          >
            Read
          </button>
        )}
      </span>
      {actions}
      <div class="facts-line">
        <Fact name="duration" value={duration(trace.duration)} />
        <Fact name="spans" value={count(trace.span_count)} />
        {hasTokens && <Fact name="tokens" value={tokens(trace.total_prompt_tokens, trace.total_completion_tokens)} />}
        {trace.total_cost !== null && <Fact name="cost" value={cost(trace.total_cost)} />}
        {trace.customer_identifier !== null && (
          <Fact
            name="user"
            value={trace.customer_identifier}
            url={actions === null ? null : userUrl(trace.customer_identifier, { env: place.environment })}
          />
        )}
        {trace.session_identifier !== null && (
          <Fact
            name="thread"
            value={trace.session_identifier}
            url={actions === null ? null : threadUrl(trace.session_identifier)}
          />
        )}
        {trace.environment !== null && <Fact name="env" value={trace.environment} />}
        {actions !== null && <MetadataMenu trace={trace} />}
      </div>
    </header>
  );
}

/** What the trace was marked with, each value a way to the others that were. */
function MetadataMenu({ trace }: { trace: TraceFacts }) {
  const keys = Object.keys(trace.metadata ?? {}).length;
  if (keys === 0) return null;
  return (
    <Popover
      label={
        <>
          metadata <b class="mono">{count(keys)}</b>
        </>
      }
      title="Metadata"
    >
      {() => <MetadataList traces={[trace]} within="" />}
    </Popover>
  );
}

function Fact({ name, value, url = null }: { name: string; value: string; url?: string | null }) {
  const said = oneLine(value, 400);
  const words = <bdi>{said}</bdi>;
  return (
    <span class="fact" title={said.length > 40 ? said : undefined}>
      {name} <b class="mono">{url === null ? words : <Link to={url}>{words}</Link>}</b>
    </span>
  );
}
