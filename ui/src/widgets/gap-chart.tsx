/** The pauses between a generation's tokens, a bar each; point at one to read it. */
import { useMemo, useState } from 'preact/hooks';
import { count, duration, plural } from '../model/format';
import { barSlots, gapBars, type Gaps } from '../model/generation';

const width = 1024;
const height = 36;

export function GapChart({ gaps }: { gaps: Gaps }) {
  const bars = useMemo(() => gapBars(gaps, width, height), [gaps]);
  const [at, setAt] = useState<number | null>(null);
  const n = gaps.values.length;
  const slots = barSlots(gaps);
  const pointed = at === null ? undefined : gaps.values[at];
  const tokens = (i: number): string => {
    const from = i * gaps.perValue + 2;
    return gaps.perValue === 1 ? count(from) : `${count(from)} to ${count(from + gaps.perValue - 1)}`;
  };
  return (
    <figure class="gaps">
      <figcaption>
        <span>
          {gaps.perValue === 1 ? 'between tokens' : `between tokens, each bar the mean of ${count(gaps.perValue)}`}
        </span>
        <span class="mono">
          {at === null || pointed === undefined
            ? `longest ${duration(gaps.longest)}`
            : `token ${tokens(at)}: ${duration(pointed)}`}
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 ${String(width)} ${String(height)}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${plural(n, 'pause')} between tokens, the median ${duration(gaps.median)}, the longest ${duration(gaps.longest)}`}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const i = Math.floor(((event.clientX - box.left) / box.width) * slots);
          setAt(i >= 0 && i < n ? i : null);
        }}
        onPointerLeave={() => {
          setAt(null);
        }}
      >
        {at !== null && <rect class="pointed" x={(at * width) / slots} y={0} width={width / slots} height={height} />}
        <path class="ordinary" d={bars.ordinary} />
        <path class="stall" d={bars.stalls} />
      </svg>
    </figure>
  );
}
