/** The table of all prices: searched, of any length, own ones first. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, type ApiError } from '../api/client';
import { getPrices, pricesSize, type Origin, type Price } from '../api/prices';
import { plural } from '../model/format';
import { dollars } from '../model/prices';
import { sliceOf } from '../model/window';
import { useMedia } from '../widgets/hooks';
import { useRoving } from '../widgets/roving';
import { VirtualRows } from '../widgets/virtual';
import type { Draft } from './price-dialog';

interface Props {
  edition: number;
  mayChange: boolean;
  onFailure: (error: ApiError) => void;
  onEdit: (draft: Draft) => void;
  onRemove: (price: Price) => void;
}

/** Rows as far as they were looked at: by their place in the whole. */
interface Rows {
  key: string;
  count: number;
  at: Map<number, Price>;
}

const headHeight = 28;

const origins: [label: string, value: Origin | ''][] = [
  ['All prices', ''],
  ['Own', 'own'],
  ['Price file', 'file'],
  ['Built in', 'built-in'],
];

export function PriceTable({ edition, mayChange, onFailure, onEdit, onRemove }: Props) {
  const [q, setQ] = useState('');
  const [origin, setOrigin] = useState<Origin | ''>('');
  const [rows, setRows] = useState<Rows | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const asked = useRef(new Set<number>());
  const abort = useRef(new AbortController());
  const narrow = useMedia('(max-width: 760px)');
  const rowHeight = narrow ? 62 : 32;
  const key = `${String(edition)} ${origin} ${q}`;

  const load = (page: number): void => {
    if (asked.current.has(page)) return;
    asked.current.add(page);
    getPrices(q, origin, page, abort.current.signal).then(
      (answer) => {
        setRows((was) => {
          const at = new Map(was?.key === key ? was.at : []);
          answer.results.forEach((price, i) => at.set((page - 1) * pricesSize + i, price));
          return { key, count: answer.count, at };
        });
      },
      (reason: unknown) => {
        asked.current.delete(page);
        if (!isAbort(reason)) onFailure(asApiError(reason));
      },
    );
  };
  useEffect(() => {
    abort.current = new AbortController();
    asked.current = new Set();
    load(1);
    return () => {
      abort.current.abort();
    };
  }, [key]);
  useEffect(() => {
    if (scroller.current) scroller.current.scrollTop = 0;
  }, [q, origin]);

  /** The pages of what is in sight, and a screen around it. */
  const loadSeen = (): void => {
    const element = scroller.current;
    if (!element || !rows) return;
    const { first, last } = sliceOf(element.scrollTop, element.clientHeight, rowHeight, rows.count);
    for (let page = Math.floor(first / pricesSize) + 1; (page - 1) * pricesSize < last; page++) load(page);
  };

  const roving = useRoving(scroller, mayChange ? (rows?.count ?? 0) : 0, rowHeight, headHeight);
  return (
    <section class="form prices" aria-label="Prices of tokens">
      <div class="prices-head">
        <h2>Prices of tokens</h2>
        <span class="mute" role="status">
          {rows && plural(rows.count, 'price')}
        </span>
        {mayChange && (
          <button
            type="button"
            class="button small"
            onClick={() => {
              onEdit({ model: '', provider: '', isNew: true });
            }}
          >
            New price
          </button>
        )}
      </div>
      <div class="prices-search">
        <input
          type="search"
          aria-label="Search models and providers"
          placeholder="Model or provider"
          value={q}
          onInput={(event) => {
            setQ(event.currentTarget.value);
          }}
        />
        <select
          aria-label="Where prices are from"
          onChange={(event) => {
            setOrigin(origins[event.currentTarget.selectedIndex]?.[1] ?? '');
          }}
        >
          {origins.map(([label, value]) => (
            <option key={value}>{label}</option>
          ))}
        </select>
      </div>
      <div
        ref={scroller}
        class="prices-list"
        role="table"
        aria-label="Prices of tokens, in dollars for a million"
        aria-rowcount={rows ? rows.count + 1 : undefined}
        aria-busy={rows?.key !== key}
        tabIndex={0}
        onScroll={loadSeen}
        onKeyDown={mayChange ? roving.onKeyDown : undefined}
      >
        <div class="price-row head" role="row">
          <span role="columnheader">Model</span>
          <span role="columnheader">Provider</span>
          <span role="columnheader" class="end">
            Input
          </span>
          <span role="columnheader" class="end">
            Output
          </span>
          <span role="columnheader" class="end">
            Cached
          </span>
          <span role="columnheader" class="end">
            Reasoning
          </span>
          <span role="columnheader">From</span>
          <span role="columnheader">
            <span class="sr">Change</span>
          </span>
        </div>
        {rows !== null && (
          <VirtualRows
            scroller={scroller}
            count={rows.count}
            rowHeight={rowHeight}
            headHeight={headHeight}
            render={(index) => (
              <PriceRow
                key={index}
                index={index}
                price={rows.at.get(index)}
                mayChange={mayChange}
                tabIndex={roving.tabIndexOf(index)}
                onEdit={onEdit}
                onRemove={onRemove}
              />
            )}
          />
        )}
        {rows?.count === 0 && (
          <p class="prices-none" role="row">
            <span role="cell">
              {q === '' ? 'There are none.' : 'No price is of that name.'}
              {mayChange && q !== '' && (
                <button
                  type="button"
                  class="button small"
                  onClick={() => {
                    onEdit({ model: q, provider: '', isNew: true });
                  }}
                >
                  Set one
                </button>
              )}
            </span>
          </p>
        )}
      </div>
    </section>
  );
}

