import { expect, test } from 'vitest';
import type { Trace } from '../src/api/types';
import {
  addTurns,
  changed,
  type Entry,
  mayRun,
  modelsOf,
  replaceTurn,
  usersOf,
  withoutDeleted,
} from '../src/model/thread';

const trace = (id: string, at: number, more: Partial<Trace> = {}): Trace =>
  ({ trace_unique_id: id, start_time: `2026-11-30T10:00:0${String(at)}Z`, input: id, output: null, ...more }) as Trace;
const told = (t: Trace) => ({ trace: t, calls: [], callsBefore: 0 });
const ids = (traces: Trace[]) => traces.map((t) => t.trace_unique_id).join('');
const says = (entries: Entry[]) => entries.map(({ turn }) => turn.items[0]?.message.content);

test('turns join page by page; one that grew is told again where it stands', () => {
  const two = addTurns([], 0, [told(trace('a', 1)), told(trace('b', 2))]);
  const three = addTurns(two, 2, [told(trace('c', 3))]);
  expect(says(three)).toEqual(['a', 'b', 'c']);
  expect(says(replaceTurn(three, 1, told(trace('b', 2, { input: 'B' }))))).toEqual(['a', 'B', 'c']);
  expect(says(addTurns(three, 1, [told(trace('x', 4))]))).toEqual(['a', 'x']);
});

test('what is told joins what is shown by its start, and by nothing if nothing changed', () => {
  const shown = [trace('a', 1), trace('c', 3)];
  expect(changed(shown, [trace('a', 1)], true)).toBeNull();
  const grown = changed(shown, [trace('c', 3, { span_count: 2 })], true);
  expect([ids(grown?.traces ?? []), grown?.from]).toEqual(['ac', 1]);
  const fresh = changed(shown, [trace('b', 2), trace('d', 4)], true);
  expect([ids(fresh?.traces ?? []), fresh?.from]).toEqual(['abcd', 1]);
  expect(changed(shown, [trace('d', 4)], false)).toBeNull(); // a page to come has it
});

test('what was deleted goes', () => {
  const shown = [trace('a', 1), trace('b', 2), trace('c', 3)];
  const gone = withoutDeleted(shown, [trace('c', 3), trace('a', 1)], false);
  expect([ids(gone?.traces ?? []), gone?.from]).toEqual(['ac', 1]);
  expect(withoutDeleted(shown, [trace('c', 3), trace('b', 2)], false)).toBeNull();
  expect(ids(withoutDeleted(shown, [trace('c', 3), trace('b', 2)], true)?.traces ?? [])).toBe('bc');
  expect(withoutDeleted(shown, [], true)?.traces).toEqual([]);
});

test('a trace without its root may run, for a minute', () => {
  const end = Date.parse('2026-11-30T10:00:10Z');
  const open = trace('a', 1, { end_time: '2026-11-30T10:00:10Z', root_span_unique_id: null });
  expect(mayRun(open, end + 1000)).toBe(true);
  expect(mayRun(open, end + 61_000)).toBe(false);
  expect(mayRun({ ...open, root_span_unique_id: 'x' }, end)).toBe(false);
  expect(mayRun({ ...open, root_span_unique_id: 'x', running: true }, end + 61_000)).toBe(true);
});

test('whose it is, and how many turns called which model', () => {
  const entries = addTurns([], 0, [
    told(trace('a', 1, { customer_identifier: 'u' })),
    told(trace('b', 2, { customer_identifier: 'u' })),
  ]);
  for (const { turn } of entries) turn.models = ['m'];
  entries[1]?.turn.models.push('n');
  expect(usersOf(entries)).toEqual(['u']);
  expect(modelsOf(entries)).toEqual([
    ['m', 2],
    ['n', 1],
  ]);
});
