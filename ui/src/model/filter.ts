/** The filter text: what docs/filter-language.md says, as the page edits it. One text is the whole state; it lives in the URL, and the
 *  server alone judges it. */

import { tricky } from './text';

/** As parameters of a list. */
export type FilterParams = [name: string, value: string][];

export interface FilterField {
  /** What one types. */
  name: string;
  /** The API's name of it. */
  field: string;
  /** Other names that the language takes. */
  aliases: string[];
  about: string;
  /** text: equality is usual, values are few; number, seconds, time: comparisons. */
  kind: 'text' | 'number' | 'seconds' | 'time';
}

const of = (
  name: string,
  field: string,
  kind: FilterField['kind'],
  about: string,
  ...aliases: string[]
): FilterField => ({
  name,
  field,
  kind,
  about,
  aliases,
});

export const filterFields: FilterField[] = [
  of('name', 'name', 'text', 'of the workflow or root span'),
  of('model', 'model', 'text', 'of any span'),
  of('status', 'status_code', 'text', 'ok, error or running', 'is'),
  of('type', 'log_type', 'text', 'of any span: chat, tool, …'),
  of('user', 'customer_identifier', 'text', 'customer_identifier', 'customer'),
  of('thread', 'session_identifier', 'text', 'session_identifier', 'session', 'thread_identifier'),
  of('env', 'environment', 'text', 'environment'),
  of('latency', 'duration', 'seconds', 'of the whole trace'),
  of('ttft', 'time_to_first_token', 'seconds', 'time to first token'),
  of('tokens', 'total_tokens', 'number', 'prompt and completion'),
  of('cost', 'total_cost', 'number', 'in dollars'),
  of('errors', 'error_count', 'number', 'spans that failed'),
  of('spans', 'span_count', 'number', 'how many there are'),
  of('tokens_per_second', 'tokens_per_second', 'number', 'of its model calls'),
  of('start_time', 'start_time', 'time', 'a time, or from now: -1h'),
  of('error_message', 'error_message', 'text', 'what the error said'),
  of('input', 'input', 'text', 'as the list shows it: input~word'),
  of('output', 'output', 'text', 'as the list shows it: output~word'),
  of('text', 'text', 'text', 'words in what any span says'),
];

const byName = new Map<string, FilterField>();
for (const field of filterFields)
  for (const name of [field.name, field.field, ...field.aliases]) byName.set(name, field);

/** A key of metadata that is more than letters and digits stands in quotes: metadata."my key". */
export const nameOfKey = (key: string): string =>
  `metadata.${/^[\w.-]+$/.test(key) ? key : `"${key.replace(/(["\\])/g, '\\$1')}"`}`;
