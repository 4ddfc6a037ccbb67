/** Traces over time above their list: how many, how many failed, how long they took. A drag narrows the window. */
import { useRef, useState } from 'preact/hooks';
import { getStrip } from '../api/traces';
import { clockRange, count, duration } from '../model/format';
import { iso, isSliding, widened } from '../model/range';
import type { ListQuery } from '../model/route';
import { barsOf, bucketAt, draggedWindow, linesOf, stripOf, timeAt, type Strip } from '../model/strip';
import { useAsking, usePolling } from '../widgets/hooks';

interface Props {
  list: ListQuery;
  /** How often the live feed told something; null: it does not tell. */
  told: number | null;
  onChange: (from: string, to: string) => void;
}

const again = 5000;
const points = 120;
const least = 4; // pixels that a drag has

export function TimeStrip({ list, told, onChange }: Props) {
  const [strip, setStrip] = useState<Strip | null>(null);
  /** Shares of the width: the other end of what is chosen, and where the pointer or the keys are. */
  const [anchor, setAnchor] = useState<number | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const box = useRef<HTMLDivElement>(null);

  const load = (signal: AbortSignal): void => {
    // A filter that is refused keeps what was drawn.
    getStrip(list, points, signal).then(
      (answer) => {
        setStrip(stripOf(answer));
      },
      () => undefined,
    );
  };
  useAsking(load, [list.q, list.from, list.to]);
  const drawn = useRef(told);
  usePolling(again, list.to === '' && anchor === null, () => {
    // What has not changed is asked for only where time itself moves the window.
    if (told !== null && told === drawn.current && !isSliding(list.from, list.to)) return;
    drawn.current = told;
    load(AbortSignal.timeout(20_000));
  });

  const shareOf = (event: PointerEvent): number => {
    const rect = box.current?.getBoundingClientRect();
    return rect && rect.width > 0 ? Math.min(1, Math.max(0, (event.clientX - rect.left) / rect.width)) : 0;
  };
  const narrow = (a: number, b: number): void => {
    setAnchor(null);
    if (!strip) return;
    const { from, to } = draggedWindow(strip, a, b);
    if (to > from) onChange(iso(from), iso(to));
  };
  const widen = (): void => {
    setAnchor(null);
    if (!strip || (list.from === '' && list.to === '')) return;
    const wide = widened(strip.start, strip.end, Date.now());
    onChange(wide.from, wide.to);
  };
  const pressed = (event: KeyboardEvent): void => {
    if (!strip) return;
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    const one = strip.width / (strip.end - strip.start);
    if (step !== 0) {
      const was = at ?? (step > 0 ? -one / 2 : 1 + one / 2);
      if (event.shiftKey && anchor === null) setAnchor(Math.floor(was / one) * one + (step > 0 ? 0 : one));
      if (!event.shiftKey) setAnchor(null);
      setAt(Math.min(1 - one / 2, Math.max(one / 2, was + step * one)));
    } else if (event.key === 'Enter' && at !== null) {
      const start = Math.floor(at / one) * one;
      if (anchor === null) narrow(start, start + one);
      else narrow(anchor, at > anchor ? start + one : start);
    } else if (event.key === 'Escape') {
      if (anchor !== null) setAnchor(null);
      else widen();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const bars = strip ? barsOf(strip) : [];
  const here = strip && at !== null ? bucketAt(strip, at) : null;
  const chosen = anchor !== null && at !== null ? [Math.min(anchor, at), Math.max(anchor, at)] : null;
  return (
    <div
      ref={box}
      class="strip"
      role="application"
      aria-label="Traces over time. Arrows move, with Shift they choose, Enter narrows the window, Escape widens it"
      aria-describedby="strip-says"
      tabIndex={0}
      title="Drag to narrow the window, double click to widen it"
      onPointerDown={(event) => {
        if (event.button !== 0 || !strip) return;
        box.current?.setPointerCapture(event.pointerId);
        setAnchor(shareOf(event));
        setAt(shareOf(event));
      }}
      onPointerMove={(event) => {
        setAt(shareOf(event));
      }}
      onPointerUp={(event) => {
        const width = box.current?.clientWidth ?? 0;
        const b = shareOf(event);
        if (anchor !== null && Math.abs(b - anchor) * width >= least) narrow(anchor, b);
        else setAnchor(null);
      }}
      onPointerCancel={() => {
        setAnchor(null);
      }}
      onPointerLeave={() => {
        if (anchor === null) setAt(null);
      }}
      onBlur={() => {
        setAnchor(null);
        setAt(null);
      }}
      onDblClick={widen}
      onKeyDown={pressed}
    >
      <svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">
        {bars.map(({ x, width, all, failed, bucket }) => (
          <g key={bucket.at}>
            <rect
              class={bucket === here ? 'made here' : 'made'}
              x={x * 1000}
              width={Math.max(1, width * 860)}
              y={100 - all * 100}
              height={all * 100}
            />
            {bucket.errors > 0 && (
              <rect
                class="made failed"
                x={x * 1000}
                width={Math.max(1, width * 860)}
                y={100 - Math.max(6, failed * 100)}
                height={Math.max(6, failed * 100)}
              />
            )}
          </g>
        ))}
        {strip &&
          (['p99', 'p50'] as const).map((which) =>
            linesOf(strip, which).map((piece) => (
              <polyline
                key={`${which} ${String(piece[0]?.x)}`}
                class={which}
                points={piece.map(({ x, y }) => `${(x * 1000).toFixed(1)},${(97 - y * 92).toFixed(1)}`).join(' ')}
              />
            )),
          )}
      </svg>
      {chosen && (
        <i
          class="chosen"
          style={{
            left: `${String((chosen[0] ?? 0) * 100)}%`,
            width: `${String(((chosen[1] ?? 0) - (chosen[0] ?? 0)) * 100)}%`,
          }}
        />
      )}
      <p id="strip-says" class="strip-says mono" aria-live="polite">
        {strip &&
          (at !== null ? (
            <>
              {bucketSays(strip, at)}
              {' · '}
              {strip.isEstimate ? '~' : ''}
              {count(here?.count ?? 0)}
              {here && here.errors > 0 && <span class="bad"> {count(here.errors)} failed</span>}
              {here && here.p50 !== null && ` · p50 ${duration(here.p50)} p99 ${duration(here.p99)}`}
            </>
          ) : (
            clockRange(strip.start, strip.end)
          ))}
      </p>
    </div>
  );
}

/** When the bucket there begins and ends. */
function bucketSays(strip: Strip, at: number): string {
  const one = strip.width / (strip.end - strip.start);
  const start = Math.round(timeAt(strip, Math.min(Math.floor(at / one), Math.round(1 / one) - 1) * one));
  return clockRange(start, start + strip.width);
}
