/** Text of any length and origin. Only its beginning is laid out until one asks for the rest. */
import { useState } from 'preact/hooks';
import { bytes } from '../model/format';
import { cutLong, pieces, visible } from '../model/text';

/** Of a prompt that is repeated, so much is shown before the new text. */
const repeatedChars = 600;

interface Props {
  text: string;
  maxChars?: number;
  maxLines?: number;
  /** Up to here the text repeats what was said before: shown paler. */
  repeatedTo?: number;
}

export function LongText({ text, maxChars = 2400, maxLines = 40, repeatedTo = 0 }: Props) {
  return (
    <div class="long" dir="auto">
      {repeatedTo === 0 ? (
        <Part text={text} maxChars={maxChars} maxLines={maxLines} />
      ) : (
        <>
          <span class="repeated">
            <Part text={text.slice(0, repeatedTo)} maxChars={repeatedChars} maxLines={8} />
          </span>
          <mark class="fresh">
            <Part text={text.slice(repeatedTo)} maxChars={maxChars} maxLines={maxLines} />
          </mark>
        </>
      )}
    </div>
  );
}

function Part({ text, maxChars, maxLines }: { text: string; maxChars: number; maxLines: number }) {
  const [all, setAll] = useState(false);
  const cut = cutLong(text, maxChars, maxLines);
  const shown = all ? text : cut.shown;
  return (
    <>
      {shown.length > 40_000
        ? pieces(shown).map((piece, i) => (
            <div key={i} class="piece">
              {visible(piece)}
            </div>
          ))
        : visible(shown)}
      {!cut.whole && !all && (
        <ShowAll
          text={text}
          onAll={() => {
            setAll(true);
          }}
        />
      )}
    </>
  );
}

/** Below the beginning of a text. */
export function ShowAll({ text, onAll }: { text: string; onAll: () => void }) {
  return (
    <button type="button" class="more" onClick={onAll}>
      … show all {bytes(new Blob([text]).size)}
    </button>
  );
}
