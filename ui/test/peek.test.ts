import { expect, test } from 'vitest';
import type { Branch, Trace } from '../src/api/types';
import { figuresOf, hasSteps, placeOf, stepsOf } from '../src/model/peek';
import { Spans } from '../src/model/spans';

const branch = (n: number): Branch => ({
  depth: n,
  span_unique_id: String(n),
  log_type: 'task',
  start: 0,
  latency: n,
  ...(n === 1 ? { status_code: 'error' as const, name: 'one' } : {}),
});

test('the first steps, and how many are left', () => {
  const { steps, more } = stepsOf(Spans.of(Array.from({ length: 10 }, (_, n) => branch(n))));
  expect(steps).toHaveLength(7);
  expect(more).toBe(3);
  expect(steps[1]).toMatchObject({ name: 'one', failed: true, depth: 1 });
  expect(steps[0]).toMatchObject({ name: 'unnamed', failed: false });
  expect(hasSteps({ span_count: 1 })).toBe(false);
  expect(hasSteps({ span_count: 100_000 })).toBe(false);
});

test('figures say what is known', () => {
  const none = { total_tokens: null, total_cost: null, model: null, duration: 1.5, span_count: 1 } as Trace;
  expect(figuresOf(none)).toBe('1.50 s · 1 span');
  const all = { ...none, total_tokens: 3, total_prompt_tokens: 1, total_completion_tokens: 2, total_cost: 0.5 };
  expect(figuresOf({ ...all, model: 'org/m', span_count: 3 })).toBe('1.50 s · 1 → 2 tokens · $0.50 · 3 spans · m');
});

test('it stands below the row, above where there is no room, and within the window', () => {
  const view = { width: 1000, height: 600 };
  const size = { width: 400, height: 200 };
  expect(placeOf({ top: 100, bottom: 130, x: 300 }, size, view)).toEqual({ left: 300, top: 134 });
  expect(placeOf({ top: 500, bottom: 530, x: 900 }, size, view)).toEqual({ left: 592, top: 296 });
  expect(placeOf({ top: 100, bottom: 130, x: 0 }, { width: 400, height: 560 }, view)).toEqual({ left: 8, top: 32 });
});
