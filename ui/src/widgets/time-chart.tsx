/** Lines over time on a canvas (uPlot): drag to zoom, click a point to open it. What it draws is in a table beside it, too. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line {
  key: string;
  label: string;
  /** A custom property of tokens.css. */
  colour: string;
  dash: number[];
  /** Named scales have an axis each: the first on the left, the second on the right. */
  scale: string;
  values: (number | null)[];
  isBar: boolean;
}

interface Props {
  label: string;
  /** Middles of the buckets, Unix seconds. */
  times: number[];
  start: number;
  end: number;
  lines: Line[];
  format: (value: number, scale: string) => string;
  onPoint: (bucket: number, line: string) => void;
  onHover: (bucket: number | null) => void;
  onZoom: (start: number, end: number) => void;
}

const dragFrom = 6;
/** Where a drag has begun: charts that go along are told of it, too. */
let pressed: uPlot | null = null;

/** The colour as the canvas takes it: light-dark() is for style sheets alone. */
function resolve(token: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

const two = (n: number): string => String(n).padStart(2, '0');
const month = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

function tick(seconds: number, step: number): string {
  const at = new Date(seconds * 1000);
  if (step >= 86400 || (at.getHours() === 0 && at.getMinutes() === 0 && at.getSeconds() === 0)) return month.format(at);
  return `${two(at.getHours())}:${two(at.getMinutes())}${step < 60 ? `:${two(at.getSeconds())}` : ''}`;
}

function options(props: { current: Props }, { clientWidth: width, clientHeight: height }: Element): uPlot.Options {
  const { lines } = props.current;
  const scales = [...new Set(lines.map(({ scale }) => scale))];
  const ink = resolve('--ink-3');
  const grid = resolve('--line');
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: ink, font, ticks: { show: false }, grid: { stroke: grid, width: 1 } };
  return {
    width,
    height,
    legend: { show: false },
    cursor: {
      sync: { key: 'dashboard' },
      drag: { x: true, y: false, dist: dragFrom, setScale: false },
      points: { size: 7 },
    },
    scales: {
      x: { range: () => [props.current.start, props.current.end] },
      ...Object.fromEntries(
        scales.map((scale) => [
          scale,
          {
            range: (_: uPlot, _min: number | null, max: number | null): uPlot.Range.MinMax => [
              0,
              (max ?? 0) > 0 ? (max ?? 1) * 1.08 : 1,
            ],
          },
        ]),
      ),
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 24,
        space: 70,
        values: (_, splits, _at, _space, step) => splits.map((s) => tick(s, step)),
      },
      ...scales.map((scale, i) => ({
        ...axis,
        scale,
        side: i === 0 ? (3 as const) : (1 as const),
        grid: i === 0 ? axis.grid : { show: false },
        size: 58,
        space: 34,
        values: (_: uPlot, splits: number[]) => splits.map((v) => props.current.format(v, scale)),
      })),
    ],
    series: [
      {},
      ...lines.map((line) => {
        const colour = resolve(line.colour);
        const bars = line.isBar ? uPlot.paths.bars?.({ size: [0.82, 40] }) : undefined;
        return {
          label: line.label,
          scale: line.scale,
          stroke: colour,
          width: line.isBar ? 0 : 1.6,
          dash: line.dash,
          ...(bars
            ? { paths: bars, fill: colour, points: { show: false } }
            : { points: { size: 5, fill: colour, filter: alone } }),
        };
      }),
    ],
    hooks: {
      setCursor: [
        (u) => {
          props.current.onHover(u.cursor.left !== undefined && u.cursor.left >= 0 ? (u.cursor.idx ?? null) : null);
        },
      ],
      setSelect: [
        (u) => {
          const { left, width: drawn } = u.select;
          if (drawn < dragFrom) return;
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          if (pressed === u) props.current.onZoom(u.posToVal(left, 'x'), u.posToVal(left + drawn, 'x'));
        },
      ],
    },
  };
}

/** Values without a neighbour, of which a line shows nothing. */
function alone(u: uPlot, series: number): number[] {
  const values = u.data[series] ?? [];
  const isKnown = (i: number): boolean => values[i] !== null && values[i] !== undefined;
  return Array.from(values, (_, i) => i).filter((i) => isKnown(i) && !isKnown(i - 1) && !isKnown(i + 1));
}

/** Of the lines in a bucket, the one that is nearest to where the pointer is. */
function nearest(u: uPlot, lines: Line[], bucket: number): Line | null {
  const top = u.cursor.top ?? 0;
  let best: Line | null = null;
  let least = Infinity;
  for (const line of lines) {
    const value = line.values[bucket];
    if (value === null || value === undefined) continue;
    const away = Math.abs(u.valToPos(value, line.scale) - top);
    if (away < least) [best, least] = [line, away];
  }
  return best;
}

export function TimeChart(now: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const props = useRef(now);
  props.current = now;
  const data = (): uPlot.AlignedData => [props.current.times, ...props.current.lines.map(({ values }) => values)];
  const looks = JSON.stringify(now.lines.map(({ key, colour, scale, dash }) => [key, colour, scale, dash]));

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const make = (): void => {
      plot.current?.destroy();
      const u = new uPlot(options(props, element), data(), element);
      plot.current = u;
      let from = 0;
      u.over.addEventListener('mousedown', (event) => {
        from = event.clientX;
        pressed = u;
      });
      u.over.addEventListener('click', (event) => {
        const { lines, onPoint } = props.current;
        const bucket = u.cursor.idx;
        if (Math.abs(event.clientX - from) >= dragFrom || bucket === null || bucket === undefined) return;
        const line = nearest(u, lines, bucket);
        if (line) onPoint(bucket, line.key);
      });
    };
    make();
    // The canvas has to be told of what style sheets see by themselves: width, and light or dark.
    const resized = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    resized.observe(element);
    const themed = new MutationObserver(make);
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', make);
    return () => {
      resized.disconnect();
      themed.disconnect();
      dark.removeEventListener('change', make);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [looks]);

  useLayoutEffect(() => {
    plot.current?.setData(data());
  }, [now.times, now.lines, now.start, now.end]);

  return <div ref={box} class="plot" role="img" aria-label={now.label} />;
}
