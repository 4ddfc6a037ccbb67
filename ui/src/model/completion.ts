/** What may come next in the filter text, at the place of the cursor. */
import { fieldOf, filterFields, kindOf, nameOfKey, pieces, unquoted, written } from './filter';

export interface Place {
  kind: 'field' | 'value';
  /** What is replaced: from there to the cursor. */
  from: number;
  /** What is typed of it. */
  typed: string;
  /** Of a value: the field as typed, and that of the API; null where values cannot be listed. */
  name: string;
  field: string | null;
  /** The field is one of a span. */
  ofSpan: boolean;
  /** Within span(…): 0 it is not, 1 nothing stands in it yet, 2 it can end here. */
  inSpan: 0 | 1 | 2;
  inList: boolean;
}

export interface Option {
  /** What is put in place of what was typed. */
  insert: string;
  label: string;
  about: string;
  count?: number;
}

export interface KnownValue {
  value: string | null;
  count: number;
}

/** Where the word at the cursor begins, and whether the cursor is within quotes of a phrase. */
function wordStart(text: string): number {
  let start = 0;
  let inQuotes = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    if (c === '\\' && inQuotes) i++;
    else if (c === '"') inQuotes = !inQuotes;
    else if (!inQuotes && (/[\s(),]/.test(c) || (c === '-' && i === start))) start = i + 1; // a minus is NOT
  }
  return start;
}

/** What is open before the cursor, and whether something stands in it. */
function spanAround(before: string): 0 | 1 | 2 {
  const open: { ofSpan: boolean; filled: boolean }[] = [];
  for (const { kind, from } of pieces(before)) {
    if (kind === 'open') open.push({ ofSpan: before.startsWith('span(', from), filled: false });
    else if (kind === 'close') open.pop();
    const last = open.at(-1);
    if (last && kind !== 'open') last.filled = kind !== 'operator';
  }
  const last = open.at(-1);
  if (!open.some(({ ofSpan }) => ofSpan)) return 0;
  return last?.filled ? 2 : 1;
}

