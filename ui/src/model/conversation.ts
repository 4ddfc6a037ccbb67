/** A conversation over the traces of a thread. Chats send all that was said before with each request: it is shown once. */
import type { Json, JsonObject, Span, Trace } from '../api/types';
import { align, type Alignment, type Messages } from './alignment';
import { contentOf, type Message, newTextAt, pairTools, sideOf, toolCallsOf } from './content';

export type Call = Pick<
  Span,
  | 'span_unique_id'
  | 'log_type'
  | 'input'
  | 'output'
  | 'model'
  | 'start_time'
  | 'timestamp'
  | 'latency'
  | 'time_to_first_token'
  | 'prompt_tokens'
  | 'completion_tokens'
  | 'cost'
  | 'status_code'
  | 'error_message'
>;

/** What a call took, without what it said. */
export type CallFacts = Omit<Call, 'input' | 'output'>;

export interface Item {
  message: Message;
  answer: boolean;
  span: string | null;
  /** What answers each of the tools that the message calls; null where nothing does. */
  results: (Message | null)[];
  /** Beside the first answer of a call. */
  call: CallFacts | null;
  /** It was said before, and nothing else is asked here. */
  repeated: boolean;
}

export interface Turn {
  trace: Trace;
  items: Item[];
  /** The calls that failed. */
  failures: { message: string; span: string }[];
  models: string[];
  /** Messages of earlier turns that were sent again; so many were in other words. */
  again: number;
  reworded: number;
  /** Exchanges of batches that are not shown: only the first of a batch is part of a conversation. */
  beside: number;
}

interface Line {
  system: number[];
  talk: number[];
}

/** What has been said so far: one line for each line of talk, the last used last. Lines are never changed, only replaced. */
export interface Said {
  /** Numbers of messages; shared by all that follows. */
  numbers: Map<string, number>;
  /** Of messages that were said by now; later ones have greater numbers. */
  count: number;
  texts: string[];
  answers: Set<number>;
  lines: Line[];
}

export const nothingSaid = (): Said => ({ numbers: new Map(), count: 0, texts: [], answers: new Set(), lines: [] });

/** So many lines of talk are told apart: agents that talk in turns have one each. */
const mostLines = 8;

const isInstruction = ({ role }: Message): boolean => role === 'system' || role === 'developer';

/** The same for messages that say the same: an answer is often sent again without the model's thoughts, its tool calls in another form. */
function keyOf({ role, content, extra }: Message): string {
  const text = typeof content === 'string' ? content : content === null ? '' : JSON.stringify(content);
  const calls = toolCallsOf(extra)?.map((call): Json => [call.name, call.arguments]);
  const told = role === 'assistant' ? text.replace(/^\s*<think>[\s\S]*?<\/think>/, '') : text;
  return `${role}\n${told.trim()}\n${calls ? JSON.stringify(calls) : ''}`;
}

function numberOf(said: Said, message: Message): number {
  const key = keyOf(message);
  const known = said.numbers.get(key);
  if (known !== undefined) return known;
  const number = said.numbers.size;
  said.numbers.set(key, number);
  said.texts.push(typeof message.content === 'string' ? message.content.trim() : '');
  if (message.role === 'assistant') said.answers.add(number);
  return number;
}

/** Of a question and what was put before or behind it. */
const isEndOf = (part: string, of: string): boolean => part !== '' && (of.startsWith(part) || of.endsWith(part));

interface Found {
  line: number;
  alignment: Alignment;
}

/** The line of talk that the messages go on with: of those that share most the one with the same instructions, else the last used. */
function findLine(said: Said, system: number[], talk: number[]): Found | null {
  const text = (n: number): string => said.texts[n] ?? '';
  const messages: Messages = {
    isAnswer: (n) => said.answers.has(n),
    isPart: (a, b) => isEndOf(text(a), text(b)) || isEndOf(text(b), text(a)),
  };
  let best: Found | null = null;
  let most = 0;
  for (let line = said.lines.length - 1; line >= 0; line--) {
    const of = said.lines[line];
    const alignment = of && align(of.talk, talk, messages);
    if (!alignment) continue;
    const fits = 2 * alignment.again + (of.system.join() === system.join() ? 1 : 0);
    if (fits > most) [best, most] = [{ line, alignment }, fits];
  }
  return best;
}

function messagesOf(value: Span['input'], role: string): Message[] {
  const side = sideOf(value);
  if (side.shape === 'none') return [];
  if (side.shape === 'messages') return side.messages.map((m) => (m.role === '' ? { ...m, role } : m));
  return [{ role, content: side.shape === 'text' ? side.text : side.value, extra: {} }];
}

interface Exchanged {
  asked: Message[];
  answered: Message[];
  beside: number;
}

