import { expect, test } from 'vitest';
import type { Json, Trace } from '../src/api/types';
import { type Call, nothingSaid, type Said, takeTurn, type Turn } from '../src/model/conversation';

const trace = (fields: Partial<Trace> = {}): Trace => ({ input: null, output: null, ...fields }) as Trace;
let clock = 0;
const call = (input: Json, output: Json, more: Partial<Call> = {}): Call => {
  const at = String(++clock).padStart(6, '0');
  return {
    span_unique_id: 'ab',
    log_type: 'chat',
    input,
    output,
    model: 'm',
    start_time: `${at}a`,
    timestamp: `${at}b`,
    latency: 1,
    time_to_first_token: null,
    prompt_tokens: null,
    completion_tokens: null,
    cost: null,
    status_code: 'ok',
    error_message: null,
    ...more,
  };
};
const user = (content: Json): Json => ({ role: 'user', content });
const assistant = (content: string): Json => ({ role: 'assistant', content });
const system = { role: 'system', content: 'Be brief.' };

/** A talk to which turns are added. */
function talk() {
  let said: Said = nothingSaid();
  const turn = (...calls: Call[]): Turn => {
    const taken = takeTurn(said, trace(), calls);
    said = taken.said;
    return taken.turn;
  };
  return { turn, words: (...calls: Call[]): Json[] => turn(...calls).items.map((i) => i.message.content) };
}

test('what a chat sends again is shown once', () => {
  const { turn, words } = talk();
  expect(words(call([system, user('a')], [assistant('1')]))).toEqual(['Be brief.', 'a', '1']);
  const sent = [system, user('a'), assistant(' 1 '), user('b')];
  const second = turn(call(sent, [{ ...(assistant('2') as object), finish_reason: 'stop' }]));
  expect(second.items.map((i) => [i.message.content, i.answer, i.span])).toEqual([
    ['b', false, 'ab'],
    ['2', true, 'ab'],
  ]);
  expect([second.again, second.reworded]).toEqual([3, 0]);
  expect(words(call([...sent, assistant('2'), user('c')], [assistant('3')]))).toEqual(['c', '3']);
});

test('older messages that were left out do not bring the others back', () => {
  const { words } = talk();
  words(call([system, user('a'), assistant('1'), user('b')], [assistant('2')]));
  expect(words(call([system, user('b'), assistant('2'), user('c')], [assistant('3')]))).toEqual(['c', '3']);
  expect(words(call([assistant('3'), user('d')], [assistant('4')]))).toEqual(['d', '4']);
  // The first question is pinned, what is between is told in brief, and that is new.
  const brief = user('what was said of b and c, in brief');
  expect(words(call([user('a'), brief, assistant('3'), user('d'), assistant('4'), user('e')], null))).toEqual([
    'what was said of b and c, in brief',
    'e',
  ]);
});

test('a question that is sent again without what was put beside it is the same question', () => {
  const { turn } = talk();
  turn(call([user('Context: x\n\na?')], [assistant('1')]));
  const second = turn(call([user('a?'), assistant('1'), user('Context: y\n\nb?')], [assistant('2')]));
  expect(second.items.map((i) => i.message.content)).toEqual(['Context: y\n\nb?', '2']);
  expect([second.again, second.reworded]).toEqual([2, 1]);
});

test('instructions are shown when they change, and only then', () => {
  const { words } = talk();
  const now = (time: string): Json => ({ role: 'system', content: `It is ${time}.` });
  words(call([now('10:00'), user('a')], [assistant('1')]));
  const sent = [user('a'), assistant('1'), user('b')];
  expect(words(call([now('10:01'), ...sent], [assistant('2')]))).toEqual(['It is 10:01.', 'b', '2']);
  expect(words(call([now('10:01'), ...sent, assistant('2'), user('c')], null))).toEqual(['c']);
});

test('a question that was edited begins another line; one that is asked again says so', () => {
  const { turn, words } = talk();
  words(call([user('a'), assistant('0'), user('b')], [assistant('1')]));
  expect(words(call([user('a'), assistant('0'), user('B')], [assistant('2')]))).toEqual(['B', '2']);
  const again = turn(call([user('a'), assistant('0'), user('B')], [assistant('3')]));
  expect(again.items.map((i) => [i.message.content, i.repeated])).toEqual([
    ['B', true],
    ['3', false],
  ]);
  expect(again.again).toBe(2);
});

