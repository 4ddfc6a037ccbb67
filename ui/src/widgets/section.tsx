import type { ComponentChildren } from 'preact';
import { oneLine } from '../model/text';
import { Copy } from './copy';

interface Props {
  title: string;
  aside?: string;
  copy?: () => string;
  children: ComponentChildren;
}

export function Section({ title, aside = '', copy, children }: Props) {
  return (
    <section class="section">
      <h3>
        {title}
        {copy && <Copy text={copy} label={`Copy: ${title.toLowerCase()}`} />}
        {aside !== '' && <span class="aside">{aside}</span>}
      </h3>
      {children}
    </section>
  );
}

/** Names and short values in two columns; a value too long for its cell has the whole line. */
export function Grid({ facts }: { facts: [name: string, value: string][] }) {
  return (
    <dl class="grid">
      {facts.map(([name, value]) => (
        <div key={name} class={name.length + value.length > 26 ? 'whole' : undefined}>
          <dt>
            <bdi>{oneLine(name, 200)}</bdi>
          </dt>
          <dd title={value.length > 60 ? oneLine(value, 2000) : undefined}>
            <bdi>{oneLine(value)}</bdi>
          </dd>
        </div>
      ))}
    </dl>
  );
}
