/** One conversation, turn by turn over its traces; what chats send again and again is shown once. */
import '../style/people.css';
import '../style/thread.css';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../api/client';
import { getGroups, groupsPath } from '../api/groups';
import type { Totals } from '../api/types';
import { tokenFor } from '../model/filter';
import { clock, cost, count, plural, tokens } from '../model/format';
import { modelsOf, usersOf } from '../model/thread';
import { inEnvironment } from '../model/environment';
import { traceUrl, tracesUrl, userUrl } from '../model/route';
import { oneLine } from '../model/text';
import { go } from '../navigation';
import { Copy } from '../widgets/copy';
import { useKeys, useMedia } from '../widgets/hooks';
import { keep, recall } from '../widgets/kept';
import { Link } from '../widgets/link';
import { place } from '../widgets/place';
import { useFlag } from '../widgets/setting';
import { Banner, Failed } from '../widgets/wrong';
import { Raw } from './message';
import { MetadataList } from './metadata';
import { useTurns, type Turns } from './thread-turns';
import { TurnView } from './turn';

/** What the head says of the whole thread, also of turns that are not shown yet; asked again when it has grown. */
function useTotals(id: string): [Totals | null, () => void] {
  const [totals, setTotals] = useState<Totals | null>(null);
  const load = useCallback(() => {
    getGroups(groupsPath('environment', [['session_identifier', id]], '-count'), 1, AbortSignal.timeout(20_000)).then(
      (answer) => {
        setTotals(answer.totals);
      },
      () => undefined, // the turns say what is wrong
    );
  }, [id]);
  useEffect(load, [load]);
  return [totals, load];
}

/** Which turn stood at the top, and how far above the window it began: heights are not known before turns are drawn. */
interface Place {
  turn: string;
  above: number;
}

const turnElement = (trace: string): string => `turn-${trace}`;

interface Props {
  id: string;
  onFailure: (error: ApiError) => void;
}

