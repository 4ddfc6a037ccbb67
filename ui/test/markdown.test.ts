import { describe, expect, test } from 'vitest';
import { type Block, hasMarkup, type Inline, parseInline, parseMarkdown } from '../src/model/markdown';

/** What a tree says, in a notation as short as it gets. */
const line = (all: Inline[]): string =>
  all
    .map((i) => {
      if (i.kind === 'text') return i.text;
      if (i.kind === 'code') return `<code ${i.text}>`;
      return i.kind === 'link' ? `<link ${i.href} ${line(i.inside)}>` : `<${i.kind} ${line(i.inside)}>`;
    })
    .join('');
const said = (blocks: Block[]): unknown[] =>
  blocks.map((b) => {
    switch (b.kind) {
      case 'paragraph':
        return line(b.inside);
      case 'heading':
        return { [`h${String(b.level)}`]: line(b.inside) };
      case 'code':
        return { code: b.text, language: b.language };
      case 'list':
        return { [b.start === null ? 'ul' : `ol ${String(b.start)}`]: b.items.map(said) };
      case 'quote':
        return { quote: said(b.inside) };
      case 'table':
        return { align: b.align, head: b.head.map(line), rows: b.rows.map((r) => r.map(line)) };
      case 'rule':
        return 'rule';
    }
  });
const md = (text: string): unknown[] => said(parseMarkdown(text));
const inline = (text: string): string => line(parseInline(text));

test('paragraphs keep their lines, headings their level', () => {
  expect(md('one\ntwo\n\nthree')).toEqual(['one\ntwo', 'three']);
  expect(md('# A\ntext\n### B ###\n#no')).toEqual([{ h1: 'A' }, 'text', { h3: 'B' }, '#no']);
  expect(md('a\n\n---\n\nb')).toEqual(['a', 'rule', 'b']);
});

test('code is as it was, closed or not', () => {
  expect(md('x\n```py\nif a:\n\n    *b*\n```\ny')).toEqual(['x', { code: 'if a:\n\n    *b*', language: 'py' }, 'y']);
  expect(md('````\n```\n````')).toEqual([{ code: '```', language: '' }]);
  expect(md('~~~\nopen')).toEqual([{ code: 'open', language: '' }]);
});

test('lists: with numbers, in each other, of several paragraphs', () => {
  expect(md('- a\n- b\n  - c\n  - d\n- e')).toEqual([{ ul: [['a'], ['b', { ul: [['c'], ['d']] }], ['e']] }]);
  expect(md('3. x\n4) y')).toEqual([{ 'ol 3': [['x'], ['y']] }]);
  expect(md('1. x\n\n   more\n\n2. y\n\nend')).toEqual([{ 'ol 1': [['x', 'more'], ['y']] }, 'end']);
  expect(md('text:\n- a\nb')).toEqual(['text:', { ul: [['a\nb']] }]);
});

test('quotes and tables', () => {
  expect(md('> a\n> - b\n\nc')).toEqual([{ quote: ['a', { ul: [['b']] }] }, 'c']);
  expect(md('| a | b |\n|---|:-:|\n| 1 | *2* |\n| x \\| y |\n\nz')).toEqual([
    {
      align: [null, 'center'],
      head: ['a', 'b'],
      rows: [
        ['1', '<em 2>'],
        ['x | y', ''],
      ],
    },
    'z',
  ]);
  expect(md('a | b\nc | d')).toEqual(['a | b\nc | d']);
});

test('emphasis hugs its words', () => {
  expect(inline('**a** *b* ~~c~~ _d_ __e__')).toBe('<strong a> <em b> <strike c> <em d> <strong e>');
  expect(inline('2 * 3 * 4, snake_case_name, a ~ b')).toBe('2 * 3 * 4, snake_case_name, a ~ b');
  expect(inline('**bold *both* bold**')).toBe('<strong bold <em both> bold>');
  expect(inline('*open **and')).toBe('*open **and');
  expect(inline('\\*no\\*')).toBe('*no*');
});

test('code in a line holds no emphasis', () => {
  expect(inline('`*a*` and `` ` ``')).toBe('<code *a*> and <code `>');
  expect(inline('a ` b')).toBe('a ` b');
});

describe('links', () => {
  test('lead to http, https and mailto alone', () => {
    expect(inline('[t](https://x.org/a_(b) "title") [m](mailto:a@b.c)')).toBe(
      '<link https://x.org/a_(b) t> <link mailto:a@b.c m>',
    );
    for (const bad of ['javascript:alert(1)', 'JaVaScRiPt:x', 'data:text/html,x', '//x.org', '/here', 'ftp://x']) {
      expect(inline(`[t](${bad})`)).not.toContain('<link');
    }
  });

  test('addresses in text, without the stop behind them', () => {
    expect(inline('see https://x.org/a?b=c. Or (http://y.org)')).toBe(
      'see <link https://x.org/a?b=c https://x.org/a?b=c>. Or (<link http://y.org http://y.org>)',
    );
  });

  test('an image is no more than a link to it', () => {
    expect(inline('![alt](https://x.org/i.png)')).toBe('!<link https://x.org/i.png alt>');
  });
});

test('HTML is text', () => {
  expect(md('<b onclick="x">*a*</b>\n<script>1</script>')).toEqual(['<b onclick="x"><em a></b>\n<script>1</script>']);
});

test('what would look the same has no markup', () => {
  for (const text of ['plain', 'a - b', '2 * 3', 'x < y > z', 'a\nb']) expect(hasMarkup(text)).toBe(false);
  for (const text of ['**a**', '`a`', '- a', '# a', '1. a', '| a | b |', '[a](b)', '> q', 'x\n* y'])
    expect(hasMarkup(text)).toBe(true);
});

test('signs without end, and a thousand levels, are read in little time and depth', () => {
  const n = 50_000;
  for (const piece of [
    '*a ',
    '**',
    '_a',
    '`',
    '``a`',
    '[',
    '[a](',
    '~~',
    '> ',
    '- ',
    '|',
    '*a **b ',
    '![x](y',
    '\\',
    '#',
    '1. ',
    '_*',
  ]) {
    const text = piece.repeat(n / piece.length);
    expect(parseMarkdown(text).length, piece).toBeGreaterThan(0);
  }
  expect(JSON.stringify(parseMarkdown('> '.repeat(1000) + 'x')).length).toBeLessThan(4000);
  const levels = Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i * 2)}- x`).join('\n');
  expect(parseMarkdown(levels)).toHaveLength(1);
});
