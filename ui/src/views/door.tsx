/** The way in: sign in, sign up, and the link of an invite. Whoever is let in comes to the page anew, with his session. */
import '../style/settings.css';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { getDoor, signIn, signUp, type Door as Said } from '../api/accounts';
import { nextPath } from '../model/door';
import { useActing, type Acting } from '../widgets/acting';
import { Field } from '../widgets/field';
import { explain } from './notices';

export function Door() {
  const [said, setSaid] = useState<Said | null>(null);
  useEffect(() => {
    getDoor(AbortSignal.timeout(10_000)).then(setSaid, () => undefined);
  }, []);
  const invite = /^\/invite\/([^/]+)\/?$/.exec(location.pathname)?.[1];
  if (invite !== undefined) return <SignUp invite={decodeURIComponent(invite)} />;
  return location.pathname.startsWith('/signup') ? <SignUp /> : <SignIn mayJoin={said?.signup_allowed === true} />;
}

function Frame({ title, acting, onGo, children }: FrameProps) {
  useEffect(() => {
    document.title = `${title} · respan`;
  }, [title]);
  return (
    <main class="alone door">
      <form
        class="notice form"
        onSubmit={(event) => {
          event.preventDefault();
          acting.act(onGo);
        }}
      >
        <h1>
          <i class="logo" aria-hidden="true" /> respan
        </h1>
        <h2>{title}</h2>
        {children}
        {acting.error && (acting.error.field === null || acting.error.field === 'invite') && (
          <p class="bad" role="alert">
            {explain(acting.error)}
          </p>
        )}
      </form>
    </main>
  );
}

interface FrameProps {
  title: string;
  acting: Acting;
  onGo: () => Promise<void>;
  children: ComponentChildren;
}

const wrongOf = ({ error }: Acting, field: string): string | null => (error?.field === field ? error.message : null);

function SignIn({ mayJoin }: { mayJoin: boolean }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const acting = useActing();
  return (
    <Frame
      title="Sign in"
      acting={acting}
      onGo={async () => {
        await signIn(email, password);
        location.assign(nextPath(location.search));
      }}
    >
      <Field
        label="E-mail"
        type="email"
        autocomplete="username"
        required
        autoFocus
        value={email}
        wrong={wrongOf(acting, 'email')}
        onText={setEmail}
      />
      <Field
        label="Password"
        type="password"
        autocomplete="current-password"
        required
        value={password}
        wrong={wrongOf(acting, 'password')}
        onText={setPassword}
      />
      <button class="button main" disabled={acting.busy}>
        Sign in
      </button>
      {mayJoin && (
        <p>
          No account yet? <a href={`/signup${location.search}`}>Sign up</a>
        </p>
      )}
      <p class="mute">
        No password, or a forgotten one? On the machine that runs the server, <code>respan auth link</code> prints a
        link that lets an owner in.
      </p>
    </Frame>
  );
}

function SignUp({ invite }: { invite?: string }) {
  const [email, setEmail] = useState('');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const acting = useActing();
  return (
    <Frame
      title={invite === undefined ? 'Sign up' : 'You are invited'}
      acting={acting}
      onGo={async () => {
        await signUp({ email, password, name, ...(invite === undefined ? {} : { invite }) });
        location.assign(nextPath(location.search));
      }}
    >
      <Field
        label="E-mail"
        type="email"
        autocomplete="username"
        required
        autoFocus
        value={email}
        wrong={wrongOf(acting, 'email')}
        onText={setEmail}
      />
      <Field
        label="Name"
        type="text"
        autocomplete="name"
        required
        maxLength={100}
        value={name}
        wrong={wrongOf(acting, 'name')}
        onText={setName}
      />
      <Field
        label="Password"
        type="password"
        autocomplete="new-password"
        required
        minLength={10}
        maxLength={512}
        hint="At least 10 characters"
        value={password}
        wrong={wrongOf(acting, 'password')}
        onText={setPassword}
      />
      <button class="button main" disabled={acting.busy}>
        {invite === undefined ? 'Sign up' : 'Join'}
      </button>
      <p>
        Have an account? <a href={`/signin${location.search}`}>Sign in</a>
      </p>
    </Frame>
  );
}
