import { expect, test } from 'vitest';
import { describeAddress, describeInText, describePart, dimensions } from '../src/model/media';

const base64 = (...bytes: (number | string)[]): string =>
  btoa(bytes.map((b) => (typeof b === 'string' ? b : String.fromCharCode(b))).join(''));
const png = base64(0x89, 'PNG\r\n\x1a\n', 0, 0, 0, 13, 'IHDR', 0, 0, 2, 128, 0, 0, 1, 224, 8, 2, 0, 0, 0);
const jpeg = base64(0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc2, 0, 17, 8, 0, 100, 0, 200, 3, 0, 0, 0, 0, 0);

test('how large an image is, from its first bytes', () => {
  expect(dimensions(png)).toEqual({ width: 640, height: 480 });
  expect(dimensions(base64('GIF89a', 10, 0, 20, 0))).toEqual({ width: 10, height: 20 });
  expect(dimensions(jpeg)).toEqual({ width: 200, height: 100 });
  const webp = base64('RIFF', 0, 0, 0, 0, 'WEBPVP8X', 10, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 49, 0, 0, 0, 0);
  expect(dimensions(webp)).toEqual({ width: 100, height: 50 });
  for (const bad of [
    '',
    'AAAA',
    '!!!',
    base64(0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    base64(0x89, 'PNG', '0'.repeat(40)),
  ]) {
    expect(dimensions(bad)).toBeNull();
  }
});

test('data is described, an address is said', () => {
  expect(describeAddress(`data:image/png;base64,${png}`)).toBe('[image/png 640 × 480, 29 B]');
  expect(describeAddress('data:text/html,<b>')).toBe('[text/html, 3 B]');
  expect(describeAddress('https://x.org/a.png', 'image')).toBe('[image https://x.org/a.png]');
  expect(describeAddress('just words')).toBeNull();
});

test('the parts of several APIs', () => {
  const url = `data:image/png;base64,${png}`;
  const same = '[image/png 640 × 480, 29 B]';
  expect(describePart({ type: 'image_url', image_url: { url } })).toBe(same);
  expect(describePart({ type: 'input_image', image_url: url })).toBe(same);
  expect(describePart({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } })).toBe(same);
  expect(describePart({ type: 'image', url: 'https://x.org/a' })).toBe('[image https://x.org/a]');
  expect(describePart({ type: 'input_audio', input_audio: { data: 'AAAAAAAA', format: 'wav' } })).toBe(
    '[audio/wav, 6 B]',
  );
  expect(describePart({ type: 'text', text: 'x' })).toBeNull();
  // OpenTelemetry's.
  const image = { modality: 'image', mime_type: 'image/png' };
  expect(describePart({ type: 'blob', ...image, content: png })).toBe(same);
  expect(describePart({ type: 'blob', modality: 'audio', content: 'AAAAAAAA' })).toBe('[audio, 6 B]');
  expect(describePart({ type: 'uri', ...image, uri: 'https://x.org/a' })).toBe('[image/png https://x.org/a]');
  expect(describePart({ type: 'uri', modality: 'video', uri: 'gs://b/a' })).toBe('[video gs://b/a]');
  expect(describePart({ type: 'file', ...image, file_id: 'file-1' })).toBe('[image/png file-1]');
  // Others'.
  const source = { type: 'url', url: 'https://x.org/a' };
  expect(describePart({ type: 'image', source })).toBe('[image https://x.org/a]');
  expect(describePart({ type: 'document', source: { type: 'file', file_id: 'f' } })).toBe('[document f]');
  expect(describePart({ type: 'file', file: { filename: 'a.png', file_data: url } })).toBe(`[a.png: ${same.slice(1)}`);
  const long = png.replace('=', 'AAAAA').padEnd(80, 'A');
  expect(describePart({ type: 'image', image: long, mediaType: 'image/png' })).toBe('[image/png 640 × 480, 60 B]');
  expect(describePart({ type: 'image', data: png, mimeType: 'image/png' })).toBe(same);
  expect(describePart({ type: 'image_url', image_url: 'x' })).toBeNull();
  expect(describePart({ type: 'image', width: 2 })).toBeNull();
});

test('data in the midst of a text', () => {
  const long = png + png;
  expect(describeInText(`see ![](data:image/png;base64,${long}) there`)).toMatch(
    /^see !\[\]\(\[image\/png[^\]]*\]\) there$/,
  );
  expect(describeInText('data:image/png;base64,short')).toBe('data:image/png;base64,short');
});
