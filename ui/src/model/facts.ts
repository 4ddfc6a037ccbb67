/** Names and short values, as grids of a span show them. */
import type { Json, JsonObject, Span } from '../api/types';
import { nameOfKey, tokenFor } from './filter';
import { bytes, count, duration } from './format';
import { tracesUrl } from './route';

/** url: the traces that share the value; but: those that do not. */
export type Fact = [name: string, value: string, url?: string, but?: string];

/** Metadata as facts, each value with the traces that have it and those that have not; `within`: among those that fit this filter. */
export function metadataFacts(values: JsonObject | null, within = ''): Fact[] {
  return Object.entries(values ?? {}).map(([key, value]): Fact => {
    const token = metadataToken(key, value);
    if (token === null) return [key, typedText(value)];
    const [url, but] = pairOfUrls(token, within);
    return [key, typedText(value), url, but];
  });
}

/** The lists of what fits a condition, and of what does not. */
export function pairOfUrls(token: string, within = ''): [fits: string, does_not: string] {
  const before = within === '' ? '' : `${within} `;
  return [tracesUrl(before + token), tracesUrl(`${before}NOT ${token}`)];
}

/** A value as one short text, for lists of keys and values. */
export function valueText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A value as what it was sent: a text that could be taken for a number or a truth value stands in quotes. */
export function typedText(value: Json): string {
  return typeof value === 'string' && readsAsOther.test(value) ? `"${value}"` : valueText(value);
}
const readsAsOther = /^(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)$/;

/** The condition that finds what has this value under that key of metadata; null where the language has none. */
export function metadataToken(key: string, value: Json): string | null {
  if (/^$|\0/.test(key) || typeof value === 'object' || value === '') return null;
  const name = nameOfKey(key);
  return typedText(value) === value ? tokenFor(name, value) : `${name}:${typedText(value)}`;
}

/** The attributes below a prefix, by what comes after it. */
export function attributesBelow({ attributes }: Pick<Span, 'attributes'>, prefix: string): JsonObject {
  return Object.fromEntries(
    Object.entries(attributes ?? {}).flatMap(([key, value]) =>
      key.startsWith(prefix) && key.length > prefix.length ? [[key.slice(prefix.length), value]] : [],
    ),
  );
}

/** A fact as it is read: `…_seconds` is a time, `bytes` are a size, other numbers are grouped. */
function named(name: string, value: Json): [name: string, value: string] {
  if (typeof value !== 'number') return [name, valueText(value)];
  if (name.endsWith('_seconds')) return [name.slice(0, -'_seconds'.length), duration(value)];
  return [name, /(?:^|_)bytes$/.test(name) ? bytes(value) : count(value)];
}

export function loadFacts(span: Pick<Span, 'attributes'>): Fact[] {
  return Object.entries(attributesBelow(span, 'respan.load.')).map(([name, value]) => named(name, value));
}

/** Which model it was, what tells models apart first; each fact leads to the traces that share it. */
const first = ['class', 'type', 'revision', 'dtype', 'device', 'quantization', 'parameters', 'bytes'];

export function modelFacts(span: Pick<Span, 'attributes' | 'model' | 'provider'>): Fact[] {
  const facts: Fact[] = [];
  const put = (field: string, name: string, shown: string, value: Json): void => {
    if (typeof value === 'object' || value === '') facts.push([name, shown]);
    else facts.push([name, shown, tracesUrl(tokenFor(field, valueText(value)))]);
  };
  if (span.model !== null) put('model', 'name', span.model, span.model);
  if (span.provider) facts.push(['provider', span.provider]);
  const rank = (name: string): number => (first.indexOf(name) + first.length + 1) % (first.length + 1);
  const said = Object.entries(attributesBelow(span, 'respan.model.')).sort(
    ([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1),
  );
  for (const [name, value] of said) put(`model.${name}`, ...named(name, value), value);
  return facts;
}
