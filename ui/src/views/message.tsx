/** One message of a chat: a bubble of its role, with its Markdown, the tools that it calls and what they answered. */
import { type ComponentChildren, createContext } from 'preact';
import { useContext, useState } from 'preact/hooks';
import type { Json } from '../api/types';
import { type Message, newTextAt, thoughtOf, type ToolCall, toolCallsOf } from '../model/content';
import { valueText } from '../model/facts';
import { hasMarkup } from '../model/markdown';
import { describeInText } from '../model/media';
import { oneLine } from '../model/text';
import { JsonView } from '../widgets/json-view';
import { LongText } from '../widgets/long-text';
import { Markdown } from '../widgets/markdown';

/** Whether Markdown is shown as it was written. */
export const Raw = createContext(false);

/** What is shown elsewhere, or says where else it belongs. */
const notShown = new Set(['finish_reason', 'prompt_index']);

/** A bubble for each role of a chat; what names no role is text beside a line. */
function sayClass(role: string, answer: boolean): string {
  if (role === '') return answer ? 'say answer' : 'say';
  if (role === 'user') return 'say bubble asked';
  if (role === 'tool') return 'say bubble from-tool';
  return role === 'assistant' ? 'say bubble answer' : 'say bubble';
}

interface MessageProps {
  message: Message;
  label: string;
  answer: boolean;
  /** Of the tools that it calls. */
  results?: (Message | null)[];
  prompt?: string;
  /** At the end of its first line. */
  aside?: ComponentChildren;
  /** Tools are folded: what people say stands out. */
  folded?: boolean;
}

export function MessageView({
  message,
  label,
  answer,
  results = [],
  prompt = '',
  aside = null,
  folded = false,
}: MessageProps) {
  const calls = toolCallsOf(message.extra);
  const name = typeof message.extra.name === 'string' ? message.extra.name : null;
  const { thought, content } = thoughtOf(message);
  const shown = Object.entries(message.extra).filter(
    ([key]) =>
      !(
        notShown.has(key) ||
        (key === 'tool_calls' && calls) ||
        (key === 'name' && name !== null) ||
        (key === 'reasoning' && thought !== null)
      ),
  );
  return (
    <div class={sayClass(message.role, answer)}>
      <small>
        {oneLine(label, 40)}
        {name !== null && <span class="mono"> {oneLine(name, 80)}</span>}
        {aside}
      </small>
      {thought !== null && (
        <Folded title="thought">
          <LongText text={thought} />
        </Folded>
      )}
      {!(calls && (content === '' || content === null)) && (
        <ContentView content={content} prompt={prompt} rich={message.role !== '' && message.role !== 'tool'} />
      )}
      {calls?.map((call, i) =>
        folded ? (
          <FoldedTool key={i} call={call} result={results[i] ?? null} />
        ) : (
          <div key={i} class="told-tool">
            <b class="mono">{oneLine(call.name, 80)}</b>
            {call.id !== '' && <span class="mute mono"> {oneLine(call.id, 80)}</span>}
            {call.arguments !== null && <JsonView value={call.arguments} />}
            <ToolResult result={results[i] ?? null} />
          </div>
        ),
      )}
      {shown.length > 0 && <JsonView value={Object.fromEntries(shown)} />}
    </div>
  );
}

/** One line says what was asked and what came of it; below it stands all of both. */
function FoldedTool({ call, result }: { call: ToolCall; result: Message | null }) {
  const brief = (value: Json): string => (value === null ? '' : oneLine(valueText(value), 120));
  return (
    <Folded
      title={
        <>
          <b>{oneLine(call.name, 80)}</b> <span>{brief(call.arguments)}</span>
          {result && <span class="came-back"> → {brief(result.content)}</span>}
        </>
      }
    >
      {call.arguments === null ? <p class="mute">No arguments.</p> : <JsonView value={call.arguments} />}
      {result ? <ToolResult result={result} /> : <p class="mute">No answer was recorded.</p>}
    </Folded>
  );
}

/** What is inside is made when it is opened. */
export function Folded({ title, children }: { title: ComponentChildren; children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  return (
    <details
      class="folded"
      open={open}
      onToggle={(event) => {
        setOpen(event.currentTarget.open);
      }}
    >
      <summary>{title}</summary>
      {open && <div class="folded-inside">{children}</div>}
    </details>
  );
}

/** What a tool said, below the call that asked for it. */
function ToolResult({ result }: { result: Message | null }) {
  if (!result) return null;
  return (
    <div class="tool-result">
      <small>result</small>
      <ContentView content={structured(result.content)} />
    </div>
  );
}

/** A text that is a JSON object or list, as that. */
function structured(content: Json): Json {
  if (typeof content !== 'string' || !/^\s*[[{]/.test(content) || content.length > 1_000_000) return content;
  try {
    return JSON.parse(content) as Json;
  } catch {
    return content;
  }
}

export function ContentView({
  content,
  prompt = '',
  rich = false,
}: {
  content: Json;
  prompt?: string;
  rich?: boolean;
}) {
  const raw = useContext(Raw);
  if (content === null) return null;
  if (typeof content !== 'string') return <JsonView value={content} />;
  const repeatedTo = newTextAt(prompt, content);
  if (rich && !raw && repeatedTo === 0 && hasMarkup(content)) return <Markdown text={describeInText(content)} />;
  return <LongText text={repeatedTo === 0 ? describeInText(content) : content} repeatedTo={repeatedTo} />;
}
