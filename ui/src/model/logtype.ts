/** Log types, in the few families that colours and shapes tell apart. */

export type Family = 'workflow' | 'task' | 'agent' | 'model' | 'tool' | 'guard' | 'other';

const families: Record<string, Family> = {
  workflow: 'workflow',
  task: 'task',
  function: 'task',
  agent: 'agent',
  handoff: 'agent',
  text: 'model',
  chat: 'model',
  completion: 'model',
  response: 'model',
  embedding: 'model',
  transcription: 'model',
  speech: 'model',
  generation: 'model',
  tool: 'tool',
  guardrail: 'guard',
  score: 'guard',
};

export function familyOf(logType: string | null | undefined): Family {
  return families[logType ?? ''] ?? 'other';
}

const generations = new Set(['text', 'chat', 'completion', 'response', 'generation']);

/** A model call that answers in words. */
export function isGeneration(logType: string | null | undefined): boolean {
  return generations.has(logType ?? '');
}

/** A span whose tokens and cost are counted: not those of a workflow, which may repeat what its calls say. */
export function isModelCall(logType: string | null | undefined): boolean {
  return familyOf(logType) === 'model';
}

/** The same as a condition of the filter language. */
export const isModelCallQuery = `log_type in (${Object.keys(families)
  .filter((type) => families[type] === 'model')
  .join(', ')})`;
