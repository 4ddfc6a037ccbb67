/** A JSON value as a tree that opens and closes; big arrays and objects open by hundreds. */
import { useState } from 'preact/hooks';
import type { Json } from '../api/types';
import { count, plural } from '../model/format';
import { isSmall } from '../model/json';
import { visible } from '../model/text';
import { LongText } from './long-text';

const step = 100;

export function JsonView({ value }: { value: Json }) {
  // What is small is open; of what is big, two levels.
  const openTo = isSmall(value) ? Infinity : 2;
  return (
    <div class="json">
      <Node name={null} value={value} levels={openTo} />
    </div>
  );
}

function Node({ name, value, levels }: { name: string | null; value: Json; levels: number }) {
  if (typeof value === 'object' && value !== null) return <Branch name={name} value={value} levels={levels} />;
  return (
    <div class="json-line">
      <Name name={name} />
      <Leaf value={value} />
    </div>
  );
}

function Name({ name }: { name: string | null }) {
  return name === null ? null : <bdi class="json-key">{visible(name)}: </bdi>;
}

function Leaf({ value }: { value: null | boolean | number | string }) {
  if (typeof value === 'string') {
    return (
      <span class="json-string">
        <LongText text={value} maxChars={600} maxLines={12} />
      </span>
    );
  }
  return <span class="json-atom">{String(value)}</span>;
}

function Branch({
  name,
  value,
  levels,
}: {
  name: string | null;
  value: Json[] | Record<string, Json>;
  levels: number;
}) {
  const list = Array.isArray(value);
  const keys = list ? null : Object.keys(value);
  const size = keys?.length ?? (value as Json[]).length;
  const [open, setOpen] = useState(levels > 0 && size <= step);
  const [limit, setLimit] = useState(step);
  const brackets = list ? '[]' : '{}';
  if (size === 0) {
    return (
      <div class="json-line">
        <Name name={name} />
        {brackets}
      </div>
    );
  }
  const entries: [string, Json][] = !open
    ? []
    : keys
      ? keys.slice(0, limit).map((key) => [key, (value as Record<string, Json>)[key] ?? null])
      : (value as Json[]).slice(0, limit).map((item, i) => [String(i), item]);
  return (
    <div class="json-branch">
      <button
        type="button"
        class="json-fold"
        aria-expanded={open}
        onClick={() => {
          setOpen(!open);
        }}
      >
        <i class={open ? 'twist open' : 'twist'} aria-hidden="true" />
        <Name name={name} />
        <span class="mute">{list ? `[${count(size)}]` : open ? '{' : `{${plural(size, 'key')}}`}</span>
      </button>
      {open && (
        <div class="json-inside">
          {entries.map(([key, item]) => (
            <Node key={key} name={key} value={item} levels={levels - 1} />
          ))}
          {size > limit && (
            <button
              type="button"
              class="more"
              onClick={() => {
                setLimit(limit + step);
              }}
            >
              … {count(Math.min(step, size - limit))} more of {count(size)}
            </button>
          )}
        </div>
      )}
    </div>
  );
}
