/** Two traces side by side: what differs in their trees, and in the span of each that is looked at. */
import '../style/compare.css';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, type ApiError } from '../api/client';
import { getSpan, getTree } from '../api/endpoints';
import type { Span, TraceFacts } from '../api/types';
import {
  change,
  type Difference,
  type End,
  endText,
  firstPair,
  modelDifferences,
  type Pair,
  pairTrees,
  parameterDifferences,
  parseEnd,
  differences,
  textOf,
} from '../model/compare';
import { diffWords, type Piece } from '../model/diff';
import { clock, cost, count, duration, rate } from '../model/format';
import { spanLabel, traceLabel } from '../model/name';
import { compareUrl, traceUrl } from '../model/route';
import { oneLine, visible } from '../model/text';
import { Tree } from '../model/tree';
import { go } from '../navigation';
import { Link } from '../widgets/link';
import { Mark } from '../widgets/mark';
import { useRoving } from '../widgets/roving';
import { VirtualRows } from '../widgets/virtual';
import { Failed } from '../widgets/wrong';

interface Props {
  a: string;
  b: string;
  onFailure: (error: ApiError) => void;
}

/** What a question brings, or why it does not; null while it is on its way. */
function useAnswer<T>(ask: (signal: AbortSignal) => Promise<T>, keys: unknown[], onFailure: (e: ApiError) => void) {
  const [answer, setAnswer] = useState<T | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    ask(abort.signal).then(
      (value) => {
        setAnswer(value);
        setError(null);
      },
      (reason: unknown) => {
        if (isAbort(reason)) return;
        setError(asApiError(reason));
        onFailure(asApiError(reason));
      },
    );
    return () => {
      abort.abort();
    };
  }, keys);
  return { answer, error };
}

export function CompareView({ a, b, onFailure }: Props) {
  const ends = [parseEnd(a), parseEnd(b)] as const;
  useEffect(() => {
    document.title = 'Compare · respan';
  }, []);
  if (!ends[0] || !ends[1]) return <HowTo />;
  return <Comparison a={ends[0]} b={ends[1]} onFailure={onFailure} />;
}

function HowTo() {
  return (
    <div class="notice">
      <h2>Two traces are compared here</h2>
      <p>
        In the list, press <kbd>x</kbd> on two of them, then <kbd>=</kbd>.
      </p>
    </div>
  );
}

function Comparison({ a, b, onFailure }: { a: End; b: End; onFailure: (error: ApiError) => void }) {
  const { answer, error } = useAnswer(
    (signal) => Promise.all([getTree(a.trace, signal), getTree(b.trace, signal)]),
    [a.trace, b.trace],
    onFailure,
  );
  const pairs = useMemo(
    () => (answer ? pairTrees(new Tree(answer[0].spans), new Tree(answer[1].spans)) : []),
    [answer],
  );
  const first = useMemo(() => firstPair(pairs), [pairs]);
  if (error) return <Failed error={error} what="trace" />;
  if (!answer) return <div class="notice" aria-busy="true" />;
  const spanA = a.span ?? first?.a?.id ?? null;
  const spanB = b.span ?? first?.b?.id ?? null;
  return (
    <>
      <header class="trace-head compare-head">
        <h1>Compare</h1>
        <Named letter="A" trace={answer[0].trace} end={a} />
        <button
          type="button"
          class="button"
          title="Swap A and B"
          onClick={() => {
            go(compareUrl(endText(b), endText(a)), 'replace');
          }}
        >
          ⇄ swap
        </button>
        <Named letter="B" trace={answer[1].trace} end={b} />
      </header>
      <div class="compare">
        <Structure
          pairs={pairs}
          selected={[spanA, spanB]}
          onSelect={(pair) => {
            if (pair.a && pair.b) go(compareUrl(`${a.trace}.${pair.a.id}`, `${b.trace}.${pair.b.id}`), 'replace');
          }}
        />
        <div class="compare-body" tabIndex={0} role="region" aria-label="Differences">
          <Figures rows={traceFigures(answer[0].trace, answer[1].trace)} title="Traces" />
          {spanA !== null && spanB !== null ? (
            <Spans a={{ ...a, span: spanA }} b={{ ...b, span: spanB }} onFailure={onFailure} />
          ) : (
            <p class="mute compare-part">No span of the one stands for a span of the other.</p>
          )}
        </div>
      </div>
    </>
  );
}

function Named({ letter, trace, end }: { letter: string; trace: TraceFacts; end: End }) {
  const url = traceUrl(end.trace, end.span);
  return (
    <Link class="compare-name" to={url}>
      <b class="mono">{letter}</b> <bdi>{oneLine(traceLabel(trace), 60) || 'unnamed'}</bdi>{' '}
      <span class="mute mono">{clock(trace.start_time)}</span>
    </Link>
  );
}

