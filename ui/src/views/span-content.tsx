/** What a span did: timing, prompt and completion (or input and output), parameters, model. */
import type { Json, JsonObject, Span, SpanHead } from '../api/types';
import {
  contentOf,
  cutsOf,
  type Exchange as OneOfBatch,
  factsBelow,
  finishReason,
  type Message,
  newTextAt,
  parametersOf,
  setParametersOf,
  type Side,
  toolCallsOf,
  toolsOf,
  valueText,
} from '../model/content';
import { cost, count, duration, plural, rate } from '../model/format';
import { isGeneration } from '../model/logtype';
import { oneLine } from '../model/text';
import type { Row } from '../model/tree';
import { JsonView } from '../widgets/json-view';
import { LongText } from '../widgets/long-text';
import { Grid, Section } from '../widgets/section';

export function SpanContent({ row, span }: { row: Row; span: Span | null }) {
  const { span: head } = row;
  const call = isGeneration(head.log_type);
  return (
    <>
      <Timing row={row} />
      {span && <Exchange span={span} call={call} />}
      {span && <Cuts span={span} />}
      {span && <Tools span={span} />}
      {span && <Parameters span={span} />}
      {span && <Tokens head={span} />}
      {span && <Facts title="Load" values={factsBelow(span, 'respan.load.')} />}
      {span && <Facts title="Model" values={modelFacts(span)} />}
      {span && <Facts title="Metadata" values={span.metadata} />}
    </>
  );
}

function Timing({ row }: { row: Row }) {
  const { span } = row;
  const lasts = row.end - row.start;
  const first = span.time_to_first_token;
  const share = first !== null && lasts > 0 ? Math.min(1, Math.max(0, first / lasts)) : null;
  const facts: [string, string][] = [];
  if (first !== null) facts.push(['first token', duration(first)], ['rest', duration(Math.max(0, lasts - first))]);
  if (span.tokens_per_second !== null) facts.push(['tokens/s', rate(span.tokens_per_second)]);
  else if (span.completion_tokens && lasts > 0) facts.push(['tokens/s overall', rate(span.completion_tokens / lasts)]);
  facts.push(['starts at', duration(row.start)]);
  return (
    <Section title="Timing" aside={duration(lasts)}>
      {share !== null && (
        <div class="timing" aria-hidden="true">
          <i class="prefill" style={{ width: `${String(share * 100)}%` }} />
        </div>
      )}
      <Grid facts={facts} />
    </Section>
  );
}

function tokensNote(n: number | null, source: string | null, finish: string | null = null): string {
  const parts = n === null ? [] : [plural(n, 'token')];
  if (n !== null && source) parts.push(source);
  if (finish !== null) parts.push(`finish: ${finish}`);
  return parts.join(' · ');
}

function Exchange({ span, call }: { span: Span; call: boolean }) {
  const content = contentOf(span);
  if (content.kind === 'batch') {
    return (
      <Section
        title={batchTitle(span, content.exchanges.length)}
        aside={tokensNote(span.total_tokens ?? null, span.usage_source)}
      >
        <Batch exchanges={content.exchanges} />
      </Section>
    );
  }
  const { input, output } = content;
  if (input.shape === 'none' && output.shape === 'none') {
    return (
      <Section title={call ? 'Prompt and completion' : 'Input and output'}>
        <p class="mute">Not recorded.</p>
      </Section>
    );
  }
  const prompt = input.shape === 'text' ? input.text : '';
  return (
    <>
      {input.shape !== 'none' && (
        <Section
          title={call ? 'Prompt' : 'Input'}
          aside={call ? tokensNote(span.prompt_tokens, span.usage_source) : ''}
          copy={() => plainText(span.input)}
        >
          <SideView side={input} prompt="" />
        </Section>
      )}
      {output.shape !== 'none' && (
        <Section
          title={call ? 'Completion' : 'Output'}
          aside={call ? tokensNote(span.completion_tokens, span.usage_source, finishReason(span)) : ''}
          copy={() => plainText(span.output)}
        >
          <SideView side={output} prompt={prompt} answer />
        </Section>
      )}
    </>
  );
}

function batchTitle(span: Span, shown: number): string {
  const size = span.attributes?.['respan.batch.size'];
  return typeof size === 'number' && size > shown
    ? `Batch of ${count(size)}, ${count(shown)} recorded`
    : `Batch of ${count(shown)}`;
}

/** What was longer than the program keeps. */
function Cuts({ span }: { span: Span }) {
  const cuts = cutsOf(span);
  if (cuts.length === 0) return null;
  return (
    <Section title="Cut when recorded">
      <Grid facts={cuts.map(([key, bytes]): [string, string] => [key, `of ${count(bytes)} bytes`])} />
    </Section>
  );
}

function plainText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

