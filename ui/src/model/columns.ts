/** The columns of the list of traces: which there are, and which are shown in what order. */

export interface Column {
  id: string;
  title: string;
  /** A grid track, and the least it takes in pixels. */
  track: string;
  least: number;
  end?: boolean;
  /** The API's field to sort by. */
  sort?: string;
  /** In pixels, where somebody set it. */
  width?: number;
}

export const columns: Column[] = [
  { id: 'time', title: 'Time', track: '112px', least: 112, sort: 'start_time' },
  { id: 'name', title: 'Name', track: 'minmax(160px, 1.4fr)', least: 160 },
  { id: 'preview', title: 'Input → output', track: 'minmax(150px, 2fr)', least: 150 },
  { id: 'model', title: 'Model', track: 'minmax(86px, 0.9fr)', least: 86 },
  { id: 'tokens', title: 'Tokens', track: '116px', least: 116, end: true, sort: 'total_tokens' },
  { id: 'latency', title: 'Latency', track: '104px', least: 104, end: true, sort: 'duration' },
  { id: 'status', title: 'Status', track: '66px', least: 66 },
  { id: 'cost', title: 'Cost', track: '74px', least: 74, end: true, sort: 'total_cost' },
  { id: 'ttft', title: 'First token', track: '84px', least: 84, end: true },
  { id: 'rate', title: 'Tokens/s', track: '74px', least: 74, end: true },
  { id: 'spans', title: 'Spans', track: '58px', least: 58, end: true, sort: 'span_count' },
  { id: 'errors', title: 'Errors', track: '58px', least: 58, end: true, sort: 'error_count' },
  { id: 'type', title: 'Type', track: '84px', least: 84 },
  { id: 'user', title: 'User', track: 'minmax(80px, 0.7fr)', least: 80 },
  { id: 'thread', title: 'Thread', track: 'minmax(80px, 0.7fr)', least: 80 },
  { id: 'environment', title: 'Environment', track: '92px', least: 92 },
];

export const usual = columns.slice(0, 7);

const metadata = 'metadata.';

function columnOf(id: string): Column | undefined {
  if (id.startsWith(metadata) && id.length > metadata.length)
    return { id, title: id.slice(metadata.length), track: 'minmax(80px, 0.7fr)', least: 80 };
  return columns.find((column) => column.id === id);
}

export const keyOf = (column: Column): string | null =>
  column.id.startsWith(metadata) ? column.id.slice(metadata.length) : null;

export const leastSet = 40;
export const mostSet = 1600;

/** As they are kept: ids with a space between them, each encoded, with its width behind a colon if it was set; what is not known is
 *  passed over. */
export function readColumns(kept: string): Column[] {
  const shown = new Map<string, Column>();
  for (const word of kept.split(' ')) {
    const [name = '', width] = word.split(':');
    let id: string;
    try {
      id = decodeURIComponent(name);
    } catch {
      continue;
    }
    const column = columnOf(id);
    if (column) shown.set(id, width === undefined ? column : withWidth(column, Number(width)));
  }
  return shown.size === 0 ? usual : [...shown.values()];
}

export const writeColumns = (shown: Column[]): string =>
  shown.map(({ id, width }) => encodeURIComponent(id) + (width === undefined ? '' : `:${String(width)}`)).join(' ');

/** null: as wide as it is by itself. */
function withWidth(column: Column, width: number | null): Column {
  const rest = { ...column };
  delete rest.width;
  if (width === null || !Number.isFinite(width)) return rest;
  return { ...rest, width: Math.round(Math.min(mostSet, Math.max(leastSet, width))) };
}

/** `before`: how wide those before it are now. Those of them that are as wide as there is room stay so, so that the edge is where it was
 *  put. */
export const resizeColumn = (shown: Column[], id: string, width: number | null, before: number[] = []): Column[] =>
  shown.map((column, i) => {
    if (column.id === id) return withWidth(column, width);
    const flows = column.width === undefined && column.track.startsWith('minmax');
    return flows && i < before.length ? withWidth(column, before[i] ?? null) : column;
  });

/** All there are: those that are shown in their order, then the others. */
export function choices(shown: Column[], keys: string[]): Column[] {
  const has = new Set(shown.map(({ id }) => id));
  const more = columns.concat(keys.flatMap((key) => columnOf(metadata + key) ?? []));
  return shown.concat(more.filter(({ id }) => !has.has(id)));
}

/** Shown at the end, or no longer; the last one stays. */
export function toggleColumn(shown: Column[], column: Column): Column[] {
  const rest = shown.filter(({ id }) => id !== column.id);
  if (rest.length === shown.length) return shown.concat(column);
  return rest.length === 0 ? shown : rest;
}

export function moveColumn(shown: Column[], from: number, to: number): Column[] {
  const column = shown[from];
  if (!column || to < 0 || to >= shown.length) return shown;
  const rest = shown.filter((_, i) => i !== from);
  return [...rest.slice(0, to), column, ...rest.slice(to)];
}

const gap = 13;
const sides = 28;

export const gridOf = (shown: Column[]): string =>
  shown.map(({ track, width }) => (width === undefined ? track : `${String(width)}px`)).join(' ');
export const leastWidth = (shown: Column[]): number =>
  shown.reduce((sum, { least, width }) => sum + (width ?? least) + gap, sides - gap);

/** What a press on a header asks for: the most first, the least first, newest first. */
export function nextSort(field: string, sort: string): string {
  if (field === 'start_time') return sort === '' ? 'start_time' : '';
  return sort === `-${field}` ? field : sort === field ? '' : `-${field}`;
}

export function sortedBy(field: string | undefined, sort: string): 'ascending' | 'descending' | undefined {
  if (field === undefined) return undefined;
  const said = sort === '' ? '-start_time' : sort;
  return said === field ? 'ascending' : said === `-${field}` ? 'descending' : undefined;
}
