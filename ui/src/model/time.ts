/** Instants with nanoseconds, which Date does not have. */

export interface Instant {
  /** Whole seconds since 1970. */
  sec: number;
  nano: number;
}

const shape = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

export function parseInstant(text: string): Instant {
  const m = shape.exec(text);
  if (!m) return { sec: 0, nano: 0 };
  return { sec: Date.parse(`${m[1] ?? ''}${m[3] ?? 'Z'}`) / 1000, nano: Number((m[2] ?? '').padEnd(9, '0')) };
}

/** Seconds from a to b; exact to the nanosecond for spans of up to a hundred days. */
export function secondsBetween(a: Instant, b: Instant): number {
  return ((b.sec - a.sec) * 1e9 + (b.nano - a.nano)) / 1e9;
}

export function toDate(at: Instant): Date {
  return new Date(at.sec * 1000 + at.nano / 1e6);
}