export function ThreadView({ id, onFailure }: Props) {
  const [totals, loadTotals] = useTotals(id);
  const turns = useTurns(id, onFailure, loadTotals);
  const { entries, answered, error } = turns;
  const [raw, setRaw] = useFlag('respan.raw');
  const sheet = useRef<HTMLDivElement>(null);
  const chosenKey = `turn of thread ${id}`;
  const [selected, setSelected] = useState<string | null>(() => recall<string>(chosenKey) ?? null);
  useEffect(() => {
    document.title = `${oneLine(id, 80)} · respan`;
  }, [id]);

  const placeKey = `place in thread ${id}`;
  const elements = (): HTMLElement[] => [...(sheet.current?.querySelectorAll<HTMLElement>('.turn') ?? [])];
  const returning = useRef(false);
  useLayoutEffect(() => {
    const place = recall<Place>(placeKey);
    const element = sheet.current;
    if (!place || !element) return;
    returning.current = true;
    let frame = 0;
    let frames = 0;
    const stop = (): void => {
      returning.current = false;
      cancelAnimationFrame(frame);
    };
    // What is drawn on the way has other heights than were reckoned with: until it stands still.
    const back = (): void => {
      const turn = document.getElementById(turnElement(place.turn));
      const was = element.scrollTop;
      if (turn) {
        const above = element.getBoundingClientRect().top - turn.getBoundingClientRect().top;
        element.scrollTop += place.above - above;
      }
      const stands = frames > 2 && Math.abs(element.scrollTop - was) < 1;
      if (stands || ++frames > 30) stop();
      else frame = requestAnimationFrame(back);
    };
    back();
    element.addEventListener('wheel', stop, { passive: true });
    element.addEventListener('pointerdown', stop);
    return () => {
      stop();
      element.removeEventListener('wheel', stop);
      element.removeEventListener('pointerdown', stop);
    };
  }, []);
  const scrolled = (): void => {
    if (returning.current) return;
    const top = sheet.current?.getBoundingClientRect().top ?? 0;
    const first = elements().find((e) => e.getBoundingClientRect().bottom > top);
    if (first) keep(placeKey, { turn: first.id.slice('turn-'.length), above: top - first.getBoundingClientRect().top });
  };

  // Whoever reads the end goes on reading it.
  const atEnd = useRef(false);
  useLayoutEffect(() => {
    if (atEnd.current && sheet.current) sheet.current.scrollTop = sheet.current.scrollHeight;
  }, [entries]);

  const pastLoaded = useRef(false); // a step forward waits for the turns that it leads to
  const step = (by: number): void => {
    const at = entries.findIndex(({ turn }) => turn.trace.trace_unique_id === selected);
    pastLoaded.current = by > 0 && at === entries.length - 1 && turns.more !== null;
    if (pastLoaded.current) {
      turns.more?.();
      return;
    }
    const to = entries[Math.min(Math.max(at + by, 0), entries.length - 1)]?.turn.trace.trace_unique_id;
    if (to === undefined) return;
    setSelected(to);
    keep(chosenKey, to);
    const element = document.getElementById(turnElement(to));
    element?.scrollIntoView({ block: 'start' });
    element?.focus({ preventScroll: true });
  };
  useLayoutEffect(() => {
    if (pastLoaded.current) step(1);
  }, [entries]);
  useKeys((event) => {
    switch (event.key) {
      case 'j':
        step(1);
        return true;
      case 'k':
        step(-1);
        return true;
      case 'Enter':
        if (selected === null) return false;
        go(traceUrl(selected));
        return true;
      case 'u':
        go(inEnvironment(place.environment, '/threads'));
        return true;
      default:
        return false;
    }
  });

  if (error && !answered) return <Failed error={error} what="thread" id={id} />;
  return (
    <>
      <header class="trace-head of-thread">
        <Link class="back" to={inEnvironment(place.environment, '/threads')}>
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
            {totals.error_count > 0 && (
              <Link class="dot error" to={tracesUrl(`${tokenFor('thread', id)} status:error`)}>
                {plural(totals.error_count, 'error')}
              </Link>
            )}
          </>
        )}
        <span class="fact when">
          <button
            type="button"
            class="tool"
            aria-pressed={raw}
            title={raw ? 'Show Markdown' : 'Show texts as they are'}
            onClick={() => {
              setRaw(!raw);
            }}
          >
            raw
          </button>
          <Link class="linked" to={tracesUrl(tokenFor('thread', id))}>
            as traces ›
          </Link>
        </span>
      </header>
      {error && <Banner error={error} />}
      <div
        ref={sheet}
        class="sheet"
        tabIndex={0}
        role="region"
        aria-label={`Thread ${oneLine(id, 80)}`}
        aria-busy={!answered}
        onScroll={(event) => {
          const { scrollTop, clientHeight, scrollHeight } = event.currentTarget;
          atEnd.current = scrollTop > 0 && scrollTop + clientHeight >= scrollHeight - 40 && turns.more === null;
          scrolled();
        }}
      >
        {answered && entries.length === 0 && (
          <div class="notice">
            <h2>There is no trace of this thread</h2>
            <p>Nothing was sent under that name, or it was removed.</p>
          </div>
        )}
        {entries.length > 0 && (
          <div class="talk">
            <Raw.Provider value={raw}>
              <div>
                <ol class="turns">
                  {entries.map(({ turn, callsBefore }) => (
                    <TurnView
                      key={turn.trace.trace_unique_id}
                      id={turnElement(turn.trace.trace_unique_id)}
                      turn={turn}
                      callsBefore={callsBefore}
                      selected={turn.trace.trace_unique_id === selected}
                    />
                  ))}
                </ol>
                {turns.more && <More key={entries.length} onSeen={turns.more} />}
              </div>
            </Raw.Provider>
            <About id={id} turns={turns} />
          </div>
        )}
      </div>
    </>
  );
}

/** Beside the talk, where there is room; else above it, folded. */
function About({ id, turns: { entries, more } }: { id: string; turns: Turns }) {
  const wide = useMedia('(min-width: 1180px)');
  const traces = entries.map(({ turn }) => turn.trace);
  const users = usersOf(entries);
  const models = modelsOf(entries);
  const inside = (
    <>
      <dl class="about-facts">
        <dt>began</dt>
        <dd class="mono">{clock(traces[0]?.start_time ?? '')}</dd>
        <dt>{more ? 'shown up to' : 'last turn'}</dt>
        <dd class="mono">{clock(traces.at(-1)?.start_time ?? '')}</dd>
        {users.length > 0 && <dt>{users.length === 1 ? 'user' : 'users'}</dt>}
        {users.map((user) => (
          <dd key={user}>
            <Link class="linked" to={userUrl(user, { env: place.environment })}>
              <bdi>{oneLine(user, 80)}</bdi>
            </Link>
          </dd>
        ))}
        {models.length > 0 && <dt>{models.length === 1 ? 'model' : 'models'}</dt>}
        {models.map(([model, turns]) => (
          <dd key={model} class="mono">
            <Link class="linked" to={tracesUrl(`${tokenFor('thread', id)} ${tokenFor('model', model)}`)}>
              <bdi>{oneLine(model, 80)}</bdi>
            </Link>{' '}
            <span class="mute">{plural(turns, 'turn')}</span>
          </dd>
        ))}
      </dl>
      <MetadataList traces={traces} within={tokenFor('thread', id)} />
    </>
  );
  return wide ? (
    <aside class="about-thread" aria-label="About the thread">
      {inside}
    </aside>
  ) : (
    <details class="about-thread">
      <summary>About the thread</summary>
      {inside}
    </details>
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
