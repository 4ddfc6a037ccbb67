/** The filter text: `field:value` tokens and free words. One text is the whole state; it lives in the URL. */

export type FilterParams = [name: string, value: string][];

export interface FilterField {
  /** What one types. */
  name: string;
  /** The API's parameter. */
  param: string;
  hint: string;
}

export const filterFields: FilterField[] = [
  { name: 'name', param: 'name', hint: 'name:my_workflow' },
  { name: 'model', param: 'model', hint: 'model:org/name' },
  { name: 'status', param: 'status_code', hint: 'status:error' },
  { name: 'type', param: 'log_type', hint: 'type:chat' },
  { name: 'user', param: 'customer_identifier', hint: 'user:user_421' },
  { name: 'thread', param: 'session_identifier', hint: 'thread:conv_1' },
  { name: 'env', param: 'environment', hint: 'env:production' },
];

const params = new Map<string, string>();
for (const { name, param } of filterFields) {
  params.set(name, param);
  params.set(param, param);
}

function paramOf(field: string): string | null {
  const fact = /^(?:respan\.)?model\.(.+)$/.exec(field);
  if (fact) return `respan.model.${fact[1] ?? ''}`;
  const meta = /^metadata(?:\.|__)(.+)$/.exec(field);
  if (meta) return `metadata__${meta[1] ?? ''}`;
  return params.get(field.toLowerCase()) ?? null;
}

/* A token is field:value, field:"value with spaces", "a phrase" or a word. An unclosed quote runs to the end. */
const token = /([A-Za-z][\w.-]*):(?:"([^"]*)"?|(\S+))|"([^"]*)"?|(\S+)/g;

/* What only the server's language says (docs/filter-language.md): operators, comparisons, span(…). */
const operators = /(?:^|[\s(])(?:AND|OR|NOT)(?=[\s(]|$)/;
const language = /(?:^|[\s(])(?:span\(|[A-Za-z][\w.]*(?:\s*(?:[<>~]|!=)|\s+in\s*\())/;

/** The text as it stands, but for an operator whose right side is yet to be typed, and `model.dtype` for respan.model.dtype. */
function asLanguage(text: string): string {
  let q = text.trim();
  for (let before = ''; before !== q;) {
    before = q;
    q = q.replace(/(?:^|\s+)(?:AND|OR|NOT)$/, '');
  }
  return q.replace(/(^|[\s(])model\.(?=[\w.-]+\s*[:=<>~!])/g, '$1respan.model.');
}

/** What to ask the server. Words that name no field, `http://…` say, are searched as they stand. */
export function parseFilter(text: string): FilterParams {
  if (operators.test(text) || language.test(text)) {
    const q = asLanguage(text);
    return q === '' ? [] : [['q', q]];
  }
  const out: FilterParams = [];
  const words: string[] = [];
  for (const m of text.matchAll(token)) {
    const [whole, field, quoted, plain, phrase] = m;
    const param = field === undefined ? null : paramOf(field);
    const value = quoted ?? plain ?? '';
    if (param !== null) {
      if (value !== '') out.push([param, value]);
    } else {
      const word = phrase ?? whole;
      if (word !== '' && !isUnfinished(word)) words.push(word);
    }
  }
  if (words.length > 0) out.push(['q', words.join(' ')]);
  return out;
}

/** `model:`, `model.dtype` or `metadata.plan` while the rest is still to be typed is no word to search for. */
function isUnfinished(word: string): boolean {
  return (
    /^(?:metadata|(?:respan\.)?model)\.[\w.-]*:?$/.test(word) ||
    (word.endsWith(':') && paramOf(word.slice(0, -1)) !== null)
  );
}

/** What can be begun with a click: the fields, and a metadata key that is yet to be named. */
export const filterHints: { hint: string; begin: string }[] = [
  ...filterFields.map(({ name, hint }) => ({ hint, begin: `${name}:` })),
  { hint: 'model.dtype:bfloat16', begin: 'model.' },
  { hint: 'metadata.plan:pro', begin: 'metadata.' },
];

/** A token that asks for one value of a field; null if no token can say that value. */
export function tokenFor(field: string, value: string): string | null {
  if (value === '' || value.includes('"')) return null;
  return /\s/.test(value) ? `${field}:"${value}"` : `${field}:${value}`;
}

/** The text with a token begun at its end, ready for the rest. */
export function beginToken(text: string, begin: string): string {
  const head = text.trimEnd();
  return `${head === '' ? '' : `${head} `}${begin}`;
}
