/** The price of a model's tokens, set or changed. */
import { useState } from 'preact/hooks';
import { setPrice, type Rates } from '../api/prices';
import { amountOf } from '../model/prices';
import { useActing } from '../widgets/acting';
import { Dialog } from '../widgets/dialog';
import { Field } from '../widgets/field';
import { Wrong } from '../widgets/wrong';

/** What the form begins with; of one that is there, whose it is stays. */
export interface Draft extends Partial<Rates> {
  model: string;
  provider: string;
  isNew: boolean;
}

type Amount = keyof Rates;
const amounts: { name: Amount; label: string; hint?: string; placeholder?: string }[] = [
  { name: 'input', label: 'Input', placeholder: '2.50' },
  { name: 'output', label: 'Output', placeholder: '10' },
  { name: 'cached', label: 'Cached input', hint: 'Empty: as input' },
  { name: 'reasoning', label: 'Reasoning', hint: 'Empty: as output' },
  { name: 'limit', label: 'Up to prompt tokens', hint: 'Empty: any number' },
];

const textOf = (value: number | null | undefined): string =>
  value === null || value === undefined ? '' : String(value);

export function PriceDialog({ draft, onClose, onDone }: { draft: Draft; onClose: () => void; onDone: () => void }) {
  const [model, setModel] = useState(draft.model);
  const [provider, setProvider] = useState(draft.provider);
  const [texts, setTexts] = useState<Record<Amount, string>>({
    input: textOf(draft.input),
    output: textOf(draft.output),
    cached: textOf(draft.cached),
    reasoning: textOf(draft.reasoning),
    limit: textOf(draft.limit),
  });
  const [wrong, setWrong] = useState<Amount | null>(null);
  const { busy, error, act } = useActing();

  const save = (event: Event): void => {
    event.preventDefault();
    const values = amounts.map(({ name }) => [name, amountOf(texts[name])] as const);
    const bad = values.find(([, value]) => Number.isNaN(value));
    setWrong(bad ? bad[0] : null);
    if (bad) return;
    const { input, ...rest } = Object.fromEntries(values) as Record<Amount, number | null>;
    act(async () => {
      await setPrice({ model: model.trim(), provider: provider.trim() || null, input: input ?? 0, ...rest });
      onDone();
    });
  };
  const wrongOf = (name: string): string | null => {
    if (wrong === name) return name === 'limit' ? 'A whole number of tokens' : 'A number of dollars, as 2.50';
    return error?.field === name ? error.message : null;
  };

  return (
    <Dialog title={draft.isNew ? 'New price' : `Price of ${draft.model}`} onClose={onClose}>
      <form class="price-form" onSubmit={save}>
        {draft.isNew && (
          <>
            <Field
              label="Model"
              required
              autoFocus={draft.model === ''}
              autocomplete="off"
              placeholder="gpt-4o*"
              hint="A * at its end: whatever begins so"
              maxLength={160}
              value={model}
              wrong={wrongOf('model')}
              onText={setModel}
            />
            <Field
              label="Provider"
              autocomplete="off"
              placeholder="openai"
              hint="Empty: whoever is asked"
              maxLength={63}
              value={provider}
              wrong={wrongOf('provider')}
              onText={setProvider}
            />
          </>
        )}
        <p>Dollars for a million tokens.</p>
        <div class="price-amounts">
          {amounts.map(({ name, label, hint, placeholder }) => (
            <Field
              key={name}
              label={label}
              required={name === 'input'}
              autoFocus={name === 'input' && draft.model !== ''}
              autocomplete="off"
              inputMode="decimal"
              {...(hint === undefined ? {} : { hint })}
              {...(placeholder === undefined ? {} : { placeholder })}
              value={texts[name]}
              wrong={wrongOf(name)}
              onText={(text) => {
                setTexts({ ...texts, [name]: text });
              }}
            />
          ))}
        </div>
        <Wrong error={error?.field === null ? error : null} />
        <div class="dialog-buttons">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button class="button main" disabled={busy}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}
