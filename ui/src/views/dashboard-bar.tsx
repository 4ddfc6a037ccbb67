/** What the dashboard is asked: the filter, what is counted, by what, and when. */
import type { ComponentChildren } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { getMetadataKeys } from '../api/traces';
import { counted, groupings, ranges, type DashboardState } from '../model/dashboard';
import { useAsking, useKeys } from '../widgets/hooks';
import { useTypedText } from '../widgets/typed-text';

interface Props {
  state: DashboardState;
  error: string | null;
  onChange: (to: Partial<DashboardState>, how?: 'push' | 'replace') => void;
  /** What stands beside the filter. */
  children: ComponentChildren;
}

const metadata = 'metadata__';

export function DashboardBar({ state, error, onChange, children }: Props) {
  const input = useRef<HTMLInputElement>(null);
  useKeys((event) => {
    if (event.key !== '/') return false;
    input.current?.focus();
    input.current?.select();
    return true;
  });
  return (
    <header class="dashboard-bar">
      <div class="asked">
        <div class="filter-box" data-error={error === null ? undefined : 'yes'}>
          <kbd aria-hidden="true">/</kbd>
          <Field
            input={input}
            label="Filter"
            placeholder="Filter: words, or status:error model:… user:…"
            invalid={error !== null}
            value={state.q}
            onChange={(q) => {
              onChange({ q }, 'replace');
            }}
          />
        </div>
        {children}
      </div>
      {error !== null && (
        <p class="bad" role="alert">
          {error}
        </p>
      )}
      <div class="asks">
        <span class="choices" role="group" aria-label="Count">
          {counted.map(({ id, label }) => (
            <button
              key={id}
              type="button"
              aria-pressed={state.of === id}
              onClick={() => {
                onChange({ of: id });
              }}
            >
              {label}
            </button>
          ))}
        </span>
        <GroupBy
          by={state.by}
          onChange={(by) => {
            onChange({ by, only: null });
          }}
        />
        <span class="choices" role="group" aria-label="Time">
          {ranges.map(({ id, label }) => (
            <button
              key={id}
              type="button"
              aria-pressed={state.range === id}
              onClick={() => {
                onChange({ range: id, from: null, to: null });
              }}
            >
              {label}
            </button>
          ))}
        </span>
        <span class="window">
          <Moment
            label="From"
            value={state.from}
            onChange={(from) => {
              onChange({ from, range: null });
            }}
          />
          <span aria-hidden="true">–</span>
          <Moment
            label="To"
            value={state.to}
            onChange={(to) => {
              onChange({ to, range: null });
            }}
          />
        </span>
      </div>
    </header>
  );
}

interface FieldProps {
  input?: { current: HTMLInputElement | null };
  label: string;
  placeholder: string;
  invalid?: boolean;
  /** What may be typed. */
  known?: string[];
  value: string;
  onChange: (text: string) => void;
}

/** A text that is told a moment after the last key, and follows the address when that changes. */
function Field({ input, label, placeholder, invalid = false, known, value, onChange }: FieldProps) {
  const list = useId();
  const own = useRef<HTMLInputElement>(null);
  const element = input ?? own;
  const { text, typed, said } = useTypedText(value, element, onChange);
  return (
    <>
      <input
        ref={element}
        type="text"
        class="mono"
        list={known && list}
        aria-label={label}
        aria-invalid={invalid}
        placeholder={placeholder}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        value={text}
        onInput={(event) => {
          typed(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') said(event.currentTarget.value);
          if (event.key === 'Escape') document.getElementById('charts')?.focus();
        }}
      />
      {known && (
        <datalist id={list}>
          {known.map((text) => (
            <option key={text} value={text} />
          ))}
        </datalist>
      )}
    </>
  );
}

function GroupBy({ by, onChange }: { by: string; onChange: (by: string) => void }) {
  const ofMetadata = by.startsWith(metadata);
  const [choosing, setChoosing] = useState(false);
  const [keys, setKeys] = useState<string[]>([]);
  const asks = ofMetadata || choosing;
  useAsking(
    (signal) => {
      if (asks) getMetadataKeys('', '', signal).then(setKeys, () => undefined);
    },
    [asks],
  );
  return (
    <label class="group-by">
      by
      <select
        value={asks ? metadata : by}
        onChange={(event) => {
          const to = event.currentTarget.value;
          setChoosing(to === metadata);
          if (to !== metadata) onChange(to);
        }}
      >
        {groupings.map(({ id, label }) => (
          <option key={id} value={id}>
            {label}
          </option>
        ))}
        <option value={metadata}>metadata…</option>
      </select>
      {asks && (
        <Field
          label="Key of metadata"
          placeholder="key"
          known={keys}
          value={by.slice(metadata.length)}
          onChange={(key) => {
            setChoosing(key === '');
            onChange(key === '' ? '' : metadata + key);
          }}
        />
      )}
    </label>
  );
}

/** An instant in the browser's time zone; the address has it in UTC. */
function Moment({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string | null;
  onChange: (to: string | null) => void;
}) {
  const at = value === null ? NaN : /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value);
  const local = Number.isFinite(at)
    ? new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
    : '';
  return (
    <input
      type="datetime-local"
      aria-label={label}
      value={local}
      onChange={(event) => {
        const text = event.currentTarget.value;
        onChange(text === '' ? null : new Date(text).toISOString().replace('.000Z', 'Z'));
      }}
    />
  );
}
