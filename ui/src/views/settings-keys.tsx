/** API keys: made and shown once, with what to do with them; listed; revoked. */
import { useState } from 'preact/hooks';
import { getKeys, makeKey, revokeKey, scopes, type ApiKey, type KeyWish, type Scope } from '../api/accounts';
import type { ApiError } from '../api/client';
import type { Session } from '../api/types';
import { clock } from '../model/format';
import { ActingForm } from '../widgets/acting-form';
import { CodeLines } from '../widgets/code-lines';
import { ConfirmDialog } from '../widgets/confirm-dialog';
import { Choice, Field } from '../widgets/field';
import { useLoaded } from '../widgets/loaded';
import { PlainTable } from '../widgets/plain-table';
import { Wrong } from '../widgets/wrong';

interface Props {
  session: Session;
  onFailure: (error: ApiError) => void;
}

export function KeysSettings({ session, onFailure }: Props) {
  const keys = useLoaded(getKeys, [], onFailure);
  const [made, setMade] = useState<(ApiKey & { key: string }) | null>(null);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const mayChange = session.role !== 'viewer';

  return (
    <>
      {made && <Made made={made} />}
      {mayChange && (
        <NewKey
          onMade={(key) => {
            setMade(key);
            keys.reload();
          }}
        />
      )}
      <section class="form wide">
        <h2>Keys of {session.project}</h2>
        <Wrong error={keys.error} />
        {keys.value?.length === 0 && <p class="mute">There is none yet.</p>}
        {keys.value !== null && keys.value.length > 0 && (
          <PlainTable
            label="Keys"
            rows={keys.value}
            keyOf={(key) => key.id}
            isOver={(key) => key.revoked_at !== null}
            columns={[
              { label: 'Name', cell: (key) => <bdi>{key.name}</bdi> },
              { label: 'Key', mono: true, cell: (key) => `${key.hint}…` },
              { label: 'May', cell: (key) => key.scopes.join(', ') },
              { label: 'Environment', cell: (key) => <bdi>{key.environment ?? '–'}</bdi> },
              {
                label: 'Last used',
                mono: true,
                cell: (key) => (key.last_used_at === null ? 'never' : clock(key.last_used_at)),
              },
              { label: 'Ends', mono: true, cell: endOf },
              {
                label: 'Revoke',
                actions: true,
                cell: (key) =>
                  mayChange &&
                  key.revoked_at === null && (
                    <button
                      type="button"
                      class="button danger small"
                      aria-label={`Revoke ${key.name}`}
                      onClick={() => {
                        setRevoking(key);
                      }}
                    >
                      Revoke
                    </button>
                  ),
              },
            ]}
          />
        )}
      </section>
      {revoking && (
        <ConfirmDialog
          title={`Revoke ${revoking.name}?`}
          does="Revoke"
          onClose={() => {
            setRevoking(null);
          }}
          onDo={async () => {
            await revokeKey(revoking.id);
            keys.reload();
          }}
        >
          <p>
            Whatever uses <code>{revoking.hint}…</code> is refused from now on. What it sent stays.
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}

function endOf(key: ApiKey): string {
  if (key.revoked_at !== null) return `revoked ${clock(key.revoked_at)}`;
  return key.expires_at === null ? 'never' : key.expires_at.slice(0, 10);
}

const lives: [days: number | null, text: string][] = [
  [null, 'Never ends'],
  [30, 'Ends in 30 days'],
  [90, 'Ends in 90 days'],
  [365, 'Ends in a year'],
];

const mays: Record<Scope, string> = {
  ingest: 'send spans',
  read: 'read what is stored',
  gateway: 'use the gateway',
};

function NewKey({ onMade }: { onMade: (key: ApiKey & { key: string }) => void }) {
  const [name, setName] = useState('');
  const [environment, setEnvironment] = useState('');
  const [chosen, setChosen] = useState<Scope[]>(['ingest', 'read']);
  const [days, setDays] = useState<number | null>(null);
  return (
    <ActingForm
      does="Make a key"
      look="main"
      ready={chosen.length > 0}
      onGo={async () => {
        const wish: KeyWish = { name, scopes: chosen };
        if (environment !== '') wish.environment = environment;
        if (days !== null) wish.expires_at = new Date(Date.now() + days * 86_400_000).toISOString();
        const key = await makeKey(wish);
        setName('');
        onMade(key);
        return undefined;
      }}
    >
      {(wrong) => (
        <>
          <h2>New key</h2>
          <Field
            label="Name"
            required
            maxLength={63}
            autocomplete="off"
            placeholder="laptop"
            value={name}
            wrong={wrong('name')}
            onText={setName}
          />
          <fieldset class="field">
            <legend>Allowed to</legend>
            {scopes.map((scope) => (
              <label key={scope} class="check">
                <input
                  type="checkbox"
                  checked={chosen.includes(scope)}
                  onChange={(event) => {
                    const { checked } = event.currentTarget;
                    setChosen(scopes.filter((s) => (s === scope ? checked : chosen.includes(s))));
                  }}
                />
                <span>{mays[scope]}</span>
              </label>
            ))}
          </fieldset>
          <Field
            label="Environment"
            autocomplete="off"
            placeholder="production"
            hint="For spans sent with it that name none"
            value={environment}
            wrong={wrong('environment')}
            onText={setEnvironment}
          />
          <Choice label="Until" of={lives} onChoose={setDays} />
        </>
      )}
    </ActingForm>
  );
}

/** The only time that the key itself is there to be seen. */
function Made({ made }: { made: ApiKey & { key: string } }) {
  const python = `export RESPAN_API_KEY=${made.key}
export RESPAN_BASE_URL=${location.origin}/api`;
  const otel = `export OTEL_EXPORTER_OTLP_ENDPOINT=${location.origin}
export OTEL_EXPORTER_OTLP_HEADERS="x-api-key=${made.key}"`;
  return (
    <section class="form wide made" aria-label="The new key">
      <h2>{made.name} is made</h2>
      <p role="status">Copy it now: it is not shown again.</p>
      <CodeLines text={made.key} label="Copy the key" />
      <p>For respan in Python and C:</p>
      <CodeLines text={python} label="Copy the lines for respan" />
      <p>For any OpenTelemetry SDK:</p>
      <CodeLines text={otel} label="Copy the lines for OpenTelemetry" />
    </section>
  );
}
