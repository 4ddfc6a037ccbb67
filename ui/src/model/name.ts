/** What a span or a trace is called in little room. */
import type { Trace } from '../api/types';

/** `SmolLM2-135M-Instruct` of `HuggingFaceTB/SmolLM2-135M-Instruct`. */
export function shortModel(model: string): string {
  return model.slice(model.lastIndexOf('/') + 1);
}

/** Its own name; a model call is named `{operation} {model}`, and the model's owner gives way. */
export function spanLabel({ name = '', model }: { name?: string; model?: string | null }): string {
  return model && name.endsWith(` ${model}`) ? name.slice(0, -model.length) + shortModel(model) : name;
}

/** A trace has its root's name, but knows no model of a root that only loads one: of a folder's path the last part says most. */
export function traceLabel(trace: Pick<Trace, 'name' | 'model'>): string {
  const name = trace.name ?? '';
  if (name.startsWith('load ')) return `load ${shortModel(name.slice('load '.length))}`;
  return spanLabel({ name, model: trace.model });
}
