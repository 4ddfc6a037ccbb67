// Traces as OTLP/JSON requests, with ids and times that repeat for the same seed.

export function random(seed) {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function hex(rand, bytes) {
  return Array.from({ length: bytes }, () =>
    Math.floor(rand() * 256)
      .toString(16)
      .padStart(2, '0'),
  ).join('');
}

export function value(v) {
  if (typeof v === 'string') return { stringValue: v };
  if (typeof v === 'boolean') return { boolValue: v };
  if (typeof v === 'number') return Number.isInteger(v) ? { intValue: String(v) } : { doubleValue: v };
  if (Array.isArray(v)) return { arrayValue: { values: v.map(value) } };
  return { kvlistValue: { values: attributes(v) } };
}

export function attributes(object) {
  return Object.entries(object).map(([key, v]) => ({ key, value: value(v) }));
}

const nano = (ms) => String(BigInt(Math.round(ms * 1000)) * 1000n);

/** A trace that grows span by span: `at` and `lasts` are milliseconds, `at` from the trace's start. */
export class TraceBuilder {
  constructor(seed, startMs, resource = {}) {
    this.rand = random(seed);
    this.start = startMs;
    this.id = hex(this.rand, 16);
    this.resource = {
      'service.name': 'browser-test',
      'process.pid': 4242,
      ...resource,
    };
    this.spans = [];
  }

  span(name, { parent = null, at = 0, lasts = 1, type, attrs = {}, error = null, events = [], ok = true } = {}) {
    const id = hex(this.rand, 8);
    this.spans.push({
      traceId: this.id,
      spanId: id,
      ...(parent ? { parentSpanId: parent } : {}),
      name,
      kind: 1,
      startTimeUnixNano: nano(this.start + at),
      endTimeUnixNano: nano(this.start + at + lasts),
      attributes: attributes({
        ...(type ? { 'respan.entity.log_type': type } : {}),
        ...attrs,
      }),
      events: events.map((e) => ({
        name: e.name,
        timeUnixNano: nano(this.start + (e.at ?? at)),
        attributes: attributes(e.attrs),
      })),
      status: error === null ? (ok ? { code: 1 } : {}) : { code: 2, message: error },
    });
    return id;
  }

  request() {
    return {
      resourceSpans: [
        {
          resource: { attributes: attributes(this.resource) },
          scopeSpans: [{ scope: { name: 'respan', version: '0.1.0' }, spans: this.spans }],
        },
      ],
    };
  }
}
