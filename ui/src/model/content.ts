/** What went in and came out of a span, in the shape it is shown in. */
import type { Json, JsonObject, Span } from '../api/types';
import { valueText } from './facts';
import { describePart } from './media';

export interface Message {
  role: string;
  /** Text where it is text, the structure where it is not. */
  content: Json;
  /** What else the message says: finish_reason, tool_calls, name. */
  extra: JsonObject;
}

export type Side =
  | { shape: 'none' }
  | { shape: 'text'; text: string }
  | { shape: 'messages'; messages: Message[] }
  | { shape: 'json'; value: Json };

/** One prompt of a batch (a chat has several messages) and what answers it. */
export interface Exchange {
  prompt: Message[];
  completions: Message[];
}

export type Content = { kind: 'sides'; input: Side; output: Side } | { kind: 'batch'; exchanges: Exchange[] };

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toMessage(value: JsonObject): Message {
  const { role, content, ...extra } = value;
  return { role: typeof role === 'string' ? role : '', content: plainContent(content ?? null), extra };
}

/** Content parts read as one text; an image or a sound is a few words in brackets. Beside other parts each stays on its own. */
function plainContent(content: Json): Json {
  if (!Array.isArray(content) || content.length === 0) return content;
  const texts = content.map((part) => {
    if (!isObject(part)) return null;
    return typeof part.text === 'string' ? part.text : (describePart(part) ?? mediaText(part));
  });
  return texts.every((t) => t !== null) ? texts.join('\n') : content.map((part, i) => texts[i] ?? part);
}

const media = new Set(['image', 'audio', 'video']);

/** What our instrumentation says of a part that it does not store, as [image 20 × 10 RGB]. */
function mediaText(part: JsonObject): string | null {
  const { type, width, height, shape, ...others } = part;
  if (typeof type !== 'string' || !media.has(type)) return null;
  const size = typeof width === 'number' && typeof height === 'number' ? [width, height] : shape;
  const words: string[] = [type];
  if (Array.isArray(size)) words.push(size.map(valueText).join(' × '));
  for (const value of Object.values(others)) {
    if (typeof value === 'object' && value !== null) return null;
    if (value !== null) words.push(valueText(value));
  }
  return `[${words.join(' ')}]`;
}

export function sideOf(value: Json | undefined): Side {
  if (value === null || value === undefined || value === '') return { shape: 'none' };
  if (typeof value === 'string') return { shape: 'text', text: value };
  if (Array.isArray(value) && value.length > 0 && value.every((m) => isObject(m) && 'role' in m)) {
    return { shape: 'messages', messages: (value as JsonObject[]).map(toMessage) };
  }
  if (Array.isArray(value) && value.length > 0 && value.every((m) => typeof m === 'string')) {
    return { shape: 'messages', messages: value.map((content) => ({ role: '', content, extra: {} })) };
  }
  return { shape: 'json', value };
}

/** A message that stands alone for a text is that text: a plain generation has no conversation to show. */
function loneText(side: Side): Side {
  if (side.shape !== 'messages' || side.messages.length !== 1) return side;
  const content = side.messages[0]?.content;
  return typeof content === 'string' ? { shape: 'text', text: content } : side;
}

const batchTypes = new Set(['text', 'completion', 'generation', 'embedding', 'transcription', 'speech']);

/** By what each message says of itself, where a call had several prompts. */
function byPromptIndex(prompts: Message[], completions: Message[]): Exchange[] {
  const found = new Map<number, Exchange>();
  const of = (message: Message) => {
    const index = message.extra.prompt_index;
    if (typeof index !== 'number') return null;
    const there = found.get(index) ?? { prompt: [], completions: [] };
    found.set(index, there);
    return there;
  };
  for (const message of prompts) of(message)?.prompt.push(message);
  for (const message of completions) of(message)?.completions.push(message);
  return [...found].sort(([a], [b]) => a - b).map(([, exchange]) => exchange);
}

export function contentOf(span: Pick<Span, 'input' | 'output' | 'log_type'>): Content {
  const input = sideOf(span.input);
  const output = sideOf(span.output);
  const prompts = input.shape === 'messages' ? input.messages : [];
  const completions = output.shape === 'messages' ? output.messages : [];
  const exchanges = byPromptIndex(prompts, completions);
  if (exchanges.length > 1) return { kind: 'batch', exchanges };
  if (!batchTypes.has(span.log_type ?? '')) return { kind: 'sides', input, output };
  const sameRole = prompts.every((m) => m.role === prompts[0]?.role);
  const fits = completions.length === 0 ? output.shape === 'none' : completions.length === prompts.length;
  if (prompts.length > 1 && sameRole && fits) {
    return {
      kind: 'batch',
      exchanges: prompts.map((prompt, i) => ({ prompt: [prompt], completions: completions.slice(i, i + 1) })),
    };
  }
  return { kind: 'sides', input: loneText(input), output: loneText(output) };
}

/** A completion that repeats its prompt, as text generation's does: where the new text begins; 0 if it does not repeat it. */
export function newTextAt(prompt: string, completion: string): number {
  return prompt !== '' && completion.length > prompt.length && completion.startsWith(prompt) ? prompt.length : 0;
}

/** A completion's preview without the prompt that it repeats. Previews are cut, and a cut one may end with an ellipsis. */
export function newPreview(prompt: string, completion: string): string {
  const at = newTextAt(prompt.replace(/…$/, ''), completion);
  return at === 0 ? completion : `…${completion.slice(at)}`;
}

