/** What a span is called in little room. */
import type { SpanHead } from '../api/types';

/** `SmolLM2-135M-Instruct` of `HuggingFaceTB/SmolLM2-135M-Instruct`. */
export function shortModel(model: string): string {
  return model.slice(model.lastIndexOf('/') + 1);
}

/** A trace's name in its row: of `load {model}`, which may be a folder's path, the owner or the folders above give way. */
export function traceLabel(name: string): string {
  return name.startsWith('load ') ? `load ${shortModel(name.slice(5))}` : name;
}

/** Its own name; a model call is named `{operation} {model}`, and the model's owner gives way. */
export function spanLabel(span: Pick<SpanHead, 'name' | 'span_name' | 'model'>): string {
  const name = span.name ?? span.span_name;
  const { model } = span;
  return model && name.endsWith(` ${model}`) ? name.slice(0, -model.length) + shortModel(model) : name;
}
