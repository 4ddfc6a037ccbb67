/** What an hour of a device costs, for models that run here; with what that comes to for a call. */
import { useState } from 'preact/hooks';
import { setTimePrice, unsetTimePrice, type TimePrice, type TimeWish } from '../api/prices';
import { amountOf, dollars, hourOf, workedExample } from '../model/prices';
import { useActing } from '../widgets/acting';
import { ActingForm } from '../widgets/acting-form';
import { Choice, Field } from '../widgets/field';
import { Wrong } from '../widgets/wrong';

const devices: [value: string, label: string][] = [
  ['*', 'Anything that runs here'],
  ['cuda', 'NVIDIA or AMD GPU (cuda)'],
  ['mps', 'Apple GPU (mps)'],
  ['cpu', 'CPU (cpu)'],
  ['server', 'A local server (Ollama, vLLM, …)'],
];
const nameOf = (device: string): string => devices.find(([value]) => value === device)?.[1] ?? device;

interface Props {
  times: TimePrice[] | null;
  mayChange: boolean;
  onChanged: () => void;
}

export function TimePrices({ times, mayChange, onChanged }: Props) {
  const { busy, error, act } = useActing();
  return (
    <section class="form wide" aria-label="Price of time">
      <h2>Price of time</h2>
      <p>
        A model that runs here costs nothing, unless you say what an hour of its device costs: a rented GPU, or the
        energy that yours draws. A call then costs the time that it takes; a batch is one call.
      </p>
      {times !== null && times.length > 0 && (
        <div class="scroll">
          <table class="plain">
            <thead>
              <tr>
                <th>Device</th>
                <th>An hour</th>
                <th>A call of 0.42 s</th>
                <th>
                  <span class="sr">Remove</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {times.map((t) => (
                <tr key={t.id}>
                  <td>{nameOf(t.device)}</td>
                  <td class="mono">
                    {dollars(t.per_hour)}
                    {t.watts !== null && t.per_kwh !== null && (
                      <span class="mute">
                        {' '}
                        ({t.watts} W at {dollars(t.per_kwh)} a kWh)
                      </span>
                    )}
                  </td>
                  <td class="mono">{workedExample(t.per_hour, 0.42)}</td>
                  <td class="end">
                    {mayChange && (
                      <button
                        type="button"
                        class="button danger small"
                        aria-label={`Remove the price of ${nameOf(t.device)}`}
                        disabled={busy}
                        onClick={() => {
                          act(async () => {
                            await unsetTimePrice(t.id);
                            onChanged();
                          });
                        }}
                      >
                        Remove
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Wrong error={error} />
      {mayChange && <NewTimePrice onChanged={onChanged} />}
    </section>
  );
}

function NewTimePrice({ onChanged }: { onChanged: () => void }) {
  const [device, setDevice] = useState('*');
  const [byEnergy, setByEnergy] = useState(false);
  const [texts, setTexts] = useState({ perHour: '', watts: '', perKwh: '' });
  const perHour = amountOf(texts.perHour);
  const watts = amountOf(texts.watts);
  const perKwh = amountOf(texts.perKwh);
  const hour = hourOf(byEnergy, perHour, watts, perKwh);
  const notNumber = (value: number | null): string | null => (Number.isNaN(value) ? 'A number, as 2.50' : null);

  return (
    <ActingForm
      does="Set it"
      onGo={async () => {
        if (Number.isNaN(hour)) return undefined;
        const wish: TimeWish = byEnergy
          ? { device, watts: watts ?? 0, per_kwh: perKwh ?? 0 }
          : { device, per_hour: perHour ?? 0 };
        await setTimePrice(wish);
        setTexts({ perHour: '', watts: '', perKwh: '' });
        onChanged();
        return undefined;
      }}
    >
      {(wrong) => (
        <>
          <Choice label="Device" of={devices} onChoose={setDevice} />
          <fieldset class="field ways">
            <legend>It costs</legend>
            <label class="check">
              <input
                type="radio"
                name="time-way"
                checked={!byEnergy}
                onChange={() => {
                  setByEnergy(false);
                }}
              />
              <span>by the hour</span>
            </label>
            <label class="check">
              <input
                type="radio"
                name="time-way"
                checked={byEnergy}
                onChange={() => {
                  setByEnergy(true);
                }}
              />
              <span>the energy that it draws</span>
            </label>
          </fieldset>
          {byEnergy ? (
            <div class="price-amounts">
              <Field
                label="Watts"
                required
                inputMode="decimal"
                autocomplete="off"
                placeholder="350"
                value={texts.watts}
                wrong={notNumber(watts) ?? wrong('watts')}
                onText={(text) => {
                  setTexts({ ...texts, watts: text });
                }}
              />
              <Field
                label="Dollars for a kWh"
                required
                inputMode="decimal"
                autocomplete="off"
                placeholder="0.30"
                value={texts.perKwh}
                wrong={notNumber(perKwh) ?? wrong('per_kwh')}
                onText={(text) => {
                  setTexts({ ...texts, perKwh: text });
                }}
              />
            </div>
          ) : (
            <Field
              label="Dollars an hour"
              required
              inputMode="decimal"
              autocomplete="off"
              placeholder="2.10"
              value={texts.perHour}
              wrong={notNumber(perHour) ?? wrong('per_hour')}
              onText={(text) => {
                setTexts({ ...texts, perHour: text });
              }}
            />
          )}
          <p class="worked" role="status">
            {Number.isNaN(hour)
              ? 'A call of 0.42 s at $2.10 an hour costs $0.000245.'
              : `A call of 0.42 s: ${workedExample(hour, 0.42)}`}
          </p>
        </>
      )}
    </ActingForm>
  );
}
