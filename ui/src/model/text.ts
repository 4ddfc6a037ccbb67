/** Text of strangers, made safe to look at. */

/* Characters that reorder or hide what stands around them: bidi embeddings, overrides and isolates, the deprecated format
 * characters, the byte order mark; and the control characters but tab and line feed. */
export const tricky = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u206f\ufeff]/g;

/** The same text with characters that would deceive the eye written out. */
export function visible(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(tricky, (c) => {
    const code = c.charCodeAt(0);
    return `‹${code
      .toString(16)
      .toUpperCase()
      .padStart(code < 0x100 ? 2 : 4, '0')}›`;
  });
}

/** For a place of one line: line breaks become spaces, what is cut ends with an ellipsis, and what cannot be seen is not kept. */
export function oneLine(text: string, limit = 300): string {
  return visible(cut(text, limit).replace(/\s+/g, ' ')) + (text.length > limit ? '…' : '');
}

/** At most `limit` UTF-16 units, never half a character. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit);
}

export interface Cut {
  shown: string;
  whole: boolean;
}

/** The beginning of a long text: at most so many lines and characters. */
export function cutLong(text: string, maxChars: number, maxLines: number): Cut {
  let end = -1;
  for (let line = 0; line < maxLines; line++) {
    end = text.indexOf('\n', end + 1);
    if (end < 0 || end >= maxChars) break;
  }
  const limit = end < 0 ? maxChars : Math.min(end, maxChars);
  // A remainder of a few words is not worth a button.
  if (text.length <= limit * 1.1 + 40) return { shown: text, whole: true };
  return { shown: cut(text, limit), whole: false };
}

/** Pieces of about `size` characters, cut behind a line where there is one near, so that a browser lays out only what it shows. */
export function pieces(text: string, size = 20_000): string[] {
  const out: string[] = [];
  let from = 0;
  while (text.length - from > size) {
    const line = text.lastIndexOf('\n', from + size);
    let to = line > from + size / 2 ? line + 1 : from + cut(text.slice(from, from + size + 1), size).length;
    if (to <= from) to = from + size;
    out.push(text.slice(from, to));
    from = to;
  }
  out.push(text.slice(from));
  return out;
}
