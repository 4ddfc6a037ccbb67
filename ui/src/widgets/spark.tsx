/** Bars over time, those that failed in the colour of errors. The text beside it says the same to those who do not see it. */
import type { Bar } from '../model/spark';
import { plural } from '../model/format';
import { go } from '../navigation';

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
  const slot = width / Math.max(bars.length, 24);
  const tall = (n: number): number => (n === 0 ? 0 : Math.max(2, (n / most) * height));
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${String(width)} ${String(height)}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {bars.map((bar, i) => {
        const x = i * slot;
        const title = `${when(bar.at, step)}: ${plural(bar.count, 'request')}${bar.errors > 0 ? `, ${String(bar.errors)} failed` : ''}`;
        return (
          <g
            key={bar.at}
            class={bar.count > 0 ? 'spark-leads' : undefined}
            onClick={() => {
              if (bar.count > 0) go(urlOf(bar));
            }}
          >
            <title>{title}</title>
            <rect class="spark-room" x={x} y={0} width={slot} height={height} />
            <rect class="spark-bar" x={x} y={height - tall(bar.count)} width={slot * 0.8} height={tall(bar.count)} />
            <rect class="spark-bad" x={x} y={height - tall(bar.errors)} width={slot * 0.8} height={tall(bar.errors)} />
          </g>
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
