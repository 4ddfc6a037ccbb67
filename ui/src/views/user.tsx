/** One user: what was asked in his name, when, with which models, and the newest of it. */
import '../style/people.css';
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, type ApiError } from '../api/client';
import { findUser, type FoundUser } from '../api/user';
import type { Group, Groups, Series, Trace } from '../api/types';
import { tokenFor } from '../model/filter';
import { clock, count, duration, plural } from '../model/format';
import { iso } from '../model/range';
import { groupsUrl, threadUrl, tracesUrl, userUrl } from '../model/route';
import { barsOf } from '../model/spark';
import { oneLine } from '../model/text';
import { go } from '../navigation';
import { Copy } from '../widgets/copy';
import { useKeys, usePolling } from '../widgets/hooks';
import { keep, recall } from '../widgets/kept';
import { Link } from '../widgets/link';
import { useLive } from '../widgets/live';
import { Spark, when } from '../widgets/spark';
import { Banner, Failed } from '../widgets/wrong';
import { DeleteUserButton } from './delete-user';
import { Spent } from './group-table';
import { MetadataList } from './metadata';
import { RangeMenu } from './range-menu';
import { LastMessage } from './threads';
import { TraceRow, TracesHead } from './trace-row';
import { Seen } from './users';

/** Sums are not asked for more often than this, nor than four times as long as they take. */
const refreshEvery = 2000;
const pollEvery = 5000;

/** What is found of a user, asked again as the live feed tells of his traces. */
function useFound(id: string, from: string, to: string, env: string, onFailure: (error: ApiError) => void) {
  const key = userUrl(id, { from, to, env });
  const [found, setFound] = useState<FoundUser | null>(() => recall<FoundUser>(key) ?? null);
  const [of, setOf] = useState(key);
  const [error, setError] = useState<ApiError | null>(null);
  const abort = useRef(new AbortController());
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const mayAt = useRef(0);

  const load = useCallback(async () => {
    const { signal } = abort.current;
    const begun = performance.now();
    try {
      const answer = await findUser(id, { from, to, env }, signal);
      keep(key, answer);
      setFound(answer);
      setOf(key);
      setError(null);
    } catch (reason) {
      if (isAbort(reason) || signal.aborted) return;
      setError(asApiError(reason));
      onFailure(asApiError(reason));
    }
    const now = performance.now();
    mayAt.current = now + Math.max(refreshEvery, 4 * (now - begun));
  }, [key, onFailure]);
  useEffect(() => {
    abort.current = new AbortController();
    void load();
    return () => {
      abort.current.abort();
      if (timer.current !== null) clearTimeout(timer.current);
      timer.current = null;
    };
  }, [load]);
  const refresh = (): void => {
    timer.current ??= setTimeout(
      () => {
        void load().finally(() => {
          timer.current = null;
        });
      },
      Math.max(0, mayAt.current - performance.now()),
    );
  };
  const live = `/api/live/?${new URLSearchParams({ customer_identifier: id, content: 'false' }).toString()}`;
  const hears = useLive(found === null ? null : live, { onTraces: refresh, onGone: refresh, onGap: refresh });
  usePolling(hears ? 6 * pollEvery : pollEvery, true, refresh);
  return { found, isOf: of === key, error };
}

interface Props {
  id: string;
  from: string;
  to: string;
  env: string;
  /** Whether who looks may delete what is there. */
  mayDelete: boolean;
  onFailure: (error: ApiError) => void;
}

