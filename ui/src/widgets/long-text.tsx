/** Text of any length and origin. Only its beginning is laid out until one asks for the rest. */
import { useState } from 'preact/hooks';
import { bytes } from '../model/format';
import { cutLong, pieces, visible } from '../model/text';

interface Props {
  text: string;
  maxChars?: number;
  maxLines?: number;
  /** Up to here the text repeats what was said before: shown paler. */
  repeatedTo?: number;
}

export function LongText({ text, maxChars = 2400, maxLines = 40, repeatedTo = 0 }: Props) {
  const [all, setAll] = useState(false);
  // The cut never hides where the new text begins.
  const cut = cutLong(text, maxChars + repeatedTo, maxLines + (repeatedTo > 0 ? 40 : 0));
  const shown = all ? text : cut.shown;
  return (
    <div class="long" dir="auto">
      {repeatedTo > 0 && <span class="repeated">{visible(shown.slice(0, repeatedTo))}</span>}
      {repeatedTo > 0 ? (
        <mark class="fresh">{visible(shown.slice(repeatedTo))}</mark>
      ) : shown.length > 40_000 ? (
        pieces(shown).map((piece, i) => (
          <div key={i} class="piece">
            {visible(piece)}
          </div>
        ))
      ) : (
        visible(shown)
      )}
      {!cut.whole && !all && (
        <button
          type="button"
          class="more"
          onClick={() => {
            setAll(true);
          }}
        >
          … show all {bytes(new Blob([text]).size)}
        </button>
      )}
    </div>
  );
}
