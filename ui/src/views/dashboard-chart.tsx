/** One chart: its lines, a legend that isolates, and the same values as a table. */
import { useMemo, useState } from 'preact/hooks';
import { tracesBehind, visible, type Chart, type DashboardState, type Series, type Unit } from '../model/dashboard';
import * as format from '../model/format';
import { go } from '../navigation';
import { Link } from '../widgets/link';
import { TimeChart, type Line } from '../widgets/time-chart';

interface Props {
  chart: Chart;
  state: DashboardState;
  buckets: number[];
  seconds: number;
  start: number;
  end: number;
  /** The bucket that the pointer is in, on any chart. */
  at: number | null;
  onHover: (bucket: number | null) => void;
  onIsolate: (key: string | null) => void;
  onMeasure: (id: string) => void;
  onZoom: (start: number, end: number) => void;
}

export function say(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined) return format.unknown;
  switch (unit) {
    case 'count':
      return format.count(value);
    case 'share':
      return `${(value * 100).toFixed(value > 0 && value < 0.1 ? 1 : 0)} %`;
    case 'cost':
      return format.cost(value);
    case 'seconds':
      return format.duration(value);
    case 'rate':
      return format.rate(value);
  }
}

/** Shorter, for an axis. */
const compact = new Intl.NumberFormat('en-GB', { notation: 'compact', maximumSignificantDigits: 3 });
function onAxis(value: number, unit: string): string {
  if (unit === 'count' || unit === 'rate') return compact.format(value);
  if (unit === 'seconds' && value >= 60) return `${compact.format(value)} s`;
  return say(value, unit as Unit);
}

/** Lines are told apart by their dashes too: of measures by rank, of groups past the fourth. */
const dashes: number[][] = [[], [6, 3], [2, 3], [8, 3, 2, 3]];
function dashOf(s: Series, isGrouped: boolean): number[] {
  if (s.colour === 0) return [2, 4];
  return dashes[isGrouped ? Math.floor((s.colour - 1) / 4) : (s.colour - 1) % dashes.length] ?? [];
}
export const colourOf = (s: Series): string => (s.colour === 0 ? '--series-other' : `--series-${String(s.colour)}`);

function lineOf(s: Series, isGrouped: boolean): Line {
  const failed = s.key === 'errors';
  return {
    key: s.key,
    label: s.label,
    colour: failed && !isGrouped ? '--err' : colourOf(s),
    dash: dashOf(s, isGrouped),
    scale: s.unit,
    values: s.values,
    isBar: !isGrouped && ['count', 'errors', 'cost'].includes(s.key),
  };
}

export function DashboardChart(props: Props) {
  const { chart, state, buckets, seconds, at, onIsolate } = props;
  const { kind, measure, series } = chart;
  const isGrouped = measure !== null;
  const shown = useMemo(() => visible(series, state.only), [series, state.only]);
  const lines = useMemo(() => shown.map((s) => lineOf(s, isGrouped)), [shown, isGrouped]);
  const times = useMemo(() => buckets.map((b) => b + seconds / 2), [buckets, seconds]);
  const behind = (bucket: number, s: Series | undefined): string =>
    tracesBehind(state, s?.group ?? null, kind, buckets[bucket] ?? 0, seconds);
  const title = kind.title + (isGrouped && kind.measures.length > 1 ? `, ${measure.label}` : '');
  const isEmpty = series.length === 0;

  return (
    <section class="chart" aria-label={title}>
      <header>
        <h2>{kind.title}</h2>
        {isGrouped && kind.measures.length > 1 && (
          <span class="choices" role="group" aria-label={`Measure of ${kind.title}`}>
            {kind.measures.map((m) => (
              <button
                key={m.id}
                type="button"
                aria-pressed={m.id === measure.id}
                onClick={() => {
                  props.onMeasure(m.id);
                }}
              >
                {m.label}
              </button>
            ))}
          </span>
        )}
      </header>
      {isEmpty ? (
        <p class="no-values mute">Nothing that is sent says it.</p>
      ) : (
        <TimeChart
          label={`${title} over time. The values are in the table below.`}
          times={times}
          start={props.start}
          end={props.end}
          lines={lines}
          format={onAxis}
          onPoint={(bucket, key) => {
            go(
              behind(
                bucket,
                shown.find((s) => s.key === key),
              ),
            );
          }}
          onHover={props.onHover}
          onZoom={props.onZoom}
        />
      )}
      <ul class="legend" aria-label={`Series of ${kind.title}`}>
        {series.map((s) => {
          const line = lineOf(s, isGrouped);
          const alone = state.only === s.key;
          const hidden = !shown.includes(s);
          return (
            <li key={s.key}>
              <button
                type="button"
                class={hidden ? 'off' : undefined}
                aria-pressed={alone}
                title={alone ? 'Show all' : `Show ${s.label} alone`}
                onClick={() => {
                  onIsolate(alone ? null : s.key);
                }}
              >
                <svg viewBox="0 0 16 8" width="16" height="8" aria-hidden="true">
                  <line
                    x1="0"
                    y1="4"
                    x2="16"
                    y2="4"
                    stroke={`var(${line.colour})`}
                    stroke-width={line.isBar ? 8 : 2.5}
                    stroke-dasharray={line.dash.join(' ')}
                  />
                </svg>
                <bdi>{s.label}</bdi>
                <span class="mono">{say(at === null ? s.total : s.values[at], s.unit)}</span>
              </button>
            </li>
          );
        })}
      </ul>
      {!isEmpty && (
        <Values
          title={title}
          series={shown}
          buckets={buckets}
          seconds={seconds}
          href={(bucket, s) => behind(bucket, s)}
        />
      )}
    </section>
  );
}

interface ValuesProps {
  title: string;
  series: Series[];
  buckets: number[];
  seconds: number;
  href: (bucket: number, s: Series | undefined) => string;
}

const when = new Intl.DateTimeFormat('en-GB', {
  day: '2-digit',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

function Values({ title, series, buckets, href }: ValuesProps) {
  const [open, setOpen] = useState(false);
  const known = buckets.map((_, i) => i).filter((i) => series.some((s) => s.values[i]));
  return (
    <details
      class="values"
      onToggle={(event) => {
        setOpen(event.currentTarget.open);
      }}
    >
      <summary aria-label={`Values of ${title}`}>values</summary>
      {open && (
        // A part that scrolls has to be reached by keys.
        <div class="values-box" tabIndex={0} role="region" aria-label={`Table of ${title}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">from</th>
                {series.map((s) => (
                  <th key={s.key} scope="col" class="end">
                    {s.label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody class="mono">
              {known.map((i) => (
                <tr key={buckets[i]}>
                  <th scope="row">{when.format((buckets[i] ?? 0) * 1000)}</th>
                  {series.map((s) => {
                    const to = href(i, s);
                    return (
                      <td key={s.key} class="end">
                        {s.values[i] ? <Link to={to}>{say(s.values[i], s.unit)}</Link> : say(s.values[i], s.unit)}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
