/** Text with its Markdown shown, made of elements, never of HTML. */
import type { ComponentChildren, JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { type Block, type Inline, parseMarkdown } from '../model/markdown';
import { cutLong, visible } from '../model/text';
import { ShowAll } from './long-text';

export function Markdown({
  text,
  maxChars = 2400,
  maxLines = 40,
}: {
  text: string;
  maxChars?: number;
  maxLines?: number;
}) {
  const [all, setAll] = useState(false);
  const cut = cutLong(text, maxChars, maxLines);
  const shown = all ? text : cut.shown;
  const blocks = useMemo(() => parseMarkdown(shown), [shown]);
  return (
    <div class="rich" dir="auto">
      <Blocks blocks={blocks} />
      {!cut.whole && !all && (
        <ShowAll
          text={text}
          onAll={() => {
            setAll(true);
          }}
        />
      )}
    </div>
  );
}

function Blocks({ blocks }: { blocks: Block[] }): JSX.Element {
  return (
    <>
      {blocks.map((block, i) => (
        <BlockView key={i} block={block} />
      ))}
    </>
  );
}

function BlockView({ block }: { block: Block }): JSX.Element {
  switch (block.kind) {
    case 'paragraph':
      return <p>{inlines(block.inside)}</p>;
    case 'heading':
      // The page's own headings are h1 to h3: a model's are none of its outline.
      return <p class={`rich-heading level-${String(block.level)}`}>{inlines(block.inside)}</p>;
    case 'code':
      return (
        <pre class="rich-code" title={block.language === '' ? undefined : visible(block.language)}>
          {visible(block.text)}
        </pre>
      );
    case 'rule':
      return <hr />;
    case 'quote':
      return (
        <blockquote>
          <Blocks blocks={block.inside} />
        </blockquote>
      );
    case 'list': {
      const items = block.items.map((item, i) => (
        <li key={i}>
          <Blocks blocks={item} />
        </li>
      ));
      return block.start === null ? <ul>{items}</ul> : <ol start={block.start}>{items}</ol>;
    }
    case 'table':
      return (
        <div class="rich-table">
          <table>
            <thead>
              <tr>
                {block.head.map((cell, i) => (
                  <th key={i} class={`to-${block.align[i] ?? 'left'}`}>
                    {inlines(cell)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {block.rows.map((row, r) => (
                <tr key={r}>
                  {row.map((cell, i) => (
                    <td key={i} class={`to-${block.align[i] ?? 'left'}`}>
                      {inlines(cell)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      );
  }
}

function inlines(all: Inline[]): ComponentChildren[] {
  return all.map((inline, i) => {
    switch (inline.kind) {
      case 'text':
        return visible(inline.text);
      case 'code':
        return <code key={i}>{visible(inline.text)}</code>;
      case 'strong':
        return <b key={i}>{inlines(inline.inside)}</b>;
      case 'em':
        return <em key={i}>{inlines(inline.inside)}</em>;
      case 'strike':
        return <s key={i}>{inlines(inline.inside)}</s>;
      case 'link':
        return <Link key={i} link={inline} />;
    }
  });
}

/** Where it leads is always said in full: what a model calls it proves nothing. */
function Link({ link }: { link: Extract<Inline, { kind: 'link' }> }) {
  const [first] = link.inside;
  const isAddress = link.inside.length === 1 && first?.kind === 'text' && first.text === link.href;
  return (
    <>
      <a href={link.href} target="_blank" rel="noopener noreferrer nofollow">
        {isAddress ? visible(link.href) : inlines(link.inside)}
      </a>
      {!isAddress && <span class="mute"> ({visible(link.href)})</span>}
    </>
  );
}