/* ---- the trees --------------------------------------------------------------------------------------------- */

const rowHeight = 26;

interface StructureProps {
  pairs: Pair[];
  selected: readonly [string | null, string | null];
  onSelect: (pair: Pair) => void;
}

function Structure({ pairs, selected, onSelect }: StructureProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const roving = useRoving(scroller, pairs.length, rowHeight);
  const missing = pairs.filter((p) => !p.b).length;
  const extra = pairs.filter((p) => !p.a).length;
  const says = [missing > 0 ? `${count(missing)} only in A` : '', extra > 0 ? `${count(extra)} only in B` : ''];
  return (
    <section class="compare-tree" aria-label="Spans">
      <h2>
        Spans
        <span class="mute"> {says.filter((s) => s !== '').join(' · ') || 'the same in both'}</span>
      </h2>
      <div
        ref={scroller}
        class="compare-rows"
        role="list"
        tabIndex={0}
        aria-label="Spans of both"
        onKeyDown={roving.onKeyDown}
      >
        <VirtualRows
          scroller={scroller}
          count={pairs.length}
          rowHeight={rowHeight}
          render={(index) => {
            const pair = pairs[index];
            return (
              pair && (
                <PairRow
                  key={index}
                  at={index}
                  tabIndex={roving.tabIndexOf(index)}
                  pair={pair}
                  selected={pair.a !== null && pair.a.id === selected[0] && pair.b?.id === selected[1]}
                  onSelect={onSelect}
                />
              )
            );
          }}
        />
      </div>
    </section>
  );
}

interface PairProps {
  pair: Pair;
  at: number;
  tabIndex: 0 | -1;
  selected: boolean;
  onSelect: (pair: Pair) => void;
}

function PairRow({ pair, at, tabIndex, selected, onSelect }: PairProps) {
  const { a, b } = pair;
  const row = a ?? b;
  if (!row) return null;
  const lasts = (r: Pair['a']): number | null => (r ? r.end - r.start : null);
  const [was, is] = [lasts(a), lasts(b)];
  const only = !b ? 'only in A' : !a ? 'only in B' : '';
  return (
    <div role="listitem" data-at={at} class={`pair${selected ? ' selected' : ''}${!b ? ' gone' : !a ? ' new' : ''}`}>
      <button
        type="button"
        class="pair-name"
        tabIndex={tabIndex}
        disabled={only !== ''}
        aria-pressed={selected}
        style={{ paddingLeft: `${String(Math.min(pair.depth, 12) * 14 + 10)}px` }}
        onClick={() => {
          onSelect(pair);
        }}
      >
        <Mark logType={row.span.log_type} />
        <bdi>{oneLine(spanLabel(row.span), 120) || 'unnamed'}</bdi>
      </button>
      <span class="mono end">{only === '' ? `${duration(was)} → ${duration(is)}` : only}</span>
      <Changed a={was} b={is} more="slower" less="faster" />
    </div>
  );
}

function Changed({ a, b, more, less }: { a: number | null; b: number | null; more: string; less: string }) {
  const text = change(a, b);
  const up = (b ?? 0) > (a ?? 0);
  return (
    <span class={`mono end ${text === '' ? '' : up ? 'worse' : 'better'}`} title={text === '' ? '' : up ? more : less}>
      {text}
    </span>
  );
}

/* ---- figures and values ------------------------------------------------------------------------------------ */

interface FigureRow {
  name: string;
  a: number | null;
  b: number | null;
  say: (n: number | null) => string;
  /** More of it is neither good nor bad. */
  plain?: boolean;
}

function traceFigures(a: TraceFacts, b: TraceFacts): FigureRow[] {
  return [
    { name: 'duration', a: a.duration, b: b.duration, say: duration },
    { name: 'spans', a: a.span_count, b: b.span_count, say: count, plain: true },
    { name: 'errors', a: a.error_count, b: b.error_count, say: count },
    { name: 'prompt tokens', a: a.total_prompt_tokens, b: b.total_prompt_tokens, say: count, plain: true },
    { name: 'completion tokens', a: a.total_completion_tokens, b: b.total_completion_tokens, say: count, plain: true },
    { name: 'cost', a: a.total_cost, b: b.total_cost, say: cost },
  ];
}

function spanFigures(a: Span, b: Span): FigureRow[] {
  return [
    { name: 'latency', a: a.latency, b: b.latency, say: duration },
    { name: 'time to first token', a: a.time_to_first_token, b: b.time_to_first_token, say: duration },
    { name: 'tokens per second', a: a.tokens_per_second, b: b.tokens_per_second, say: rate, plain: true },
    { name: 'prompt tokens', a: a.prompt_tokens, b: b.prompt_tokens, say: count, plain: true },
    { name: 'completion tokens', a: a.completion_tokens, b: b.completion_tokens, say: count, plain: true },
    { name: 'cost', a: a.cost, b: b.cost, say: cost },
  ];
}

