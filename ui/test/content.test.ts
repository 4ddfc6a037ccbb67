import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../src/api/types';
import {
  contentOf,
  cutsOf,
  finishReason,
  type Message,
  newPreview,
  newTextAt,
  pairTools,
  parametersOf,
  setParametersOf,
  toolCallsOf,
  toolsOf,
} from '../src/model/content';

const of = (log_type: string, input: Json, output: Json) => contentOf({ log_type, input, output });

test('plain text', () => {
  expect(of('text', 'a prompt', 'an answer')).toEqual({
    kind: 'sides',
    input: { shape: 'text', text: 'a prompt' },
    output: { shape: 'text', text: 'an answer' },
  });
  expect(of('text', null, '')).toMatchObject({ input: { shape: 'none' }, output: { shape: 'none' } });
});

test('a lone message of a text generation is its text, a chat stays a chat', () => {
  const one = [{ role: 'user', content: 'hello' }];
  expect(of('text', one, one)).toMatchObject({ input: { shape: 'text', text: 'hello' } });
  expect(of('chat', one, one)).toMatchObject({ input: { shape: 'messages' } });
});

test('many prompts of one role are a batch', () => {
  const prompts = ['p', 'q'].map((content) => ({ role: 'user', content }));
  const answers = ['P', 'Q'].map((content) => ({ role: 'assistant', content }));
  const content = of('text', prompts, answers);
  expect(content.kind).toBe('batch');
  if (content.kind === 'batch')
    expect(content.exchanges.map((e) => [e.prompt[0]?.content, e.completions[0]?.content])).toEqual([
      ['p', 'P'],
      ['q', 'Q'],
    ]);
  expect(of('text', ['p', 'q'], ['P', 'Q']).kind).toBe('batch');
  expect(of('text', prompts, null).kind).toBe('batch');
  expect(of('text', prompts, answers.slice(1)).kind).toBe('sides');
  expect(of('chat', prompts, answers).kind).toBe('sides');
});

test('parts of text read as text, others stay structures', () => {
  const parts = [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    },
  ];
  expect(of('chat', parts, null)).toMatchObject({ input: { messages: [{ content: 'a\nb' }] } });
  const use = { type: 'tool_use', name: 'w' };
  const mixed = [{ role: 'user', content: [use, { type: 'blob', modality: 'image', content: 'AAAA' }] }];
  expect(of('chat', mixed, null)).toMatchObject({ input: { messages: [{ content: [use, '[image, 3 B]'] }] } });
  const image = [{ role: 'user', content: [{ type: 'image_url', image_url: 'x' }] }];
  expect(of('chat', image, null)).toMatchObject({ input: { messages: [{ content: [{ type: 'image_url' }] }] } });
  expect(of('workflow', { args: [1] }, [1, 2])).toMatchObject({ input: { shape: 'json' }, output: { shape: 'json' } });
});

test('a completion that repeats its prompt', () => {
  expect(newTextAt('once upon', 'once upon a time')).toBe(9);
  expect(newTextAt('once upon', 'a time')).toBe(0);
  expect(newTextAt('', 'a time')).toBe(0);
  expect(newTextAt('same', 'same')).toBe(0);
  expect(newPreview('once upon', 'once upon a time')).toBe('… a time');
  expect(newPreview('once', 'twice')).toBe('twice');
});

test('why it ended', () => {
  expect(finishReason({ output: [{ role: 'assistant', content: 'x', finish_reason: 'stop' }], attributes: null })).toBe(
    'stop',
  );
  expect(finishReason({ output: 'x', attributes: { 'gen_ai.completion.0.finish_reason': 'length' } })).toBe('length');
  expect(finishReason({ output: 'x', attributes: { 'gen_ai.response.finish_reasons': ['stop'] } })).toBe('stop');
  expect(finishReason({ output: 'x', attributes: {} })).toBeNull();
});

test('a limit is said once', () => {
  const of = (parameters: JsonObject | null) => parametersOf({ parameters });
  expect(of({ max_new_tokens: 40, top_k: 7, max_tokens: 40 })).toEqual({ max_new_tokens: 40, top_k: 7 });
  expect(of({ max_length: 42, max_tokens: 42 })).toEqual({ max_length: 42 });
  expect(of({ max_length: 42, max_tokens: 20 })).toEqual({ max_length: 42, max_tokens: 20 });
  expect(of({ max_tokens: 20 })).toEqual({ max_tokens: 20 });
  expect(of(null)).toBeNull();
});

