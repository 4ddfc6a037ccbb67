/** The filter as text, with what may come next below it and errors under the letter they are about. */
import type { ComponentChildren, RefObject } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../api/client';
import { getFacets } from '../api/traces';
import { fieldToAsk, optionsAt, placeAt, take, type KnownValue, type Option } from '../model/completion';
import { placeOfError, withChoice } from '../model/filter';
import { count as grouped, plural } from '../model/format';
import type { ListQuery } from '../model/route';
import { useAsking } from '../widgets/hooks';
import { useTypedText } from '../widgets/typed-text';

interface Props {
  list: ListQuery;
  input: RefObject<HTMLInputElement | null>;
  count: number | null;
  isEstimate: boolean;
  error: Pick<ApiError, 'message' | 'position'> | null;
  /** Of metadata, among the traces that are shown. */
  keys: string[];
  onChange: (q: string, how: 'push' | 'replace') => void;
  /** From the text on to what it filters. */
  onLeave: () => void;
  /** Nobody types any more. */
  onBlur: () => void;
  /** What stands beside the text. */
  children?: ComponentChildren;
}

export function FilterBar({ list, input, count, isEstimate, error, keys, onChange, onLeave, onBlur, children }: Props) {
  const { q } = list;
  const { text, typed, said } = useTypedText(q, input, (to) => {
    onChange(to, 'replace');
  });
  const [cursor, setCursor] = useState<number | null>(null); // null: nothing is offered
  const [active, setActive] = useState(-1);
  const moveTo = useRef<number | null>(null);

  // Before the next letter is typed.
  useLayoutEffect(() => {
    if (moveTo.current === null) return;
    input.current?.setSelectionRange(moveTo.current, moveTo.current);
    moveTo.current = null;
  }, [text, input]);

  const place = cursor === null ? null : placeAt(text, cursor);
  const values = useValues(list, text, place);
  const options = place ? optionsAt(place, values, keys) : [];
  const at = Math.min(active, options.length - 1);
  const fault = error === null ? null : placeOfError(text, error);

  const write = (to: string): void => {
    typed(to);
    setActive(-1);
  };
  const choose = (option: Option | undefined): void => {
    if (!place || cursor === null || !option) return;
    const next = take(text, cursor, place, option);
    moveTo.current = next.cursor;
    setCursor(next.cursor);
    write(next.text);
  };
  const look = (element: HTMLInputElement): void => {
    setCursor(element.selectionStart === element.selectionEnd ? element.selectionStart : null);
  };
  const pressed = (event: KeyboardEvent & { currentTarget: HTMLInputElement }): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const offered = options.length > 0;
    if (step !== 0 && offered) {
      event.preventDefault();
      const n = options.length + 1;
      setActive(((at + 1 + step + n) % n) - 1);
    } else if (
      (event.key === 'Enter' && at >= 0) ||
      (event.key === 'Tab' && !event.shiftKey && offered && place?.typed !== '')
    ) {
      event.preventDefault();
      choose(options[Math.max(at, 0)]);
    } else if (event.key === 'Escape' && offered && text !== '') {
      setCursor(null);
    } else if (event.key === 'Escape' && text !== '') {
      write('');
    } else if (event.key === 'Enter' || event.key === 'Escape') {
      said(text);
      onLeave();
    }
  };

  return (
    <header class="filter">
      <div class="filter-box" data-error={error === null ? undefined : 'yes'}>
        <kbd aria-hidden="true">/</kbd>
        <span class="filter-text mono">
          {fault !== null && (
            <span class="fault" aria-hidden="true">
              {text.slice(0, fault.at)}
              <u>{/^[\w.]+|^./.exec(text.slice(fault.at))?.[0] ?? ' '}</u>
            </span>
          )}
          <input
            ref={input}
            type="text"
            class="mono"
            role="combobox"
            aria-label="Filter traces"
            aria-invalid={error !== null}
            aria-errormessage={error === null ? undefined : 'filter-error'}
            aria-expanded={options.length > 0}
            aria-controls="filter-options"
            aria-autocomplete="list"
            aria-activedescendant={at >= 0 ? `filter-option-${String(at)}` : undefined}
            placeholder="Filter: words, or status:error model:… latency:>2s"
            spellcheck={false}
            autocomplete="off"
            autocapitalize="off"
            value={text}
            onInput={(event) => {
              write(event.currentTarget.value);
              look(event.currentTarget);
            }}
            onClick={(event) => {
              look(event.currentTarget);
            }}
            onFocus={(event) => {
              look(event.currentTarget);
            }}
            onKeyUp={(event) => {
              if (/^(Arrow(Left|Right)|Home|End)$/.test(event.key)) look(event.currentTarget);
            }}
            onBlur={() => {
              setCursor(null);
              setActive(-1);
              onBlur();
            }}
            onKeyDown={pressed}
          />
        </span>
        <span class="filter-count" role="status">
          {count !== null && (isEstimate ? 'about ' : '') + plural(count, 'trace')}
        </span>
        {text !== '' && (
          <button
            type="button"
            class="clear"
            aria-label="Clear the filter"
            onClick={() => {
              onChange('', 'push');
              said('');
            }}
          >
            ×
          </button>
        )}
        {(options.length > 0 || error !== null) && (
          <div class="filter-help">
            {error !== null && (
              <p class="bad" role="alert" id="filter-error">
                {fault?.says ?? error.message}
              </p>
            )}
            <ul id="filter-options" role="listbox" aria-label="What may come next">
              {options.map((option, i) => (
                <li
                  key={option.label}
                  id={`filter-option-${String(i)}`}
                  role="option"
                  aria-selected={i === at}
                  onPointerDown={(event) => {
                    event.preventDefault(); // before the field loses its focus
                    choose(option);
                  }}
                >
                  <bdi class="mono">{option.label}</bdi>
                  <span class="mute">{option.about}</span>
                  {option.count !== undefined && <span class="mute mono">{grouped(option.count)}</span>}
                </li>
              ))}
            </ul>
          </div>
        )}
      </div>
      {children}
    </header>
  );
}

/** The values of the field at the cursor, of what the other conditions leave. */
function useValues(list: ListQuery, text: string, place: ReturnType<typeof placeAt>): KnownValue[] {
  const [known, setKnown] = useState<{ key: string; values: KnownValue[] }>({ key: '', values: [] });
  const asked = useMemo(() => fieldToAsk(place), [place?.field, place?.ofSpan, place?.kind, place?.name]);
  const before = place && asked ? text.slice(0, place.from) : '';
  const rest = before.slice(0, Math.max(0, before.lastIndexOf(place?.name ?? ''))).replace(/\S*$/, '');
  const key = asked ? `${asked.of} ${asked.field} ${rest} ${list.from} ${list.to}` : '';
  useAsking(
    (signal) => {
      if (!asked) return;
      const ask = (q: string): Promise<void> =>
        getFacets({ ...list, q }, asked.of, [asked.field], 100, signal).then(({ facets }) => {
          const values = (facets[0]?.values ?? []).filter((v) => !v.is_others);
          setKnown({
            key,
            values: values.map((v) => ({ value: v.value === null ? null : String(v.value), count: v.count })),
          });
        });
      // Conditions on spans are not those of traces, and what is half typed may be refused: then of everything.
      const q = asked.of === 'spans' ? '' : withChoice(rest, asked.field, { in: [], out: [] });
      ask(q)
        .catch(() => ask(''))
        .catch(() => undefined);
    },
    [key],
  );
  return known.key === key ? known.values : [];
}
