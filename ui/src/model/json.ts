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

/** Where a value stands, as JavaScript and jq write it: a.b[0]["c d"]. */
export function pathTo(parent: string, key: string | number): string {
  if (typeof key === 'number') return `${parent}[${String(key)}]`;
  if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${parent}[${JSON.stringify(key)}]`;
  return parent === '' ? key : `${parent}.${key}`;
}

export interface Hit {
  path: string;
  value: null | boolean | number | string;
}

/** What stands before a text's first place in another, itself, and behind it, not too far; null if it is not in it. */
export function around(text: string, wanted: string, most = 300): [string, string, string] | null {
  const at = text.toLowerCase().indexOf(wanted.trim().toLowerCase());
  if (at < 0) return null;
  const end = at + wanted.trim().length;
  return [
    (at > most ? '…' : '') + text.slice(Math.max(0, at - most), at),
    text.slice(at, end),
    text.slice(end, end + most) + (text.length > end + most ? '…' : ''),
  ];
}

/** The values, with where they stand, whose own key or text has the text in it; looks no further than `limit` of them. */
export function searchJson(value: Json, text: string, limit = 200): Hit[] {
  const wanted = text.trim().toLowerCase();
  const hits: Hit[] = [];
  if (wanted === '') return hits;
  const rest: { path: string; key: string; value: Json }[] = [{ path: '', key: '', value }];
  for (let item = rest.pop(); item && hits.length < limit; item = rest.pop()) {
    const { path, key, value: here } = item;
    if (typeof here !== 'object' || here === null) {
      if (key.toLowerCase().includes(wanted) || String(here).toLowerCase().includes(wanted)) {
        hits.push({ path, value: here });
      }
      continue;
    }
    // Last first: the stack turns them round.
    if (Array.isArray(here)) {
      for (let i = here.length - 1; i >= 0; i--) rest.push({ path: pathTo(path, i), key: '', value: here[i] ?? null });
    } else {
      for (const [name, inside] of Object.entries(here).reverse()) {
        rest.push({ path: pathTo(path, name), key: name, value: inside });
      }
    }
  }
  return hits;
}
