// Spans and accounts whose every string wants to be more than text: markup, scripts, addresses, Markdown, templates, styles, formulas.
import { readdir, readFile } from 'node:fs/promises';
import { random } from './otlp.mjs';

/** Whatever of it became an element, an attribute or a request is found by `xss` or `evil.invalid`. `from` says which field it was. */
export const payload = (from) =>
  `=${from}"'></script></style></textarea></title><script class="xss">window.xss='${from}'</script>` +
  `<img class="xss" src="x" onerror="window.xss='${from}'"><svg class="xss" onload="window.xss='${from}'">` +
  `<iframe class="xss" srcdoc="<script>parent.xss='${from}'</script>"></iframe><base class="xss" href="http://evil.invalid/">` +
  `" onmouseover="window.xss='${from}'" style="background:url(http://evil.invalid/style)" autofocus onfocus="window.xss='${from}'" x="` +
  `[link](javascript:window.xss='${from}') [data](data:text/html,<script>1</script>) ![image](http://evil.invalid/image.png) ` +
  `<javascript:window.xss='${from}'> **<b class="xss">bold</b>** | a | <i class="xss">b</i> | \n|---|---|\n| 1 | 2 |\n` +
  '```html\n<script class="xss">window.xss=\'code\'</script>\n```\n' +
  `{{constructor.constructor("window.xss='${from}'")()}} \${window.xss='${from}'} <%= 1 %> \\u003cscript\\u003e &lt;img class=xss&gt;` +
  `\u202egnp.exe \u0000\u001b[31m`;

/** For a name of at most 63 bytes. */
export const short = `"'><img class=xss src=x onerror=window.xss=1>`;

export const addresses = [
  "javascript:window.xss='address'",
  'JaVaScRiPt:%0Awindow.xss=1',
  'data:text/html,<script class=xss>window.xss=1</script>',
  'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" onload="window.xss=1"/>',
  'http://evil.invalid/image.png',
  '//evil.invalid/image.png',
  'file:///etc/passwd',
];

/** Of these the value says what the rest is, so that without it nothing would be understood. */
const kept =
  /^(type|kind|role|modality|mime_?type|media_type|finish_reason|format)$|(log_type|span\.kind|operation\.name|observation\.type|operationId|request\.type|\.role|_type|\.type|mime_type|tool_call\.id)$/i;

/** JSON with every text in it replaced, of keys that `kept` names only if `all`. */
function ofJson(value, from, all) {
  if (typeof value === 'string') return payload(from);
  if (Array.isArray(value)) return value.map((item) => ofJson(item, from, all));
  if (typeof value !== 'object' || value === null) return value;
  const out = {};
  for (const [key, item] of Object.entries(value)) {
    if (typeof item === 'string' && /url|uri|href|image|path/i.test(key)) out[key] = addresses[from.length % 7];
    else out[key] = !all && kept.test(key) && typeof item === 'string' ? item : ofJson(item, `${from}.${key}`, all);
  }
  out[payload('key')] = payload(from);
  return out;
}

function ofText(text, from, all) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return payload(from);
  }
  return typeof value === 'object' && value !== null ? JSON.stringify(ofJson(value, from, all)) : payload(from);
}

function ofValue(value, from, all) {
  if ('stringValue' in value) {
    return { stringValue: !all && kept.test(from) ? value.stringValue : ofText(value.stringValue, from, all) };
  }
  if (value.arrayValue)
    return { arrayValue: { values: (value.arrayValue.values ?? []).map((v) => ofValue(v, from, all)) } };
  if (value.kvlistValue) return { kvlistValue: { values: ofAttributes(value.kvlistValue.values, all, from) } };
  return value;
}

const ofAttributes = (list, all, from = '') => [
  ...(list ?? []).map(({ key, value }) => ({ key, value: ofValue(value, from + key, all) })),
  { key: payload('key'), value: { stringValue: payload('value') } },
];