function SideView({ side, prompt, answer = false }: { side: Side; prompt: string; answer?: boolean }) {
  switch (side.shape) {
    case 'none':
      return null;
    case 'text':
      return (
        <div class={answer ? 'say answer' : 'say'}>
          <LongText text={side.text} repeatedTo={newTextAt(prompt, side.text)} />
        </div>
      );
    case 'messages':
      return (
        <>
          {side.messages.map((message, i) => (
            <MessageView
              key={i}
              message={message}
              label={message.role === '' ? String(i + 1) : message.role}
              answer={answer}
              prompt={prompt}
            />
          ))}
        </>
      );
    case 'json':
      return <JsonView value={side.value} />;
  }
}

/** What is shown elsewhere, or says where else it belongs. */
const notShown = new Set(['finish_reason', 'prompt_index', 'tool_calls']);

interface MessageProps {
  message: Message;
  label: string;
  answer: boolean;
  prompt?: string;
}

function MessageView({ message, label, answer, prompt = '' }: MessageProps) {
  const calls = toolCallsOf(message.extra);
  const shown = Object.entries(message.extra).filter(
    ([key]) => !notShown.has(key) || (key === 'tool_calls' && calls === null),
  );
  return (
    <div class={answer || message.role === 'assistant' ? 'say answer' : 'say'}>
      <small>{oneLine(label, 40)}</small>
      {!(calls && message.content === '') && <ContentView content={message.content} prompt={prompt} />}
      {calls?.map((call, i) => (
        <div key={i} class="told-tool">
          <b class="mono">{oneLine(call.name, 80)}</b>
          {call.id !== '' && <span class="mute mono"> {oneLine(call.id, 80)}</span>}
          {call.arguments !== null && <JsonView value={call.arguments} />}
        </div>
      ))}
      {shown.length > 0 && <JsonView value={Object.fromEntries(shown)} />}
    </div>
  );
}

function ContentView({ content, prompt = '' }: { content: Json; prompt?: string }) {
  if (content === null) return null;
  if (typeof content === 'string') return <LongText text={content} repeatedTo={newTextAt(prompt, content)} />;
  return <JsonView value={content} />;
}

/** So many are laid out at once; a batch of thousands opens piece by piece. */
const exchangesShown = 50;

function Batch({ exchanges }: { exchanges: OneOfBatch[] }) {
  const contents = (messages: Message[]): Json => messages.map((m) => m.content);
  return (
    <ol class="batch">
      {exchanges.slice(0, exchangesShown).map(({ prompt, completions }, i) => {
        const [only] = prompt;
        const asked = prompt.length === 1 && typeof only?.content === 'string' ? only.content : '';
        return (
          <li key={i}>
            <span class="batch-number mono">{count(i)}</span>
            {prompt.length === 1 ? (
              <div class="say">
                <ContentView content={only?.content ?? null} />
              </div>
            ) : (
              prompt.map((message, m) => <MessageView key={m} message={message} label={message.role} answer={false} />)
            )}
            {completions.map((completion, n) =>
              toolCallsOf(completion.extra) ? (
                <MessageView key={n} message={completion} label={completion.role} answer />
              ) : (
                <div key={n} class="say answer">
                  {completions.length > 1 && <small>{`${count(n + 1)} of ${count(completions.length)}`}</small>}
                  <ContentView content={completion.content} prompt={asked} />
                </div>
              ),
            )}
          </li>
        );
      })}
      {exchanges.length > exchangesShown && (
        <li>
          <span class="batch-number mono">…</span>
          <JsonView
            value={exchanges
              .slice(exchangesShown)
              .map(({ prompt, completions }) => ({ prompt: contents(prompt), completions: contents(completions) }))}
          />
        </li>
      )}
    </ol>
  );
}

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

function Tokens({ head }: { head: SpanHead }) {
  if (head.prompt_tokens === null && head.completion_tokens === null) return null;
  const total = head.total_tokens ?? (head.prompt_tokens ?? 0) + (head.completion_tokens ?? 0);
  const facts: [string, string][] = [
    ['prompt', count(head.prompt_tokens)],
    ['completion', count(head.completion_tokens)],
    ['total', count(total)],
  ];
  if (head.cost !== null) facts.push(['cost', cost(head.cost)]);
  return (
    <Section title="Tokens" aside={head.usage_source ?? ''}>
      <Grid facts={facts} />
    </Section>
  );
}

function modelFacts(span: Span): JsonObject {
  const facts: JsonObject = {};
  if (span.model !== null) facts.name = span.model;
  if (span.provider) facts.provider = span.provider;
  return { ...facts, ...factsBelow(span, 'respan.model.') };
}

function Facts({ title, values }: { title: string; values: JsonObject | null }) {
  const facts = Object.entries(values ?? {}).map(([key, value]): [string, string] => [key, valueText(value)]);
  if (facts.length === 0) return null;
  return (
    <Section title={title} copy={() => JSON.stringify(values, null, 2)}>
      <Grid facts={facts} />
    </Section>
  );
}
