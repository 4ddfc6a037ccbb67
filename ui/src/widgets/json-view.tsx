/** A JSON value as a tree that opens and closes; big arrays and objects open by hundreds. What is big can be searched; where a value
 *  stands is copied beside its name. */
import { useMemo, useState } from 'preact/hooks';
import type { Json } from '../api/types';
import { count, plural } from '../model/format';
import { around, type Hit, isSmall, pathTo, searchJson } from '../model/json';
import { oneLine, visible } from '../model/text';
import { Copy } from './copy';
import { LongText } from './long-text';

const step = 100;

/** `to`: the path of what one comes for. */
export function JsonView({ value, to = '' }: { value: Json; to?: string }) {
  // What is small is open; of what is big, two levels that hold more than one value, or what leads to what one comes for.
  const small = isSmall(value);
  const [search, setSearch] = useState('');
  return (
    <div class="json">
      {!small && (
        <input
          type="search"
          class="json-search"
          placeholder="Search"
          aria-label="Search this value"
          spellcheck={false}
          value={search}
          onInput={(event) => {
            setSearch(event.currentTarget.value);
          }}
        />
      )}
      {search.trim() === '' ? (
        <Node name={null} path="" value={value} levels={small ? Infinity : 2} to={small ? '' : to} />
      ) : (
        <Hits value={value} search={search} />
      )}
    </div>
  );
}

const hitsMost = 200;

function Hits({ value, search }: { value: Json; search: string }) {
  const hits = useMemo(() => searchJson(value, search, hitsMost), [value, search]);
  return (
    <>
      {hits.map((hit) => (
        <div key={hit.path} class="json-line">
          <Name name={hit.path} />
          <Found value={hit.value} text={search} />
          <Path path={hit.path} />
        </div>
      ))}
      {hits.length === 0 && <span class="mute">No match.</span>}
      {hits.length === hitsMost && <span class="mute">These are the first {count(hitsMost)}.</span>}
    </>
  );
}

/** A value with what was searched in it marked; of a long one, what stands about it. */
function Found({ value, text }: { value: Hit['value']; text: string }) {
  const parts = typeof value === 'string' ? around(value, text) : null;
  if (!parts) return <Leaf value={value} />;
  const [before, found, after] = parts.map(visible);
  return (
    <span class="json-string long">
      {before}
      <mark>{found}</mark>
      {after}
    </span>
  );
}

interface NodeProps<V> {
  name: string | null;
  path: string;
  value: V;
  levels: number;
  to: string;
}

function Node({ name, path, value, levels, to }: NodeProps<Json>) {
  if (typeof value === 'object' && value !== null)
    return <Branch name={name} path={path} value={value} levels={levels} to={to} />;
  return (
    <div class="json-line">
      <Name name={name} />
      <Leaf value={value} />
      <Path path={path} />
    </div>
  );
}

function Name({ name }: { name: string | null }) {
  if (name === null) return null;
  return <bdi class="json-key">{visible(name)}: </bdi>;
}

/** Behind the value, to be laid out before its name: text that is copied keeps its line. */
function Path({ path }: { path: string }) {
  if (path === '') return null;
  return (
    <span class="json-path">
      <Copy text={path} label={`Copy the path ${oneLine(path, 120)}`} />
    </span>
  );
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

function Branch({ name, path, value, levels, to }: NodeProps<Json[] | Record<string, Json>>) {
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
        <Path path={path} />
      </div>
    );
  }
  const entries: [string, Json][] = !open
    ? []
    : keys
      ? keys.slice(0, limit).map((key) => [key, (value as Record<string, Json>)[key] ?? null])
      : (value as Json[]).slice(0, limit).map((item, i) => [String(i), item]);
  const levelsAt = (at: string): number => (to === '' ? (size > 1 ? levels - 1 : levels) : to.startsWith(at) ? 1 : 0);
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
          {entries.map(([key, item]) => {
            const at = pathTo(path, list ? Number(key) : key);
            return <Node key={key} name={key} path={at} value={item} levels={levelsAt(at)} to={to} />;
          })}
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
