/** One turn of a conversation: what is new in it, and what it took. */
import { useMemo } from 'preact/hooks';
import type { CallFacts, Item, Turn } from '../model/conversation';
import { clock, cost, count, duration, plural, tokens } from '../model/format';
import { shortModel, traceLabel } from '../model/name';
import { traceUrl } from '../model/route';
import { mayRun } from '../model/thread';
import { oneLine } from '../model/text';
import { useClock } from '../widgets/hooks';
import { Link } from '../widgets/link';
import { ContentView, Folded, MessageView } from './message';

interface Props {
  id: string;
  turn: Turn;
  /** Model calls of it that are not shown. */
  callsBefore: number;
  selected: boolean;
}

export function TurnView({ id, turn, callsBefore, selected }: Props) {
  const { trace, items, failures, again, reworded, beside, models } = turn;
  const failed = trace.error_count > 0;
  const url = traceUrl(trace.trace_unique_id);
  const hasTokens = trace.total_prompt_tokens !== null || trace.total_completion_tokens !== null;
  const open = trace.root_span_unique_id === null;
  const running = mayRun(trace, useClock(5000, open));
  const talk = useMemo(
    () => items.map((item, i) => <ItemView key={i} item={item} trace={trace.trace_unique_id} />),
    [items, trace.trace_unique_id],
  );
  return (
    <li
      id={id}
      class={`turn${failed ? ' failed' : ''}${selected ? ' selected' : ''}`}
      tabIndex={-1}
      aria-current={selected}
    >
      <div class="turn-head">
        <Link class="turn-name" to={url} title={trace.start_time}>
          <span class="mono">{clock(trace.start_time)}</span> <bdi>{oneLine(traceLabel(trace)) || 'unnamed'}</bdi>
        </Link>
        {running && (
          <span class="dot running" role="status">
            running
          </span>
        )}
        <span class="turn-facts mono">
          {models.length > 0 && (
            <span title={models.map((m) => oneLine(m, 200)).join(', ')}>
              {oneLine(shortModel(models[0] ?? ''), 60)}
              {models.length > 1 && ` +${count(models.length - 1)}`}
            </span>
          )}
          {hasTokens && (
            <span title="Tokens of prompts → of completions">
              {tokens(trace.total_prompt_tokens, trace.total_completion_tokens)}
            </span>
          )}
          {trace.total_cost !== null && <span>{cost(trace.total_cost)}</span>}
          <span>{duration(trace.duration)}</span>
        </span>
      </div>
      {callsBefore > 0 && (
        <p class="turn-note">
          <Link to={url}>{plural(callsBefore, 'earlier model call')} ›</Link>
        </p>
      )}
      {again > 0 && (
        <p class="turn-note" title="They are part of this turn’s requests, and shown above.">
          {plural(again, 'earlier message')} sent again
          {reworded > 0 && `, ${count(reworded)} in other words`}
        </p>
      )}
      {talk}
      {beside > 0 && (
        <p class="turn-note">
          <Link to={url}>{plural(beside, 'other prompt')} of the batch ›</Link>
        </p>
      )}
      {failures.map(({ message, span }) => (
        <Failure key={span} message={message} url={traceUrl(trace.trace_unique_id, span)} />
      ))}
      {failed && failures.length === 0 && (
        <Failure message={trace.error_message ?? 'a span of this trace failed'} url={url} />
      )}
    </li>
  );
}

function Failure({ message, url }: { message: string; url: string }) {
  return (
    <div class="failure" role="note">
      <b>
        <Link to={url}>Error ›</Link>
      </b>
      <bdi>{oneLine(message, 2000)}</bdi>
    </div>
  );
}

function ItemView({ item, trace }: { item: Item; trace: string }) {
  const { message, answer, results, call, span, repeated } = item;
  const { role } = message;
  if (role === 'system' || role === 'developer') {
    const words = typeof message.content === 'string' ? message.content : '';
    return (
      <Folded
        title={
          <>
            {role} <span class="came-back">{oneLine(words, 120)}</span>
          </>
        }
      >
        <ContentView content={message.content} rich />
      </Folded>
    );
  }
  if (role === 'tool') {
    const name = typeof message.extra.name === 'string' ? ` ${message.extra.name}` : '';
    return (
      <Folded title={`tool${oneLine(name, 80)} answered`}>
        <ContentView content={message.content} />
      </Folded>
    );
  }
  return (
    <MessageView
      message={message}
      label={repeated ? `${role}, asked again` : role}
      answer={answer}
      results={results}
      folded
      aside={
        (call !== null || (span !== null && !answer)) && (
          <span class="turn-call mono">
            {call && <CallLine call={call} />}
            {span !== null && (
              <Link class="turn-span" to={traceUrl(trace, span)}>
                span ›
              </Link>
            )}
          </span>
        )
      }
    />
  );
}

function CallLine({ call }: { call: CallFacts }) {
  return (
    <>
      {call.model !== null && <span title={oneLine(call.model, 200)}>{oneLine(shortModel(call.model), 40)}</span>}
      {(call.prompt_tokens !== null || call.completion_tokens !== null) && (
        <span title="Tokens of the prompt → of the completion">
          {tokens(call.prompt_tokens, call.completion_tokens)}
        </span>
      )}
      {call.time_to_first_token !== null && (
        <span title="Time to first token">ttft {duration(call.time_to_first_token)}</span>
      )}
      <span title="Latency of this call">{duration(call.latency)}</span>
    </>
  );
}
