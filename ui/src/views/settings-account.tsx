/** One's own account: how one is called, the password, the way out. */
import { useState } from 'preact/hooks';
import { setAccount, setPassword, signOut } from '../api/accounts';
import type { Session } from '../api/types';
import { useActing } from '../widgets/acting';
import { Field } from '../widgets/field';
import { explain } from './notices';

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
      <Password key={String(user.has_password)} user={user} onChange={onChange} />
      <section class="form">
        <h2>Sign out</h2>
        <p>Ends this browser&apos;s session. You are its {session.role ?? 'user'}.</p>
        {leaving.error && (
          <p class="bad" role="alert">
            {explain(leaving.error)}
          </p>
        )}
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

type User = NonNullable<Session['user']>;

function Who({ user, onChange }: { user: User; onChange: () => void }) {
  const [email, setEmail] = useState(user.email);
  const [name, setName] = useState(user.name);
  const [done, setDone] = useState(false);
  const { busy, error, act } = useActing();
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        act(async () => {
          await setAccount({ email, name });
          setDone(true);
          onChange();
        });
      }}
    >
      <h2>Who you are</h2>
      <Field label="E-mail" autocomplete="email" required value={email} onText={setEmail} />
      <Field label="Name" autocomplete="name" value={name} onText={setName} />
      {error && (
        <p class="bad" role="alert">
          {explain(error)}
        </p>
      )}
      <div class="buttons">
        <button class="button" disabled={busy || (email === user.email && name === user.name)}>
          Save
        </button>
        {done && <span role="status">Saved</span>}
      </div>
    </form>
  );
}

function Password({ user, onChange }: { user: User; onChange: () => void }) {
  const [current, setCurrent] = useState('');
  const [wanted, setWanted] = useState('');
  const [done, setDone] = useState(false);
  const { busy, error, act } = useActing();
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        act(async () => {
          await setPassword(user.has_password ? { current, new: wanted } : { new: wanted });
          setCurrent('');
          setWanted('');
          setDone(true);
          onChange();
        });
      }}
    >
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
          wrong={error?.field === 'current' ? error.message : null}
          onText={setCurrent}
        />
      )}
      <Field
        label="New password"
        type="password"
        autocomplete="new-password"
        required
        minLength={10}
        maxLength={512}
        hint="At least 10 characters. Your other sessions end."
        value={wanted}
        wrong={error?.field === 'new' ? error.message : null}
        onText={setWanted}
      />
      {error && error.field !== 'current' && error.field !== 'new' && (
        <p class="bad" role="alert">
          {explain(error)}
        </p>
      )}
      <div class="buttons">
        <button class="button" disabled={busy}>
          {user.has_password ? 'Change it' : 'Set it'}
        </button>
        {done && <span role="status">Done</span>}
      </div>
    </form>
  );
}
