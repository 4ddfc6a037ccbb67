/** Images, sounds and films in a message are said, not shown: what came with it is measured, what lies elsewhere is never fetched. */
import type { Json, JsonObject } from '../api/types';
import { bytes } from './format';
import { cut } from './text';

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const dataUri = /^data:([a-z0-9.+-]+\/[a-z0-9.+-]+)?((?:;[a-z0-9-]+=[^;,\s]{0,100})*)(;base64)?,/i;

/** [image/png 640 × 480, 12 kB] of a data: address, or the address itself; null for what is neither. */
export function describeAddress(address: string, kind = ''): string | null {
  const head = dataUri.exec(address);
  if (head) {
    const type = (head[1] ?? 'text/plain').toLowerCase();
    return describeData(type, address.slice(head[0].length), head[3] !== undefined);
  }
  if (!/^[a-z][a-z0-9+.-]*:/i.test(address)) return null;
  return `[${kind === '' ? '' : `${kind} `}${cut(address, 400)}]`;
}

function describeData(type: string, data: string, base64: boolean): string {
  const size = base64 ? Math.floor((data.replace(/[=\s]+$/, '').length * 3) / 4) : data.length;
  const pixels = base64 && type.startsWith('image/') ? dimensions(data) : null;
  return `[${type}${pixels ? ` ${String(pixels.width)} × ${String(pixels.height)},` : ','} ${bytes(size)}]`;
}

/** A part of a message in any of the shapes that APIs have for what is not text; null if it is none that is known. */
export function describePart(part: JsonObject): string | null {
  const type = typeof part.type === 'string' ? part.type : '';
  const found = /image|audio|video|file|document|blob|uri/.exec(type)?.[0];
  if (found === undefined) return null;
  const kind = first(part, 'modality') ?? found;
  for (const from of [part.source, part.input_audio, part.image_url, part[type], part]) {
    if (!isObject(from)) continue;
    const format = first(from, 'format');
    const mime =
      first(from, 'mime_type', 'media_type', 'mediaType', 'mimeType') ??
      (format !== null && format !== 'base64' ? `${kind}/${format}` : kind);
    const data = first(from, 'data', 'content');
    const address =
      first(from, 'url', 'uri', 'image_url', 'image', 'audio', 'video', 'path', 'file_url', 'file_data') ?? data;
    const id = first(from, 'file_id');
    let described = address === null ? null : describeAddress(address, mime);
    if (described === null && (data !== null || (address !== null && isBase64.test(address))))
      described = describeData(mime, data ?? address ?? '', true);
    if (described === null && id !== null) described = `[${mime} ${cut(id, 400)}]`;
    const name = first(from, 'filename');
    if (described !== null) return name === null ? described : `[${cut(name, 100)}: ${described.slice(1)}`;
  }
  return null;
}

const isBase64 = /^[\w+/-]{64}/;

/** The first of an object's members with such a name that is a text. */
function first(of: JsonObject, ...names: string[]): string | null {
  for (const name of names) {
    const value = of[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return null;
}

/** Data that stands in the midst of a text, described in its place. */
export function describeInText(text: string): string {
  if (!text.includes(';base64,')) return text;
  return text.replace(
    /data:([a-z0-9.+-]+\/[a-z0-9.+-]+);base64,([a-z0-9+/=]{64,})/gi,
    (_, type: string, data: string) => describeData(type.toLowerCase(), data, true),
  );
}

/** Width and height from the first bytes of a PNG, GIF, WebP or JPEG. */
export function dimensions(base64: string): { width: number; height: number } | null {
  const b = decode(base64.slice(0, 131_072));
  const at = (i: number): number => b[i] ?? 0;
  const big = (i: number): number => at(i) * 256 + at(i + 1);
  const little = (i: number): number => at(i) + at(i + 1) * 256;
  const says = (i: number, text: string): boolean => [...text].every((c, n) => at(i + n) === c.charCodeAt(0));
  if (says(1, 'PNG') && says(12, 'IHDR') && b.length >= 24) {
    return { width: big(16) * 65_536 + big(18), height: big(20) * 65_536 + big(22) };
  }
  if (says(0, 'GIF8') && b.length >= 10) return { width: little(6), height: little(8) };
  if (says(0, 'RIFF') && says(8, 'WEBP') && b.length >= 30) {
    if (says(12, 'VP8X')) return { width: 1 + little(24) + at(26) * 65_536, height: 1 + little(27) + at(29) * 65_536 };
    if (says(12, 'VP8L')) {
      const bits = at(21) + at(22) * 256 + at(23) * 65_536 + at(24) * 16_777_216;
      return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
    }
    return { width: little(26) & 0x3fff, height: little(28) & 0x3fff };
  }
  if (at(0) === 0xff && at(1) === 0xd8) {
    // From marker to marker up to a frame's head.
    for (let i = 2; i + 9 < b.length && at(i) === 0xff; i += 2 + big(i + 2)) {
      const marker = at(i + 1);
      const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
      if (isFrame) return { width: big(i + 7), height: big(i + 5) };
      if (big(i + 2) < 2) return null;
    }
  }
  return null;
}

function decode(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64.slice(0, base64.length - (base64.length % 4))), (c) => c.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}