const inList = /((?:span\.)?(?:metadata(?:\.|__)"(?:\\["\\]|[^"])*"|[A-Za-z][\w.-]*))\s+in\s*\([^()]*$/;
const conditioned = /^((?:span\.)?(?:metadata(?:\.|__)"(?:\\["\\]|[^"])*"|[A-Za-z][\w.-]*))(:?(?:!=|>=|<=|[<>=~])|:)/;

export function placeAt(text: string, cursor: number): Place | null {
  const before = text.slice(0, cursor);
  const start = wordStart(before);
  const word = before.slice(start);
  const inSpan = spanAround(before.slice(0, start));
  const list = inList.exec(before.slice(0, start));
  const condition = conditioned.exec(word);
  const name = list?.[1] ?? condition?.[1];
  if (name !== undefined) {
    const from = list ? start : start + (condition?.[0].length ?? 0);
    const ofSpan = inSpan > 0 || name.startsWith('span.');
    const field = fieldOf(name.replace(/^span\./, ''));
    if (field === null && name !== 'has' && name !== 'span.has') return null;
    const typed = before
      .slice(from)
      .replace(/^"/, '')
      .replace(/\\(["\\])/g, '$1');
    return { kind: 'value', from, typed, name, field, ofSpan, inSpan, inList: list !== null };
  }
  if (word.startsWith('"')) return null;
  const ofSpan = inSpan > 0 || word.startsWith('span.');
  return { kind: 'field', from: start, typed: word, name: '', field: null, ofSpan, inSpan, inList: false };
}

const most = 12;

/** What begins with it before what has it somewhere. */
function ranked<T>(all: T[], typed: string, text: (item: T) => string): T[] {
  const wanted = typed.toLowerCase();
  const at = (item: T): number => text(item).toLowerCase().indexOf(wanted);
  const begin = all.filter((item) => at(item) === 0);
  return begin.concat(all.filter((item) => at(item) > 0)).slice(0, most);
}

/** What a span has none of. */
const ofTraces = ['errors', 'spans'];

function fieldOptions(place: Place, keys: string[]): Option[] {
  const prefix = place.typed.startsWith('span.') ? 'span.' : '';
  const typed = place.typed.slice(prefix.length);
  const options: Option[] = [];
  if (place.inSpan === 2 && typed === '') options.push({ insert: ') ', label: ')', about: 'ends span(…)' });
  const fields = place.ofSpan ? filterFields.filter(({ name }) => !ofTraces.includes(name)) : filterFields;
  for (const { name, about, kind } of fields)
    options.push({
      insert: `${prefix}${name}${kind === 'text' ? ':' : '>'}`,
      label: `${prefix}${name}`,
      about: place.ofSpan ? '' : about,
    });
  for (const name of keys.map(nameOfKey))
    options.push({ insert: `${prefix}${name}:`, label: prefix + name, about: 'metadata' });
  options.push({ insert: `${prefix}has:`, label: `${prefix}has:`, about: 'there is one' });
  if (prefix === '' && !place.ofSpan)
    options.push(
      { insert: 'span.', label: 'span.', about: 'a condition on one span' },
      { insert: 'span(', label: 'span(…)', about: 'several on the same span' },
    );
  if (prefix === '')
    for (const word of ['NOT', 'OR']) options.push({ insert: `${word} `, label: word, about: 'operator' });
  return ranked(options, typed === '' ? prefix : unquoted(place.typed), ({ label }) => unquoted(label));
}

const comparisons: Record<string, string[]> = {
  seconds: ['500ms', '1s', '2s', '10s', '1m'],
  number: ['0', '10', '100', '1000'],
  time: ['-15m', '-1h', '-24h', '-7d'],
};

function valueOptions(place: Place, values: KnownValue[], keys: string[]): Option[] {
  const after = place.inList ? '' : ' ';
  if (place.field === null) {
    const names = filterFields.map(({ name }) => name).concat(keys.map(nameOfKey));
    return ranked(names, unquoted(place.typed), unquoted).map((n) => ({
      insert: `${n} `,
      label: n,
      about: 'there is one',
    }));
  }
  const usual = comparisons[kindOf(place.name)];
  if (usual) {
    // `latency:` takes the comparison with the value.
    return ranked(usual, place.typed, (v) => v).map((v) => ({ insert: `${v}${after}`, label: v, about: '' }));
  }
  const known = values.filter((v) => v.value !== null && v.value !== '');
  return ranked(known, place.typed, ({ value }) => value ?? '').map(({ value, count }) => ({
    insert: `${written(value ?? '')}${after}`,
    label: value ?? '',
    about: '',
    count,
  }));
}

/** What may come at a place: `values` those of its field, `keys` of metadata. */
export function optionsAt(place: Place, values: KnownValue[], keys: string[]): Option[] {
  const options = place.kind === 'field' ? fieldOptions(place, keys) : valueOptions(place, values, keys);
  const [only] = options;
  return options.length === 1 && only?.label === place.typed && place.kind === 'value' ? [] : options;
}

/** The text and the cursor after an option was taken. */
export function take(text: string, cursor: number, place: Place, option: Option): { text: string; cursor: number } {
  const before = text.slice(0, place.from);
  const head = (option.insert.startsWith(')') ? before.trimEnd() : before) + option.insert;
  const rest = text.slice(cursor);
  return { text: head + (option.insert.endsWith(' ') ? rest.trimStart() : rest), cursor: head.length };
}

/** The keys of metadata that traces have, those that most have first. */
export function metadataKeys(traces: { metadata: Record<string, unknown> | null }[]): string[] {
  const counts = new Map<string, number>();
  for (const { metadata } of traces)
    for (const key of Object.keys(metadata ?? {})) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([key]) => key);
}

/** The field that a place's values are asked of, or null where there are none to ask for. */
export function fieldToAsk(place: Place | null): { field: string; of: 'traces' | 'spans' } | null {
  if (place?.kind !== 'value' || place.field === null || kindOf(place.name) !== 'text') return null;
  if (['input', 'output', 'text', 'error_message'].includes(place.field)) return null;
  if (place.field.startsWith('respan.model.')) return null;
  if (!place.ofSpan) return { field: place.field, of: 'traces' };
  return { field: place.field === 'session_identifier' ? 'thread_identifier' : place.field, of: 'spans' };
}
