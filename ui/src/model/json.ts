import type { Json } from '../api/types';

/** Whether a value has few enough parts to be shown whole. Looks at no more than that many. */
export function isSmall(value: Json, limit = 60): boolean {
  const rest: Json[] = [value];
  let seen = 0;
  for (let item = rest.pop(); item !== undefined; item = rest.pop()) {
    if (++seen > limit) return false;
    if (typeof item !== 'object' || item === null) continue;
    const parts = Array.isArray(item) ? item : Object.values(item);
    if (parts.length > limit) return false;
    rest.push(...parts);
  }
  return true;
}
