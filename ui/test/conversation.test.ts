import { expect, test } from 'vitest';
import type { Json, Trace } from '../src/api/types';
import { type Call, type Said, takeTurn } from '../src/model/conversation';

const trace = (fields: Partial<Trace> = {}): Trace => ({ input: null, output: null, ...fields }) as Trace;
const call = (input: Json, output: Json, log_type = 'chat'): Call => ({
  span_unique_id: 'ab',
  log_type,
  input,
  output,
});
const user = (content: string): Json => ({ role: 'user', content });
const assistant = (content: string): Json => ({ role: 'assistant', content });
const system = { role: 'system', content: 'Be brief.' };
const words = (said: Said, ...calls: Call[]): Json[] =>
  takeTurn(said, trace(), calls).items.map((i) => i.message.content);

test('what a chat sends again is shown once', () => {
  const said: Said = [];
  expect(words(said, call([system, user('a')], [assistant('1')]))).toEqual(['Be brief.', 'a', '1']);
  const sent = [system, user('a'), assistant(' 1 '), user('b')];
  const second = takeTurn(said, trace(), [call(sent, [{ ...(assistant('2') as object), finish_reason: 'stop' }])]);
  expect(second.items.map((i) => [i.message.content, i.answer, i.span])).toEqual([
    ['b', false, 'ab'],
    ['2', true, 'ab'],
  ]);
  expect(second.again).toBe(3);
  expect(words(said, call([...sent, assistant('2'), user('c')], [assistant('3')]))).toEqual(['c', '3']);
});

test('older messages that were left out do not bring the others back', () => {
  const said: Said = [];
  words(said, call([system, user('a'), assistant('1'), user('b')], [assistant('2')]));
  expect(words(said, call([system, user('b'), assistant('2'), user('c')], [assistant('3')]))).toEqual(['c', '3']);
});

test('tools that are called within a turn, and their answers, come once', () => {
  const calls = { role: 'assistant', content: null, tool_calls: [{ name: 'search', arguments: '{}' }] };
  const answer = { role: 'tool', content: 'found', name: 'search' };
  const turn = takeTurn([], trace(), [call([user('a')], [calls]), call([user('a'), calls, answer], [assistant('1')])]);
  expect(turn.items.map((i) => i.message.role)).toEqual(['user', 'assistant', 'tool', 'assistant']);
});

test('two agents that talk in turns are two lines of talk', () => {
  const said: Said = [];
  const other = { role: 'system', content: 'Judge.' };
  words(said, call([system, user('a')], [assistant('1')]), call([other, user('1')], [assistant('good')]));
  expect(words(said, call([system, user('a'), assistant('1'), user('b')], [assistant('2')]))).toEqual(['b', '2']);
  expect(words(said, call([other, user('1'), assistant('good'), user('2')], [assistant('bad')]))).toEqual(['2', 'bad']);
});

test('a text that is continued is not repeated; a batch speaks with its first', () => {
  expect(words([], call('Once upon', 'Once upon a time', 'text'))).toEqual(['Once upon', ' a time']);
  expect(words([], call([user('a'), user('b')], [assistant('1'), assistant('2')], 'text'))).toEqual(['a', '1']);
});

test('a trace without model calls says what the list shows of it', () => {
  const turn = takeTurn([], trace({ input: 'in', output: 'out' }), []);
  expect(turn.items.map((i) => [i.message.role, i.message.content, i.span])).toEqual([
    ['user', 'in', null],
    ['assistant', 'out', null],
  ]);
  expect(takeTurn([], trace(), []).items).toEqual([]);
});
