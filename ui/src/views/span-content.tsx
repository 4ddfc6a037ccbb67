/** What a span did: timing, prompt and completion (or input and output), parameters, model. */
import { useMemo } from 'preact/hooks';
import type { JsonObject, Span } from '../api/types';
import { parametersOf, setParametersOf, toolsOf } from '../model/content';
import { attributesBelow, type Fact, loadFacts, metadataFacts, modelFacts, valueText } from '../model/facts';
import { cost, count, duration } from '../model/format';
import { costSource } from '../model/prices';
import { gapsOf, memoryFacts, partsOf, timingFacts, tokenFacts } from '../model/generation';
import { isGeneration } from '../model/logtype';
import { oneLine } from '../model/text';
import { pythonOf } from '../model/python';
import type { Row } from '../model/tree';
import { Copy } from '../widgets/copy';
import { GapChart } from '../widgets/gap-chart';
import { JsonView } from '../widgets/json-view';
import { Grid, Section } from '../widgets/section';
import { Cuts, Exchange } from './exchange';

export function SpanContent({ row, self, span }: { row: Row; self: number | null; span: Span | null }) {
  const { span: head } = row;
  const call = isGeneration(head.log_type);
  return (
    <>
      <Timing row={row} self={self} span={span} />
      {span?.withheld ? (
        <p class="mute withheld">This link leaves out what was asked, answered and attached.</p>
      ) : (
        span && <Exchange span={span} call={call} />
      )}
      {span && <Cuts span={span} />}
      {span && <Tools span={span} />}
      {span && <Parameters span={span} />}
      {span && <Tokens span={span} />}
      {span && <Memory span={span} />}
      {span && <Load span={span} />}
      {span && <Model span={span} />}
      {span && <Metadata values={span.metadata} />}
      {span && <CopyAsPython span={span} />}
    </>
  );
}

function Timing({ row, self, span }: { row: Row; self: number | null; span: Span | null }) {
  const lasts = row.end - row.start;
  const { time_to_first_token = null, completion_tokens = null } = row.span;
  const known = span ?? { time_to_first_token, completion_tokens, tokens_per_second: null, attributes: null };
  const parts = partsOf(known, lasts);
  const gaps = useMemo(() => (span ? gapsOf(span) : null), [span]);
  return (
    <Section title="Timing" aside={duration(lasts)}>
      {span && parts.length > 0 && (
        <div class="timing" aria-hidden="true">
          {parts.map(({ name, seconds }) => (
            <i
              key={name}
              class={name}
              title={`${partNames[name]} ${duration(seconds)}`}
              style={{ width: `${String((seconds / lasts) * 100)}%` }}
            />
          ))}
        </div>
      )}
      {gaps && <GapChart gaps={gaps} />}
      {(span ?? row.span.running) && (
        <Grid
          facts={[
            ...timingFacts(known, lasts),
            ...(row.descendants > 0 ? [['itself', duration(self)] as Fact] : []),
            ['starts at', duration(row.start)],
          ]}
        />
      )}
    </Section>
  );
}

/** A program that makes the call again, where it was made in one. */
function CopyAsPython({ span }: { span: Span }) {
  const code = useMemo(() => pythonOf(span), [span]);
  if (code === null) return null;
  return (
    <div class="pane-acts">
      <Copy text={code} label="Copy a program that makes this call again with transformers">
        Copy as Python
      </Copy>
    </div>
  );
}

const partNames = {
  queue: 'in the queue',
  before: 'before the model',
  prefill: 'prefill',
  decode: 'decode',
  model: 'in the model',
  after: 'after the model',
};

/** What the model was told that it may call. */
function Tools({ span }: { span: Span }) {
  const tools = toolsOf(span);
  if (tools.length === 0) return null;
  return (
    <Section title="Tools" aside={count(tools.length)} copy={() => JSON.stringify(tools, null, 2)}>
      {tools.map((tool, i) => (
        <div key={i} class="told-tool">
          <b class="mono">{oneLine(tool.name, 80)}</b> <bdi>{oneLine(tool.description, 400)}</bdi>
          {tool.parameters !== null && <JsonView value={tool.parameters} />}
        </div>
      ))}
    </Section>
  );
}

/** Those that the user set come first, where the span says which. */
function Parameters({ span }: { span: Span }) {
  const values = parametersOf(span);
  const set = setParametersOf(span);
  if (values === null || set === null) return <Facts title="Parameters" values={values} />;
  const of = (wanted: boolean) => Object.fromEntries(Object.entries(values).filter(([key]) => set.has(key) === wanted));
  return (
    <>
      <Facts title="Parameters set by the user" values={of(true)} />
      <Facts title="Parameters by default" values={of(false)} />
    </>
  );
}

function Tokens({ span }: { span: Span }) {
  const facts = tokenFacts(span);
  if (facts.length === 0) return null;
  const total = span.total_tokens ?? (span.prompt_tokens ?? 0) + (span.completion_tokens ?? 0);
  if (span.cost !== null) {
    const source = costSource(span);
    facts.push(['cost', source === null ? cost(span.cost) : `${cost(span.cost)} (${source})`]);
  }
  return (
    <Section title="Tokens" aside={`${count(total)} in all`}>
      <Grid facts={facts} />
    </Section>
  );
}

function Memory({ span }: { span: Span }) {
  const facts = memoryFacts(span);
  if (facts.length === 0) return null;
  return (
    <Section title="Memory">
      <Grid facts={facts} />
    </Section>
  );
}

function Model({ span }: { span: Span }) {
  const facts = modelFacts(span);
  if (facts.length === 0) return null;
  return (
    <Section title="Model" copy={() => JSON.stringify(attributesBelow(span, 'respan.model.'), null, 2)}>
      <Grid facts={facts} />
    </Section>
  );
}

function Load({ span }: { span: Span }) {
  const facts = loadFacts(span);
  if (facts.length === 0) return null;
  return (
    <Section title="Load">
      <Grid facts={facts} />
    </Section>
  );
}

function Facts({ title, values }: { title: string; values: JsonObject | null }) {
  const facts = Object.entries(values ?? {}).map(([key, value]): Fact => [key, valueText(value)]);
  if (facts.length === 0) return null;
  return (
    <Section title={title} copy={() => JSON.stringify(values, null, 2)}>
      <Grid facts={facts} />
    </Section>
  );
}

function Metadata({ values }: { values: JsonObject | null }) {
  const facts = metadataFacts(values);
  if (facts.length === 0) return null;
  return (
    <Section title="Metadata" copy={() => JSON.stringify(values, null, 2)}>
      <Grid facts={facts} />
    </Section>
  );
}