test('images and sounds that are described read as a few words in brackets', () => {
  const image = { type: 'image', width: 20, height: 10, mode: 'RGB', format: null };
  const sound = { type: 'audio', shape: [1, 8000], dtype: 'float32' };
  const asked = (content: Json) => of('chat', [{ role: 'user', content }], null);
  const read = (text: string) => ({ input: { messages: [{ content: text }] } });
  expect(asked([image, { type: 'text', text: 'what is it' }])).toMatchObject(read('[image 20 × 10 RGB]\nwhat is it'));
  expect(asked([sound])).toMatchObject(read('[audio 1 × 8000 float32]'));
  expect(asked([{ type: 'image', url: 'https://x/y.png' }])).toMatchObject(read('[image https://x/y.png]'));
  const other = [{ type: 'image_url', image_url: { url: 'https://x/y.png' } }];
  expect(asked(other)).toMatchObject(read('[image https://x/y.png]'));
  const unknown = [{ type: 'hologram', of: [1, 2] }];
  expect(asked(unknown)).toMatchObject({ input: { messages: [{ content: unknown }] } });
});

test('messages and completions of a batch are told apart by the prompt that they name', () => {
  const prompts = [
    { role: 'user', content: 'one?', prompt_index: 0 },
    { role: 'assistant', content: '1', prompt_index: 0 },
    { role: 'user', content: 'two?', prompt_index: 0 },
    { role: 'user', content: 'three?', prompt_index: 1 },
  ];
  const answers = ['a', 'b', 'c', 'd'].map((content, i) => ({ role: 'assistant', content, prompt_index: i >> 1 }));
  const shown = (input: Json, output: Json) => {
    const content = of('chat', input, output);
    if (content.kind !== 'batch') return content.kind;
    return content.exchanges.map((e) => [e.prompt, e.completions].map((side) => side.map((m) => m.content).join()));
  };
  expect(shown(prompts, answers)).toEqual([
    ['one?,1,two?', 'a,b'],
    ['three?', 'c,d'],
  ]);
  expect(shown(prompts, answers.slice(0, 2))).toEqual([
    ['one?,1,two?', 'a,b'],
    ['three?', ''],
  ]);
  expect(shown(prompts.slice(0, 3), answers.slice(0, 2))).toBe('sides');
});

test('which parameters the user set', () => {
  expect(setParametersOf({ attributes: { 'respan.request.set_parameters': ['top_k', 'n'] } })).toEqual(
    new Set(['top_k', 'n']),
  );
  expect(setParametersOf({ attributes: {} })).toBeNull();
});

test('calls of tools, and the tools', () => {
  const call = { name: 'get_time', id: 'c1', arguments: { zone: 'CET' } };
  expect(toolCallsOf({ tool_calls: [{ ...call, arguments: '{"zone":"CET"}' }] })).toEqual([call]);
  expect(toolCallsOf({ tool_calls: [{ id: 'c1', function: { name: 'get_time', arguments: 'not JSON' } }] })).toEqual([
    { ...call, arguments: 'not JSON' },
  ]);
  expect(toolCallsOf({ tool_calls: [1] })).toBeNull();
  expect(toolCallsOf({})).toBeNull();
  const tool = { name: 'get_time', description: 'The time.', parameters: { type: 'object' } };
  const flat = {
    'llm.request.functions.0.name': 'get_time',
    'llm.request.functions.0.description': 'The time.',
    'llm.request.functions.0.parameters': '{"type":"object"}',
  };
  expect(toolsOf({ attributes: flat })).toEqual([tool]);
  const definitions = JSON.stringify([{ type: 'function', function: tool }, tool]);
  expect(toolsOf({ attributes: { 'gen_ai.tool.definitions': definitions } })).toEqual([tool, tool]);
  expect(toolsOf({ attributes: null })).toEqual([]);
});

test('what was cut', () => {
  expect(cutsOf({ attributes: { 'gen_ai.prompt.0.content.full_length': 5_000_000, 'x.full_length': 'y' } })).toEqual([
    ['gen_ai.prompt.0.content', 5_000_000],
  ]);
});

describe('tools and what they said', () => {
  const call = (...ids: string[]): Message => ({
    role: 'assistant',
    content: '',
    extra: { tool_calls: ids.map((id) => ({ id, function: { name: 'f', arguments: '{}' } })) },
  });
  const result = (content: string, id?: string): Message => ({
    role: 'tool',
    content,
    extra: id === undefined ? {} : { tool_call_id: id },
  });
  const pairs = (messages: Message[]) =>
    pairTools(messages).map(({ message, results }) => [message.content, ...results.map((r) => r?.content ?? null)]);

  test('stand with their calls by id, in any order', () => {
    expect(pairs([call('a', 'b'), result('2', 'b'), result('1', 'a')])).toEqual([['', '1', '2']]);
  });
  test('by their order where there are no ids', () => {
    expect(pairs([call('', ''), result('1'), result('2')])).toEqual([['', '1', '2']]);
  });
  test('one that answers no call stands alone, a call without an answer too', () => {
    expect(pairs([call('a'), result('x', 'other'), result('y', 'a'), result('z', 'a')])).toEqual([
      ['', 'y'],
      ['x'],
      ['z'],
    ]);
    expect(pairs([call('a')])).toEqual([['', null]]);
  });
});
