import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { beginToken, filterHints } from '../model/filter';
import { plural } from '../model/format';

interface Props {
  q: string;
  input: RefObject<HTMLInputElement | null>;
  count: number | null;
  isEstimate: boolean;
  error: string | null;
  onChange: (q: string, how: 'push' | 'replace') => void;
}

const typingPause = 200;

export function FilterBar({ q, input, count, isEstimate, error, onChange }: Props) {
  const [text, setText] = useState(q);
  const [focused, setFocused] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  // Back and forward change the address; the text follows it.
  useEffect(() => {
    if (document.activeElement !== input.current) setText(q);
  }, [q, input]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
    },
    [],
  );

  const typed = (to: string): void => {
    setText(to);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      onChange(to.trim(), 'replace');
    }, typingPause);
  };

  return (
    <header class="filter">
      <div class="filter-box" data-error={error === null ? undefined : 'yes'}>
        <kbd aria-hidden="true">/</kbd>
        <input
          ref={input}
          type="text"
          class="mono"
          aria-label="Filter traces"
          aria-invalid={error !== null}
          placeholder="Filter: words, or status:error model:… user:…"
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          value={text}
          onInput={(event) => {
            typed(event.currentTarget.value);
          }}
          onFocus={() => {
            setFocused(true);
          }}
          onBlur={() => {
            setFocused(false);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' || event.key === 'Escape') {
              clearTimeout(timer.current);
              if (event.key === 'Escape' && text !== '') typed('');
              else {
                onChange(text.trim(), 'replace');
                event.currentTarget.blur();
              }
            }
          }}
        />
        <span class="filter-count" role="status">
          {count !== null && (isEstimate ? 'about ' : '') + plural(count, 'trace')}
        </span>
        {text !== '' && (
          <button
            type="button"
            class="clear"
            aria-label="Clear the filter"
            onClick={() => {
              clearTimeout(timer.current);
              setText('');
              onChange('', 'push');
            }}
          >
            ×
          </button>
        )}
        {(focused || error !== null) && (
          <div class="filter-help">
            {error !== null && (
              <p class="bad" role="alert">
                {error}
              </p>
            )}
            {filterHints.map(({ hint, begin }) => (
              <button
                key={hint}
                type="button"
                class="hint mono"
                tabIndex={-1}
                onPointerDown={(event) => {
                  // Before the field loses its focus.
                  event.preventDefault();
                  typed(beginToken(text, begin));
                  input.current?.focus();
                }}
              >
                {hint}
              </button>
            ))}
          </div>
        )}
      </div>
    </header>
  );
}
