/** The dashboard: what was asked, how much, how fast and at what price, over time and by group. All of its state is the address. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, type ApiError } from '../api/client';
import { getSums, type SumsAnswer } from '../api/sums';
import type { Session } from '../api/types';
import { usual } from '../model/columns';
import {
  bucketsOf,
  changeOf,
  chartOf,
  charts,
  counted,
  dashboardUrl,
  figuresOf,
  isBetterByHour,
  optionsOf,
  parseDashboard,
  seriesQuestion,
  totalsQuestion,
  windowBefore,
  windowOf,
  zoomed,
  type DashboardState,
} from '../model/dashboard';
import { parseInstant } from '../model/time';
import { mayChange } from '../model/role';
import { ofPage, toOpen, viewUrl } from '../model/views';
import { go } from '../navigation';
import { usePolling } from '../widgets/hooks';
import { useSavedViews } from '../widgets/saved-views';
import { Banner } from '../widgets/wrong';
import '../style/dashboard.css';
import { DashboardBar } from './dashboard-bar';
import { DashboardChart, say } from './dashboard-chart';
import { NoTraces } from './notices';
import { ViewsMenu } from './views-menu';

const refreshEvery = 20_000;

interface Answers {
  of: DashboardState;
  series: SumsAnswer;
  before: SumsAnswer | null;
}

async function ask(state: DashboardState, signal: AbortSignal): Promise<Answers> {
  const window = windowOf(state, Date.now() / 1000);
  const earlier = windowBefore(window);
  const [first, before] = await Promise.all([
    getSums('series', seriesQuestion(state, window, 'auto'), signal),
    earlier === null ? null : getSums('totals', totalsQuestion(state, earlier), signal),
  ]);
  const series = isBetterByHour(first) ? await getSums('series', seriesQuestion(state, window, 'hour'), signal) : first;
  return { of: state, series, before };
}

interface Props {
  search: string;
  session: Session | null;
  onFailure: (error: ApiError) => void;
}

export function Dashboard({ search, session, onFailure }: Props) {
  const state = useMemo(() => parseDashboard(search), [search]);
  const [answers, setAnswers] = useState<Answers | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const [again, setAgain] = useState(0);
  // What only changes how the answer is drawn asks nothing.
  const asked = JSON.stringify([state.of, state.q, state.range, state.from, state.to, state.by]);
  const latest = useRef(state);
  latest.current = state;

  useEffect(() => {
    document.title = 'Dashboard · respan';
  }, []);
  useEffect(() => {
    const abort = new AbortController();
    ask(latest.current, abort.signal).then(
      (got) => {
        setAnswers(got);
        setError(null);
      },
      (reason: unknown) => {
        if (isAbort(reason)) return;
        const apiError = asApiError(reason);
        setError(apiError);
        onFailure(apiError);
      },
    );
    return () => {
      abort.abort();
    };
  }, [asked, again, onFailure]);
  usePolling(refreshEvery, state.range !== null || error !== null, () => {
    setAgain((n) => n + 1);
  });

  const change = (to: Partial<DashboardState>, how: 'push' | 'replace' = 'push'): void => {
    go(dashboardUrl({ ...latest.current, ...to }), how);
  };
  const [saved, setSaved] = useSavedViews();
  const views = useMemo(
    () => ofPage(saved ?? [], 'dashboard').map((v) => ({ ...v, options: optionsOf(parseDashboard(`?${v.options}`)) })),
    [saved],
  );
  const opened = views.find(({ id }) => String(id) === state.saved) ?? null;
  const begun = useRef(false);
  useEffect(() => {
    if (saved === null) return;
    const wanted = toOpen(location.search, views, opened, begun.current);
    begun.current = true;
    if (wanted) go(viewUrl(wanted), 'replace');
  }, [saved, state.saved]);
  // Of the filter: what else the address says wrongly is not the bar's.
  const refused = error?.failure === 'refused' && error.field !== 'group_by' ? error.message : null;

  return (
    <>
      <h1 class="unseen">Dashboard</h1>
      <DashboardBar state={state} error={refused} onChange={change}>
        <ViewsMenu
          page="dashboard"
          views={views}
          opened={opened}
          shown={{
            q: state.q,
            from: state.from ?? '',
            to: state.to ?? '',
            sort: '',
            options: optionsOf(state),
            columns: usual,
          }}
          mayChange={mayChange(session)}
          onViews={setSaved}
          onOpen={go}
          onSaved={() => undefined}
        />
      </DashboardBar>
      {error && refused === null && <Banner error={error} />}
      {/* A part that scrolls has to be reached by keys. */}
      <div id="charts" class="dashboard" tabIndex={0} role="region" aria-label="Charts" aria-busy={answers === null}>
        {answers && (
          <Body
            answers={answers}
            state={{ ...state, of: answers.of.of, by: answers.of.by, q: answers.of.q }}
            at={at}
            onHover={setAt}
            onChange={change}
          />
        )}
      </div>
    </>
  );
}