export function UserView({ id, from, to, env, mayDelete, onFailure }: Props) {
  const { found, isOf, error } = useFound(id, from, to, env, onFailure);
  const sheet = useRef<HTMLDivElement>(null);
  const had = useRef(false); // something to delete: the dialog stays until it has said what became of it
  const placeKey = `place of user ${id}`;
  useEffect(() => {
    document.title = `${oneLine(id, 80)} · respan`;
  }, [id]);
  useEffect(() => {
    if (sheet.current) sheet.current.scrollTop = recall<number>(placeKey) ?? 0;
  }, [found === null]);

  useKeys((event) => {
    if (event.key !== 'u') return false;
    go(groupsUrl('/users', { from, to, env }));
    return true;
  });

  if (error && !found) return <Failed error={error} what="user" id={id} />;
  if (!found) return <div class="notice" aria-busy="true" />;
  const { totals, isEstimate, page } = found;
  had.current ||= totals.count > 0;
  const mine = env === '' ? tokenFor('user', id) : `${tokenFor('user', id)} ${tokenFor('env', env)}`;
  const window = { from, to, env };
  const list = (more = ''): string => tracesUrl(more === '' ? mine : `${mine} ${more}`, window);
  return (
    <>
      <header class="trace-head">
        <Link class="back" to={groupsUrl('/users', window)}>
          ‹ Users
        </Link>
        <h1>
          <bdi>{oneLine(id)}</bdi>
          <Copy text={id} label="Copy the user's name" />
        </h1>
        {totals.last_time !== null && (
          <span class="fact">
            <span title={totals.first_time ?? ''}>
              first seen <b class="mono">{clock(totals.first_time ?? totals.last_time)}</b>
            </span>{' '}
            <span title={totals.last_time}>
              last seen <b class="mono">{clock(totals.last_time)}</b>
            </span>
          </span>
        )}
        {mayDelete && had.current && <DeleteUserButton customer={id} />}
        <span class="fact when">
          <RangeMenu
            from={from}
            to={to}
            onChange={(start, end) => {
              go(userUrl(id, { from: start, to: end, env }));
            }}
          />
        </span>
      </header>
      {error && <Banner error={error} />}
      <div
        ref={sheet}
        class="sheet"
        tabIndex={0}
        aria-label={`User ${oneLine(id, 80)}`}
        role="region"
        aria-busy={!isOf}
        onScroll={(event) => {
          keep(placeKey, event.currentTarget.scrollTop);
        }}
      >
        {totals.count === 0 ? (
          <Nothing id={id} isWindow={from !== '' || to !== ''} />
        ) : (
          <>
            <dl class="figures">
              <Figure name="Requests" to={list()} value={(isEstimate ? '≈ ' : '') + count(totals.count)} />
              <Figure name="Model calls" value={count(totals.llm_call_count)} />
              <Figure
                name="Tokens"
                value={count(totals.total_tokens)}
                note={`${count(totals.prompt_tokens)} → ${count(totals.completion_tokens)}`}
              />
              <Figure name="Cost" value={<Spent usd={totals.cost} />} />
              <Figure
                name="Errors"
                to={totals.error_count > 0 ? list('status:error') : undefined}
                value={count(totals.error_count)}
                note={`${percent(totals.error_count, totals.count)} of requests`}
                bad={totals.error_count > 0}
              />
              <Figure
                name="Latency p50"
                value={duration(totals.latency?.p50)}
                note={`p95 ${duration(totals.latency?.p95)}`}
              />
            </dl>
            <OverTime series={found.series} mine={mine} />
            <Threads groups={found.threads} url={groupsUrl('/threads', { q: mine, ...window })} />
            <Models groups={found.models} ofCalls={found.modelsOfCalls} list={list} />
            <MetadataList traces={page.results} within={mine} />
            <section class="part">
              <h2>
                Newest traces
                <More to={list()}>All {count(page.count)}</More>
              </h2>
              <NewestTraces traces={page.results} />
            </section>
          </>
        )}
      </div>
    </>
  );
}

function percent(part: number, whole: number): string {
  const share = (100 * part) / Math.max(1, whole);
  return `${share > 0 && share < 10 ? share.toFixed(1) : share.toFixed(0)} %`;
}

function Nothing({ id, isWindow }: { id: string; isWindow: boolean }) {
  return (
    <div class="notice">
      <h2>There is no trace of this user{isWindow && ' in this window of time'}</h2>
      {isWindow ? (
        <p>
          <Link class="linked" to={userUrl(id)}>
            Look at all times
          </Link>
        </p>
      ) : (
        <p>Nothing was sent in that name, or it was removed.</p>
      )}
    </div>
  );
}

interface FigureProps {
  name: string;
  value: ComponentChildren;
  note?: string;
  bad?: boolean;
  /** The traces behind it. */
  to?: string | undefined;
}

