/** What went in and came out: a prompt and its completion, a chat, a batch, or a function's arguments and result. */
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Json, Span } from '../api/types';
import {
  contentOf,
  cutsOf,
  type Exchange as OneOfBatch,
  finishReason,
  type Message,
  newTextAt,
  pairTools,
  type Side,
  toolCallsOf,
} from '../model/content';
import { count, plural } from '../model/format';
import { type TokensEach, tokensEach } from '../model/generation';
import { hasMarkup } from '../model/markdown';
import { JsonView } from '../widgets/json-view';
import { LongText } from '../widgets/long-text';
import { Grid, Section } from '../widgets/section';
import { useFlag } from '../widgets/setting';
import { ContentView, MessageView, Raw } from './message';

function tokensNote(n: number | null, source: string | null, finish: string | null = null): string {
  const parts = n === null ? [] : [plural(n, 'token')];
  if (n !== null && source) parts.push(source);
  if (finish !== null) parts.push(`finish: ${finish}`);
  return parts.join(' · ');
}

export function Exchange({ span, call }: { span: Span; call: boolean }) {
  const [raw, setRaw] = useFlag('respan.raw');
  return (
    <Raw.Provider value={raw}>
      <Sides
        span={span}
        call={call}
        toggle={
          <button
            type="button"
            class="raw-toggle"
            aria-pressed={raw}
            title={raw ? 'Show Markdown' : 'Show the text as it is'}
            onClick={() => {
              setRaw(!raw);
            }}
          >
            raw
          </button>
        }
      />
    </Raw.Provider>
  );
}

/** Whether some message of a chat reads otherwise as Markdown. */
function isRich(side: Side): boolean {
  return (
    side.shape === 'messages' &&
    side.messages.some(({ role, content }) => role !== '' && typeof content === 'string' && hasMarkup(content))
  );
}

function Sides({ span, call, toggle }: { span: Span; call: boolean; toggle: ComponentChildren }) {
  const content = useMemo(() => contentOf(span), [span]);
  if (content.kind === 'batch') {
    return (
      <Section
        title={batchTitle(span, content.exchanges.length)}
        aside={tokensNote(span.total_tokens ?? null, span.usage_source)}
      >
        <Batch exchanges={content.exchanges} tokens={tokensEach(span)} />
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
  const prompt = input.shape === 'text' ? input.text : call ? continuedIn(input) : '';
  return (
    <>
      {input.shape !== 'none' && (
        <Section
          title={call ? 'Prompt' : 'Input'}
          aside={call ? tokensNote(span.prompt_tokens, span.usage_source) : ''}
          copy={() => plainText(span.input)}
          extra={isRich(input) && toggle}
        >
          <SideView side={input} prompt="" />
        </Section>
      )}
      {output.shape !== 'none' && (
        <Section
          title={call ? 'Completion' : 'Output'}
          aside={call ? tokensNote(span.completion_tokens, span.usage_source, finishReason(span)) : ''}
          copy={() => plainText(span.output)}
          extra={isRich(output) && toggle}
        >
          <SideView side={output} prompt={prompt} answer />
        </Section>
      )}
    </>
  );
}

/** The answer that a chat's last message begins, if it does: the model's repeats it. */
function continuedIn(side: Side): string {
  const last = side.shape === 'messages' ? side.messages.at(-1) : undefined;
  return last?.role === 'assistant' && typeof last.content === 'string' ? last.content : '';
}

function batchTitle(span: Span, shown: number): string {
  const size = span.attributes?.['respan.batch.size'];
  return typeof size === 'number' && size > shown
    ? `Batch of ${count(size)}, ${count(shown)} recorded`
    : `Batch of ${count(shown)}`;
}

/** What was longer than the program keeps. */
export function Cuts({ span }: { span: Span }) {
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
          {pairTools(side.messages).map(({ message, results }, i) => (
            <MessageView
              key={i}
              message={message}
              results={results}
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

/** What the prompt at this place and its completions counted, where the span says so of each. */
function BatchTokens({ tokens, at, exchanges }: { tokens: TokensEach; at: number; exchanges: OneOfBatch[] }) {
  const prompt = tokens.prompt[at];
  const before = exchanges.slice(0, at).reduce((n, { completions }) => n + completions.length, 0);
  const made = tokens.completion.slice(before, before + (exchanges[at]?.completions.length ?? 0));
  if (prompt === undefined || made.length === 0) return null;
  return <span class="batch-tokens mono">{`${count(prompt)} → ${made.map(count).join(', ')}`}</span>;
}

/** So many are laid out at once; a batch of thousands opens piece by piece. */
const exchangesShown = 50;

function Batch({ exchanges, tokens }: { exchanges: OneOfBatch[]; tokens: TokensEach }) {
  const contents = (messages: Message[]): Json => messages.map((m) => m.content);
  return (
    <ol class="batch">
      {exchanges.slice(0, exchangesShown).map(({ prompt, completions }, i) => {
        const [only] = prompt;
        const asked = prompt.length === 1 && typeof only?.content === 'string' ? only.content : '';
        return (
          <li key={i}>
            <span class="batch-number mono">{count(i)}</span>
            <BatchTokens tokens={tokens} at={i} exchanges={exchanges} />
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
