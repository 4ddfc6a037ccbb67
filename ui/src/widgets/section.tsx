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

/** To what has another value than the one beside it. */
export function Without({ to, what }: { to: string; what: string }) {
  return (
    <Link class="without" to={to} title="Traces without this value" aria-label={`Traces without ${oneLine(what, 80)}`}>
      ≠
    </Link>
  );
}

/** Names and short values in two columns; a value too long for its cell has the whole line. */
export function Grid({ facts }: { facts: Fact[] }) {
  return (
    <dl class="grid">
      {facts.map(([name, value, url, but]) => (
        <div key={name} class={name.length + value.length > 26 ? 'whole' : undefined}>
          <dt class={`of-${name.replaceAll(' ', '-')}`}>
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
            {but !== undefined && <Without to={but} what={`${name} ${value}`} />}
          </dd>
        </div>
      ))}
    </dl>
  );
}
