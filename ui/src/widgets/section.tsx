import type { ComponentChildren } from 'preact';
import type { Fact } from '../model/facts';
import { oneLine } from '../model/text';
import { Copy } from './copy';
import { Link } from './link';

interface Props {
  title: string;
  aside?: string;
  copy?: () => string;
  /** Stands beside the title. */
  extra?: ComponentChildren;
  children: ComponentChildren;
}

export function Section({ title, aside = '', copy, extra, children }: Props) {
  return (
    <section class="section">
      <h3>
        {title}
        {copy && <Copy text={copy} label={`Copy: ${title.toLowerCase()}`} />}
        {extra}
        {aside !== '' && <span class="aside">{aside}</span>}
      </h3>
      {children}
    </section>
  );
}

/** Names and short values in two columns; a value too long for its cell has the whole line. */
export function Grid({ facts }: { facts: Fact[] }) {
  return (
    <dl class="grid">
      {facts.map(([name, value, url]) => (
        <div key={name} class={name.length + value.length > 26 ? 'whole' : undefined}>
          <dt>
            <bdi>{oneLine(name, 200)}</bdi>
          </dt>
          <dd title={value.length > 60 ? oneLine(value, 2000) : undefined}>
            {url === undefined ? (
              <bdi>{oneLine(value)}</bdi>
            ) : (
              <Link to={url} title="Traces with this value">
                <bdi>{oneLine(value)}</bdi>
              </Link>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}
