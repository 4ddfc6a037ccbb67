/** A conversation over the traces of a thread. Chats send all that was said before with each request: it is shown once. */
import type { JsonObject, Span, Trace } from '../api/types';
import { contentOf, type Message, newTextAt, sideOf } from './content';

export interface Item {
  message: Message;
  answer: boolean;
  span: string | null;
}

export interface Turn {
  trace: Trace;
  items: Item[];
  /** Messages that were sent again and are shown in earlier turns. */
  again: number;
}

export type Call = Pick<Span, 'span_unique_id' | 'input' | 'output' | 'log_type'>;

/** What has been said so far, as keys of messages: one list for each line of talk, the last used last. */
export type Said = string[][];

/** So many lines of talk are told apart: agents that talk in turns have one each. */
const lines = 8;

function keyOf({ role, content, extra }: Message): string {
  const text = typeof content === 'string' ? content.trim() : JSON.stringify(content);
  return `${role}\n${text}\n${extra.tool_calls === undefined ? '' : JSON.stringify(extra.tool_calls)}`;
}

function commonPrefix(a: string[], b: string[]): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}

/** Where what is new begins, if older messages were left out of what was sent: behind the longest end of the old that is in it. */
function behindOverlap(old: string[], sent: string[]): number {
  for (let end = sent.length; end > 0; end--) {
    let n = 0;
    while (n < end && n < old.length && sent[end - 1 - n] === old[old.length - 1 - n]) n++;
    if (n >= 2) return end;
  }
  return 0;
}

/** The line of talk that the messages go on with, and how many of them it has. */
function findLine(said: Said, sent: string[]): { line: number; again: number } {
  let best = { line: -1, again: 0 };
  for (let line = said.length - 1; line >= 0; line--) {
    const again = commonPrefix(said[line] ?? [], sent);
    if (again > best.again) best = { line, again };
  }
  for (let line = said.length - 1; line >= 0; line--) {
    const again = behindOverlap(said[line] ?? [], sent);
    if (again > best.again) best = { line, again };
  }
  return best;
}

function messagesOf(value: Span['input'], role: string): Message[] {
  const side = sideOf(value);
  if (side.shape === 'none') return [];
  if (side.shape === 'messages') return side.messages.map((m) => (m.role === '' ? { ...m, role } : m));
  return [{ role, content: side.shape === 'text' ? side.text : side.value, extra: {} }];
}

/** Of a batch only the first is part of a conversation. */
function exchangeOf(call: Call): [asked: Message[], answered: Message[]] {
  const content = contentOf(call);
  const first = content.kind === 'batch' ? content.exchanges[0] : undefined;
  if (first) return [first.prompt, first.completions];
  const asked = messagesOf(call.input, 'user');
  const answered = messagesOf(call.output, 'assistant');
  const prompt = asked.at(-1)?.content;
  return [asked, typeof prompt === 'string' ? answered.map((m) => withoutPrompt(m, prompt)) : answered];
}

function withoutPrompt(message: Message, prompt: string): Message {
  if (typeof message.content !== 'string') return message;
  return { ...message, content: message.content.slice(newTextAt(prompt, message.content)) };
}

/** The next turn; what was said in it is added to `said`. */
export function takeTurn(said: Said, trace: Trace, calls: Call[]): Turn {
  const turn: Turn = { trace, items: [], again: 0 };
  for (const call of calls) {
    const [asked, answered] = exchangeOf(call);
    const keys = asked.map(keyOf);
    const { line, again } = findLine(said, keys);
    turn.again += again;
    for (const message of asked.slice(again)) turn.items.push({ message, answer: false, span: call.span_unique_id });
    for (const message of answered) turn.items.push({ message, answer: true, span: call.span_unique_id });
    const old = said[line];
    if (old && again >= old.length) said.splice(line, 1);
    said.push(keys.concat(answered.map(keyOf)));
    if (said.length > lines) said.shift();
  }
  if (turn.items.length === 0) turn.items = previewItems(trace);
  return turn;
}

/** Of a trace without model calls, or whose spans are gone: what the list shows of it. */
function previewItems(trace: Trace): Item[] {
  const items: Item[] = [];
  const put = (text: string | null, role: string): void => {
    const extra: JsonObject = {};
    if (text) items.push({ message: { role, content: text, extra }, answer: role === 'assistant', span: null });
  };
  put(trace.input, 'user');
  put(trace.output, 'assistant');
  return items;
}