/** Such a name, or the beginning of one; without the quotes that one may leave out when typing. */
export const keyInQuotes = /^(?:span\.)?metadata(?:\.|__)"(?:\\["\\]|[^"])*(?:"|$)/;
export const unquoted = (name: string): string => name.replace(/\\(["\\])|"/g, '$1');

/** The API's name for what was typed: model.dtype is respan.model.dtype, metadata.plan is metadata__plan. Null: no field. */
export function fieldOf(typed: string): string | null {
  const fact = /^(?:respan\.)?model\.(.+)$/.exec(typed);
  if (fact) return `respan.model.${fact[1] ?? ''}`;
  const meta = /^metadata(?:\.|__)([^]+)$/.exec(typed);
  if (meta) return `metadata__${unquoted(meta[1] ?? '')}`;
  return byName.get(typed)?.field ?? null;
}

export const kindOf = (typed: string): FilterField['kind'] => byName.get(typed.replace(/^span\./, ''))?.kind ?? 'text';

/** What is typed for a field of the API. */
export function typedName(field: string): string {
  if (field.startsWith('metadata__')) return nameOfKey(field.slice(10));
  if (field.startsWith('respan.model.')) return field.slice(7);
  return byName.get(field)?.name ?? field;
}

const byNumber = (c: string): string => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A text as it is shown to whoever edits it: the language takes what cannot be seen, or deceives the eye, by its number. */
export const spelled = (text: string): string => text.replace(tricky, byNumber);

/** A value as it has to be written: in quotes where it would end early or mean more. */
export function written(value: string): string {
  const safe = spelled(value.replace(/["\\]/g, '\\$&').replace(/[\t\n]/g, byNumber));
  return /^[^\s"(),*<>=!~:\\][^\s"(),*\\]*$/.test(safe) ? safe : `"${safe}"`;
}

export const tokenFor = (field: string, value: string): string => `${field}:${written(value)}`;

/* ---- pieces ---------------------------------------------------------------------------------------------- */

/** A run of the text. `depth`: how many parentheses are open around it. */
export interface Piece {
  kind: 'condition' | 'word' | 'operator' | 'open' | 'close';
  from: number;
  to: number;
  depth: number;
  /** Of a condition: */
  field: string;
  sign: string;
  values: string[];
}

const head =
  /^(has|(?:span\.)?metadata(?:\.|__)"(?:\\["\\]|[^"])*"|(?:span\.)?[A-Za-z][\w.-]*)(:(?:!=|>=|<=|[<>=~])?|\s*(?:!=|>=|<=|[<>=~])\s*|\s+in\s*\()/;
const quoted = /^"((?:\\["\\]|[^"])*)("|$)/;

function unquote(text: string): string {
  return text.replace(/\\(?:(["\\])|u(.{4}))/g, (all, quoted: string | undefined, code: string) => {
    const c = String.fromCharCode(parseInt(code, 16));
    return quoted ?? (written(c) === c ? all : c);
  });
}

/** A value from `at` on. */
function valueAt(text: string, at: number, inList: boolean): { value: string; to: number } {
  const q = quoted.exec(text.slice(at));
  if (q) return { value: unquote(q[1] ?? ''), to: at + q[0].length };
  let open = 0;
  let to = at;
  for (; to < text.length; to++) {
    const c = text.charAt(to);
    if (/[\s"]/.test(c) || (inList && c === ',') || (c === ')' && open === 0)) break;
    if (c === '(') open++;
    if (c === ')') open--;
  }
  return { value: text.slice(at, to), to };
}

function isField(name: string): boolean {
  return name === 'has' || fieldOf(name.replace(/^span\./, '')) !== null;
}

function conditionAt(text: string, from: number, depth: number): Piece | null {
  const m = head.exec(text.slice(from));
  const name = m?.[1] ?? '';
  if (!m || !isField(name)) return null;
  const sign = (m[2] ?? '').trim();
  let at = from + m[0].length;
  if (!sign.startsWith('in')) {
    const key = name.endsWith('has') ? keyInQuotes.exec(text.slice(at))?.[0] : undefined;
    const { value, to } = key === undefined ? valueAt(text, at, false) : { value: key, to: at + key.length };
    return { kind: 'condition', from, to, depth, field: name, sign, values: [value] };
  }
  const values: string[] = [];
  while (at < text.length && text.charAt(at) !== ')') {
    if (/[\s,]/.test(text.charAt(at))) {
      at++;
      continue;
    }
    const { value, to } = valueAt(text, at, true);
    if (to === at) break;
    values.push(value);
    at = to;
  }
  return { kind: 'condition', from, to: Math.min(at + 1, text.length), depth, field: name, sign: 'in', values };
}

export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let depth = 0;
  let at = 0;
  const put = (kind: Piece['kind'], to: number): void => {
    out.push({ kind, from: at, to, depth, field: '', sign: '', values: [] });
    at = to;
  };
  while (at < text.length) {
    const rest = text.slice(at);
    const c = text.charAt(at);
    const operator = /^(?:(?:AND|OR|NOT)(?=[\s()"]|$)|-(?=["(]|[A-Za-z][\w.]*(?:[:=~<>!("]|\s+in\s*\()))/.exec(rest);
    if (/\s/.test(c)) at++;
    else if (c === '(' || rest.startsWith('span(')) {
      put('open', at + rest.indexOf('(') + 1);
      depth++;
    } else if (c === ')') {
      depth = Math.max(0, depth - 1);
      put('close', at + 1);
    } else if (operator) put('operator', at + operator[0].length);
    else {
      const condition = conditionAt(text, at, depth);
      if (condition) out.push(condition);
      if (condition) at = condition.to;
      else put('word', at + (keyInQuotes.exec(rest)?.[0].length ?? Math.max(valueAt(text, at, false).to - at, 1)));
    }
  }
  return out;
}

/* ---- what to ask ----------------------------------------------------------------------------------------- */

/** The text without what is still being typed at its end, so that it can be asked: a dangling operator or sign, an open quote or
 *  parenthesis. What stands before is as it was, byte by byte, so that the server's places are places in the text. */
export function asQuery(text: string): string {
  let q = text.trimEnd();
  for (let before = ''; before !== q;) {
    before = q;
    const all = pieces(q);
    const last = all.at(-1);
    if (!last) return '';
    const piece = q.slice(last.from, last.to);
    const value = piece.slice(piece.search(/[:=<>~(]/) + 1);
    const isOpen =
      last.kind === 'operator' ||
      last.kind === 'open' ||
      (last.kind === 'condition' && (last.sign === 'in' ? last.values.length === 0 : !value.replace(/^[=<>~!]/, ''))) ||
      (last.kind === 'condition' && last.values[0] === '' && /:"$/.test(piece)) ||
      (last.kind === 'word' &&
        (piece === '"' ||
          keyInQuotes.test(piece) ||
          /^(?:-|has:|span\.?|(?:metadata|(?:respan\.)?model)\.[\w.-]*:?)$/.test(piece)));
    if (isOpen) q = q.slice(0, last.from).trimEnd();
    else if (last.to === q.length && (piece.replace(/\\["\\]/g, '').split('"').length - 1) % 2 === 1) q += '"';
    else if (last.kind === 'condition' && last.sign === 'in' && !piece.endsWith(')')) q = `${q.replace(/,$/, '')})`;
  }
  const left = pieces(q).reduce((n, { kind }) => n + (kind === 'open' ? 1 : kind === 'close' ? -1 : 0), 0);
  return q + ')'.repeat(Math.max(0, left));
}

/** Where the server found the fault, as a place in the text: it counts bytes. What it says is without the place, which is shown. */
export function placeOfError(
  text: string,
  { message, position }: { message: string; position: number | null },
): { at: number; says: string } | null {
  if (position === null) return null;
  const bytes = new TextEncoder().encode(text).slice(0, position);
  return { at: new TextDecoder().decode(bytes).length, says: message.replace(/ \(at byte \d+ of 'q'\)$/, '') };
}

/* ---- facets: values of a field, chosen or excluded ------------------------------------------------------- */

export interface Choice {
  in: string[];
  out: string[];
}

interface Owned {
  from: number;
  to: number;
  values: string[];
  excluded: boolean;
}

/** The conditions of equality on a field that have to hold, each with the NOT before it. */
function conditionsOn(text: string, field: string): Owned[] {
  const all = pieces(text);
  if (all.some((p) => p.kind === 'operator' && p.depth === 0 && text.slice(p.from, p.to) === 'OR')) return [];
  const out: Owned[] = [];
  all.forEach((p, i) => {
    const isEqual = p.sign === ':' || p.sign === '=' || p.sign === 'in' || p.sign === '!=' || p.sign === ':!=';
    if (p.kind !== 'condition' || p.depth > 0 || !isEqual || fieldOf(p.field) !== field) return;
    const piece = text.slice(p.from, p.to);
    if (p.sign === ':' && /:\*|\*$/.test(piece)) return;
    if (p.values.length === 0 || (p.values[0] === '' && !piece.includes('""'))) return; // yet to be typed
    const before = all[i - 1];
    const isNot = (at?: Piece): boolean => at?.kind === 'operator' && /^(?:NOT|-)$/.test(text.slice(at.from, at.to));
    const not = isNot(before) ? before : undefined;
    const twice = not && isNot(all[i - 2]);
    if (twice || (not && p.sign.endsWith('!='))) return;
    out.push({
      from: not?.from ?? p.from,
      to: p.to,
      values: p.values,
      excluded: not !== undefined || p.sign.endsWith('!='),
    });
  });
  return out;
}

export function choiceOf(text: string, field: string): Choice {
  const choice: Choice = { in: [], out: [] };
  for (const { values, excluded } of conditionsOn(text, field)) (excluded ? choice.out : choice.in).push(...values);
  return choice;
}

function conditionFor(name: string, values: string[]): string {
  const [only = ''] = values;
  return values.length === 1 ? tokenFor(name, only) : `${name} in (${values.map(written).join(', ')})`;
}

/** The text with that choice in place of what it said of the field. */
export function withChoice(text: string, field: string, choice: Choice): string {
  let rest = text;
  for (const { from, to } of conditionsOn(text, field).reverse()) {
    const before = rest.slice(0, from).replace(/(^|\s)AND\s*$/, '$1');
    rest = `${before.trimEnd()} ${rest.slice(to).trimStart()}`.trim();
  }
  rest = rest.replace(/^AND\s+/, '');
  const isOr = pieces(rest).some((p) => p.kind === 'operator' && p.depth === 0 && rest.slice(p.from, p.to) === 'OR');
  const name = typedName(field);
  const parts = [isOr ? `(${rest})` : rest];
  if (choice.in.length > 0) parts.push(conditionFor(name, choice.in));
  if (choice.out.length > 0) parts.push(`NOT ${conditionFor(name, choice.out)}`);
  return choice.in.length + choice.out.length === 0 ? rest : parts.filter((p) => p !== '').join(' ');
}

/** A value is chosen, or excluded; once more takes it back. */
export function toggleValue(text: string, field: string, value: string, how: 'in' | 'out'): string {
  const { in: chosen, out } = choiceOf(text, field);
  const has = (how === 'in' ? chosen : out).includes(value);
  const without = { in: chosen.filter((v) => v !== value), out: out.filter((v) => v !== value) };
  if (!has) without[how].push(value);
  return withChoice(text, field, without);
}