/** Why generation ended, from the last completion that says so, else from the attributes. */
export function finishReason(span: Pick<Span, 'output' | 'attributes'>): string | null {
  const side = sideOf(span.output);
  const messages = side.shape === 'messages' ? side.messages : [];
  for (const { extra } of messages.toReversed()) {
    if (typeof extra.finish_reason === 'string') return extra.finish_reason;
  }
  const reasons = span.attributes?.['gen_ai.response.finish_reasons'];
  const said =
    span.attributes?.['gen_ai.completion.0.finish_reason'] ?? (Array.isArray(reasons) ? reasons[0] : reasons);
  return typeof said === 'string' ? said : null;
}

/** Parameters as shown: max_tokens, other dialects' name for a limit that has a name of its own here, is not said twice. */
export function parametersOf(span: Pick<Span, 'parameters'>): JsonObject | null {
  if (!span.parameters) return null;
  const { max_tokens: limit, ...others } = span.parameters;
  const twice = limit !== undefined && (limit === others.max_new_tokens || limit === others.max_length);
  return twice ? others : span.parameters;
}

/** The names of those that the user set; null where nobody says. */
export function setParametersOf(span: Pick<Span, 'attributes'>): Set<string> | null {
  const names = span.attributes?.['respan.request.set_parameters'];
  return Array.isArray(names) ? new Set(names.filter((name) => typeof name === 'string')) : null;
}

export interface ToolCall {
  name: string;
  id: string;
  arguments: Json;
}

function parsed(value: Json | undefined): Json {
  if (typeof value !== 'string') return value ?? null;
  try {
    return JSON.parse(value) as Json;
  } catch {
    return value;
  }
}

/** The tools that a message calls; null where it says something else under that name. */
export function toolCallsOf(extra: JsonObject): ToolCall[] | null {
  const calls = extra.tool_calls;
  if (!Array.isArray(calls)) return null;
  const found = calls.map((call): ToolCall | null => {
    if (!isObject(call)) return null;
    const said = isObject(call.function) ? call.function : call;
    if (typeof said.name !== 'string') return null;
    return { name: said.name, id: typeof call.id === 'string' ? call.id : '', arguments: parsed(said.arguments) };
  });
  return found.every((call) => call !== null) ? found : null;
}

/** What a model thought before it answered, apart from the answer: `<think>…</think>` at its beginning, or said beside it. */
export function thoughtOf({ role, content, extra }: Message): { thought: string | null; content: Json } {
  const beside = typeof extra.reasoning === 'string' && extra.reasoning !== '' ? extra.reasoning : null;
  if (role !== 'assistant' || typeof content !== 'string') return { thought: beside, content };
  const begin = /^\s*<think>/.exec(content)?.[0];
  const end = begin === undefined ? -1 : content.indexOf('</think>');
  if (begin === undefined || end < 0) return { thought: beside, content };
  const thought = content.slice(begin.length, end).trim();
  return { thought: thought === '' ? beside : thought, content: content.slice(end + '</think>'.length).trimStart() };
}

export interface Told {
  message: Message;
  /** What answers each of its tool calls, in their order; null for those that nothing answers. */
  results: (Message | null)[];
}

/** A conversation with the results of tools beside the calls that asked for them: by id, else in their order. */
export function pairTools(messages: Message[]): Told[] {
  const taken = new Set<Message>();
  const told = messages.map((message, i): Told => {
    const calls = toolCallsOf(message.extra) ?? [];
    const behind: Message[] = [];
    for (let n = i + 1; messages[n]?.role === 'tool'; n++) behind.push(messages[n] as Message);
    const results = calls.map((call) => {
      const named = call.id === '' ? undefined : behind.find((m) => m.extra.tool_call_id === call.id && !taken.has(m));
      const result = named ?? behind.find((m) => typeof m.extra.tool_call_id !== 'string' && !taken.has(m)) ?? null;
      if (result) taken.add(result);
      return result;
    });
    return { message, results };
  });
  return told.filter(({ message }) => !taken.has(message));
}

export interface Tool {
  name: string;
  description: string;
  parameters: Json;
}

function toTool(said: JsonObject): Tool {
  const { name, description, parameters } = isObject(said.function) ? said.function : said;
  return {
    name: typeof name === 'string' ? name : '',
    description: typeof description === 'string' ? description : '',
    parameters: parsed(parameters),
  };
}

/** The tools that a call offered to the model. */
export function toolsOf(span: Pick<Span, 'attributes'>): Tool[] {
  const attributes = span.attributes ?? {};
  const definitions = parsed(attributes['gen_ai.tool.definitions']);
  if (Array.isArray(definitions)) return definitions.filter(isObject).map(toTool);
  const tools: JsonObject[] = [];
  for (const [key, value] of Object.entries(attributes)) {
    const [, number, name] = /^llm\.request\.functions\.(\d{1,4})\.(\w+)$/.exec(key) ?? [];
    if (number === undefined || name === undefined) continue;
    (tools[Number(number)] ??= {})[name] = value;
  }
  return tools.filter(isObject).map(toTool);
}

/** The texts that were cut when they were recorded, and how many bytes each had. */
export function cutsOf(span: Pick<Span, 'attributes'>): [key: string, bytes: number][] {
  return Object.entries(span.attributes ?? {}).flatMap(([key, value]): [string, number][] =>
    key.endsWith('.full_length') && typeof value === 'number' ? [[key.slice(0, -'.full_length'.length), value]] : [],
  );
}