function exchangeOf(call: Call): Exchanged {
  const content = contentOf(call);
  const first = content.kind === 'batch' ? content.exchanges[0] : undefined;
  if (first && content.kind === 'batch')
    return { asked: first.prompt, answered: first.completions, beside: content.exchanges.length - 1 };
  const asked = messagesOf(call.input, 'user');
  const answered = messagesOf(call.output, 'assistant');
  const prompt = asked.at(-1)?.content;
  return {
    asked,
    answered: typeof prompt === 'string' ? answered.map((m) => withoutPrompt(m, prompt)) : answered,
    beside: 0,
  };
}

function withoutPrompt(message: Message, prompt: string): Message {
  if (typeof message.content !== 'string') return message;
  return { ...message, content: message.content.slice(newTextAt(prompt, message.content)) };
}

/** A call that two instrumentations tell of is two spans, one within the other, that say the same. */
function isToldBefore(call: Call, calls: [Call, string][], says: string): boolean {
  return calls.some(
    ([other, said]) => said === says && other.start_time <= call.start_time && call.timestamp <= other.timestamp,
  );
}

function factsOf(call: Call): CallFacts {
  const facts: CallFacts & Partial<Call> = { ...call };
  delete facts.input;
  delete facts.output;
  return facts;
}

/** The next turn, and what has been said by then. */
export function takeTurn(before: Said, trace: Trace, calls: Call[]): { turn: Turn; said: Said } {
  const said: Said = { ...before, lines: before.lines.slice() };
  const turn: Turn = { trace, items: [], failures: [], models: [], again: 0, reworded: 0, beside: 0 };
  const told: [Call, string][] = [];
  const again = new Set<number>();
  const put = (message: Message, call: Call, more: Partial<Item> = {}): void => {
    turn.items.push({
      message,
      answer: false,
      span: call.span_unique_id,
      results: [],
      call: null,
      repeated: false,
      ...more,
    });
  };
  for (const call of calls) {
    const { asked, answered, beside } = exchangeOf(call);
    const numbers = asked.map((m) => numberOf(said, m));
    const answers = answered.map((m) => numberOf(said, m));
    const says = `${numbers.join()}|${answers.join()}`;
    if (isToldBefore(call, told, says)) continue;
    told.push([call, says]);
    if (call.model !== null && !turn.models.includes(call.model)) turn.models.push(call.model);
    turn.beside += beside;

    const places = asked.flatMap((m, i) => (isInstruction(m) ? [] : [i]));
    const talk = places.map((i) => numbers[i] ?? -1);
    const system = numbers.filter((_, i) => !places.includes(i));
    const found = findLine(said, system, talk);
    const old = found ? said.lines[found.line] : undefined;
    const isNew = asked.map((m, i) => !(isInstruction(m) && old?.system.includes(numbers[i] ?? -1)));
    places.forEach((place, i) => {
      if (found?.alignment.known[i]) isNew[place] = false;
    });
    const last = asked.at(-1);
    const nothingNew = turn.items.length === 0 && last?.role === 'user' && !isNew.includes(true);
    asked.forEach((message, i) => {
      if (isNew[i]) put(message, call);
    });
    if (nothingNew) put(last, call, { repeated: true });
    numbers.forEach((n, i) => {
      const isShown = isNew[i] || (nothingNew && i === numbers.length - 1);
      if (!isShown && n < before.count) again.add(n);
    });
    if (told.length === 1) turn.reworded = found?.alignment.reworded ?? 0;
    answered.forEach((message, i) => {
      put(message, call, { answer: true, call: i === 0 ? factsOf(call) : null });
    });
    if (call.status_code === 'error')
      turn.failures.push({ message: call.error_message ?? 'no message', span: call.span_unique_id });

    const fresh = talk.filter((_, i) => !found?.alignment.known[i]);
    const goesOn = found?.alignment.goesOn === true;
    said.lines.push({ system, talk: (goesOn && old ? old.talk.concat(fresh) : talk).concat(answers) });
    if (goesOn && found) said.lines.splice(found.line, 1);
    if (said.lines.length > mostLines) said.lines.shift();
  }
  turn.again = again.size + turn.reworded;
  said.count = said.numbers.size;
  if (turn.items.length === 0) turn.items = previewItems(trace);
  turn.items = withResults(turn.items);
  return { turn, said };
}

/** What tools said, beside the calls that asked for it. */
function withResults(items: Item[]): Item[] {
  const byMessage = new Map(items.map((item) => [item.message, item]));
  return pairTools(items.map(({ message }) => message)).flatMap(({ message, results }) => {
    const item = byMessage.get(message);
    return item ? [{ ...item, results }] : [];
  });
}

/** Of a trace without model calls, or whose spans are gone: what the list shows of it. */
function previewItems(trace: Trace): Item[] {
  const items: Item[] = [];
  const put = (text: string | null, role: string): void => {
    const extra: JsonObject = {};
    if (!text) return;
    const answer = role === 'assistant';
    items.push({
      message: { role, content: text, extra },
      answer,
      span: null,
      results: [],
      call: null,
      repeated: false,
    });
  };
  put(trace.input, 'user');
  put(trace.output, 'assistant');
  return items;
}
