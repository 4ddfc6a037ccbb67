/** Bars over time, those that failed in the colour of errors. Tab comes to one of them, arrows go to the others. */
import { useState } from 'preact/hooks';
import type { Bar } from '../model/spark';
import { plural } from '../model/format';
import { Link } from './link';

const width = 600;
const height = 44;

interface Props {
  bars: Bar[];
  step: number;
  label: string;
  /** The traces behind a bar. */
  urlOf: (bar: Bar) => string;
}

export function Spark({ bars, step, label, urlOf }: Props) {
  const most = Math.max(1, ...bars.map((b) => b.count));
  const slot = width / bars.length;
  const leads = bars.filter((b) => b.count > 0);
  const [chosen, setChosen] = useState<number | null>(null);
  const stop = leads.find((b) => b.at === chosen) ?? leads.at(-1);
  const tall = (n: number): number => (n === 0 ? 0 : Math.max(2, (n / most) * height));
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${String(width)} ${String(height)}`}
      preserveAspectRatio="none"
      role="group"
      aria-label={label}
      onKeyDown={(event) => {
        const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
        const links = [...event.currentTarget.querySelectorAll('a')];
        const to = step === 0 ? undefined : links[links.findIndex((a) => a === event.target) + step];
        if (!to) return;
        event.preventDefault();
        to.focus();
      }}
      onFocusIn={(event) => {
        const links = [...event.currentTarget.querySelectorAll('a')];
        setChosen(leads[links.findIndex((a) => a === event.target)]?.at ?? null);
      }}
    >
      {bars.map((bar, i) => {
        const x = i * slot;
        const title = `${when(bar.at, step)}: ${plural(bar.count, 'request')}${bar.errors > 0 ? `, ${String(bar.errors)} failed` : ''}`;
        const shapes = (
          <>
            <title>{title}</title>
            <rect class="spark-room" x={x} y={0} width={slot} height={height} />
            <rect class="spark-bar" x={x} y={height - tall(bar.count)} width={slot * 0.8} height={tall(bar.count)} />
            <rect class="spark-bad" x={x} y={height - tall(bar.errors)} width={slot * 0.8} height={tall(bar.errors)} />
          </>
        );
        return bar.count > 0 ? (
          <Link key={bar.at} class="spark-leads" to={urlOf(bar)} tabIndex={bar === stop ? 0 : -1}>
            {shapes}
          </Link>
        ) : (
          <g key={bar.at}>{shapes}</g>
        );
      })}
    </svg>
  );
}

export function when(seconds: number, step: number): string {
  const at = new Date(seconds * 1000);
  const day = at.toLocaleDateString('en-GB', { day: '2-digit', month: 'short' });
  return step >= 86_400 ? day : `${day} ${at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })}`;
}
