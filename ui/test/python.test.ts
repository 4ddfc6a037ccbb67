import { expect, test } from 'vitest';
import type { Json, JsonObject, Span } from '../src/api/types';
import { literal, pythonOf } from '../src/model/python';

const span = (input: Json, request: JsonObject = {}, model: JsonObject = {}, more: Partial<Span> = {}): Span =>
  ({
    log_type: 'text',
    model: 'org/tiny',
    input,
    output: null,
    attributes: Object.fromEntries([
      ...Object.entries({ class: 'GPT2LMHeadModel', ...model }).map(([k, v]) => [`respan.model.${k}`, v]),
      ...Object.entries(request).map(([k, v]) => [`gen_ai.request.${k}`, v]),
      ...Object.entries(more.attributes ?? {}),
    ]),
    ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== 'attributes')),
  }) as Span;

test('values as Python has them', () => {
  expect(literal({ a: [true, null, 1.5], 'b"': 'é\n😀' })).toBe('{"a": [True, None, 1.5], "b\\"": "é\\n😀"}');
  expect(literal('\ud800')).toBe('"\\ud800"');
  expect(literal(['x'.repeat(60), 'y'.repeat(60)])).toMatch(/^\[\n {4}"x+",\n {4}"y+",\n\]$/);
});

test('a text: model, revision, type, device, seed and parameters', () => {
  const facts = { revision: 'abc', dtype: 'bfloat16', device: 'cuda:0', seed: 7, transformers_version: '5.1.0' };
  const code = pythonOf(
    span(
      'Once',
      {
        model: 'org/tiny',
        temperature: 1,
        top_k: 5,
        max_new_tokens: 8,
        max_length: 20,
        do_sample: true,
        'choice.count': 2,
      },
      facts,
    ),
  );
  expect(code).toBe(`import torch
from transformers import pipeline

# Recorded with transformers 5.1.0.
generator = pipeline(
    "text-generation",
    model="org/tiny",
    revision="abc",
    dtype=torch.bfloat16,
    device="cuda:0",
)
# What had been drawn from the generator before the call is not known: this is its seed at the start.
torch.manual_seed(7)
result = generator(
    "Once",
    temperature=1.0,
    top_k=5,
    max_new_tokens=8,
    do_sample=True,
    num_return_sequences=2,
)
print(result)
`);
});

test('older versions, limits that were set, and what is not known', () => {
  expect(pythonOf(span('x', {}, { dtype: 'float16', transformers_version: '4.44.2' }))).toContain(
    'torch_dtype=torch.float16',
  );
  const set = { attributes: { 'respan.request.set_parameters': ['max_length'] } };
  const code = pythonOf(span('x', { max_length: 9, max_new_tokens: 256 }, {}, set));
  expect(code).toContain('max_length=9');
  expect(code).not.toContain('max_new_tokens');
  expect(code).not.toContain('import torch');
});

test('a chat with tools, and batches', () => {
  const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a": true}' } };
  const chat = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: '', tool_calls: [call] },
    { role: 'tool', content: '3', tool_call_id: 'c1' },
  ];
  const tools = {
    attributes: { 'gen_ai.tool.definitions': JSON.stringify([{ name: 'f', description: 'd', parameters: {} }]) },
  };
  const code = pythonOf(span(chat, {}, {}, { log_type: 'chat', ...tools })) ?? '';
  expect(code).toContain('{"role": "user", "content": "Hi"},');
  expect(code).toContain('"function": {"name": "f", "arguments": {"a": True}}');
  expect(code).toContain('{"role": "tool", "content": "3", "tool_call_id": "c1"},');
  expect(code).toContain('tools=[');
  const batch = [
    { role: 'user', content: 'one', prompt_index: 0 },
    { role: 'user', content: 'two', prompt_index: 1 },
  ];
  expect(pythonOf(span(batch))).toContain('    ["one", "two"],');
});

test('none for what was not generated here, or whose prompt was not kept', () => {
  expect(pythonOf(span(null))).toBeNull();
  expect(pythonOf(span('x', {}, {}, { log_type: 'embedding' }))).toBeNull();
  expect(pythonOf(span('x', {}, { class: null }))).toBeNull();
});

test('a text that is hostile stays a text', () => {
  const evil = '"""\n)\nimport os; os.system("x")\u0000\u2028';
  const code = pythonOf(span(evil, {}, { quantization: 'a\nimport os' })) ?? '';
  expect(code).toContain(`    ${JSON.stringify(evil)},`);
  expect(code.split('\n').some((line) => line.startsWith('import os'))).toBe(false);
});
