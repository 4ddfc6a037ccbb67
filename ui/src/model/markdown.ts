/** Markdown as models write it, as a tree of plain values: nothing in it is HTML, and no image is ever loaded. Takes time in
 *  proportion to the text, whatever it says: a sign that nothing closes is looked for once. */

export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'strong' | 'em' | 'strike'; inside: Inline[] }
  /** The address is shown beside the text, unless it is the text. */
  | { kind: 'link'; href: string; inside: Inline[] };

export type Align = 'left' | 'center' | 'right' | null;

export type Block =
  | { kind: 'paragraph'; inside: Inline[] }
  | { kind: 'heading'; level: number; inside: Inline[] }
  | { kind: 'code'; language: string; text: string }
  | { kind: 'list'; start: number | null; items: Block[][] }
  | { kind: 'quote'; inside: Block[] }
  | { kind: 'table'; align: Align[]; head: Inline[][]; rows: Inline[][][] }
  | { kind: 'rule' };

/** Lists and quotes inside each other, emphasis inside each other: deeper than this is text. */
const deepest = 8;

const heading = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const fence = /^( {0,3})(`{3,}|~{3,})\s*([^`]*)$/;
const rule = /^ {0,3}(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,})$/;
const bullet = /^( {0,3})(?:([-*+])|(\d{1,9})[.)])(?:( +)(.*)|$)/;
const quote = /^ {0,3}> ?(.*)$/;
const tableRule = /^ {0,3}\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