const who = [
  ['respan.customer_params.customer_identifier', payload('user')],
  ['respan.customer_params.email', payload('email')],
  ['respan.customer_params.name', payload('name')],
  ['respan.threads.thread_identifier', payload('thread')],
  ['respan.trace.trace_group_identifier', payload('group')],
  ['session.id', payload('session')],
  ['respan.environment', payload('environment')],
  ['traceloop.workflow.name', payload('workflow')],
  ['respan.metadata.plan', payload('metadata')],
  ['respan.metadata.' + payload('metadata key'), payload('metadata')],
  ['respan.model.quantization', payload('quantization')],
  ['gen_ai.request.' + payload('parameter'), payload('parameter')],
].map(([key, value]) => ({ key, value: { stringValue: value } }));

/** No parameter of an address has a NUL. */
export const user = payload('user').replace('\u0000', '');
export const thread = payload('thread').replace('\u0000', '');

/** A request with the spans of `requests`, each with hostile texts in place of its own, as one trace. */
export function hostileTrace(seed, requests, start, all) {
  const rand = random(seed);
  const id = (bytes) => Array.from({ length: bytes * 2 }, () => Math.floor(rand() * 16).toString(16)).join('');
  const nano = (ms) => `${Math.round(ms)}000000`;
  const traceId = id(16);
  const root = id(8);
  const scope = { name: payload('scope'), version: payload('version'), attributes: ofAttributes([], all) };
  const resource = { attributes: ofAttributes([{ key: 'service.name', value: { stringValue: '' } }], all, '') };
  const spans = [];
  for (const request of requests)
    for (const { scopeSpans } of request.resourceSpans)
      for (const span of scopeSpans.flatMap((s) => s.spans ?? []))
        spans.push({
          ...span,
          traceId,
          spanId: id(8),
          parentSpanId: root,
          name: payload('span name'),
          traceState: payload('state'),
          startTimeUnixNano: nano(start + spans.length * 10),
          endTimeUnixNano: nano(start + spans.length * 10 + 8),
          attributes: [...ofAttributes(span.attributes, all), ...who],
          events: [...(span.events ?? []), exception].map((event) => ({
            name: all ? payload('event') : event.name,
            timeUnixNano: nano(start + spans.length * 10 + 4),
            attributes: ofAttributes(event.attributes, all),
          })),
          links: [{ traceId: id(16), spanId: id(8), traceState: payload('state'), attributes: ofAttributes([], all) }],
          status: { code: spans.length % 2 ? 2 : 1, message: payload('status') },
        });
  const end = nano(start + spans.length * 10 + 50);
  const entity = [
    ['traceloop.span.kind', 'workflow'],
    ['traceloop.entity.name', payload('entity')],
    ['traceloop.entity.input', JSON.stringify({ [payload('key')]: payload('input') })],
    ['traceloop.entity.output', payload('output')],
  ].map(([key, value]) => ({ key, value: { stringValue: value } }));
  spans.push({
    ...{ traceId, spanId: root, name: payload('root'), kind: 1, attributes: [...entity, ...who] },
    ...{ startTimeUnixNano: nano(start), endTimeUnixNano: end, status: { code: 2, message: payload('status') } },
  });
  return { traceId, request: { resourceSpans: [{ resource, scopeSpans: [{ scope, spans }] }] } };
}

const exception = {
  name: 'exception',
  attributes: ['type', 'message', 'stacktrace', 'fingerprint'].map((name) => ({
    key: `exception.${name}`,
    value: { stringValue: '' },
  })),
};

/** What the golden cases sent, of each dialect: [content type, body]. */
export async function golden() {
  const root = new URL('../golden/', import.meta.url);
  const out = [];
  for (const folder of await readdir(root, { withFileTypes: true })) {
    if (!folder.isDirectory() || folder.name === 'capture') continue;
    for (const file of (await readdir(new URL(`${folder.name}/`, root))).sort()) {
      const type = /(?<!\.logs)\.pb$/.test(file) ? 'application/x-protobuf' : 'application/json';
      if (/\.(json|pb)$/.test(file) && !file.endsWith('.logs.pb'))
        out.push([type, await readFile(new URL(`${folder.name}/${file}`, root))]);
    }
  }
  return out;
}
