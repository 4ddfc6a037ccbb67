/** One user: what was asked in his name, when, with which models, and the newest of it. */
import '../style/people.css';
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { asApiError, isAbort, parse, type ApiError } from '../api/client';
import { getTracePage, tracesPath } from '../api/endpoints';
import { getGroups, getSeries, groupsPath } from '../api/groups';
import type { Groups, Page, Series, Totals, Trace } from '../api/types';
import { tokenFor } from '../model/filter';
import { clock, cost, count, duration, plural } from '../model/format';
import { metadataOf } from '../model/metadata';
import { groupsUrl, threadUrl, tracesUrl } from '../model/route';
import { barsOf } from '../model/spark';
import { oneLine } from '../model/text';
import { Copy } from '../widgets/copy';
import { Link } from '../widgets/link';
import { Spark, when } from '../widgets/spark';
import { Failed } from '../widgets/wrong';
import { LastMessage } from './threads';
import { TraceRow, TracesHead } from './trace-row';
import { Seen } from './users';

interface Found {
  totals: Totals;
  isEstimate: boolean;
  series: Series;
  models: Groups;
  threads: Groups;
  page: Page<Trace>;
}

const shown = 50;

async function find(id: string, signal: AbortSignal): Promise<Found> {
  const mine: [string, string][] = [['customer_identifier', id]];
  const [models, threads, series, body] = await Promise.all([
    getGroups(groupsPath('model', mine, '-count', false, 20), 1, signal),
    getGroups(groupsPath('session_identifier', mine, '-last_time', true, 10), 1, signal),
    getSeries(mine, 60, signal),
    getTracePage(tracesPath(mine, shown), signal),
  ]);
  return {
    totals: models.totals,
    isEstimate: models.is_estimate,
    models,
    threads,
    series,
    page: parse<Page<Trace>>(body),
  };
}

interface Props {
  id: string;
  onFailure: (error: ApiError) => void;
}

export function UserView({ id, onFailure }: Props) {
  const [found, setFound] = useState<Found | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    document.title = `${oneLine(id, 80)} · respan`;
    find(id, abort.signal).then(setFound, (reason: unknown) => {
      if (isAbort(reason)) return;
      setError(asApiError(reason));
      onFailure(asApiError(reason));
    });
    return () => {
      abort.abort();
    };
  }, [id, onFailure]);

  if (error) return <Failed error={error} what="user" />;
  if (!found) return <div class="notice" aria-busy="true" />;
  const { totals, isEstimate, page } = found;
  const mine = tokenFor('user', id);
  return (
    <>
      <header class="trace-head">
        <Link class="back" to="/users">
          ‹ Users
        </Link>
        <h1>
          <bdi>{oneLine(id)}</bdi>
          <Copy text={id} label="Copy the user's name" />
        </h1>
        {totals.last_time !== null && (
          <span class="fact when">
            {clock(totals.first_time ?? totals.last_time)} – {clock(totals.last_time)}
          </span>
        )}
      </header>
      <div class="sheet" tabIndex={0} aria-label={`User ${oneLine(id, 80)}`} role="region">
        {totals.count === 0 ? (
          <div class="notice">
            <h2>There is no trace of this user</h2>
            <p>Nothing was sent in that name, or it was removed.</p>
          </div>
        ) : (
          <>
            <dl class="figures">
              <Figure name="Requests" value={(isEstimate ? '≈ ' : '') + count(totals.count)} />
              <Figure name="Model calls" value={count(totals.llm_call_count)} />
              <Figure
                name="Tokens"
                value={count(totals.total_tokens)}
                note={`${count(totals.prompt_tokens)} → ${count(totals.completion_tokens)}`}
              />
              <Figure name="Cost" value={cost(totals.cost)} />
              <Figure name="Errors" value={count(totals.error_count)} bad={totals.error_count > 0} />
              <Figure
                name="Latency p50"
                value={duration(totals.latency?.p50)}
                note={`p95 ${duration(totals.latency?.p95)}`}
              />
            </dl>
            <OverTime series={found.series} />
            <Threads groups={found.threads} mine={mine} />
            <Models groups={found.models} mine={mine} />
            <Metadata traces={page.results} mine={mine} />
            <section class="part">
              <h2>
                Newest traces
                <More url={tracesUrl(mine)}>All {count(page.count)}</More>
              </h2>
              <NewestTraces traces={page.results} />
            </section>
          </>
        )}
      </div>
    </>
  );
}

