/** A look at a trace of the list: what was asked, what came of it, what failed, and its first steps. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { getTree } from '../api/endpoints';
import type { Trace } from '../api/types';
import { newPreview } from '../model/content';
import { clock, count, duration } from '../model/format';
import { traceLabel } from '../model/name';
import { figuresOf, hasSteps, placeOf, stepsOf, type Step } from '../model/peek';
import { cut, oneLine, visible } from '../model/text';
import { Mark } from '../widgets/mark';
import type { Peeked } from '../widgets/peek';
import '../style/peek.css';

const mostText = 700;

export function TracePeek({ trace, at }: { trace: Trace; at: Peeked }) {
  const box = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<{ left: number; top: number } | null>(null);
  const [tree, setTree] = useState<{ steps: Step[]; more: number } | null>(null);
  const id = trace.trace_unique_id;
  useEffect(() => {
    setTree(null);
    if (!hasSteps(trace)) return;
    const abort = new AbortController();
    getTree(id, abort.signal).then(
      ({ spans }) => {
        setTree(stepsOf(spans));
      },
      () => undefined,
    );
    return () => {
      abort.abort();
    };
  }, [id, trace.span_count]);
  useLayoutEffect(() => {
    const size = box.current?.getBoundingClientRect();
    if (size) setPlace(placeOf(at.row, size, { width: innerWidth, height: innerHeight }));
  }, [at, tree, trace]);
  const output = trace.output === null ? null : newPreview(trace.input ?? '', trace.output);
  return (
    <div
      ref={box}
      id="peek"
      class={place === null ? 'peek unplaced' : 'peek'}
      role="tooltip"
      aria-label={`Preview of ${oneLine(traceLabel(trace)) || 'unnamed'}`}
      style={place === null ? undefined : { left: `${String(place.left)}px`, top: `${String(place.top)}px` }}
    >
      <p class="peek-head">
        <Mark logType={trace.log_type} />
        <b>
          <bdi>{oneLine(traceLabel(trace)) || 'unnamed'}</bdi>
        </b>
        <span class="mute mono">{clock(trace.start_time)}</span>
      </p>
      <p class="mute mono">{figuresOf(trace)}</p>
      {trace.error_message && <Text title="Error" text={trace.error_message} look="bad" />}
      {trace.input && <Text title="Input" text={trace.input} />}
      {output && <Text title="Output" text={output} />}
      {hasSteps(trace) && (
        <ol class={tree === null ? 'pending' : undefined}>
          {tree?.steps.map((step) => (
            <li key={step.id} class={step.failed ? 'failed' : undefined} style={{ '--depth': String(step.depth) }}>
              <Mark logType={step.logType} />
              <bdi>{oneLine(step.name, 80)}</bdi>
              <span class="mute mono">{duration(step.latency)}</span>
            </li>
          ))}
          {tree !== null && tree.more > 0 && <li class="mute">{count(tree.more)} more</li>}
        </ol>
      )}
    </div>
  );
}

function Text({ title, text, look = '' }: { title: string; text: string; look?: string }) {
  return (
    <div class="peek-text">
      <span class="mute">{title}</span>
      <bdi class={look}>{visible(cut(text, mostText))}</bdi>
    </div>
  );
}
