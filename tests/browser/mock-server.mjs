// A server with the page and the read API of docs/http-api.md over traces in memory: to work on the page without the
// C server. Ingest understands as much of OTLP/JSON as the fixtures say. Run it alone: node tests/browser/mock-server.mjs
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../../ui/dist/', import.meta.url));
export const csp =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const modelCalls = new Set([
  'text',
  'chat',
  'completion',
  'response',
  'embedding',
  'transcription',
  'speech',
  'generation',
]);

function plain(v) {
  if ('stringValue' in v) return v.stringValue;
  if ('boolValue' in v) return v.boolValue;
  if ('intValue' in v) return Number(v.intValue);
  if ('doubleValue' in v) return v.doubleValue;
  if ('arrayValue' in v) return v.arrayValue.values.map(plain);
  if ('kvlistValue' in v) return plainAll(v.kvlistValue.values);
  return null;
}

function plainAll(list) {
  const out = {};
  for (const { key, value } of list ?? [])
    Object.defineProperty(out, key, {
      value: plain(value),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  return out;
}

function time(nano) {
  const n = BigInt(nano);
  return `${new Date(Number(n / 1_000_000n)).toISOString().slice(0, 19)}.${String(n % 1_000_000_000n).padStart(9, '0')}Z`;
}

function messagesOf(attrs, prefix) {
  const out = [];
  for (const [key, v] of Object.entries(attrs)) {
    const m = key.startsWith(prefix) && /^\.(\d+)\.(.+)$/.exec(key.slice(prefix.length));
    if (m) (out[Number(m[1])] ??= {})[m[2]] = v;
  }
  return out;
}

function content(attrs, prefix, entity, logType) {
  const list = messagesOf(attrs, prefix);
  if (list.length === 1 && logType === 'text') return list[0].content;
  if (list.length > 0) return list;
  const text = attrs[entity];
  if (text === undefined) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function toSpan(raw, resource, scope) {
  const a = plainAll(raw.attributes);
  const logType = a['respan.entity.log_type'] ?? 'unknown';
  const parameters = {};
  const metadata = {};
  for (const [key, v] of Object.entries(a)) {
    if (key.startsWith('gen_ai.request.') && key !== 'gen_ai.request.model') parameters[key.slice(15)] = v;
    if (key.startsWith('respan.metadata.')) metadata[key.slice(16)] = v;
  }
  const latency = Number(BigInt(raw.endTimeUnixNano) - BigInt(raw.startTimeUnixNano)) / 1e9;
  const inTokens = a['gen_ai.usage.input_tokens'] ?? null;
  const outTokens = a['gen_ai.usage.output_tokens'] ?? null;
  return {
    head: {
      trace_unique_id: raw.traceId,
      span_unique_id: raw.spanId,
      span_parent_id: raw.parentSpanId ?? null,
      span_name: raw.name,
      name: a['traceloop.entity.name'] ?? raw.name,
      span_workflow_name: a['traceloop.workflow.name'] ?? null,
      span_path: null,
      kind: 'internal',
      log_type: logType,
      model: a['gen_ai.request.model'] ?? null,
      provider: a['gen_ai.system'] ?? null,
      start_time: time(raw.startTimeUnixNano),
      timestamp: time(raw.endTimeUnixNano),
      latency,
      time_to_first_token: a['respan.generation.time_to_first_token'] ?? null,
      tokens_per_second: a['respan.generation.tokens_per_second'] ?? null,
      prompt_tokens: inTokens,
      completion_tokens: outTokens,
      total_tokens: inTokens === null && outTokens === null ? null : (inTokens ?? 0) + (outTokens ?? 0),
      usage_source: a['respan.usage.source'] ?? null,
      cost: null,
      status_code: raw.status?.code === 2 ? 'error' : raw.status?.code === 1 ? 'ok' : 'unset',
      error_message: raw.status?.message ?? null,
      interrupted: false,
      thread_identifier: a['respan.threads.thread_identifier'] ?? null,
      customer_identifier: a['respan.customer_params.customer_identifier'] ?? null,
      environment: a['respan.environment'] ?? null,
    },
    rest: {
      input: content(a, 'gen_ai.prompt', 'traceloop.entity.input', logType),
      output: content(a, 'gen_ai.completion', 'traceloop.entity.output', logType),
      metadata,
      parameters,
      attributes: a,
      events: (raw.events ?? []).map((e) => ({
        name: e.name,
        time: time(e.timeUnixNano),
        attributes: plainAll(e.attributes),
      })),
      links: [],
      resource: plainAll(resource?.attributes),
      scope: {
        name: scope?.name ?? null,
        version: scope?.version ?? null,
        attributes: {},
      },
    },
  };
}

const preview = (v) =>
  v === null || v === undefined
    ? null
    : (typeof v === 'string' ? v : Array.isArray(v) ? String(v.at(-1)?.content) : JSON.stringify(v))
        .replace(/\s+/g, ' ')
        .slice(0, 160);

function summary(spans) {
  const byStart = [...spans].sort((a, b) => (a.head.start_time < b.head.start_time ? -1 : 1));
  const root = byStart.find((s) => s.head.span_parent_id === null) ?? byStart[0];
  const calls = byStart.filter((s) => modelCalls.has(s.head.log_type));
  const sum = (key) => spans.reduce((n, s) => (s.head[key] === null ? n : (n ?? 0) + s.head[key]), null);
  const end = spans.reduce((max, s) => (s.head.timestamp > max ? s.head.timestamp : max), '');
  const first = byStart[0].head.start_time;
  return {
    trace_unique_id: root.head.trace_unique_id,
    root_span_unique_id: root.head.span_unique_id,
    name: root.head.name,
    log_type: root.head.log_type,
    start_time: first,
    end_time: end,
    duration: (Date.parse(end) - Date.parse(first)) / 1000,
    span_count: spans.length,
    llm_call_count: calls.length,
    error_count: spans.filter((s) => s.head.status_code === 'error').length,
    total_tokens: sum('total_tokens'),
    total_prompt_tokens: sum('prompt_tokens'),
    total_completion_tokens: sum('completion_tokens'),
    total_cost: null,
    time_to_first_token: calls[0]?.head.time_to_first_token ?? null,
    tokens_per_second: calls[0]?.head.tokens_per_second ?? null,
    model: calls[0]?.head.model ?? null,
    input: preview(calls[0]?.rest.input ?? root.rest.input),
    output: preview(calls.at(-1)?.rest.output ?? root.rest.output),
    metadata: root.rest.metadata,
    customer_identifier: root.head.customer_identifier,
    session_identifier: root.head.thread_identifier,
    environment: root.head.environment,
    status_code: root.head.status_code,
    error_message: spans.find((s) => s.head.error_message)?.head.error_message ?? null,
  };
}

function tree(spans) {
  const nodes = new Map(spans.map((s) => [s.head.span_unique_id, { ...s.head, children: [] }]));
  const roots = [];
  for (const node of [...nodes.values()].sort((a, b) => (a.start_time < b.start_time ? -1 : 1))) {
    (nodes.get(node.span_parent_id)?.children ?? roots).push(node);
  }
  return roots;
}

const branchFields = [
  'span_unique_id',
  'span_parent_id',
  'name',
  'log_type',
  'error_message',
  'model',
  'prompt_tokens',
  'completion_tokens',
  'cost',
  'time_to_first_token',
];

/** The spans of ?view=tree; of those behind `since`, without their depth. */
function branches(spans, since) {
  const all = [];
  const first = summary(spans).start_time;
  const seconds = (from, to) => (Date.parse(to) - Date.parse(from)) / 1000;
  const left = tree(spans).map((node) => [node, 0]);
  for (let at = left.shift(); at; at = left.shift()) {
    const [head, depth] = at;
    const known = branchFields.filter((name) => (head[name] ?? null) !== null).map((name) => [name, head[name]]);
    all.push({
      ...(since > 0 ? {} : { depth }),
      ...Object.fromEntries(known),
      start: seconds(first, head.start_time),
      latency: Math.max(0, seconds(head.start_time, head.timestamp)),
      ...(head.status_code === 'unset' ? {} : { status_code: head.status_code }),
      ...(head.interrupted ? { interrupted: true } : {}),
    });
    left.unshift(...head.children.map((child) => [child, depth + 1]));
  }
  const late = new Set(spans.slice(since).map((s) => s.head.span_unique_id));
  return all.filter((one) => late.has(one.span_unique_id));
}

/** The lines of ?view=columns. */
function columns(facts, all) {
  const strings = [''];
  const ns = (seconds) => Math.round(seconds * 1e9);
  const of = (get) => all.map(get);
  const place = (text) => {
    if (!strings.includes(text)) strings.push(text);
    return strings.indexOf(text);
  };
  const known = (name) => [name, of((s) => s[name] ?? -1)];
  const text = (name) => [name, of((s) => place(s[name] ?? ''))];
  const line = {
    span_unique_id: of((s) => s.span_unique_id).join(''),
    depth: of((s) => s.depth),
    span_parent_id: all.flatMap((s, i) => (s.depth === 0 && s.span_parent_id ? [[i, s.span_parent_id]] : [])),
    start_ns: of((s) => ns(s.start)),
    latency_ns: of((s) => ns(s.latency)),
    status_code: of((s) => ['unset', 'ok', 'error'].indexOf(s.status_code ?? 'unset')),
    interrupted: of((s) => (s.interrupted ? 1 : 0)),
    ...Object.fromEntries(['prompt_tokens', 'completion_tokens', 'cost', 'time_to_first_token'].map(known)),
    ...Object.fromEntries(['name', 'log_type', 'model', 'error_message'].map(text)),
    strings: strings.slice(1),
  };
  return `${JSON.stringify({ ...facts, spans: all.length })}\n${JSON.stringify(line)}\n`;
}

export class Mock {
  traces = new Map();
  signedIn = true;
  away = false;

  ingest(request) {
    for (const { resource, scopeSpans } of request.resourceSpans) {
      for (const { scope, spans } of scopeSpans) {
        for (const raw of spans) {
          if (!this.traces.has(raw.traceId)) this.traces.set(raw.traceId, []);
          this.traces.get(raw.traceId).push(toSpan(raw, resource, scope));
        }
      }
    }
    this.rows = null;
  }

  list(query) {
    this.rows ??= [...this.traces.values()].map(summary).sort((a, b) => (a.start_time < b.start_time ? 1 : -1));
    let rows = this.rows;
    let size = 50;
    let after = 0;
    for (const [name, v] of query) {
      if (name === 'page_size') size = Number(v);
      else if (name === 'cursor') after = Number(v);
      else if (name === 'q')
        rows = rows.filter((t) =>
          [t.name, t.input, t.output, t.model].join(' ').toLowerCase().includes(v.toLowerCase()),
        );
      else if (name.startsWith('metadata__')) rows = rows.filter((t) => String(t.metadata[name.slice(10)]) === v);
      else if (name.startsWith('respan.model.'))
        rows = rows.filter((t) =>
          this.traces.get(t.trace_unique_id).some((s) => String(s.rest.attributes[name]) === v),
        );
      else if (name === 'log_type' || name === 'model')
        rows = rows.filter((t) => this.traces.get(t.trace_unique_id).some((s) => s.head[name] === v));
      else if (name === 'status_code' && v === 'error') rows = rows.filter((t) => t.error_count > 0);
      else if (name in (this.rows[0] ?? {})) rows = rows.filter((t) => String(t[name]) === v);
      else
        return {
          error: {
            code: 'bad_request',
            message: `no such field: ${name}`,
            field: name,
          },
        };
    }
    const page = rows.slice(after, after + size);
    const rest = new URLSearchParams([...query].filter(([name]) => name !== 'cursor'));
    rest.set('cursor', String(after + size));
    return {
      count: rows.length,
      results: page,
      next: after + size < rows.length ? `/api/traces/list/?${rest}` : null,
      previous: null,
    };
  }

  answer(path, query) {
    if (path === '/api/session/') {
      const spans = [...this.traces.values()].reduce((n, t) => n + t.length, 0);
      return {
        project: 'default',
        spans,
        traces: this.traces.size,
        bytes: spans * 260,
        version: '0.1.0',
        project_id: 1,
        organization_id: 1,
        organizations: [{ id: 1, name: 'default', role: 'owner' }],
        projects: [{ id: 1, name: 'default', organization: 1, role: 'owner' }],
        server_owner: true,
        user: { id: 1, email: 'owner@localhost', name: 'Owner', has_password: false },
        role: 'owner',
        csrf_token: 'token',
      };
    }
    if (path === '/api/traces/list/') return this.list(query);
    const trace = /^\/api\/traces\/([0-9a-f]{32})\/$/.exec(path);
    if (trace) {
      const spans = this.traces.get(trace[1]);
      if (!spans || !query.has('view')) return spans && { ...summary(spans), span_tree: tree(spans) };
      const { input: _, output: __, ...rest } = summary(spans);
      const facts = { ...rest, next_since: String(spans.length) };
      const all = branches(spans, Number(query.get('since') ?? 0));
      return query.get('view') === 'columns' ? columns(facts, all) : { ...facts, spans: all };
    }
    const span = /^\/api\/spans\/([0-9a-f]{16})\/$/.exec(path);
    const found = span && this.traces.get(query.get('trace_id'))?.find((s) => s.head.span_unique_id === span[1]);
    return found && { ...found.head, ...found.rest };
  }

  async handle(request, response) {
    const url = new URL(request.url, 'http://mock');
    const json = (status, body) => {
      response.writeHead(status, {
        'content-type': 'application/json',
        'cache-control': 'no-store',
      });
      response.end(JSON.stringify(body));
    };
    if (this.away) return void request.socket.destroy();
    if (url.pathname.endsWith('/traces') && request.method === 'POST') {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      this.ingest(JSON.parse(Buffer.concat(chunks).toString()));
      return json(200, { partialSuccess: {} });
    }
    if (url.pathname.startsWith('/api/')) {
      if (!this.signedIn)
        return json(401, {
          error: { code: 'unauthorized', message: 'no session', field: null },
        });
      const body = this.answer(url.pathname, url.searchParams);
      if (!body)
        return json(404, {
          error: { code: 'not_found', message: 'no such trace', field: null },
        });
      if (typeof body === 'string') return void response.end(body);
      return json(body.error ? 400 : 200, body);
    }
    const file = extname(url.pathname) === '' ? 'index.html' : normalize(url.pathname).replace(/^[/.]+/, '');
    try {
      const body = await readFile(join(dist, file));
      response.writeHead(200, {
        'content-type': types[extname(file)] ?? 'application/octet-stream',
        'content-security-policy': csp,
        'x-content-type-options': 'nosniff',
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  }

  async listen(port = 0) {
    this.server = createServer((request, response) => void this.handle(request, response));
    await new Promise((done) => this.server.listen(port, '127.0.0.1', done));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const f = await import('./fixtures.mjs');
  const mock = await new Mock().listen(8461);
  const now = Date.now();
  for (let i = 0; i < 400; i++) mock.ingest(f.ordinary(i, now - 900_000 - i * 41_000).request());
  [f.big, f.hostile, f.batch, f.failing, f.rerankThenWrite, f.textGeneration].forEach((make, i) =>
    mock.ingest(make(i + 1, now - 60_000 * (6 - i)).request()),
  );
  console.log(mock.url);
}
