/** What views remember while others are shown, so that going back finds them as they were left. The oldest is forgotten first. */

const most = 12;
const kept = new Map<string, unknown>();

export function recall<T>(key: string): T | undefined {
  return kept.get(key) as T | undefined;
}

export function keep(key: string, value: unknown): void {
  kept.delete(key);
  kept.set(key, value);
  for (const oldest of kept.keys()) {
    if (kept.size <= most) break;
    kept.delete(oldest);
  }
}
