/** The window of time: usual ones, or any. */
import { useState } from 'preact/hooks';
import { instantOf, iso, localInput, presets, rangeLabel } from '../model/range';
import { Popover } from '../widgets/popover';

interface Props {
  from: string;
  to: string;
  onChange: (from: string, to: string) => void;
}

export function RangeMenu(props: Props) {
  return (
    <Popover label={rangeLabel(props.from, props.to, Date.now())} title="Window of time">
      {(close) => (
        <Choices
          {...props}
          onChange={(from, to) => {
            close();
            props.onChange(from, to);
          }}
        />
      )}
    </Popover>
  );
}

function Choices({ from, to, onChange }: Props) {
  const now = Date.now();
  const shown = (text: string): string => {
    const at = instantOf(text, now);
    return at === null ? '' : localInput(at);
  };
  const [start, setStart] = useState(shown(from));
  const [end, setEnd] = useState(shown(to));
  const said = (local: string): string => (local === '' ? '' : iso(new Date(local).getTime()));
  return (
    <>
      <div class="presets">
        {presets.map((p) => (
          <button
            key={p.label}
            type="button"
            class="button"
            aria-pressed={p.from === from && to === ''}
            onClick={() => {
              onChange(p.from, '');
            }}
          >
            {p.label}
          </button>
        ))}
      </div>
      <form
        class="custom-range"
        onSubmit={(event) => {
          event.preventDefault();
          onChange(said(start), said(end));
        }}
      >
        <label>
          From
          <input
            type="datetime-local"
            step="1"
            value={start}
            max={end || undefined}
            onInput={(event) => {
              setStart(event.currentTarget.value);
            }}
          />
        </label>
        <label>
          To
          <input
            type="datetime-local"
            step="1"
            value={end}
            min={start || undefined}
            onInput={(event) => {
              setEnd(event.currentTarget.value);
            }}
          />
        </label>
        <button class="button">Apply</button>
      </form>
    </>
  );
}
