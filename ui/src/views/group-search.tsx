/** The bar above a table of users or threads: a text, and how many there are. */
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

interface Props {
  q: string;
  label: string;
  placeholder: string;
  counted: string;
  error?: boolean;
  input: RefObject<HTMLInputElement | null>;
  onChange: (q: string) => void;
}

const typingPause = 200;

export function GroupSearch({ q, label, placeholder, counted, error = false, input, onChange }: Props) {
  const [text, setText] = useState(q);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useLayoutEffect(() => {
    if (document.activeElement !== input.current) setText(q);
  }, [q, input]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
    },
    [],
  );
  const say = (to: string): void => {
    setText(to);
    clearTimeout(timer.current);
    onChange(to.trim());
  };
  const typed = (to: string): void => {
    setText(to);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      onChange(to.trim());
    }, typingPause);
  };
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
            if (event.key === 'Escape') say('');
            if (event.key === 'Enter') say(event.currentTarget.value);
            if (event.key === 'Enter' || event.key === 'Escape') event.currentTarget.blur();
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
              say('');
            }}
          >
            ×
          </button>
        )}
      </div>
    </header>
  );
}
