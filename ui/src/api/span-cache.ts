/** The last few spans that were looked at, so that going back and forth asks nothing again. */
import { getSpan } from './endpoints';
import type { Span } from './types';

const limit = 32;

export class SpanCache {
  private readonly spans = new Map<string, Span>();

  get(id: string): Span | undefined {
    return this.spans.get(id);
  }

  async load(trace: string, id: string, signal: AbortSignal): Promise<Span> {
    const span = await getSpan(trace, id, signal);
    this.spans.delete(id);
    this.spans.set(id, span);
    for (const oldest of this.spans.keys()) {
      if (this.spans.size <= limit) break;
      this.spans.delete(oldest);
    }
    return span;
  }
}
