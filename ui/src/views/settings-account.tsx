/** One's own account: how one is called, the password, the way out. */
import { useState } from 'preact/hooks';
import { endOtherSessions, endSession, getSessions, setAccount, setPassword, signOut } from '../api/accounts';
import type { Session } from '../api/types';
import { browserOf } from '../model/agent';
import { clock, unknown } from '../model/format';
import { useActing } from '../widgets/acting';
import { ActingForm } from '../widgets/acting-form';
import { Field, NewPassword } from '../widgets/field';
import { useLoaded } from '../widgets/loaded';
import { PlainTable } from '../widgets/plain-table';
import { Wrong } from '../widgets/wrong';

export function AccountSettings({ session, onChange }: { session: Session; onChange: () => void }) {
  const leaving = useActing();
  const { user } = session;
  if (!user) return null;
  return (
    <>
      {!user.has_password && (
        <p class="hint" role="note">
          This account has no password yet: it is entered by the link that the server prints. With one, you sign in from
          any browser that reaches the server.
        </p>
      )}
      <Who key={user.id} user={user} onChange={onChange} />
      <Password user={user} onChange={onChange} />
      <Sessions />
      <section class="form">
        <h2>Sign out</h2>
        <p>Ends this browser&apos;s session. You are its {session.role ?? 'user'}.</p>
        <Wrong error={leaving.error} />
        <button
          type="button"
          class="button"
          disabled={leaving.busy}
          onClick={() => {
            leaving.act(async () => {
              await signOut();
              location.assign('/');
            });
          }}
        >
          Sign out
        </button>
      </section>
    </>
  );
}

/** Where else one is signed in. */
function Sessions() {
  const sessions = useLoaded(getSessions, []);
  const ending = useActing();
  const others = sessions.value?.some(({ current }) => !current) ?? false;
  return (
    <section class="form wide" aria-busy={sessions.value === null && !sessions.error}>
      <h2>Where you are signed in</h2>
      <Wrong error={ending.error ?? sessions.error} />
      {sessions.value !== null && (
        <PlainTable
          label="Sessions"
          rows={sessions.value}
          keyOf={(session) => session.id}
          columns={[
            {
              label: 'Browser',
              cell: (session) => (
                <>
                  <bdi title={session.agent ?? undefined}>{browserOf(session.agent)}</bdi>
                  {session.current && <span class="chip">this one</span>}
                </>
              ),
            },
            { label: 'From', mono: true, cell: (session) => session.address ?? unknown },
            { label: 'Since', mono: true, cell: (session) => clock(session.created_at) },
            {
              label: 'Last used',
              mono: true,
              cell: (session) => (session.last_used_at === null ? unknown : clock(session.last_used_at)),
            },
            { label: 'Ends', mono: true, cell: (session) => session.expires_at.slice(0, 10) },
            {
              label: 'End',
              actions: true,
              cell: (session) =>
                !session.current && (
                  <button
                    type="button"
                    class="button danger small"
                    aria-label={`End the session of ${browserOf(session.agent)}`}
                    disabled={ending.busy}
                    onClick={() => {
                      ending.act(async () => {
                        await endSession(session.id);
                        sessions.reload();
                      });
                    }}
                  >
                    End
                  </button>
                ),
            },
          ]}
        />
      )}
      {others && (
        <button
          type="button"
          class="button"
          disabled={ending.busy}
          onClick={() => {
            ending.act(async () => {
              await endOtherSessions();
              sessions.reload();
            });
          }}
        >
          End all others
        </button>
      )}
    </section>
  );
}

type User = NonNullable<Session['user']>;

function Who({ user, onChange }: { user: User; onChange: () => void }) {
  const [email, setEmail] = useState(user.email);
  const [name, setName] = useState(user.name);
  return (
    <ActingForm
      does="Save"
      ready={email !== user.email || name !== user.name}
      onGo={async () => {
        await setAccount({ email, name });
        onChange();
        return 'Saved';
      }}
    >
      {(wrong) => (
        <>
          <h2>Who you are</h2>
          <Field label="E-mail" autocomplete="email" required value={email} wrong={wrong('email')} onText={setEmail} />
          <Field label="Name" autocomplete="name" value={name} wrong={wrong('name')} onText={setName} />
        </>
      )}
    </ActingForm>
  );
}

function Password({ user, onChange }: { user: User; onChange: () => void }) {
  const [current, setCurrent] = useState('');
  const [wanted, setWanted] = useState('');
  return (
    <ActingForm
      does={user.has_password ? 'Change it' : 'Set it'}
      onGo={async () => {
        await setPassword(user.has_password ? { current, new: wanted } : { new: wanted });
        setCurrent('');
        setWanted('');
        onChange();
        return 'The password is set';
      }}
    >
      {(wrong) => (
        <>
          <h2>{user.has_password ? 'Change the password' : 'Set a password'}</h2>
          <input
            class="unseen"
            type="text"
            autocomplete="username"
            value={user.email}
            readOnly
            tabIndex={-1}
            aria-hidden="true"
          />
          {user.has_password && (
            <Field
              label="Current password"
              type="password"
              autocomplete="current-password"
              required
              value={current}
              wrong={wrong('current')}
              onText={setCurrent}
            />
          )}
          <NewPassword
            label="New password"
            hint="At least 10 characters. Your other sessions end."
            value={wanted}
            wrong={wrong('new')}
            onText={setWanted}
          />
        </>
      )}
    </ActingForm>
  );
}
