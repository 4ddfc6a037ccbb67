/** What a span is called in little room. */
import type { SpanHead } from '../api/types';

/** `SmolLM2-135M-Instruct` of `HuggingFaceTB/SmolLM2-135M-Instruct`. */
export function shortModel(model: string): string {
  return model.slice(model.lastIndexOf('/') + 1);
}

/** Its own name; a model call is named `{operation} {model}`, and the model's owner gives way. */
export function spanLabel(span: Pick<SpanHead, 'name' | 'span_name' | 'model'>): string {
  const name = span.name ?? span.span_name;
  const { model } = span;
  return model && name.endsWith(` ${model}`) ? name.slice(0, -model.length) + shortModel(model) : name;
}
