/** A trace's spans as columns, in the order of the tree: a hundred thousand of them are a few arrays, and one is made an object of when
 *  it is looked at. */
import type { Branch, Status } from '../api/types';

/** As a line of ?view=columns has them. */
export interface Line extends Partial<Record<Counted | Measured, number[]>> {
  span_unique_id: string;
  depth: number[];
  start_ns: number[];
  latency_ns?: number[];
  span_parent_id?: [number, string][];
  strings: string[];
}

const counted = [
  'depth',
  'name',
  'log_type',
  'model',
  'error_message',
  'status_code',
  'interrupted',
  'running',
] as const;
/** −1 is not known. */
const measured = ['prompt_tokens', 'completion_tokens', 'cost', 'time_to_first_token'] as const;
const texts = ['name', 'model', 'error_message'] as const;
type Counted = (typeof counted)[number];
type Measured = (typeof measured)[number];

const statuses: Status[] = ['unset', 'ok', 'error'];
export const failed = 2;
const idLength = 16;

type Columns = Record<Counted, Uint32Array> & Record<Measured | 'start' | 'latency', Float64Array>;

export class Spans {
  n = 0;
  readonly ids: string[] = [];
  /** Of those whose parent is not the span above them in the tree. */
  readonly parents = new Map<number, string>();
  /** Names, models, types and errors are places in it. */
  strings: string[] = [''];
  /** Times in seconds since the trace's start. */
  readonly at: Columns;
  private places: Map<string, number> | null = null;

  constructor(room: number) {
    const columns: Partial<Columns> = { start: new Float64Array(room), latency: new Float64Array(room) };
    for (const name of counted) columns[name] = new Uint32Array(room);
    for (const name of measured) columns[name] = new Float64Array(room).fill(-1);
    this.at = columns as Columns;
  }

  static of(branches: Branch[]): Spans {
    const spans = new Spans(branches.length);
    for (const branch of branches) spans.put(spans.n++, branch);
    return spans;
  }

  /** Adds the spans of a line, for as many as there is room. */
  add(line: Line): void {
    const { at, n } = this;
    const count = Math.min(line.depth.length, at.depth.length - n);
    for (let i = 0; i < count; i++) {
      this.ids.push(line.span_unique_id.slice(i * idLength, (i + 1) * idLength));
      at.start[n + i] = (line.start_ns[i] ?? 0) / 1e9;
      at.latency[n + i] = (line.latency_ns?.[i] ?? 0) / 1e9;
    }
    for (const name of [...counted, ...measured]) {
      const said = line[name];
      if (said) at[name].set(said.length > count ? said.slice(0, count) : said, n);
    }
    for (const [i, id] of line.span_parent_id ?? []) this.parents.set(n + i, id);
    for (const text of line.strings) this.strings.push(text);
    this.n = n + count;
  }

  put(i: number, branch: Branch): void {
    const { at } = this;
    this.ids[i] = branch.span_unique_id;
    at.depth[i] = branch.depth;
    at.start[i] = branch.start;
    at.latency[i] = branch.latency;
    at.log_type[i] = this.placeOf(branch.log_type);
    for (const name of texts) at[name][i] = this.placeOf(branch[name] ?? '');
    for (const name of measured) at[name][i] = branch[name] ?? -1;
    at.status_code[i] = statuses.indexOf(branch.status_code ?? 'unset');
    at.interrupted[i] = branch.interrupted === true ? 1 : 0;
    at.running[i] = branch.running === true ? 1 : 0;
    if (branch.span_parent_id === undefined) this.parents.delete(i);
    else this.parents.set(i, branch.span_parent_id);
  }

  private placeOf(text: string): number {
    this.places ??= new Map(this.strings.map((known, i) => [known, i]));
    let place = this.places.get(text);
    if (place === undefined) {
      place = this.strings.push(text) - 1;
      this.places.set(text, place);
    }
    return place;
  }

  textOf(name: Counted, i: number): string {
    return this.strings[this.at[name][i] ?? 0] ?? '';
  }

  /** One of them as the API's object; its parent is what the tree says, if the API does not. */
  branch(i: number, parent?: string): Branch {
    const { at } = this;
    const out: Branch = {
      depth: at.depth[i] ?? 0,
      span_unique_id: this.ids[i] ?? '',
      log_type: this.textOf('log_type', i),
      start: at.start[i] ?? 0,
      latency: at.latency[i] ?? 0,
    };
    const above = this.parents.get(i) ?? parent;
    if (above !== undefined) out.span_parent_id = above;
    for (const name of texts) {
      const text = this.textOf(name, i);
      if (text !== '') out[name] = text;
    }
    for (const name of measured) {
      const value = at[name][i] ?? -1;
      if (value >= 0) out[name] = value;
    }
    const status = at.status_code[i] ?? 0;
    if (status > 0) out.status_code = statuses[status] ?? 'unset';
    if (at.interrupted[i]) out.interrupted = true;
    if (at.running[i]) out.running = true;
    return out;
  }

  /** Those spans in that order, at those depths; -1 leaves a place for one that is put there. `room` more may be added behind. */
  arranged(order: ArrayLike<number>, depths: ArrayLike<number> | null = null, room = order.length): Spans {
    const out = new Spans(room);
    out.n = order.length;
    out.strings = this.strings.slice();
    for (let i = 0; i < order.length; i++) {
      const from = order[i] ?? -1;
      if (from < 0) continue;
      out.ids[i] = this.ids[from] ?? '';
      const parent = this.parents.get(from);
      if (parent !== undefined) out.parents.set(i, parent);
    }
    for (const name of [...counted, ...measured, 'start', 'latency'] as const) {
      const [source, target] = [this.at[name], out.at[name]];
      for (let i = 0; i < order.length; i++) {
        const from = order[i] ?? -1;
        if (from >= 0) target[i] = source[from] ?? 0;
      }
    }
    if (depths) out.at.depth.set(depths);
    return out;
  }
}
