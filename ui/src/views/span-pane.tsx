/** The selected span, beside the tree. Its facts stand at once; its content is fetched when it is selected. */
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { asApiError, isAbort, type ApiError } from '../api/client';
import { SpanCache } from '../api/span-cache';
import type { Span } from '../api/types';
import { count, shortId } from '../model/format';
import { isGeneration } from '../model/logtype';
import { spanLabel } from '../model/name';
import { isTraceId } from '../model/route';
import { oneLine, visible } from '../model/text';
import type { Row } from '../model/tree';
import { Copy } from '../widgets/copy';
import { usePolling } from '../widgets/hooks';
import { later } from '../widgets/later';
import { Mark } from '../widgets/mark';
import { explain } from '../widgets/wrong';
import { MarkSpan } from './compare-marked';
import { AttributesTab, EventsTab, ResourceTab } from './span-details';
import { SpanContent } from './span-content';

const RawTab = later(async () => (await import('./more')).RawTab, true);

type Tab = 'content' | 'attributes' | 'events' | 'resource' | 'raw';

/** As the banner says. */
const retryEvery = 2000;

interface Props {
  trace: string;
  row: Row;
  /** Seconds in which nothing below it ran; null while not all spans are there. */
  self: number | null;
  /** What the address asks for, where the trace has no such span. */
  missing: string | null;
  /** Changes when the trace does: spans may have been sent again. */
  revision: object;
  onFailure: (error: ApiError) => void;
}

export function SpanPane({ trace, row, self, missing, revision, onFailure }: Props) {
  const { span: head, id } = row;
  const unknown = head.running && head.name === undefined;
  const [tab, setTab] = useState<Tab>('content');
  const cache = useMemo(() => new SpanCache(), [revision]);
  const [loaded, setLoaded] = useState<Span | null>(null);
  const [wrong, setWrong] = useState<{ of: string; error: ApiError } | null>(null);
  const [tries, setTries] = useState(0);
  const error = wrong?.of === id ? wrong.error : null;
  const span = cache.get(id) ?? (loaded?.span_unique_id === id ? loaded : null);

  useEffect(() => {
    if (unknown || cache.get(id)) return;
    const abort = new AbortController();
    cache.load(trace, id, abort.signal).then(
      (came) => {
        setLoaded(came);
        setWrong(null);
      },
      (reason: unknown) => {
        if (isAbort(reason)) return;
        const apiError = asApiError(reason);
        setWrong({ of: id, error: apiError });
        onFailure(apiError);
      },
    );
    return () => {
      abort.abort();
    };
  }, [cache, trace, id, unknown, onFailure, tries]);
  usePolling(retryEvery, error?.failure === 'away', () => {
    setTries((n) => n + 1);
  });

  const tabs: [Tab, string, number | null][] = [
    ['content', isGeneration(head.log_type) ? 'Generation' : 'Input / Output', null],
    ['attributes', 'Attributes', span ? Object.keys(span.attributes ?? {}).length : null],
    ['events', 'Events', span ? (span.events?.length ?? 0) + (span.links?.length ?? 0) : null],
    ['resource', 'Resource', null],
    ...(span?.withheld ? [] : [['raw', 'Raw', null] as [Tab, string, null]]),
  ];

  return (
    <section class={`pane f-${row.family}`} aria-label="Selected span">
      <div class="pane-head">
        <Mark logType={head.log_type} />
        <h2 title={oneLine(head.name ?? '', 400)}>
          <bdi>{oneLine(spanLabel(head)) || (unknown ? 'still running' : 'unnamed')}</bdi>
        </h2>
        <span class="pane-id mono" title={id}>
          {shortId(id)}
          <Copy text={id} label="Copy the span id" />
        </span>
      </div>
      <div class="pane-chips">
        <Chip>{head.log_type}</Chip>
        {head.model !== undefined && <Chip>{head.model}</Chip>}
        {isTraceId(trace) && <MarkSpan trace={trace} span={id} />}
      </div>
      <div class="tabs" role="tablist" aria-label="Span">
        {tabs.map(([name, title, n], i) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${name}`}
            aria-selected={tab === name}
            aria-controls="tab-panel"
            tabIndex={tab === name ? 0 : -1}
            onClick={() => {
              setTab(name);
            }}
            onKeyDown={(event) => {
              const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
              const to = tabs[(i + step + tabs.length) % tabs.length]?.[0];
              if (step === 0 || !to) return;
              event.preventDefault();
              event.stopPropagation();
              setTab(to);
              document.getElementById(`tab-${to}`)?.focus();
            }}
          >
            {title}
            {n !== null && n > 0 && <span class="mono">{count(n)}</span>}
          </button>
        ))}
      </div>
      <div key={id} class="pane-body" role="tabpanel" id="tab-panel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
        {missing !== null && (
          <p class="nothing" role="status">
            This trace has no span <bdi class="mono">{oneLine(missing, 80)}</bdi>; this one is shown in its place.
          </p>
        )}
        {head.status_code === 'error' && (
          <div class="failure" role="note">
            <b>Error</b>
            <bdi>{visible(span?.error_message ?? head.error_message ?? 'no message')}</bdi>
          </div>
        )}
        {error && <div class="banner">{error.failure === 'not-found' ? 'This span was removed.' : explain(error)}</div>}
        {head.running && (
          <p class="nothing">This span has not ended yet{unknown ? '.' : ': this is what it holds so far.'}</p>
        )}
        {tab === 'content' && <SpanContent row={row} self={self} span={span} />}
        {tab === 'attributes' && span && <AttributesTab attributes={span.attributes ?? {}} />}
        {tab === 'events' && span && <EventsTab span={span} />}
        {tab === 'resource' && span && <ResourceTab span={span} />}
        {tab === 'raw' && <RawTab trace={trace} span={id} />}
      </div>
    </section>
  );
}

function Chip({ children }: { children: string }): ComponentChildren {
  return (
    <span class="chip mono" title={children}>
      <bdi>{oneLine(children, 80)}</bdi>
    </span>
  );
}
