/** The tabs behind the first: everything that was sent, as it was sent. */
import { Fragment } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { Json, JsonObject, Span, SpanEvent } from '../api/types';
import { valueText } from '../model/facts';
import { count, duration } from '../model/format';
import { oneLine } from '../model/text';
import { parseInstant, secondsBetween } from '../model/time';
import { Copy } from '../widgets/copy';
import { JsonView } from '../widgets/json-view';
import { LongText } from '../widgets/long-text';
import { Section } from '../widgets/section';

export function AttributesTab({ attributes }: { attributes: JsonObject }) {
  const [search, setSearch] = useState('');
  const entries = useMemo(() => Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)), [attributes]);
  const wanted = search.trim().toLowerCase();
  const found =
    wanted === ''
      ? entries
      : entries.filter(
          ([key, value]) => key.toLowerCase().includes(wanted) || valueText(value).toLowerCase().includes(wanted),
        );
  return (
    <>
      <div class="attributes-bar">
        <input
          type="search"
          class="mono"
          placeholder="Search keys and values"
          aria-label="Search attributes"
          spellcheck={false}
          value={search}
          onInput={(event) => {
            setSearch(event.currentTarget.value);
          }}
        />
        <span class="mute mono">
          {wanted === '' ? count(entries.length) : `${count(found.length)} of ${count(entries.length)}`}
        </span>
        <Copy text={() => JSON.stringify(attributes, null, 2)} label="Copy all as JSON">
          Copy
        </Copy>
      </div>
      <Attributes entries={found} />
    </>
  );
}

function Attributes({ entries }: { entries: [string, Json][] }) {
  return (
    <dl class="attributes mono">
      {entries.map(([key, value]) => (
        <div key={key}>
          <dt>
            <Key name={oneLine(key)} />
          </dt>
          <dd>
            {typeof value === 'object' && value !== null ? (
              <JsonView value={value} />
            ) : (
              <LongText text={valueText(value)} maxChars={400} maxLines={6} />
            )}
            <Copy text={() => valueText(value)} label={`Copy the value of ${oneLine(key, 60)}`} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A long key breaks behind a dot or an underscore. */
function Key({ name }: { name: string }) {
  return (
    <bdi>
      {name.split(/(?<=[._])/).map((part, i) => (
        <Fragment key={i}>
          {i > 0 && <wbr />}
          {part}
        </Fragment>
      ))}
    </bdi>
  );
}

export function EventsTab({ span }: { span: Span }) {
  const events = span.events ?? [];
  const links = span.links ?? [];
  const zero = parseInstant(span.start_time);
  if (events.length === 0 && links.length === 0) return <p class="nothing">No events.</p>;
  return (
    <>
      {events.map((event, i) => (
        <Section
          key={i}
          title={oneLine(event.name) || 'event'}
          aside={`+${duration(secondsBetween(zero, parseInstant(event.time)))}`}
        >
          {isException(event) ? (
            <Exception attributes={event.attributes ?? {}} />
          ) : (
            <Attributes entries={Object.entries(event.attributes ?? {})} />
          )}
        </Section>
      ))}
      {links.length > 0 && (
        <Section title="Links">
          <JsonView value={links} />
        </Section>
      )}
    </>
  );
}

function isException(event: SpanEvent): boolean {
  return event.attributes !== null && ('exception.type' in event.attributes || 'exception.message' in event.attributes);
}

function Exception({ attributes }: { attributes: JsonObject }) {
  const { 'exception.type': type, 'exception.message': message, 'exception.stacktrace': stack, ...rest } = attributes;
  return (
    <div class="exception">
      <p>
        <b class="mono">{oneLine(valueText(type ?? 'exception'))}</b>
      </p>
      {message !== undefined && <LongText text={valueText(message)} maxLines={12} />}
      {stack !== undefined && (
        <div class="stack mono">
          <LongText text={valueText(stack)} />
        </div>
      )}
      <Attributes entries={Object.entries(rest)} />
    </div>
  );
}

export function ResourceTab({ span }: { span: Span }) {
  const scope = span.scope;
  const identity: [string, Json][] = [
    ['trace id', span.trace_unique_id],
    ['span id', span.span_unique_id],
    ['parent id', span.span_parent_id],
    ['span name', span.span_name],
    ['kind', span.kind ?? null],
    ['path', span.span_path ?? null],
    ['start', span.start_time],
    ['end', span.timestamp],
  ];
  return (
    <>
      <Section title="Span">
        <Attributes entries={identity.filter(([, value]) => value !== null && value !== '')} />
      </Section>
      <Section title="Resource">
        <Attributes entries={Object.entries(span.resource ?? {})} />
      </Section>
      {scope && (scope.name || Object.keys(scope.attributes ?? {}).length > 0) && (
        <Section title="Scope">
          <Attributes
            entries={[
              ['name', scope.name ?? ''],
              ...(scope.version ? [['version', scope.version] as [string, Json]] : []),
              ...Object.entries(scope.attributes ?? {}),
            ]}
          />
        </Section>
      )}
    </>
  );
}
