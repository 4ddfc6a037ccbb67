/** The metadata of traces, each value a link to those that share it, and one to those that do not. */
import { useMemo } from 'preact/hooks';
import type { Json, Trace } from '../api/types';
import { metadataToken, pairOfUrls, typedText } from '../model/facts';
import { count, plural } from '../model/format';
import { metadataOf } from '../model/metadata';
import { oneLine } from '../model/text';
import { Link } from '../widgets/link';
import { Without } from '../widgets/section';

interface Props {
  traces: Pick<Trace, 'metadata'>[];
  /** The filter that the links go on with. */
  within: string;
}

export function MetadataList({ traces, within }: Props) {
  const facts = useMemo(() => metadataOf(traces), [traces]);
  if (facts.length === 0) return null;
  return (
    <section class="part">
      <h2>Metadata</h2>
      <dl class="metadata">
        {facts.map(({ key, values, more }) => (
          <div key={key}>
            <dt title={oneLine(key, 400)}>
              <bdi>{oneLine(key, 80)}</bdi>
            </dt>
            <dd>
              {values.map(([value, n]) => (
                <Value key={JSON.stringify(value)} name={key} value={value} traces={n} within={within} />
              ))}
              {more > 0 && <span class="mute">and {plural(more, 'more value')}</span>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Value({ name, value, traces, within }: { name: string; value: Json; traces: number; within: string }) {
  const token = metadataToken(name, value);
  const shown = <bdi>{oneLine(typedText(value), 80)}</bdi>;
  if (token === null) return <span class="chip mono">{shown}</span>;
  const [url, but] = pairOfUrls(token, within);
  return (
    <span class="chip mono">
      <Link to={url} title="Traces with this value">
        {shown}
      </Link>
      {traces > 1 && <span class="mute"> {count(traces)}</span>}
      <Without to={but} what={`${name} ${typedText(value)}`} />
    </span>
  );
}