interface BodyProps {
  answers: Answers;
  state: DashboardState;
  at: number | null;
  onHover: (bucket: number | null) => void;
  onChange: (to: Partial<DashboardState>, how?: 'push' | 'replace') => void;
}

function Body({ answers, state, at, onHover, onChange }: BodyProps) {
  const { series, before } = answers;
  const buckets = useMemo(() => bucketsOf(series), [series]);
  const drawn = useMemo(
    () => charts.map((kind) => chartOf(kind, series, state, buckets)),
    [series, buckets, state.by, JSON.stringify(state.shown)],
  );
  const seconds = series.bucket_seconds ?? 1;
  if (series.totals.count === 0) return <Empty state={state} onChange={onChange} />;
  return (
    <>
      <dl class="figures">
        {figuresOf(series.totals, before?.totals ?? null, state.of).map((figure) => {
          const moved = changeOf(figure);
          return (
            <div key={figure.label}>
              <dt>{figure.label}</dt>
              <dd
                class="mono"
                title={
                  figure.unit === 'cost' && figure.value === null
                    ? 'No call has a price, or all prices are 0'
                    : undefined
                }
              >
                {say(figure.value, figure.unit)}
              </dd>
              <dd class="change" title={`before: ${say(figure.before, figure.unit)}`}>
                {moved ?? ' '}
              </dd>
            </div>
          );
        })}
      </dl>
      <div class="charts">
        {drawn.map((chart) => (
          <DashboardChart
            key={chart.kind.id}
            chart={chart}
            state={state}
            buckets={buckets}
            seconds={seconds}
            start={buckets[0] ?? 0}
            end={(buckets[buckets.length - 1] ?? 0) + seconds}
            at={at}
            onHover={onHover}
            onIsolate={(only) => {
              onChange({ only }, 'replace');
            }}
            onMeasure={(id) => {
              onChange({ shown: { ...state.shown, [chart.kind.id]: id } }, 'replace');
            }}
            onZoom={(start, end) => {
              onChange(zoomed(state, start, end));
            }}
          />
        ))}
      </div>
      <p class="method mute">
        Each point is {lengthOf(seconds)}
        {before === null ? '' : '; changes are against as long a time right before'}. Percentiles are read from
        histograms whose ranges grow with the values, which add up over hours and groups: at most 3.2 % off a value that
        was measured.
        {series.is_estimate || before?.is_estimate
          ? ' These figures are estimates from an even sample of what fits.'
          : ''}
        {parseInstant(series.end_time).sec > Date.now() / 1000 - seconds ? ' The last point is not yet complete.' : ''}
      </p>
    </>
  );
}

function lengthOf(seconds: number): string {
  const units: [number, string][] = [
    [86400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ];
  const [size, name] = units.find(([n]) => seconds % n === 0) ?? [1, 'second'];
  const n = seconds / size;
  return n === 1 ? `one ${name}` : `${String(n)} ${name}s`;
}

function Empty({ state, onChange }: { state: DashboardState; onChange: BodyProps['onChange'] }) {
  const noun = counted.find(({ id }) => id === state.of)?.noun ?? 'trace';
  if (state.range === 'all' && state.q === '' && state.of !== 'calls')
    return <NoTraces mayMakeKeys={false} waits={false} />;
  return (
    <div class="notice">
      <h2>No {noun} here</h2>
      <p>Nothing in this time fits{state.q === '' ? '' : ' the filter'}. Figures appear as soon as something does.</p>
      <p class="mute">
        {state.range !== 'all' && (
          <button
            type="button"
            class="button"
            onClick={() => {
              onChange({ range: 'all', from: null, to: null });
            }}
          >
            Look at all times
          </button>
        )}{' '}
        {state.q !== '' && (
          <button
            type="button"
            class="button"
            onClick={() => {
              onChange({ q: '' });
            }}
          >
            Clear the filter
          </button>
        )}{' '}
        {state.of !== 'traces' && (
          <button
            type="button"
            class="button"
            onClick={() => {
              onChange({ of: 'traces' });
            }}
          >
            Count traces
          </button>
        )}
      </p>
    </div>
  );
}
