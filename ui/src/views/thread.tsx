/** One conversation, turn by turn over its traces; what chats send again and again is shown once. */
import '../style/people.css';
import '../style/thread.css';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, parse, type ApiError } from '../api/client';
import { getCalls } from '../api/calls';
import { getTracePage, tracesPath } from '../api/endpoints';
import { getGroups, groupsPath } from '../api/groups';
import type { Page, Totals, Trace } from '../api/types';
import { toolCallsOf } from '../model/content';
import { type Item, type Said, takeTurn, type Turn } from '../model/conversation';
import { tokenFor } from '../model/filter';
import { clock, cost, count, duration, plural, tokens } from '../model/format';
import { traceLabel } from '../model/name';
import { traceUrl, tracesUrl, userUrl } from '../model/route';
import { oneLine } from '../model/text';
import { Copy } from '../widgets/copy';
import { JsonView } from '../widgets/json-view';
import { LongText } from '../widgets/long-text';
import { Link } from '../widgets/link';
import { Banner, Failed } from '../widgets/wrong';

const turnsAtOnce = 20;

/** All turns so far, and how to get the next ones. */
function useTurns(id: string, onFailure: (error: ApiError) => void) {
  const [turns, setTurns] = useState<Turn[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [answered, setAnswered] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const said = useRef<Said>([]);
  const abort = useRef(new AbortController());
  const loading = useRef(false);

  const load = async (path: string): Promise<void> => {
    const { signal } = abort.current;
    const page = parse<Page<Trace>>(await getTracePage(path, signal));
    const calls = await Promise.all(
      page.results.map((trace) =>
        getCalls(trace, signal).catch((reason: unknown) => {
          if (asApiError(reason).failure === 'not-found') return []; // it was deleted meanwhile
          throw reason;
        }),
      ),
    );
    const more = page.results.map((trace, i) => takeTurn(said.current, trace, calls[i] ?? []));
    setTurns((was) => was.concat(more));
    setNext(page.next);
    setAnswered(true);
    setError(null);
  };
  const begin = (path: string): void => {
    if (loading.current) return;
    loading.current = true;
    const mine = abort.current;
    load(path)
      .catch((reason: unknown) => {
        if (isAbort(reason)) return;
        setError(asApiError(reason));
        onFailure(asApiError(reason));
      })
      .finally(() => {
        if (abort.current === mine) loading.current = false;
      });
  };
  useEffect(() => {
    abort.current = new AbortController();
    loading.current = false;
    said.current = [];
    begin(
      tracesPath(
        [
          ['session_identifier', id],
          ['sort_by', 'start_time'],
        ],
        turnsAtOnce,
      ),
    );
    return () => {
      abort.current.abort();
    };
  }, [id]);
  return {
    turns,
    answered,
    error,
    more:
      next === null
        ? null
        : () => {
            begin(next);
          },
  };
}

interface Props {
  id: string;
  onFailure: (error: ApiError) => void;
}

export function ThreadView({ id, onFailure }: Props) {
  const { turns, answered, error, more } = useTurns(id, onFailure);
  const [totals, setTotals] = useState<Totals | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    document.title = `${oneLine(id, 80)} · respan`;
    getGroups(groupsPath('environment', [['session_identifier', id]], '-count'), 1, abort.signal).then(
      (answer) => {
        setTotals(answer.totals);
      },
      () => undefined, // the turns say what is wrong
    );
    return () => {
      abort.abort();
    };
  }, [id]);

  if (error && !answered) return <Failed error={error} what="thread" />;
  const user = turns.find((t) => t.trace.customer_identifier !== null)?.trace.customer_identifier ?? null;
  return (
    <>
      <header class="trace-head">
        <Link class="back" to="/threads">
          ‹ Threads
        </Link>
        <h1>
          <bdi>{oneLine(id)}</bdi>
          <Copy text={id} label="Copy the thread's name" />
        </h1>
        {totals && (
          <>
            <Fact name="turns" value={count(totals.count)} />
            <Fact name="tokens" value={tokens(totals.prompt_tokens, totals.completion_tokens)} />
            <Fact name="cost" value={cost(totals.cost)} />
            {totals.error_count > 0 && <span class="dot error">{plural(totals.error_count, 'error')}</span>}
          </>
        )}
        {user !== null && (
          <span class="fact">
            user{' '}
            <Link class="linked mono" to={userUrl(user)}>
              <bdi>{oneLine(user, 80)}</bdi>
            </Link>
          </span>
        )}
        <span class="fact when">
          <Link class="linked" to={tracesUrl(tokenFor('thread', id))}>
            as traces ›
          </Link>
        </span>
      </header>
      {error && <Banner error={error} />}
      <div class="sheet" tabIndex={0} role="region" aria-label={`Thread ${oneLine(id, 80)}`} aria-busy={!answered}>
        {answered && turns.length === 0 && (
          <div class="notice">
            <h2>There is no trace of this thread</h2>
            <p>Nothing was sent under that name, or it was removed.</p>
          </div>
        )}
        <ol class="turns">
          {turns.map((turn) => (
            <TurnView key={turn.trace.trace_unique_id} turn={turn} />
          ))}
        </ol>
        {more && <More key={turns.length} onSeen={more} />}
      </div>
    </>
  );
}

