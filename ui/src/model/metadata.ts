/** What traces have as metadata: each key with its commonest values, as what they were sent. */
import type { Json, Trace } from '../api/types';

export interface MetadataFact {
  key: string;
  values: [value: Json, traces: number][];
  /** Values that are not among them. */
  more: number;
}

export function metadataOf(traces: Pick<Trace, 'metadata'>[], mostKeys = 30, mostValues = 6): MetadataFact[] {
  const keys = new Map<string, Map<string, [Json, number]>>();
  for (const { metadata } of traces) {
    for (const [key, value] of Object.entries(metadata ?? {})) {
      const values = keys.get(key) ?? new Map<string, [Json, number]>();
      const text = JSON.stringify(value); // "1" is another value than 1
      values.set(text, [value, (values.get(text)?.[1] ?? 0) + 1]);
      keys.set(key, values);
    }
  }
  return [...keys]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, mostKeys)
    .map(([key, values]) => ({
      key,
      values: [...values.values()].sort((a, b) => b[1] - a[1]).slice(0, mostValues),
      more: Math.max(0, values.size - mostValues),
    }));
}