function Figure({ name, value, note, bad = false }: { name: string; value: string; note?: string; bad?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={bad ? 'bad' : undefined}>
        {value}
        {note !== undefined && <small>{note}</small>}
      </dd>
    </div>
  );
}

function More({ url, children }: { url: string; children: ComponentChildren }) {
  return (
    <Link class="part-more" to={url}>
      {children} ›
    </Link>
  );
}

function OverTime({ series }: { series: Series }) {
  const bars = useMemo(() => barsOf(series), [series]);
  const first = bars[0];
  const last = bars.at(-1);
  if (!first || !last) return null;
  const total = bars.reduce((n, b) => n + b.count, 0);
  return (
    <section class="part">
      <h2>Over time</h2>
      <Spark
        bars={bars}
        step={series.bucket_seconds}
        label={`${plural(total, 'request')} from ${when(first.at, series.bucket_seconds)} to ${when(last.at, series.bucket_seconds)}`}
      />
      <p class="spark-ends mute mono">
        <span>{when(first.at, series.bucket_seconds)}</span>
        <span>each bar {duration(series.bucket_seconds)}</span>
      </p>
    </section>
  );
}

function Threads({ groups, mine }: { groups: Groups; mine: string }) {
  const rows = groups.groups.filter((g) => g.value !== null && !g.is_others);
  if (rows.length === 0) return null;
  return (
    <section class="part">
      <h2>
        Threads
        <More url={groupsUrl('/threads', mine, '')}>All</More>
      </h2>
      <ul class="last-threads">
        {rows.map((g) => {
          const url = threadUrl(g.value ?? '');
          return (
            <li key={g.value}>
              <Link to={url}>
                <bdi>{oneLine(g.value ?? '', 80)}</bdi>
              </Link>
              <LastMessage group={g} />
              <span class="mute mono">{plural(g.count, 'turn')}</span>
              <Seen time={g.last_time} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Models({ groups, mine }: { groups: Groups; mine: string }) {
  const rows = groups.groups.filter((g) => g.value !== null && !g.is_others);
  if (rows.length === 0) return null;
  return (
    <section class="part">
      <h2>Models</h2>
      <table class="small-table">
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Requests</th>
            <th scope="col">Tokens</th>
            <th scope="col">Cost</th>
            <th scope="col">Latency p50</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((g) => (
            <tr key={g.value}>
              <th scope="row" class="mono">
                <Linked token={`${mine} ${tokenFor('model', g.value ?? '')}`} text={g.value ?? ''} />
              </th>
              <td>{count(g.count)}</td>
              <td>{count(g.total_tokens)}</td>
              <td>{cost(g.cost)}</td>
              <td>{duration(g.latency?.p50)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The metadata of the newest traces, each value a link to the traces that share it. */
function Metadata({ traces, mine }: { traces: Trace[]; mine: string }) {
  const facts = useMemo(() => metadataOf(traces), [traces]);
  if (facts.length === 0) return null;
  return (
    <section class="part">
      <h2>Metadata</h2>
      <dl class="metadata">
        {facts.map(({ key, values, more }) => (
          <div key={key}>
            <dt>
              <bdi>{oneLine(key, 80)}</bdi>
            </dt>
            <dd>
              {values.map(([value, n]) => (
                <span key={value} class="chip mono">
                  <Linked token={`${mine} ${tokenFor(`metadata.${key}`, value)}`} text={value} />
                  <span class="mute"> {count(n)}</span>
                </span>
              ))}
              {more > 0 && <span class="mute">and {plural(more, 'more value', 'more values')}</span>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Linked({ token, text }: { token: string; text: string }) {
  const url = tracesUrl(token);
  return (
    <Link to={url} title="Traces with this value">
      <bdi>{oneLine(text, 80)}</bdi>
    </Link>
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
          onOpen={() => undefined}
        />
      ))}
    </div>
  );
}
