/** What values there are beside the list, with counts: choosing one edits the filter's text. */
import { useRef, useState } from 'preact/hooks';
import { getFacets } from '../api/traces';
import type { Facet } from '../api/types';
import { choiceOf, toggleValue, typedName } from '../model/filter';
import { count } from '../model/format';
import { isSliding } from '../model/range';
import type { ListQuery } from '../model/route';
import { useAsking, usePolling } from '../widgets/hooks';
import { useKept } from '../widgets/setting';
import { Skip } from '../widgets/skip';

const titles: Record<string, string> = {
  status_code: 'Status',
  log_type: 'Type',
  model: 'Model',
  environment: 'Environment',
  name: 'Workflow',
  customer_identifier: 'User',
  session_identifier: 'Thread',
};
const fields = Object.keys(titles);
const few = 6;
const many = 500;
const mostKeys = 12;
/* The names of fields have commas between them, and no parameter has a NUL. */
const notAsked = /[,\0]/;
const again = 15_000;

interface Props {
  list: ListQuery;
  /** Of all traces: the filter was refused, and there is no answer to one before. */
  all: boolean;
  keys: string[];
  /** How often the live feed told something; null: it does not tell. */
  told: number | null;
  onChange: (q: string) => void;
}

export function Facets({ list, all, keys, told, onChange }: Props) {
  const [answer, setAnswer] = useState<{ facets: Facet[]; is_estimate: boolean } | null>(null);
  const [closed, setClosed] = useKept('respan.facets.closed', '');
  const asked = fields.concat(
    keys
      .filter((key) => !notAsked.test(key))
      .slice(0, mostKeys)
      .map((key) => `metadata__${key}`),
  );
  const key = asked.join();

  const load = (signal: AbortSignal): void => {
    // A filter that is refused keeps the values of the one before.
    getFacets(all ? { ...list, q: '' } : list, 'traces', asked, few, signal).then(setAnswer, () => undefined);
  };
  useAsking(load, [list.q, list.from, list.to, key, all]);
  const counted = useRef(told);
  usePolling(again, true, () => {
    if (told !== null && told === counted.current && !isSliding(list.from, list.to)) return;
    counted.current = told;
    load(AbortSignal.timeout(20_000));
  });

  const isClosed = new Set(closed.split(' ').filter((f) => f !== ''));
  return (
    <aside class="facets" aria-label="Values to filter by">
      <Skip to="list">Skip to the list</Skip>
      {answer?.facets
        .filter((facet) => facet.values.some((v) => v.value !== null) || hasChoice(list.q, facet.field))
        .map((facet) => (
          <FacetSection
            key={facet.field}
            facet={facet}
            isEstimate={answer.is_estimate}
            list={list}
            open={!isClosed.has(facet.field)}
            onToggle={() => {
              const to = new Set(isClosed);
              if (!to.delete(facet.field)) to.add(facet.field);
              setClosed([...to].join(' '));
            }}
            onChange={onChange}
          />
        ))}
    </aside>
  );
}

function hasChoice(q: string, field: string): boolean {
  const choice = choiceOf(q, field);
  return choice.in.length + choice.out.length > 0;
}

interface SectionProps {
  facet: Facet;
  isEstimate: boolean;
  list: ListQuery;
  open: boolean;
  onToggle: () => void;
  onChange: (q: string) => void;
}

function FacetSection({ facet, isEstimate, list, open, onToggle, onChange }: SectionProps) {
  const [all, setAll] = useState<Facet | null>(null);
  const [search, setSearch] = useState<string | null>(null); // null: the most frequent alone
  const { field } = facet;
  const choice = choiceOf(list.q, field);

  useAsking(
    (signal) => {
      if (search === null) return;
      getFacets(list, 'traces', [field], many, signal).then(
        ({ facets }) => {
          setAll(facets[0] ?? null);
        },
        () => undefined,
      );
    },
    [search === null, list.q, list.from, list.to],
  );

  const values = (search === null ? facet : (all ?? facet)).values
    .filter((v) => !v.is_others)
    .map((v) => ({ value: v.value === null ? '' : String(v.value), count: v.count as number | null }))
    .filter(({ value }) => search === null || value.toLowerCase().includes(search.toLowerCase()));
  // What was chosen stays in sight, though few or none have it.
  for (const value of choice.in.concat(choice.out))
    if (!values.some((v) => v.value === value)) values.push({ value, count: null });
  const title = titles[field] ?? typedName(field);

  return (
    <section>
      <h3>
        <button type="button" aria-expanded={open} onClick={onToggle}>
          <i class={`twist${open ? ' open' : ''}`} aria-hidden="true" /> <bdi>{title}</bdi>
        </button>
      </h3>
      {open && search !== null && (
        <input
          type="search"
          class="facet-search"
          aria-label={`Search in ${title}`}
          placeholder="search"
          value={search}
          ref={(element) => {
            if (search === '' && element && document.activeElement?.classList.contains('more')) element.focus();
          }}
          onInput={(event) => {
            setSearch(event.currentTarget.value);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setSearch(null);
          }}
        />
      )}
      {open && (
        <ul>
          {values.map(({ value, count: n }) => {
            const state = choice.in.includes(value) ? 'in' : choice.out.includes(value) ? 'out' : '';
            return (
              <li key={value} class={state}>
                <button
                  type="button"
                  class="facet"
                  aria-pressed={state === 'in'}
                  title={`${value || 'none'} (Alt: exclude)`}
                  onClick={(event) => {
                    onChange(toggleValue(list.q, field, value, event.altKey ? 'out' : 'in'));
                  }}
                >
                  <bdi>{value || <span class="mute">none</span>}</bdi>
                  <span class="mono">{n === null ? '' : `${isEstimate ? '~' : ''}${count(n)}`}</span>
                </button>
                <button
                  type="button"
                  class="exclude"
                  aria-pressed={state === 'out'}
                  aria-label={`Exclude ${value || 'none'}`}
                  onClick={() => {
                    onChange(toggleValue(list.q, field, value, 'out'));
                  }}
                >
                  −
                </button>
              </li>
            );
          })}
        </ul>
      )}
      {open && (facet.distinct > few || search !== null) && (
        <button
          type="button"
          class="more"
          onClick={() => {
            setSearch(search === null ? '' : null);
          }}
        >
          {search === null ? `${count(facet.distinct - few)} more…` : 'fewer'}
        </button>
      )}
    </section>
  );
}
