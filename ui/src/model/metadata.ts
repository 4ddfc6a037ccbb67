/** What traces have as metadata: each key with its commonest values. */
import type { Trace } from '../api/types';
import { valueText } from './facts';

export interface MetadataFact {
  key: string;
  values: [value: string, traces: number][];
  /** Values that are not among them. */
  more: number;
}

export function metadataOf(traces: Pick<Trace, 'metadata'>[], mostKeys = 30, mostValues = 6): MetadataFact[] {
  const keys = new Map<string, Map<string, number>>();
  for (const { metadata } of traces) {
    for (const [key, value] of Object.entries(metadata ?? {})) {
      const values = keys.get(key) ?? new Map<string, number>();
      const text = valueText(value);
      values.set(text, (values.get(text) ?? 0) + 1);
      keys.set(key, values);
    }
  }
  return [...keys]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, mostKeys)
    .map(([key, values]) => ({
      key,
      values: [...values].sort((a, b) => b[1] - a[1]).slice(0, mostValues),
      more: Math.max(0, values.size - mostValues),
    }));
}