/** Whether there is anything in a text that would look different. */
export function hasMarkup(text: string): boolean {
  return /[*_~]\S|`|^ {0,3}(?:#{1,6}\s|>|[-*+] |\d{1,9}[.)] )|^\s*\|.*\||\]\(/m.test(text);
}

export function parseMarkdown(text: string, depth = 0): Block[] {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  const out: Block[] = [];
  let at = 0;
  const line = (i: number): string => lines[i] ?? '';
  while (at < lines.length) {
    const here = line(at);
    if (here.trim() === '') {
      at++;
      continue;
    }
    const fenced = fence.exec(here);
    if (fenced) {
      const [, indent = '', signs = '', language = ''] = fenced;
      const code: string[] = [];
      for (at++; at < lines.length; at++) {
        const said = line(at).trim();
        if (said.length >= signs.length && said === signs.charAt(0).repeat(said.length)) break;
        code.push(line(at).startsWith(indent) ? line(at).slice(indent.length) : line(at));
      }
      at++;
      out.push({ kind: 'code', language: language.trim(), text: code.join('\n') });
      continue;
    }
    const titled = heading.exec(here);
    if (titled) {
      out.push({ kind: 'heading', level: titled[1]?.length ?? 1, inside: parseInline(titled[2] ?? '') });
      at++;
      continue;
    }
    if (rule.test(here)) {
      out.push({ kind: 'rule' });
      at++;
      continue;
    }
    if (depth < deepest && quote.test(here)) {
      const said: string[] = [];
      for (let m = quote.exec(line(at)); m && at < lines.length; m = quote.exec(line(++at))) said.push(m[1] ?? '');
      out.push({ kind: 'quote', inside: parseMarkdown(said.join('\n'), depth + 1) });
      continue;
    }
    if (depth < deepest && bullet.test(here)) {
      const { list, next } = parseList(lines, at, depth);
      out.push(list);
      at = next;
      continue;
    }
    if (here.includes('|') && at + 1 < lines.length && line(at + 1).includes('-') && tableRule.test(line(at + 1))) {
      const align = cells(line(at + 1)).map(alignOf);
      const head = cells(here);
      if (head.length === align.length) {
        const rows: Inline[][][] = [];
        for (at += 2; at < lines.length && line(at).includes('|') && line(at).trim() !== ''; at++)
          rows.push(align.map((_, i) => parseInline(cells(line(at))[i] ?? '')));
        out.push({ kind: 'table', align, head: head.map((cell) => parseInline(cell)), rows });
        continue;
      }
    }
    const said = [here];
    for (at++; at < lines.length && !beginsBlock(line(at), depth); at++) said.push(line(at));
    out.push({ kind: 'paragraph', inside: parseInline(said.join('\n')) });
  }
  return out;
}

/** Whether a line ends the paragraph before it. */
function beginsBlock(line: string, depth: number): boolean {
  if (line.trim() === '' || fence.test(line) || heading.test(line) || rule.test(line)) return true;
  return depth < deepest && (quote.test(line) || bullet.test(line));
}

function parseList(lines: string[], from: number, depth: number): { list: Block; next: number } {
  const first = bullet.exec(lines[from] ?? '');
  const ordered = first?.[3] !== undefined;
  const sign = first?.[2];
  const items: Block[][] = [];
  let at = from;
  for (let m = first; m;) {
    if ((m[3] !== undefined) !== ordered || m[2] !== sign) break;
    const indent =
      (m[1]?.length ?? 0) + (m[2] ?? m[3] ?? '').length + (ordered ? 1 : 0) + Math.min(m[4]?.length ?? 1, 4);
    const said = [m[5] ?? ''];
    let blank = false;
    for (at++; at < lines.length; at++) {
      const line = lines[at] ?? '';
      if (line.trim() === '') {
        blank = true;
        said.push('');
        continue;
      }
      const inset = line.length - line.trimStart().length;
      // Models indent what belongs to an item by two or three, whatever its sign's width.
      const inside = inset >= Math.min(indent, 2);
      if (!inside && (blank || beginsBlock(line, depth))) break;
      said.push(line.slice(Math.min(inset, indent)));
      blank = false;
    }
    items.push(parseMarkdown(said.join('\n').trimEnd(), depth + 1));
    m = at < lines.length ? bullet.exec(lines[at] ?? '') : null;
  }
  return { list: { kind: 'list', start: ordered ? Number(first?.[3]) : null, items }, next: at };
}

function cells(line: string): string[] {
  const said = line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '');
  return said.split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, '|'));
}

function alignOf(cell: string): Align {
  const [left, right] = [cell.startsWith(':'), cell.endsWith(':')];
  return left && right ? 'center' : right ? 'right' : left ? 'left' : null;
}

/** An address that a page may lead to. */
const address = /^(?:https?:\/\/|mailto:)[^\s<>"]+$/i;
const bare = /https?:\/\/[^\s<>"'`]*[^\s<>"'`.,;:!?)\]}]/iy;

export function parseInline(text: string, depth = 0): Inline[] {
  const out: Inline[] = [];
  const unclosed = new Set<string>(); // signs that nothing closes from here on
  let plain = '';
  const put = (inline: Inline): void => {
    if (plain !== '') out.push({ kind: 'text', text: plain });
    plain = '';
    out.push(inline);
  };
  let at = 0;
  while (at < text.length) {
    const here = text.charAt(at);
    if (here === '\\' && /[\\`*_{}[\]()#+\-.!~|<>]/.test(text.charAt(at + 1))) {
      plain += text.charAt(at + 1);
      at += 2;
      continue;
    }
    if (here === '`') {
      const signs = /`+/y;
      signs.lastIndex = at;
      const run = signs.exec(text)?.[0] ?? here;
      const end = unclosed.has(run) ? -1 : closingRun(text, at + run.length, run);
      if (end >= 0) {
        const said = text.slice(at + run.length, end);
        put({ kind: 'code', text: /^ .* $/.test(said) && said.trim() !== '' ? said.slice(1, -1) : said });
        at = end + run.length;
        continue;
      }
      unclosed.add(run);
      plain += run;
      at += run.length;
      continue;
    }
    if (depth < deepest && (here === '*' || here === '_' || here === '~')) {
      const sign = text.startsWith(here.repeat(2), at) ? here.repeat(2) : here;
      const end = here === '~' && sign.length < 2 ? -1 : closingSign(text, at, sign, unclosed);
      if (end >= 0) {
        const inside = parseInline(text.slice(at + sign.length, end), depth + 1);
        put({ kind: here === '~' ? 'strike' : sign.length === 2 ? 'strong' : 'em', inside });
        at = end + sign.length;
        continue;
      }
      plain += sign;
      at += sign.length;
      continue;
    }
    if (depth < deepest && here === '[' && !unclosed.has('](')) {
      const link = linkAt(text, at);
      if (link === 'none') unclosed.add('](');
      else if (link !== null) {
        put({ kind: 'link', href: link.href, inside: parseInline(link.label, deepest) });
        at = link.end;
        continue;
      }
    }
    if (here === 'h' || here === 'H') {
      bare.lastIndex = at;
      const found = bare.exec(text)?.[0];
      if (found !== undefined) {
        put({ kind: 'link', href: found, inside: [{ kind: 'text', text: found }] });
        at += found.length;
        continue;
      }
    }
    plain += here;
    at++;
  }
  if (plain !== '') out.push({ kind: 'text', text: plain });
  return out;
}

/** Where as many backticks follow, and no more. */
function closingRun(text: string, from: number, run: string): number {
  for (let at = text.indexOf(run, from); at >= 0; at = text.indexOf(run, at)) {
    let end = at;
    while (text.charAt(end) === '`') end++;
    if (end - at === run.length) return at;
    at = end;
  }
  return -1;
}

const isWord = (c: string): boolean => /[\p{L}\p{N}]/u.test(c);

/** Where emphasis that opens at `at` ends: it hugs what it stresses, and `_` does so only at the edges of words. */
function closingSign(text: string, at: number, sign: string, unclosed: Set<string>): number {
  const from = at + sign.length;
  if (unclosed.has(sign) || /^\s?$/.test(text.charAt(from))) return -1;
  if (sign.startsWith('_') && at > 0 && isWord(text.charAt(at - 1))) return -1;
  for (let end = text.indexOf(sign, from + 1); end >= 0; end = text.indexOf(sign, end + 1)) {
    const before = text.charAt(end - 1);
    if (/\s/.test(before) || before === '\\') continue;
    // A single sign does not end at one of two.
    if (sign.length === 1 && (text.charAt(end + 1) === sign || before === sign)) {
      while (text.charAt(end + 1) === sign) end++;
      continue;
    }
    if (sign.startsWith('_') && isWord(text.charAt(end + sign.length))) continue;
    return end;
  }
  unclosed.add(sign);
  return -1;
}

/** `[label](address)` at a place; null if it is no link, 'none' if no further one can come either. */
function linkAt(text: string, at: number): { label: string; href: string; end: number } | null | 'none' {
  const middle = text.indexOf('](', at);
  if (middle < 0) return 'none';
  const label = text.slice(at + 1, middle);
  if (label.includes('[') || label.includes('\n\n')) return null;
  const said = /[^\s()]*(?:\([^\s()]*\)[^\s()]*)*/y;
  said.lastIndex = middle + 2;
  const href = said.exec(text)?.[0] ?? '';
  const end = middle + 2 + href.length;
  const title = /\s+"[^"\n]{0,200}"/y;
  title.lastIndex = end;
  const behind = end + (title.exec(text)?.[0].length ?? 0);
  return text.charAt(behind) === ')' && address.test(href) ? { label, href, end: behind + 1 } : null;
}