function Figure({ name, value, note, bad = false, to }: FigureProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={bad ? 'bad' : undefined}>
        {to === undefined ? value : <Link to={to}>{value}</Link>}
        {note !== undefined && <small>{note}</small>}
      </dd>
    </div>
  );
}

function More({ to, children }: { to: string; children: ComponentChildren }) {
  return (
    <Link class="part-more" to={to}>
      {children} ›
    </Link>
  );
}

function OverTime({ series, mine }: { series: Series; mine: string }) {
  const bars = useMemo(() => barsOf(series), [series]);
  const step = series.bucket_seconds;
  const first = bars[0];
  const last = bars.at(-1);
  if (!first || !last) return null;
  const total = bars.reduce((n, b) => n + b.count, 0);
  return (
    <section class="part">
      <h2>Over time</h2>
      <Spark
        bars={bars}
        step={step}
        label={`${plural(total, 'request')} from ${when(first.at, step)} to ${when(last.at, step)}`}
        urlOf={(bar) => tracesUrl(mine, { from: iso(bar.at * 1000), to: iso((bar.at + step) * 1000) })}
      />
      <p class="spark-ends mute mono">
        <span>{when(first.at, step)}</span>
        <span>each bar {duration(step)}</span>
        <span>{when(last.at + step, step)}</span>
      </p>
    </section>
  );
}

const named = (groups: Groups): (Group & { value: string })[] =>
  groups.groups.filter((g): g is Group & { value: string } => g.value !== null && !g.is_others);

function Threads({ groups, url }: { groups: Groups; url: string }) {
  const rows = named(groups);
  if (rows.length === 0) return null;
  return (
    <section class="part">
      <h2>
        Threads
        <More to={url}>
          All {count(groups.group_count - (groups.groups.some((g) => g.value === null && !g.is_others) ? 1 : 0))}
        </More>
      </h2>
      <ul class="last-threads">
        {rows.map((g) => (
          <li key={g.value}>
            <Link to={threadUrl(g.value)}>
              <bdi>{oneLine(g.value, 80)}</bdi>
            </Link>
            <span class="last-said">
              <LastMessage group={g} />
            </span>
            <span class="mute mono">{plural(g.count, 'turn')}</span>
            <Seen time={g.last_time} />
          </li>
        ))}
      </ul>
    </section>
  );
}

interface ModelsProps {
  groups: Groups;
  /** Calls are counted; else traces, each for the model that it called first. */
  ofCalls: boolean;
  list: (more: string) => string;
}

function Models({ groups, ofCalls, list }: ModelsProps) {
  const rows = named(groups);
  if (rows.length === 0) return null;
  return (
    <section class="part">
      <h2>Models</h2>
      <table class="small-table">
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">{ofCalls ? 'Calls' : 'Requests'}</th>
            <th scope="col">Tokens</th>
            <th scope="col">Cost</th>
            <th scope="col">Errors</th>
            <th scope="col">Latency p50</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((g) => (
            <tr key={g.value}>
              <th scope="row" class="mono">
                <Link to={list(tokenFor('model', g.value))} title="Traces with this model">
                  <bdi>{oneLine(g.value, 80)}</bdi>
                </Link>
              </th>
              <td data-name={ofCalls ? 'calls' : 'requests'}>{count(g.count)}</td>
              <td data-name="tokens">{count(g.total_tokens)}</td>
              <td data-name="cost">
                <Spent usd={g.cost} />
              </td>
              <td data-name="errors" class={g.error_count > 0 ? 'bad' : undefined}>
                {count(g.error_count)}
              </td>
              <td data-name="p50">{duration(g.latency?.p50)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function NewestTraces({ traces }: { traces: Trace[] }) {
  const longest = traces.reduce((most, t) => Math.max(most, t.duration ?? 0), 0);
  return (
    <div class="newest" role="grid" aria-label="Newest traces">
      <TracesHead />
      {traces.map((trace, index) => (
        <TraceRow
          key={trace.trace_unique_id}
          trace={trace}
          index={index}
          selected={false}
          longest={longest}
          byKeys={false}
          onOpen={() => undefined}
        />
      ))}
    </div>
  );
}
