/** The span as its sender would have sent it: OTLP/JSON, fetched when one looks. */
import { useEffect, useState } from 'preact/hooks';
import { asApiError, isAbort, parse, type ApiError } from '../api/client';
import { getOtlp } from '../api/endpoints';
import type { Json } from '../api/types';
import { bytes } from '../model/format';
import { Copy } from '../widgets/copy';
import { JsonView } from '../widgets/json-view';
import { Section } from '../widgets/section';
import { explain } from '../widgets/wrong';

export function RawTab({ trace, span }: { trace: string; span: string }) {
  const [raw, setRaw] = useState<{ text: string; value: Json } | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    getOtlp(trace, span, abort.signal)
      .then((text) => {
        setRaw({ text, value: parse<Json>(text) });
      })
      .catch((reason: unknown) => {
        if (!isAbort(reason)) setError(asApiError(reason));
      });
    return () => {
      abort.abort();
    };
  }, [trace, span]);
  if (error) return <div class="banner">{explain(error)}</div>;
  if (!raw) return null;
  return (
    <Section
      title="OTLP/JSON"
      aside={bytes(new Blob([raw.text]).size)}
      extra={<Copy text={() => JSON.stringify(raw.value, null, 2)} label="Copy as OTLP/JSON" />}
    >
      <JsonView value={raw.value} to="resourceSpans[0].scopeSpans[0].spans[0]" />
    </Section>
  );
}