function Figures({ title, rows }: { title: string; rows: FigureRow[] }) {
  const known = rows.filter((r) => r.a !== null || r.b !== null);
  return (
    <section class="compare-part">
      <h2>{title}</h2>
      <table class="compare-table">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">A</th>
            <th scope="col">B</th>
            <th scope="col">Change</th>
          </tr>
        </thead>
        <tbody>
          {known.map(({ name, a, b, say, plain }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{say(a)}</td>
              <td>{say(b)}</td>
              <td class={plain || change(a, b) === '' ? 'mute' : (b ?? 0) > (a ?? 0) ? 'worse' : 'better'}>
                {change(a, b)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Values({ title, all }: { title: string; all: Difference[] }) {
  const differ = all.filter((d) => d.kind !== 'same');
  if (all.length === 0) return null;
  const same = all.length - differ.length;
  return (
    <section class="compare-part">
      <h2>
        {title}
        <span class="mute">
          {' '}
          {differ.length === 0 ? 'the same' : same > 0 ? `${count(same)} others are the same` : ''}
        </span>
      </h2>
      {differ.length > 0 && (
        <table class="compare-table values">
          <tbody>
            {differ.map(({ key, a, b, kind }) => (
              <tr key={key} class={kind}>
                <th scope="row">
                  <bdi>{oneLine(key, 80)}</bdi>
                </th>
                <td>{a === null ? <span class="mute">not set</span> : <del>{oneLine(a)}</del>}</td>
                <td>{b === null ? <span class="mute">not set</span> : <ins>{oneLine(b)}</ins>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/* ---- the two spans ----------------------------------------------------------------------------------------- */

function Spans({ a, b, onFailure }: { a: End; b: End; onFailure: (error: ApiError) => void }) {
  const { answer, error } = useAnswer(
    (signal) => Promise.all([getSpan(a.trace, a.span ?? '', signal), getSpan(b.trace, b.span ?? '', signal)]),
    [endText(a), endText(b)],
    onFailure,
  );
  if (error) return <Failed error={error} what="span" />;
  if (!answer) return <div class="compare-part" aria-busy="true" />;
  const [x, y] = answer;
  return (
    <>
      <Figures
        title={`Span ${oneLine(spanLabel({ name: x.name ?? x.span_name, model: x.model }), 60)}`}
        rows={spanFigures(x, y)}
      />
      <Texts title="Prompt" a={textOf(x.input)} b={textOf(y.input)} />
      <Texts title="Completion" a={textOf(x.output)} b={textOf(y.output)} />
      <Values title="Parameters" all={parameterDifferences(x, y)} />
      <Values title="Model" all={modelDifferences(x, y)} />
      <Values title="Metadata" all={differences(x.metadata, y.metadata)} />
    </>
  );
}

function Texts({ title, a, b }: { title: string; a: string; b: string }) {
  const pieces = useMemo(() => (a === b ? [] : diffWords(a, b)), [a, b]);
  if (a === '' && b === '') return null;
  return (
    <section class="compare-part">
      <h2>
        {title}
        {a === b && <span class="mute"> the same</span>}
      </h2>
      {a !== b && (
        <div class="compare-texts">
          <Side label={`${title} of A`} pieces={pieces.filter((p) => p.kind !== 'new')} />
          <Side label={`${title} of B`} pieces={pieces.filter((p) => p.kind !== 'gone')} />
        </div>
      )}
    </section>
  );
}

/** Of what is the same, so much stands around a difference. */
const around = 300;

function Side({ label, pieces }: { label: string; pieces: Piece[] }) {
  return (
    <div class="compare-text" role="group" aria-label={label} dir="auto">
      {pieces.map(({ kind, text }, i) => {
        if (kind === 'gone') return <del key={i}>{visible(text)}</del>;
        if (kind === 'new') return <ins key={i}>{visible(text)}</ins>;
        return <Same key={i} text={text} />;
      })}
      {pieces.length === 0 && <span class="mute">nothing</span>}
    </div>
  );
}

function Same({ text }: { text: string }) {
  const [all, setAll] = useState(false);
  if (all || text.length <= around * 3) return <>{visible(text)}</>;
  return (
    <>
      {visible(text.slice(0, around))}
      <button
        type="button"
        class="more"
        onClick={() => {
          setAll(true);
        }}
      >
        … {count(text.length - 2 * around)} characters the same …
      </button>
      {visible(text.slice(-around))}
    </>
  );
}