interface RowProps {
  index: number;
  price: Price | undefined;
  mayChange: boolean;
  tabIndex: 0 | -1;
  onEdit: (draft: Draft) => void;
  onRemove: (price: Price) => void;
}

const froms: Record<Origin, string> = { own: 'own', file: 'price file', 'built-in': 'built in' };

function PriceRow({ index, price, mayChange, tabIndex, onEdit, onRemove }: RowProps) {
  if (!price) return <div class="price-row" role="row" aria-rowindex={index + 2} aria-busy="true" />;
  const { model, provider, providers, input, output, cached, reasoning, limit } = price;
  const rate = (value: number | null) => (value === null ? <span class="mute">–</span> : dollars(value));
  return (
    <div
      class={price.in_force ? 'price-row' : 'price-row shadowed'}
      role="row"
      aria-rowindex={index + 2}
      data-at={index}
    >
      <span role="cell" class="mono" title={model}>
        <bdi>{model}</bdi>
        {limit !== null && <span class="mute"> ≤ {limit.toLocaleString('en-GB')} tokens</span>}
      </span>
      <span role="cell" title={providers.join(', ')}>
        {provider === null ? <span class="mute">anyone</span> : <bdi>{provider}</bdi>}
      </span>
      <span role="cell" class="end mono" data-label="in">
        {dollars(input)}
      </span>
      <span role="cell" class="end mono" data-label="out">
        {rate(output)}
      </span>
      <span role="cell" class="end mono" data-label="cached">
        {rate(cached)}
      </span>
      <span role="cell" class="end mono" data-label="reasoning">
        {rate(reasoning)}
      </span>
      <span role="cell">
        {price.origin === 'own' ? <b>{froms.own}</b> : froms[price.origin]}
        {!price.in_force && <span class="mute"> · overruled</span>}
      </span>
      <span role="cell" class="price-do">
        {mayChange && (
          <button
            type="button"
            class="link"
            tabIndex={tabIndex}
            aria-label={`${price.origin === 'own' ? 'Edit' : 'Override'} ${model}${provider === null ? '' : ` of ${provider}`}`}
            onClick={() => {
              onEdit({
                model,
                provider: provider ?? '',
                isNew: false,
                input,
                output,
                cached,
                reasoning,
                limit,
              });
            }}
          >
            {price.origin === 'own' ? 'Edit' : 'Override'}
          </button>
        )}
        {mayChange && price.origin === 'own' && (
          <button
            type="button"
            class="link danger"
            tabIndex={tabIndex}
            aria-label={`Remove ${model}${provider === null ? '' : ` of ${provider}`}`}
            onClick={() => {
              onRemove(price);
            }}
          >
            Remove
          </button>
        )}
      </span>
    </div>
  );
}
