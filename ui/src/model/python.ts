/** A program that makes a recorded call once more: the same model in the same revision and type, prompt, parameters and seed. */
import type { Json, JsonObject, Span } from '../api/types';
import { contentOf, cutsOf, type Message, sideOf, toolCallsOf, toolsOf } from './content';
import { attributesBelow } from './facts';

/** transformers takes no whole number for these. */
const fractions = new Set([
  'temperature',
  'top_p',
  'min_p',
  'typical_p',
  'top_h',
  'repetition_penalty',
  'encoder_repetition_penalty',
  'length_penalty',
  'penalty_alpha',
  'diversity_penalty',
  'guidance_scale',
  'epsilon_cutoff',
  'eta_cutoff',
  'max_time',
]);

/** Names that the conventions have for what transformers calls otherwise. */
const renamed: Record<string, string> = { 'choice.count': 'num_return_sequences', stop_sequences: 'stop_strings' };

/** Of the attributes of a request, those that are none of generation's parameters. */
const notPassed = new Set(['model', 'type', 'assistant_model', 'seed', 'max_tokens', 'num_workers', 'return_tensors']);

export function literal(value: Json, indent = ''): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number' || typeof value === 'string') return JSON.stringify(value);
  const inner = `${indent}    `;
  const parts = Array.isArray(value)
    ? value.map((item) => literal(item, inner))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${literal(item, inner)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  const line = `${open}${parts.join(', ')}${close}`;
  if (line.length + indent.length <= 88 && !line.includes('\n')) return line;
  return `${open}\n${parts.map((part) => `${inner}${part},\n`).join('')}${indent}${close}`;
}

function parameter(name: string, value: Json): string {
  const whole = typeof value === 'number' && Number.isInteger(value);
  return `    ${name}=${whole && fractions.has(name) ? `${String(value)}.0` : literal(value, '    ')},`;
}

function parametersOf(span: Span): [string, Json][] {
  const given = attributesBelow(span, 'gen_ai.request.');
  const set = span.attributes?.['respan.request.set_parameters'];
  const isSet = (name: string): boolean => Array.isArray(set) && set.includes(name);
  // Two limits are one too many: the one that was set, else the one that wins.
  const both = 'max_new_tokens' in given && 'max_length' in given;
  const lesser = both ? (isSet('max_length') && !isSet('max_new_tokens') ? 'max_new_tokens' : 'max_length') : '';
  if ('max_tokens' in given && !('max_new_tokens' in given) && !('max_length' in given)) {
    given.max_new_tokens = given.max_tokens ?? null;
  }
  return Object.entries(given)
    .filter(([name, value]) => !notPassed.has(name) && name !== lesser && value !== null)
    .map(([name, value]) => [renamed[name] ?? name, value]);
}

/** A message as a chat template takes it. */
function toMessage({ role, content, extra }: Message): JsonObject {
  const calls = toolCallsOf(extra);
  const out: JsonObject = { role, content };
  if (calls) {
    out.tool_calls = calls.map(({ name, id, arguments: args }) => ({
      type: 'function',
      ...(id === '' ? {} : { id }),
      function: { name, arguments: args },
    }));
  }
  for (const key of ['name', 'tool_call_id'] as const) if (typeof extra[key] === 'string') out[key] = extra[key];
  return out;
}

/** What the pipeline is called with: a text, a chat, or a list of either. */
function promptOf(span: Span): Json {
  const isChat = span.log_type === 'chat';
  const one = (messages: Message[]): Json => (isChat ? messages.map(toMessage) : (messages[0]?.content ?? ''));
  const content = contentOf(span);
  if (content.kind === 'batch') return content.exchanges.map(({ prompt }) => one(prompt));
  const side = isChat ? sideOf(span.input) : content.input;
  if (side.shape === 'text') return side.text;
  return side.shape === 'messages' ? one(side.messages) : null;
}

/** Null where it was no call of a text generation in the program itself, or its prompt was not kept. */
export function pythonOf(span: Span): string | null {
  const said = attributesBelow(span, 'respan.model.');
  const prompt = promptOf(span);
  const generates = span.log_type === 'text' || span.log_type === 'chat' || span.log_type === 'completion';
  if (!generates || span.model === null || typeof said.class !== 'string' || prompt === null) return null;

  const text = (name: string): string | null => (typeof said[name] === 'string' ? said[name] : null);
  const [dtype, device, revision] = [text('dtype'), text('device'), text('revision')];
  const seed = typeof said.seed === 'number' ? said.seed : null;
  const [major = 5, minor = 0] = (text('transformers_version') ?? '').split('.').map(Number);
  const isTorchDtype = major === 4 && minor < 56;
  const needsTorch = seed !== null || dtype !== null;
  const notes = [
    ...Object.entries({ transformers: text('transformers_version'), torch: text('torch_version') }).flatMap(
      ([name, version]) => (version === null ? [] : `# Recorded with ${name} ${version}.`),
    ),
    ...(text('quantization') === null ? [] : [`# The model was quantized: ${text('quantization') ?? ''}.`]),
    ...(cutsOf(span).length === 0 ? [] : ['# What was said is longer than was kept: the prompt may be cut.']),
  ].map((note) => note.replace(/[\r\n]+/g, ' '));

  const lines = [...(needsTorch ? ['import torch'] : []), 'from transformers import pipeline', '', ...notes];
  const loaded = ['    "text-generation",', `    model=${literal(span.model)},`];
  if (revision !== null) loaded.push(`    revision=${literal(revision)},`);
  if (dtype !== null && /^\w+$/.test(dtype)) loaded.push(`    ${isTorchDtype ? 'torch_' : ''}dtype=torch.${dtype},`);
  if (device !== null)
    loaded.push(/^\w+(:\d+)?$/.test(device) ? `    device=${literal(device)},` : '    device_map="auto",');
  lines.push('generator = pipeline(', ...loaded, ')');
  const parameters = parametersOf(span);
  if (parameters.some(([name, value]) => name === 'batch_size' && value !== 1)) {
    lines.push('generator.tokenizer.pad_token = generator.tokenizer.pad_token or generator.tokenizer.eos_token');
  }
  const tools = toolsOf(span).map(({ name, description, parameters: schema }): JsonObject => ({
    type: 'function',
    function: { name, description, parameters: schema },
  }));
  if (seed !== null) {
    lines.push('# What had been drawn from the generator before the call is not known: this is its seed at the start.');
    lines.push(`torch.manual_seed(${String(seed)})`);
  }
  lines.push('result = generator(', `    ${literal(prompt, '    ')},`);
  if (tools.length > 0) lines.push(`    tools=${literal(tools, '    ')},`);
  lines.push(...parameters.map(([name, value]) => parameter(name, value)), ')', 'print(result)', '');
  return lines.join('\n');
}