test('the same words to nobody in particular are no line of talk', () => {
  const { words } = talk();
  words(call([user('x'), assistant('1'), user('yes')], [assistant('2')]));
  expect(words(call([user('yes'), assistant('B'), user('c')], null))).toEqual(['yes', 'B', 'c']);
});

test('tools that are called within a turn, and their answers, come once, beside each other', () => {
  const calls = { role: 'assistant', content: null, tool_calls: [{ id: 'c1', name: 'search', arguments: '{"q":1}' }] };
  // As another API writes the same.
  const sent = {
    role: 'assistant',
    content: '',
    tool_calls: [{ id: 'c1', type: 'function', function: { name: 'search', arguments: '{ "q": 1 }' } }],
  };
  const answer = { role: 'tool', content: 'found', tool_call_id: 'c1' };
  const { turn } = talk();
  const { items } = turn(call([user('a')], [calls]), call([user('a'), sent, answer], [assistant('1')]));
  expect(items.map((i) => [i.message.role, i.results.map((r) => r?.content)])).toEqual([
    ['user', []],
    ['assistant', ['found']],
    ['assistant', []],
  ]);
});

test('thoughts that are not sent again do not bring the answer back', () => {
  const { words } = talk();
  words(call([user('a')], [assistant('<think>hm\n1?</think>\n\n1')]));
  expect(words(call([user('a'), assistant('1'), user('b')], null))).toEqual(['b']);
});

test('two agents that talk in turns are two lines of talk', () => {
  const { words } = talk();
  const other = { role: 'system', content: 'Judge.' };
  words(call([system, user('a')], [assistant('1')]), call([other, user('1')], [assistant('good')]));
  expect(words(call([system, user('a'), assistant('1'), user('b')], [assistant('2')]))).toEqual(['b', '2']);
  expect(words(call([other, user('1'), assistant('good'), user('2')], [assistant('bad')]))).toEqual(['2', 'bad']);
});

test('a call that two instrumentations tell of is shown once; the same answer of another call is not left out', () => {
  const { turn } = talk();
  const outer = call([user('a')], [assistant('1')], { start_time: '1', timestamp: '9', span_unique_id: 'outer' });
  const inner = call([user('a')], [assistant('1')], { start_time: '2', timestamp: '8', span_unique_id: 'inner' });
  expect(turn(outer, inner).items.map((i) => [i.message.content, i.span])).toEqual([
    ['a', 'outer'],
    ['1', 'outer'],
  ]);
  expect(turn(call([user('a')], [assistant('1')])).items.map((i) => i.message.content)).toEqual(['a', '1']);
});

test('what failed and which models were called is said of the turn', () => {
  const { turn } = talk();
  const failed = turn(
    call([user('a')], null, { status_code: 'error', error_message: 'out of memory', model: 'big' }),
    call([user('a')], [assistant('1')], { model: 'small', latency: 2 }),
  );
  expect(failed.failures).toEqual([{ message: 'out of memory', span: 'ab' }]);
  expect(failed.models).toEqual(['big', 'small']);
  expect(failed.items.map((i) => i.call?.latency)).toEqual([undefined, 2]);
});

test('a text that is continued is not repeated; a batch speaks with its first', () => {
  expect(talk().words(call('Once upon', 'Once upon a time', { log_type: 'text' }))).toEqual(['Once upon', ' a time']);
  const batch = talk().turn(call([user('a'), user('b')], [assistant('1'), assistant('2')], { log_type: 'text' }));
  expect(batch.items.map((i) => i.message.content)).toEqual(['a', '1']);
  expect(batch.beside).toBe(1);
});

test('a trace without model calls says what the list shows of it', () => {
  const { turn } = takeTurn(nothingSaid(), trace({ input: 'in', output: 'out' }), []);
  expect(turn.items.map((i) => [i.message.role, i.message.content, i.span])).toEqual([
    ['user', 'in', null],
    ['assistant', 'out', null],
  ]);
  expect(takeTurn(nothingSaid(), trace(), []).turn.items).toEqual([]);
});

test('hundreds of turns that each send all before them show two messages each', () => {
  const { turn } = talk();
  const history: Json[] = [];
  for (let n = 0; n < 300; n++) {
    history.push(user(`question ${String(n)}`));
    expect(turn(call([...history], [assistant(`answer ${String(n)}`)])).again).toBe(2 * n);
    history.push(assistant(`answer ${String(n)}`));
  }
});
