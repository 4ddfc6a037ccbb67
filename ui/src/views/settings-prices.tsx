/** What calls cost: what was seen without a price, prices of tokens, and what an hour of a device costs. */
import '../style/prices.css';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { asApiError, isAbort, type ApiError } from '../api/client';
import { getPrices, getUnpriced, unsetPrice, type Price, type TimePrice } from '../api/prices';
import type { Session } from '../api/types';
import { plural } from '../model/format';
import { oneLine } from '../model/text';
import { useLoaded } from '../widgets/loaded';
import { ConfirmDialog } from '../widgets/confirm-dialog';
import { PriceDialog, type Draft } from './price-dialog';
import { PriceTable } from './price-table';
import { TimePrices } from './price-time';

interface Props {
  session: Session;
  onFailure: (error: ApiError) => void;
}

export function PricesSettings({ session, onFailure }: Props) {
  const [editing, setEditing] = useState<Draft | null>(null);
  const [removing, setRemoving] = useState<Price | null>(null);
  const [times, setTimes] = useState<TimePrice[] | null>(null);
  /** Raised with every change: what is shown is asked for again. */
  const [edition, setEdition] = useState(0);
  const mayChange = session.server_owner;
  const changed = useCallback(() => {
    setEdition((n) => n + 1);
  }, []);
  useEffect(() => {
    const abort = new AbortController();
    getPrices('', 'own', 1, abort.signal).then(
      (page) => {
        setTimes(page.time);
      },
      (reason: unknown) => {
        if (!isAbort(reason)) onFailure(asApiError(reason));
      },
    );
    return () => {
      abort.abort();
    };
  }, [edition, onFailure]);

  return (
    <>
      <p class="lead">
        The cost of a call is computed when it arrives, and stays. A price set here applies to the calls that arrive
        from now on, in every project of this server.
      </p>
      <Unpriced edition={edition} mayChange={mayChange} onFailure={onFailure} onPrice={setEditing} />
      <PriceTable
        edition={edition}
        mayChange={mayChange}
        onFailure={onFailure}
        onEdit={setEditing}
        onRemove={setRemoving}
      />
      <TimePrices times={times} mayChange={mayChange} onChanged={changed} />
      {editing && (
        <PriceDialog
          draft={editing}
          onClose={() => {
            setEditing(null);
          }}
          onDone={() => {
            setEditing(null);
            changed();
          }}
        />
      )}
      {removing && (
        <RemoveDialog
          price={removing}
          onClose={() => {
            setRemoving(null);
          }}
          onDone={() => {
            setRemoving(null);
            changed();
          }}
        />
      )}
    </>
  );
}

interface UnpricedProps {
  edition: number;
  mayChange: boolean;
  onFailure: (error: ApiError) => void;
  onPrice: (draft: Draft) => void;
}

const days = 7;

/** What was called lately, with tokens that were counted, and costs nobody knows what. */
function Unpriced({ edition, mayChange, onFailure, onPrice }: UnpricedProps) {
  const { value: found, error } = useLoaded(
    async (signal) => {
      const { groups, is_estimate } = await getUnpriced(new Date(Date.now() - days * 86_400_000).toISOString(), signal);
      return { about: is_estimate, models: groups.filter((g) => g.value !== null && !g.is_others) };
    },
    [edition],
    onFailure,
  );
  if (found === null) return error ? null : <div aria-busy="true" />;
  return (
    <section class="form wide" aria-label="Seen without a price">
      <h2>Seen without a price</h2>
      {found.models.length === 0 ? (
        <p class="mute">Every call of the last {days} days whose tokens were counted has a cost.</p>
      ) : (
        <>
          <p>
            Called in the last {days} days. No price fits, or several providers have the model at different prices and
            the call does not say whom it asked. What is stored keeps no cost; the next call has one.
          </p>
          <ul class="unpriced">
            {found.models.map(({ value, count }) => {
              const model = value ?? '';
              return (
                <li key={model}>
                  <bdi class="mono">{oneLine(model, 80)}</bdi>
                  <span class="mute">
                    {found.about ? 'about ' : ''}
                    {plural(count, 'call')}
                  </span>
                  {mayChange && (
                    <button
                      type="button"
                      class="button small"
                      aria-label={`Price ${oneLine(model, 80)}`}
                      onClick={() => {
                        onPrice({ model, provider: '', isNew: true });
                      }}
                    >
                      Set a price
                    </button>
                  )}
                </li>
              );
            })}
          </ul>
        </>
      )}
    </section>
  );
}

function RemoveDialog({ price, onClose, onDone }: { price: Price; onClose: () => void; onDone: () => void }) {
  const name = price.provider === null ? price.model : `${price.model} of ${price.provider}`;
  return (
    <ConfirmDialog
      title={`Remove the price of ${name}?`}
      does="Remove"
      onDo={async () => {
        if (price.id !== null) await unsetPrice(price.id);
        onDone();
      }}
      onClose={onClose}
    >
      <p>What the price file or the built-in prices say of it counts again, for what comes in from now on.</p>
    </ConfirmDialog>
  );
}
