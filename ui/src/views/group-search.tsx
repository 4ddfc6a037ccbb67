/** The bar above a table of users or threads: a text, and how many there are. */
import type { ComponentChildren, RefObject } from 'preact';
import { useTypedText } from '../widgets/typed-text';

interface Props {
  q: string;
  label: string;
  placeholder: string;
  counted: string;
  error?: boolean;
  input: RefObject<HTMLInputElement | null>;
  onChange: (q: string) => void;
  /** From the text on to what it filters. */
  onLeave: () => void;
  /** What stands beside the text. */
  children?: ComponentChildren;
}

export function GroupSearch({
  q,
  label,
  placeholder,
  counted,
  error = false,
  input,
  onChange,
  onLeave,
  children,
}: Props) {
  const { text, typed, said } = useTypedText(q, input, onChange);
  return (
    <header class="filter">
      <div class="filter-box" data-error={error ? 'yes' : undefined}>
        <kbd aria-hidden="true">/</kbd>
        <input
          ref={input}
          type="text"
          class="mono"
          aria-label={label}
          placeholder={placeholder}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          value={text}
          onInput={(event) => {
            typed(event.currentTarget.value);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Escape') said('');
            if (event.key === 'Enter') said(event.currentTarget.value);
            if (event.key === 'Enter' || event.key === 'Escape') onLeave();
          }}
        />
        <span class="filter-count" role="status">
          {counted}
        </span>
        {text !== '' && (
          <button
            type="button"
            class="clear"
            aria-label="Clear the text"
            onClick={() => {
              said('');
            }}
          >
            ×
          </button>
        )}
      </div>
      {children}
    </header>
  );
}
