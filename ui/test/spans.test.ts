import { expect, test } from 'vitest';
import type { Branch } from '../src/api/types';
import { Spans, type Line } from '../src/model/spans';

const id = (n: number): string => n.toString(16).padStart(16, '0');

const first: Line = {
  span_unique_id: id(1) + id(2),
  depth: [0, 1],
  start_ns: [0, 1_500_000_000],
  latency_ns: [3_000_000_000, 1],
  status_code: [1, 2],
  prompt_tokens: [-1, 0],
  cost: [-1, 0.5],
  name: [1, 2],
  log_type: [3, 4],
  model: [0, 5],
  error_message: [0, 6],
  strings: ['flow', 'ask', 'workflow', 'chat', 'tiny', 'no room'],
};
const second: Line = {
  span_unique_id: id(3),
  depth: [0],
  span_parent_id: [[0, id(9)]],
  start_ns: [-5],
  interrupted: [1],
  name: [7],
  log_type: [3],
  strings: ['late'],
};

test('lines of columns are the spans that they say', () => {
  const spans = new Spans(3);
  spans.add(first);
  spans.add(second);
  const one: Branch = {
    depth: 0,
    span_unique_id: id(1),
    log_type: 'workflow',
    start: 0,
    latency: 3,
    name: 'flow',
    status_code: 'ok',
  };
  const two: Branch = {
    depth: 1,
    span_unique_id: id(2),
    span_parent_id: id(1),
    log_type: 'chat',
    start: 1.5,
    latency: 1e-9,
    name: 'ask',
    model: 'tiny',
    error_message: 'no room',
    status_code: 'error',
    prompt_tokens: 0,
    cost: 0.5,
  };
  const three: Branch = {
    depth: 0,
    span_unique_id: id(3),
    span_parent_id: id(9),
    log_type: 'workflow',
    start: -5e-9,
    latency: 0,
    name: 'late',
    interrupted: true,
  };
  expect([spans.branch(0), spans.branch(1, id(1)), spans.branch(2)]).toEqual([one, two, three]);
  const again = Spans.of([one, two, three]);
  expect([0, 1, 2].map((i) => again.branch(i))).toEqual([one, two, three]);
  const turned = spans.arranged([2, -1, 1], [0, 0, 1]);
  turned.put(1, one);
  expect([turned.branch(0), turned.branch(1), turned.branch(2, id(1))]).toEqual([three, one, two]);
});

test('more than was told is not taken', () => {
  const spans = new Spans(1);
  spans.add(first);
  spans.add(second);
  expect(spans.n).toBe(1);
  expect(spans.ids).toEqual([id(1)]);
});