/** Asks for more as soon as it comes near the window. */
function More({ onSeen }: { onSeen: () => void }) {
  const here = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const element = here.current;
    if (!element) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((e) => e.isIntersecting)) onSeen();
      },
      { root: element.closest('.sheet'), rootMargin: '600px' },
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, []);
  return (
    <button ref={here} type="button" class="more turns-more" onClick={onSeen}>
      … later turns
    </button>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <span class="fact">
      {name} <b class="mono">{value}</b>
    </span>
  );
}

function TurnView({ turn: { trace, items } }: { turn: Turn }) {
  const failed = trace.error_count > 0;
  const hasTokens = trace.total_prompt_tokens !== null || trace.total_completion_tokens !== null;
  return (
    <li class={failed ? 'turn failed' : 'turn'}>
      <div class="turn-head">
        <Link class="turn-name" to={traceUrl(trace.trace_unique_id)}>
          <span class="mono">{clock(trace.start_time)}</span> <bdi>{oneLine(traceLabel(trace)) || 'unnamed'}</bdi>
        </Link>
        <span class="turn-facts mono">
          {hasTokens && <span>{tokens(trace.total_prompt_tokens, trace.total_completion_tokens)}</span>}
          {trace.total_cost !== null && <span>{cost(trace.total_cost)}</span>}
          <span>{duration(trace.duration)}</span>
        </span>
      </div>
      {items.map((item, i) => (
        <ItemView key={i} item={item} trace={trace.trace_unique_id} />
      ))}
      {failed && (
        <div class="failure" role="note">
          <b>Error</b>
          <bdi>{oneLine(trace.error_message ?? 'a span of this trace failed', 2000)}</bdi>
        </div>
      )}
    </li>
  );
}

/** Instructions and what passes between model and tools is folded: the talk is what user and assistant say. */
function ItemView({ item, trace }: { item: Item; trace: string }) {
  const { message, answer, span } = item;
  const calls = toolCallsOf(message.extra);
  const empty = message.content === null || message.content === '';
  if (message.role === 'system' || message.role === 'developer' || message.role === 'tool') {
    const name = typeof message.extra.name === 'string' ? message.extra.name : '';
    return (
      <Folded title={message.role === 'tool' ? `tool answered${name === '' ? '' : `: ${name}`}` : message.role}>
        <Words item={item} />
      </Folded>
    );
  }
  return (
    <>
      {!empty && (
        <div class={answer || message.role === 'assistant' ? 'say bubble answer' : 'say bubble asked'}>
          <small>
            {oneLine(message.role, 40)}
            {span !== null && (
              <Link class="turn-span" to={traceUrl(trace, span)}>
                span ›
              </Link>
            )}
          </small>
          <Words item={item} />
        </div>
      )}
      {calls?.map((call, i) => (
        <Folded key={i} title={`calls ${oneLine(call.name, 80)}`}>
          {call.arguments === null ? <span class="mute">no arguments</span> : <JsonView value={call.arguments} />}
        </Folded>
      ))}
    </>
  );
}

function Words({ item: { message } }: { item: Item }) {
  if (typeof message.content === 'string') return <LongText text={message.content} />;
  return <JsonView value={message.content} />;
}

function Folded({ title, children }: { title: string; children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  return (
    <details
      class="folded"
      open={open}
      onToggle={(event) => {
        setOpen(event.currentTarget.open);
      }}
    >
      <summary>{oneLine(title, 120)}</summary>
      {open && <div class="folded-inside">{children}</div>}
    </details>
  );
}
